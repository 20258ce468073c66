//! What a guest must not learn, asked for by every route and waited for with every event. A member who may see it finds all of
//! it by the same walk, so what is looked for can be found.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{server::campfire, *};

/// Words of names, addresses, rooms, messages and files that stand nowhere else.
const WORDS: [&str; 12] = [
    "zarquon",
    "quibblefax",
    "snorkwhistle",
    "blorptangle",
    "wumpledink",
    "frizzlebot",
    "glimmerhook",
    "dorfkin",
    "plimsollox",
    "hexaflume",
    "tramblewick",
    "vortigern",
];

/// Users and rooms have such ids, so that a number in an answer is one of them or of nothing: not by chance in a random key.
const FIRST_USER: i64 = 770_000_000_000;
const FIRST_ROOM: i64 = 880_000_000_000;

struct Secrets {
    team: Team,
    /// Of the room where the guest is, with Ada.
    lobby: i64,
    gus: Person,
    zarquon: Person,
    open: i64,
    closed: i64,
    direct: i64,
    message: i64,
    /// In the open room, said by Ada.
    plain: i64,
    file: i64,
    bot: i64,
    hook: i64,
    invitation: i64,
}

/// A team with somebody, rooms, a bot and messages that the guest has nothing to do with.
async fn secrets() -> Secrets {
    let mut team = Team::start().await;
    let lobby = team.closed_room("Lobby", &[&team.ada]).await;
    let gus = team.guest("Gus", &[lobby]).await;
    gus.say(lobby, "Is anybody here?").await;
    team.server.terminate();
    let db = Connection::open(team.server.database()).unwrap();
    for (table, first) in [("users", FIRST_USER), ("rooms", FIRST_ROOM)] {
        db.execute("update sqlite_sequence set seq = ? where name = ?", (first, table)).unwrap();
    }
    drop(db);
    team.server.restart();
    let zarquon = team.join("Zarquon Hidden").await;
    let path = format!("/api/users/{}", zarquon.id);
    zarquon.patch(&path, json!({"bio": "Plimsollox by trade"})).await.expect(200);
    let open = json!({"name": "Quibblefax Hall"});
    let open = id(&zarquon.post("/api/rooms", open).await.expect(201));
    let closed = team.closed_room("Snorkwhistle Vault", &[&zarquon, &team.ada]).await;
    let direct = zarquon.direct_with(&[&team.ada]).await;
    let message = id(&zarquon.say(closed, "The blorptangle is ready").await);
    zarquon.say(direct, "Tell nobody of the wumpledink").await;
    let plain = id(&team.ada.say(open, "Vortigern comes").await);
    team.ada
        .post(&format!("/api/messages/{message}/boosts"), json!({"content": "dorfkin"}))
        .await
        .expect(201);
    let file = zarquon.upload(open, &[("content", "hexaflume")], "tramblewick.txt", b"hexaflume plans").await;
    let file = file.expect(201)["attachment"]["id"].as_i64().unwrap();
    let bot = id(&team.ada.post("/api/bots", json!({"name": "Frizzlebot"})).await.expect(201));
    let hook = json!({"name": "Glimmerhook", "room_id": closed});
    let hook = id(&team.ada.post("/api/hooks", hook).await.expect(201));
    let invitation = json!({"note": "for plimsollox", "room_ids": [closed]});
    let invitation = id(&team.ada.post("/api/invitations", invitation).await.expect(201));
    Secrets { team, lobby, gus, zarquon, open, closed, direct, message, plain, file, bot, hook, invitation }
}

/// What of the secrets stands in a text: words, and ids of users and rooms.
fn found_in(text: &str) -> BTreeSet<String> {
    let lower = text.to_lowercase();
    let mut found: BTreeSet<String> =
        WORDS.iter().filter(|word| lower.contains(**word)).map(|word| (*word).to_owned()).collect();
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<i64>().ok());
    let is_secret =
        |id: &i64| [FIRST_USER, FIRST_ROOM].iter().any(|first| (*first..first + 100_000).contains(id));
    found.extend(numbers.filter(is_secret).map(|id| id.to_string()));
    found
}

impl Secrets {
    /// Every route of the OpenAPI document, as a method and a path.
    async fn routes(&self) -> Vec<(String, String)> {
        let document = self.gus.get("/api/openapi.json").await.expect(200);
        let paths = document["paths"].as_object().unwrap();
        let of = |(path, methods): (&String, &Value)| -> Vec<(String, String)> {
            methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect()
        };
        paths.iter().flat_map(of).collect()
    }

    /// The values of a placeholder: what is secret, and for reading also what is the guest's own.
    fn values(&self, name: &str, route: &str) -> Vec<String> {
        let ids = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>();
        match name {
            "user_id" => [ids(&[self.zarquon.id]), vec!["me".into()]].concat(),
            "id" if route.starts_with("/api/users") || route.starts_with("/avatars") => {
                ids(&[self.zarquon.id, self.bot])
            }
            "id" if route.starts_with("/api/hooks") => ids(&[self.hook]),
            "id" if route.starts_with("/files") => ids(&[self.file]),
            "invitation" => ids(&[self.invitation]),
            // The guest's own have other ids.
            "id" | "room_id" | "message_id" | "message" | "session_id" | "identity_id" => {
                ids(&[self.zarquon.id, self.open, self.closed, self.direct, self.message, self.plain])
            }
            "filename" => vec!["tramblewick.txt".into(), "thumbnail".into()],
            "name" => vec!["party".into(), "56k.wav".into(), "app.js".into(), "icon-192.png".into()],
            "code" | "token" | "bot_key" => vec![format!("{}-guessed", self.bot), "guessed".into()],
            "key" => vec!["embed-guessed".into()],
            "place" => vec!["0".into()],
            "provider" => vec!["main".into()],
            "section" | "page" => vec!["people".into(), "profile".into(), "edit".into()],
            "kind" => vec!["opens".into()],
            other => panic!("give {{{other}}} of {route} values to sweep"),
        }
    }

    /// The paths of a route, with every value of its placeholders.
    fn paths(&self, route: &str) -> Vec<String> {
        let mut paths = vec![String::new()];
        for (place, part) in route.split(['{', '}']).enumerate() {
            let values = if place % 2 == 0 { vec![part.to_owned()] } else { self.values(part, route) };
            paths = paths
                .iter()
                .flat_map(|path| values.iter().map(move |value| format!("{path}{value}")))
                .collect();
        }
        paths
    }

    /// A body with every field that any route takes, about what is secret.
    fn body(&self) -> Value {
        json!({
            "name": "X", "bio": "X", "content": "X", "note": "X", "email": "x@example.com", "password": "wrong",
            "current_password": "wrong", "role": "member", "kind": "direct", "scope": "read",
            "user_ids": [self.zarquon.id], "room_ids": [self.closed], "room_id": self.closed,
            "message_id": self.message, "involvement": "everything", "endpoint": "x", "account_name": "X",
        })
    }

    /// Asks for everything that a route has, and returns what of the secrets was in the answers.
    async fn ask(&self, who: &Client, method: &str, route: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if route == "/api/searches" {
            // What they have typed themselves.
            who.delete(route).await.expect(204);
        }
        for path in self.paths(route) {
            // Their own session is needed for the rest.
            if method == "DELETE" && matches!(route, "/api/session" | "/api/sessions") {
                continue;
            }
            let query = match route {
                "/api/search" => "?q=from:zarquon",
                "/api/sync" => "?since=0&with=rooms",
                "/api/setup" => "?with=account",
                _ => "",
            };
            let request = who.request(method, &format!("{path}{query}"));
            let request = if method == "GET" { request } else { request.json(self.body()) };
            let reply = request.send().await;
            let secrets = found_in(&reply.text());
            let location = reply.header("location").map(found_in).unwrap_or_default();
            // A redirect to an address of one's own making repeats what was asked for.
            let asked = found_in(&path);
            found.extend(secrets.into_iter().chain(location).filter(|secret| !asked.contains(secret)));
            if method != "GET" {
                assert!(reply.status >= 400 || self.may_succeed(route), "{method} {path}: {}", reply.text());
            }
        }
        found
    }

    /// Routes that a guest uses for themselves.
    fn may_succeed(&self, route: &str) -> bool {
        ["/api/tokens", "/api/session/transfer", "/api/searches"].contains(&route)
    }

    /// What of the secrets one learns from the routes for reading.
    async fn learned_by(&self, who: &Client) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (method, route) in self.routes().await {
            if method == "GET" && route != "/ws" {
                found.extend(self.ask(who, &method, &route).await);
            }
        }
        for query in ["blorptangle", "vortigern", "hexaflume", "from:zarquon", "in:quibblefax", "dorfkin"] {
            let found_by = who.get(&format!("/api/search?q={query}")).await.text();
            found.extend(found_in(&found_by).into_iter().filter(|word| !query.contains(word.as_str())));
        }
        for room in [self.open, self.closed, self.direct] {
            found.extend(found_in(&who.get(&format!("/api/search?q=is&room_id={room}")).await.text()));
        }
        found.extend(found_in(&who.get("/api/users?q=zar").await.text()));
        found
    }
}

#[tokio::test]
async fn no_route_tells_a_guest_of_strangers_and_their_rooms() {
    let secrets = secrets().await;
    let (gus, ada) = (secrets.gus.client.clone(), secrets.team.ada.client.clone());
    // The walk finds what there is: all words, the user, the bot and the rooms.
    let known = secrets.learned_by(&ada).await;
    let missing: Vec<&&str> = WORDS.iter().filter(|word| !known.contains(**word)).collect();
    assert!(missing.is_empty(), "an administrator would find {missing:?}");
    for id in [secrets.zarquon.id, secrets.bot, secrets.open, secrets.closed, secrets.direct] {
        assert!(known.contains(&id.to_string()), "an administrator would find {id}");
    }
    let mut asked = 0;
    for (method, route) in secrets.routes().await {
        if route == "/ws" {
            continue;
        }
        let told = secrets.ask(&gus, &method, &route).await;
        assert!(told.is_empty(), "{method} {route} tells a guest of {told:?}");
        asked += 1;
    }
    assert!(asked > 130, "only {asked} routes");
    let told = secrets.learned_by(&gus).await;
    assert!(told.is_empty(), "a guest learns of {told:?}");
    // By a token and over another device it is the same.
    let token = gus.post("/api/tokens", json!({"name": "script", "scope": "admin"})).await.expect(201);
    let script = gus.with(http::Credentials::Bearer(token["token"].as_str().unwrap().to_owned()));
    assert_eq!(secrets.learned_by(&script).await, BTreeSet::new());
    // After a restart, from the database.
    let Secrets { mut team, gus, .. } = secrets;
    team.server.terminate();
    team.server.restart();
    for path in ["/api/session", "/api/users", "/api/rooms", "/api/sync?since=0"] {
        assert_eq!(found_in(&gus.get(path).await.text()), BTreeSet::new(), "{path}");
    }
    gus.delete("/api/sessions").await.expect(204);
    gus.delete("/api/session").await.expect(204);
}

#[tokio::test]
async fn no_event_tells_a_guest_of_strangers_and_their_rooms() {
    let secrets = secrets().await;
    let Secrets { team, gus, zarquon, lobby, open, closed, direct, bot, hook, message, plain, .. } = &secrets;
    let ada = &team.ada;
    let start = gus.get("/api/session").await.expect(200)["seq"].as_i64().unwrap();
    let mut socket = gus.socket_in(*lobby).await;
    let mut packed = Socket::connect_msgpack(&gus.client).await;
    packed.join(*lobby).await;
    // A member's socket hears of it all.
    let mut of_grace = team.join("Grace").await.socket_in(*open).await;

    // Presence and typing.
    let mut of_zarquon = zarquon.socket_in(*closed).await;
    of_zarquon.join(*open).await;
    of_zarquon.send(json!({"type": "typing", "room_id": open})).await;
    of_zarquon.say(*open, "More of the vortigern", "c-1").await;
    of_zarquon.send(json!({"type": "read", "room_id": open, "message_id": plain})).await;
    of_zarquon.round_trip().await;
    // Messages, files, boosts.
    zarquon
        .patch(&format!("/api/messages/{message}"), json!({"content": "The blorptangle, again"}))
        .await
        .expect(200);
    let boost = zarquon.post(&format!("/api/messages/{plain}/boosts"), json!({"content": "dorfkin"})).await;
    zarquon.delete(&format!("/api/boosts/{}", id(&boost.expect(201)))).await.expect(204);
    zarquon.upload(*open, &[], "tramblewick.png", b"hexaflume").await.expect(201);
    let gone = id(&zarquon.say(*open, "A short vortigern").await);
    zarquon.delete(&format!("/api/messages/{gone}")).await.expect(204);
    ada.say(*closed, "@room snorkwhistle").await;
    zarquon.post(&format!("/api/rooms/{direct}/read"), json!({"message_id": message})).await.expect(204);
    // Rooms and members.
    zarquon.patch(&format!("/api/rooms/{open}"), json!({"name": "Quibblefax Court"})).await.expect(200);
    zarquon.patch(&format!("/api/rooms/{closed}"), json!({"user_ids": [zarquon.id]})).await.expect(200);
    ada.post(&format!("/api/rooms/{closed}/members/{}", ada.id), json!({})).await.expect(201);
    zarquon
        .put(&format!("/api/rooms/{open}/involvement"), json!({"involvement": "nothing"}))
        .await
        .expect(200);
    let made = id(&zarquon.post("/api/rooms", json!({"name": "Snorkwhistle Two"})).await.expect(201));
    zarquon.patch(&format!("/api/rooms/{made}"), json!({"kind": "closed"})).await.expect(200);
    zarquon.patch(&format!("/api/rooms/{made}"), json!({"kind": "open"})).await.expect(200);
    zarquon.delete(&format!("/api/rooms/{made}")).await.expect(204);
    // People, bots, webhooks, invitations.
    let path = format!("/api/users/{}", zarquon.id);
    zarquon.patch(&path, json!({"name": "Zarquon Seen", "bio": "Plimsollox"})).await.expect(200);
    ada.patch(&path, json!({"role": "admin"})).await.expect(200);
    ada.patch(&path, json!({"role": "member"})).await.expect(200);
    ada.patch(&path, json!({"role": "guest", "room_ids": [open]})).await.expect(200);
    ada.patch(&path, json!({"role": "member"})).await.expect(200);
    ada.patch(&format!("/api/bots/{bot}"), json!({"name": "Frizzlebot Two"})).await.expect(200);
    ada.patch(&format!("/api/hooks/{hook}"), json!({"name": "Glimmerhook Two"})).await.expect(200);
    ada.delete(&format!("/api/hooks/{hook}")).await.expect(204);
    ada.delete(&format!("/api/bots/{bot}")).await.expect(204);
    team.come(&team.invitation(json!({"room_ids": [closed]})).await, "Zarquon Junior").await;
    team.guest("Zarquon Guest", &[*open]).await;
    ada.post(&format!("{path}/ban"), json!({})).await.expect(204);
    ada.delete(&format!("{path}/ban")).await.expect(204);
    ada.delete(&path).await.expect(204);
    // The account is everybody's.
    ada.patch("/api/account", json!({"members_see_join_link": true})).await.expect(200);

    for socket in [&mut socket, &mut packed] {
        socket.expect("account.updated").await;
        socket.round_trip().await;
        for event in &socket.skipped {
            let told = found_in(&event.to_string());
            assert!(told.is_empty(), "{event} tells a guest of {told:?}");
        }
    }
    of_grace.expect("account.updated").await;
    let heard: BTreeSet<&str> = of_grace.skipped.iter().filter_map(|it| it["type"].as_str()).collect();
    for kind in ["user.updated", "message.created", "room.updated", "presence", "typing", "boost.created"] {
        assert!(heard.contains(kind), "a member hears {kind}: {heard:?}");
    }
    // What was missed.
    let sync = gus.get(&format!("/api/sync?since={start}&with=rooms")).await;
    assert_eq!(found_in(&sync.text()), BTreeSet::new());
    let kinds: Vec<String> = {
        let sync = sync.expect(200);
        let events = sync["events"].as_array().unwrap();
        events.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds, ["account.updated"]);
    // Another process writes: a guest asks for everything, and is told nothing.
    let mut admin = campfire();
    admin.args([
        "admin",
        "create",
        "--name",
        "Zarquon the Third",
        "--email",
        "z3@example.com",
        "--password-stdin",
    ]);
    admin.arg("--data").arg(team.server.data()).stdin(std::process::Stdio::piped());
    let mut child = admin.stdout(std::process::Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    of_grace.expect_where("user.updated", |it| it["user"]["name"] == "Zarquon the Third").await;
    socket.skipped.clear();
    socket.expect("resync").await;
    assert!(socket.skipped.iter().all(|it| found_in(&it.to_string()).is_empty()), "{:?}", socket.skipped);
    // It can still be asked about.
    assert_eq!(secrets.learned_by(&gus.client).await, BTreeSet::new());
}
