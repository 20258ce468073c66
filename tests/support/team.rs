//! A server that is set up, and its users.

use std::ops::Deref;

use serde_json::{Value, json};

use super::http::{Client, Credentials, Reply};
use super::server::Server;
use super::ws::Socket;
use super::{find, id};

/// The password of every user.
pub const PASSWORD: &str = "a quiet evening by the fire";

/// A server with an account that is set up: Ada is its administrator, "All Talk" its first room.
pub struct Team {
    pub server: Server,
    pub ada: Person,
    /// "All Talk".
    pub room: i64,
    pub join_code: String,
}

/// A user who is signed in with a cookie, as in a browser.
#[derive(Clone)]
pub struct Person {
    pub client: Client,
    pub id: i64,
    pub name: String,
    pub email: String,
    pub token: String,
}

impl Deref for Person {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Team {
    pub async fn start() -> Team {
        Team::with(&[]).await
    }

    pub async fn with(settings: &[(&str, &str)]) -> Team {
        Team::on(Server::with(settings)).await
    }

    /// Sets up a fresh server.
    pub async fn on(server: Server) -> Team {
        let nobody = Client::new(server.address(), Credentials::None);
        let reply = nobody.post("/api/setup", setup_form()).await;
        let body = reply.expect(201);
        let ada = Person::from_reply(&nobody, &reply, "ada@example.com");
        let account = ada.get("/api/account").await.expect(200);
        let join_code = account["join_code"].as_str().expect("a join code").to_owned();
        Team { server, ada, room: id(&body["room"]), join_code }
    }

    /// A client without credentials.
    pub fn nobody(&self) -> Client {
        self.ada.with(Credentials::None)
    }

    /// A new member, who joins by the join code.
    pub async fn join(&self, name: &str) -> Person {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let form = json!({"name": name, "email": email, "password": PASSWORD});
        let nobody = self.nobody();
        let reply = nobody.post(&format!("/api/join/{}", self.join_code), form).await;
        reply.expect(201);
        Person::from_reply(&nobody, &reply, &email)
    }

    /// The token of a new invitation by Ada, with these fields.
    pub async fn invitation(&self, fields: Value) -> String {
        let made = self.ada.post("/api/invitations", fields).await.expect(201);
        made["token"].as_str().expect("a token").to_owned()
    }

    /// Somebody who joins by an invitation.
    pub async fn come(&self, token: &str, name: &str) -> Person {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let form = json!({"name": name, "email": email, "password": PASSWORD});
        let nobody = self.nobody();
        let reply = nobody.post(&format!("/api/invitations/{token}"), form).await;
        Person::from_reply(&nobody, &reply, &email)
    }

    /// A new guest of these rooms.
    pub async fn guest(&self, name: &str, rooms: &[i64]) -> Person {
        let token = self.invitation(json!({"role": "guest", "room_ids": rooms})).await;
        self.come(&token, name).await
    }

    /// The sum of a metric over its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let metrics = self.nobody().get("/metrics").await;
        assert_eq!(metrics.status, 200);
        let text = metrics.text();
        let lines = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    /// Keeps the server from writing until the connection is dropped: what waits by then is one batch, but for the first
    /// command.
    pub fn hold_writes(&self) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(self.server.database()).expect("the database");
        other.execute_batch("begin immediate").expect("the write lock");
        other
    }

    /// Waits until so many commands are queued or under way.
    pub async fn queued(&self, commands: usize) {
        super::within("commands to be queued", async {
            while self.metric("campfire_writer_queue_depth").await != commands as f64 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// A closed room with these members, created by the first of them.
    pub async fn closed_room(&self, name: &str, people: &[&Person]) -> i64 {
        let user_ids: Vec<i64> = people.iter().map(|it| it.id).collect();
        let room =
            people[0].post("/api/rooms", json!({"name": name, "kind": "closed", "user_ids": user_ids})).await;
        id(&room.expect(201))
    }
}

pub fn setup_form() -> Value {
    json!({"account_name": "Kontor", "name": "Ada", "email": "ada@example.com", "password": PASSWORD})
}

impl Person {
    /// The user whom this 201 signed in.
    #[track_caller]
    pub fn from_reply(client: &Client, reply: &Reply, email: &str) -> Person {
        let body = reply.expect(201);
        Person {
            client: client.with(Credentials::Cookie(reply.cookie())),
            id: id(&body["user"]),
            name: body["user"]["name"].as_str().expect("a name").to_owned(),
            email: email.to_owned(),
            token: body["token"].as_str().expect("a token").to_owned(),
        }
    }

    /// The same session as an `Authorization: Bearer` header.
    pub fn bearer(&self) -> Client {
        self.client.with(Credentials::Bearer(self.token.clone()))
    }

    /// The same user with a second session, as on another device.
    pub async fn sign_in_again(&self) -> Person {
        let nobody = self.client.with(Credentials::None);
        let reply = nobody.post("/api/session", json!({"email": self.email, "password": PASSWORD})).await;
        Person::from_reply(&nobody, &reply, &self.email)
    }

    /// Posts a message over HTTP and returns it.
    pub async fn say(&self, room: i64, content: &str) -> Value {
        self.post("/api/messages", json!({"room_id": room, "content": content})).await.expect(201)
    }

    pub async fn socket(&self) -> Socket {
        Socket::connect(&self.client).await
    }

    /// A socket authenticated by the session's bearer token.
    pub async fn bearer_socket(&self) -> Socket {
        Socket::connect(&self.bearer()).await
    }

    /// A socket that has joined the room.
    pub async fn socket_in(&self, room: i64) -> Socket {
        let mut socket = self.socket().await;
        socket.join(room).await;
        socket
    }

    /// The room as this user's list of rooms has it.
    pub async fn my_room(&self, room: i64) -> Value {
        let rooms = self.get("/api/rooms").await.expect(200);
        find(&rooms["rooms"], room).clone()
    }

    pub async fn unread(&self, room: i64) -> (i64, i64) {
        let membership = &self.my_room(room).await["membership"];
        (
            membership["unread_count"].as_i64().expect("unread_count"),
            membership["mention_count"].as_i64().expect("mention_count"),
        )
    }

    /// The direct room with these people, created if it does not exist.
    pub async fn direct_with(&self, people: &[&Person]) -> i64 {
        let user_ids: Vec<i64> = people.iter().map(|it| it.id).collect();
        let reply = self.post("/api/rooms", json!({"kind": "direct", "user_ids": user_ids})).await;
        assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
        id(&reply.json())
    }
}

impl Team {
    /// A member who joins by the current code, after it was renewed.
    pub async fn join_again(&self) -> Person {
        let account = self.ada.get("/api/account").await.expect(200);
        let code = account["join_code"].as_str().expect("a join code");
        let form = json!({"name": "Late", "email": "late@example.com", "password": PASSWORD});
        let nobody = self.nobody();
        let reply = nobody.post(&format!("/api/join/{code}"), form).await;
        Person::from_reply(&nobody, &reply, "late@example.com")
    }
}
