//! Guests: who they see, what they may, and how one becomes a guest. `guest_sweep` walks over every route and event.

use crate::support::*;

/// Names of the users that somebody is told of, by name.
async fn seen_by(person: &Person) -> Vec<String> {
    let users = person.get("/api/users").await.expect(200);
    let mut names: Vec<String> = names(&users["users"]);
    names.sort_unstable();
    let session = person.get("/api/session").await.expect(200);
    let mut at_start = self::names(&session["users"]);
    at_start.sort_unstable();
    assert_eq!(names, at_start, "the session and the list say the same");
    names
}

fn names(users: &Value) -> Vec<String> {
    users.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn guest_is_in_the_rooms_of_the_invitation_and_sees_their_people_only() {
    let team = Team::start().await;
    let (grace, _linus) = (team.join("Grace").await, team.join("Linus").await);
    let project = team.closed_room("Project", &[&team.ada, &grace]).await;
    let gus = team.guest("Gus", &[project]).await;
    assert_eq!(gus.get("/api/session").await.expect(200)["user"]["role"], "guest");
    assert_eq!(ids(&gus.get("/api/rooms").await.expect(200)["rooms"]), [project]);
    assert_eq!(seen_by(&gus).await, ["Ada", "Grace", "Gus"]);
    assert_eq!(seen_by(&grace).await, ["Ada", "Grace", "Gus", "Linus"], "members see everybody");
    assert_eq!(names(&gus.get("/api/users?q=li").await.expect(200)["users"]), [""; 0]);
    let members = gus.get(&format!("/api/rooms/{project}/members")).await.expect(200);
    assert_eq!(names(&members["members"]), ["Ada", "Grace", "Gus"]);
    gus.say(project, "Hello from outside").await;
    grace.say(project, &format!("Welcome @[Gus](user:{})", gus.id)).await;
    assert_eq!(gus.unread(project).await, (1, 1));
    // No open room takes a guest in by itself, neither an old one nor a new one nor one that is opened.
    let made = grace.post("/api/rooms", json!({"name": "Everybody"})).await.expect(201);
    let opened = team.closed_room("Opened", &[&team.ada]).await;
    team.ada.patch(&format!("/api/rooms/{opened}"), json!({"kind": "open"})).await.expect(200);
    for room in [team.room, id(&made), opened] {
        gus.get(&format!("/api/rooms/{room}")).await.problem(404, "not_found");
        gus.post(&format!("/api/rooms/{room}/members/{}", gus.id), json!({})).await.problem(404, "not_found");
    }
    assert_eq!(ids(&gus.get("/api/rooms").await.expect(200)["rooms"]), [project]);
    // Opening their room keeps them in it.
    team.ada.patch(&format!("/api/rooms/{project}"), json!({"kind": "open"})).await.expect(200);
    assert_eq!(seen_by(&gus).await, ["Ada", "Grace", "Gus", "Linus"]);
}

#[tokio::test]
async fn guest_is_added_to_an_open_room_and_leaves_it() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let project = team.closed_room("Project", &[&team.ada]).await;
    let gus = team.guest("Gus", &[project]).await;
    let mut socket = gus.socket().await;
    let path = format!("/api/rooms/{}/members", team.room);
    grace.post(&format!("{path}/{}", gus.id), json!({})).await.problem(403, "forbidden");
    team.ada.post(&format!("{path}/{}", gus.id), json!({})).await.expect(201);
    team.ada.post(&format!("{path}/{}", gus.id), json!({})).await.expect(200);
    team.ada.post(&format!("{path}/{}", grace.id), json!({})).await.problem(409, "conflict");
    let shown = socket.expect("user.updated").await;
    assert_eq!(shown["user"]["name"], "Grace");
    socket.expect_where("membership.updated", |it| it["room_id"] == team.room).await;
    assert_eq!(seen_by(&gus).await, ["Ada", "Grace", "Gus"]);
    gus.say(team.room, "Here too").await;
    team.ada.delete(&format!("{path}/{}", grace.id)).await.problem(409, "conflict");
    gus.delete(&format!("{path}/me")).await.expect(204);
    assert_eq!(seen_by(&gus).await, ["Ada", "Gus"]);
    team.ada.post(&format!("{path}/{}", gus.id), json!({})).await.expect(201);
    team.ada.delete(&format!("{path}/{}", gus.id)).await.expect(204);
    assert_eq!(ids(&gus.get("/api/rooms").await.expect(200)["rooms"]), [project]);
}

#[tokio::test]
async fn guest_makes_no_rooms_and_writes_only_to_people_whom_they_see() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let project = team.closed_room("Project", &[&team.ada, &grace]).await;
    let gus = team.guest("Gus", &[project]).await;
    for kind in ["open", "closed"] {
        let room = json!({"name": "Mine", "kind": kind, "user_ids": [grace.id]});
        gus.post("/api/rooms", room).await.problem(403, "forbidden");
    }
    let ping = |people: &[i64]| gus.post("/api/rooms", json!({"kind": "direct", "user_ids": people}));
    let stranger = ping(&[linus.id]).await;
    let nobody = ping(&[999_999]).await;
    assert_eq!(stranger.invalid_body(&["user_ids"]), nobody.invalid_body(&["user_ids"]), "not told apart");
    ping(&[grace.id, linus.id]).await.invalid(&["user_ids"]);
    let direct = id(&ping(&[grace.id]).await.expect(201));
    gus.say(direct, "Psst").await;
    // A member may write to a guest, who sees them from then on.
    let from_linus = linus.direct_with(&[&gus]).await;
    linus.say(from_linus, "Who are you?").await;
    assert_eq!(seen_by(&gus).await, ["Ada", "Grace", "Gus", "Linus"]);
    // A guest does not change a room, even one that they made before.
    let of_grace = team.closed_room("Of Grace", &[&grace, &team.ada]).await;
    let become_guest = json!({"role": "guest", "room_ids": [of_grace]});
    team.ada.patch(&format!("/api/users/{}", grace.id), become_guest).await.expect(200);
    let path = format!("/api/rooms/{of_grace}");
    grace.patch(&path, json!({"name": "Still mine"})).await.problem(403, "forbidden");
    grace.delete(&path).await.problem(403, "forbidden");
    grace.post(&format!("{path}/members/{}", linus.id), json!({})).await.problem(403, "forbidden");
    grace.delete(&format!("{path}/members/{}", team.ada.id)).await.problem(403, "forbidden");
    grace.put(&format!("{path}/members"), json!({"user_ids": [grace.id]})).await.problem(403, "forbidden");
}

trait InvalidBody {
    fn invalid_body(&self, fields: &[&str]) -> String;
}

impl InvalidBody for Reply {
    #[track_caller]
    fn invalid_body(&self, fields: &[&str]) -> String {
        self.invalid(fields);
        self.text()
    }
}

#[tokio::test]
async fn role_of_a_guest_is_given_and_taken_by_administrators_with_the_rooms_that_are_kept() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let project = team.closed_room("Project", &[&team.ada, &grace]).await;
    let board = team.closed_room("Board", &[&team.ada, &grace]).await;
    let foreign = team.closed_room("Foreign", &[&team.ada]).await;
    let direct = grace.direct_with(&[&linus]).await;
    let path = format!("/api/users/{}", grace.id);
    let make = |rooms: Value| team.ada.patch(&path, json!({"role": "guest", "room_ids": rooms}));
    grace.patch(&path, json!({"role": "guest", "room_ids": []})).await.problem(403, "forbidden");
    team.ada.patch(&path, json!({"role": "guest"})).await.invalid(&["room_ids"]);
    make(json!([foreign])).await.invalid(&["room_ids"]);
    make(json!([999_999])).await.invalid(&["room_ids"]);
    make(json!([direct])).await.invalid(&["room_ids"]);
    make(json!("all")).await.invalid(&["room_ids"]);
    assert_eq!(grace.get("/api/rooms").await.expect(200)["rooms"].as_array().unwrap().len(), 4, "unchanged");
    // The last administrator stays one.
    let own = json!({"role": "guest", "room_ids": [team.room]});
    team.ada.patch(&format!("/api/users/{}", team.ada.id), own).await.problem(409, "conflict");

    let mut socket = grace.socket_in(team.room).await;
    assert_eq!(make(json!([project])).await.expect(200)["role"], "guest");
    let left = socket.expect_where("membership.updated", |it| it["room_id"] == team.room).await;
    assert_eq!(left["membership"], json!(null));
    socket.expect_where("user.updated", |it| it["user"]["role"] == "guest").await;
    assert_eq!(ids(&grace.get("/api/rooms").await.expect(200)["rooms"]), [project, direct]);
    assert_eq!(seen_by(&grace).await, ["Ada", "Grace", "Linus"]);
    team.ada.say(team.room, "Only for members").await;
    team.ada.say(board, "Only for the board").await;
    socket.round_trip().await;
    socket.assert_not_received("message.created");
    socket.assert_not_received("unread");
    // Changing anything else of a guest needs no list, and giving the same role changes nothing.
    assert_eq!(
        team.ada.patch(&path, json!({"role": "guest", "bio": "Visits"})).await.expect(200)["bio"],
        "Visits"
    );

    // Back again: every open room, and everybody.
    assert_eq!(team.ada.patch(&path, json!({"role": "member"})).await.expect(200)["role"], "member");
    socket.expect_where("user.updated", |it| it["user"]["role"] == "member").await;
    assert_eq!(ids(&grace.get("/api/rooms").await.expect(200)["rooms"]), [team.room, project, direct]);
    let audit = team.ada.get("/api/audit").await.expect(200);
    let details: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().filter_map(|it| it["detail"].as_str()).collect();
    assert!(details.contains(&"role guest") && details.contains(&"role member"), "{details:?}");
    // A bot becomes no guest.
    let bot = team.ada.post("/api/bots", json!({"name": "Builder"})).await.expect(201);
    let bot = format!("/api/users/{}", id(&bot));
    team.ada.patch(&bot, json!({"role": "guest", "room_ids": []})).await.invalid(&["role"]);
}

#[tokio::test]
async fn guest_is_told_of_somebody_from_the_first_shared_room_to_the_last() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let project = team.closed_room("Project", &[&team.ada]).await;
    let second = team.closed_room("Second", &[&team.ada]).await;
    let gus = team.guest("Gus", &[project, second]).await;
    let hana = team.guest("Hana", &[second]).await;
    let mut socket = gus.socket().await;
    let start = gus.get("/api/session").await.expect(200)["seq"].as_i64().unwrap();
    let rename = async |person: &Person, name: &str| {
        person.patch(&format!("/api/users/{}", person.id), json!({"name": name})).await.expect(200);
    };
    rename(&grace, "Grace One").await;
    let member = |room: i64, person: &Person| format!("/api/rooms/{room}/members/{}", person.id);
    team.ada.post(&member(project, &grace), json!({})).await.expect(201);
    let shown = socket.expect("user.updated").await;
    assert_keys(&shown, &["type", "seq", "user"]);
    assert_eq!((&shown["user"]["id"], &shown["user"]["name"]), (&json!(grace.id), &json!("Grace One")));
    assert_eq!(shown["user"].get("email"), None);
    rename(&grace, "Grace Two").await;
    assert_eq!(socket.expect("user.updated").await["user"]["name"], "Grace Two");
    // A second shared room is no news, and one of two that ends is no end.
    team.ada.post(&member(second, &grace), json!({})).await.expect(201);
    team.ada.delete(&member(project, &grace)).await.expect(204);
    rename(&grace, "Grace Three").await;
    assert_eq!(socket.expect("user.updated").await["user"]["name"], "Grace Three");
    team.ada.delete(&member(second, &grace)).await.expect(204);
    rename(&grace, "Grace Four").await;
    rename(&linus, "Linus One").await;
    socket.round_trip().await;
    socket.assert_not_received("user.updated");
    // What was missed is the same: nobody whom the guest does not see now.
    let sync = gus.get(&format!("/api/sync?since={start}")).await;
    assert!(!sync.text().contains("Grace") && !sync.text().contains("Linus"), "{}", sync.text());
    sync.expect(200);
    // A room that is made with them, and one with two guests.
    let both = json!({"name": "Both", "kind": "closed", "user_ids": [gus.id, linus.id]});
    let both = id(&team.ada.post("/api/rooms", both).await.expect(201));
    let shown = socket.expect("user.updated").await;
    assert_eq!(shown["user"]["id"], linus.id);
    socket.expect("room.created").await;
    let sync = gus.get(&format!("/api/sync?since={start}")).await.expect(200);
    let told = sync["events"].as_array().unwrap().iter().any(|it| it["user"]["name"] == "Linus One");
    assert!(told, "{sync}");
    // Who joins the team is told to the guests of open rooms only.
    let vera = team.join("Vera").await;
    socket.round_trip().await;
    socket.assert_not_received("user.updated");
    let mut of_hana = hana.socket().await;
    team.ada.post(&member(team.room, &hana), json!({})).await.expect(201);
    of_hana.expect_where("user.updated", |it| it["user"]["id"] == vera.id).await;
    let walt = team.join("Walt").await;
    of_hana.expect_where("user.updated", |it| it["user"]["id"] == walt.id).await;
    // Everybody in a room hears what is said to all of it.
    team.ada.say(both, "@room, look").await;
    assert_eq!(gus.unread(both).await, (1, 1));
}

#[tokio::test]
async fn presence_and_typing_of_others_rooms_do_not_reach_a_guest() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let project = team.closed_room("Project", &[&team.ada, &grace]).await;
    let gus = team.guest("Gus", &[project]).await;
    let mut socket = gus.socket_in(project).await;
    let mut of_grace = grace.socket_in(project).await;
    socket.expect_where("presence", |it| it["user_id"] == grace.id).await;
    of_grace.send(json!({"type": "typing", "room_id": project})).await;
    socket.expect("typing").await;
    of_grace.join(team.room).await;
    of_grace.send(json!({"type": "typing", "room_id": team.room})).await;
    of_grace.round_trip().await;
    team.ada.delete(&format!("/api/rooms/{project}/members/{}", grace.id)).await.expect(204);
    let joined = socket.join(project).await;
    assert!(!joined["present"].as_array().unwrap().contains(&json!(grace.id)), "{joined}");
    socket.send(json!({"type": "join_room", "room_id": team.room})).await;
    let refused = socket.expect("error").await;
    assert_eq!(refused["code"], "not_found");
    assert!(socket.skipped.iter().all(|it| it["room_id"] != team.room), "{:?}", socket.skipped);
}
