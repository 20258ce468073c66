//! The accounts and rooms of a run, which are created before it and removed after it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    http::{Connection, Fault, request},
    scenario::words,
    target::Target,
};
use crate::{
    cli::{
        Failure,
        demo::{PASSWORD, visitor_email},
    },
    types::random_token,
};

/// Users per room by default.
const PER_ROOM: usize = 50;
/// Messages that are posted to a room before it is read: a page.
const PAGE: usize = 50;
/// How many of them an account posts, to stay within the default post limit (20 in ten seconds).
const PER_PERSON: usize = 18;
/// The most accounts, because each remains as a deactivated bot.
const MAX_ACCOUNTS: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// What a scenario needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub(super) users: usize,
    /// Messages per second; None for as fast as possible.
    pub(super) posts: Option<f64>,
    /// Rooms need messages, because they are read or searched.
    pub(super) reads: bool,
    pub(super) rooms: Option<usize>,
}

impl Needs {
    /// The numbers of rooms and accounts. There are enough accounts for each to post once per second, half of the default limit.
    fn counts(&self) -> (usize, usize) {
        let most = self.users.min(MAX_ACCOUNTS);
        let rooms = self.rooms.unwrap_or(self.users.div_ceil(PER_ROOM)).clamp(1, most);
        let posting = self.posts.map_or(100.0, f64::ceil) as usize;
        (rooms, posting.max(20).max(rooms).min(most))
    }
}

/// The accounts and rooms of a run.
#[derive(Default)]
pub(super) struct People {
    /// The tokens of the accounts, which users share if there are more of them.
    pub(super) tokens: Vec<String>,
    pub(super) rooms: Vec<i64>,
    /// Whether every room has messages with every word.
    pub(super) has_messages: bool,
    /// The token of the administrator who created the rooms.
    owner: Option<String>,
    bots: Vec<i64>,
    /// What remains after the run, in sentences.
    left: Vec<String>,
}

impl People {
    /// The room of an account.
    pub(super) fn room_of(&self, account: usize) -> usize {
        account % self.rooms.len()
    }

    /// Creates what is needed. `tokens` are those from the command line.
    pub(super) async fn make(
        &mut self,
        target: &Target,
        tokens: &[String],
        needs: Needs,
    ) -> Result<(), Failure> {
        let mut api = Api::open(target).await?;
        let owner = match tokens {
            [] => self.find_owner(&mut api).await?,
            [first, ..] => first.clone(),
        };
        let me = api.call("GET", "/api/session", &owner, Value::Null).await?.expect(200, "the token")?;
        let is_admin = me["user"]["role"] == "admin";
        self.owner = Some(owner);
        let (room_count, account_count) = needs.counts();
        let mut ids = Vec::new();
        if tokens.len() < 2 && is_admin {
            for number in 1..=account_count {
                let bot = json!({ "name": format!("Bench {number}") });
                let bot = self.ask(&mut api, "POST", "/api/bots", bot).await?.expect(201, "a new bot")?;
                let id = bot["id"].as_i64().unwrap_or_default();
                self.bots.push(id);
                self.tokens.push(bot["key"].as_str().unwrap_or_default().to_owned());
                ids.push(id);
            }
        } else {
            for token in tokens {
                let me = api.call("GET", "/api/session", token, Value::Null).await?.expect(200, "a token")?;
                ids.push(me["user"]["id"].as_i64().unwrap_or_default());
            }
            self.tokens = tokens.to_vec();
        }
        let room_count = room_count.min(ids.len());
        for room in 0..room_count {
            let members: Vec<i64> = ids.iter().copied().skip(room).step_by(room_count).collect();
            let form =
                json!({ "name": format!("Bench room {}", room + 1), "kind": "closed", "user_ids": members });
            let made = self.ask(&mut api, "POST", "/api/rooms", form).await?.expect(201, "a new room")?;
            self.rooms.push(made["id"].as_i64().unwrap_or_default());
        }
        if needs.reads {
            self.fill_rooms(target, needs.posts != Some(0.0)).await?;
        }
        Ok(())
    }

    /// The token of an administrator: of a new server, which this sets up, or of a demo.
    async fn find_owner(&mut self, api: &mut Api<'_>) -> Result<String, Failure> {
        let setup = api.call("GET", "/api/setup", "", Value::Null).await?.expect(200, "GET /api/setup")?;
        if setup["needed"] == true {
            let (email, password) = ("bench@example.org", random_token());
            let form =
                json!({ "account_name": "Bench", "name": "Bench", "email": email, "password": password });
            let made = api.call("POST", "/api/setup", "", form).await?.expect(201, "the set-up")?;
            self.left.push(format!(
                "The server was not set up, so this run did it: the account \"Bench\", its first room, and its \
                 administrator {email} with the password {password}."
            ));
            return Ok(made["token"].as_str().unwrap_or_default().to_owned());
        }
        if api.target.is_loopback {
            // The password of a demo is known. Its sign-in of the first visitor is left to a browser.
            let form = json!({ "email": visitor_email(), "password": PASSWORD });
            let answer = api.call("POST", "/api/session", "", form).await?;
            if answer.status == 201 {
                return Ok(answer.body["token"].as_str().unwrap_or_default().to_owned());
            }
        }
        Err(Failure::Failed(format!(
            "{} is set up already: give an API token of an administrator with --token (Settings → API tokens creates one), \
             or measure a `campfire demo`",
            api.target.url
        )))
    }

    async fn ask(&self, api: &mut Api<'_>, method: &str, path: &str, body: Value) -> Result<Answer, Failure> {
        api.call(method, path, self.owner.as_deref().unwrap_or_default(), body).await
    }

    /// Posts a page of messages to every room, as far as the post limit allows.
    async fn fill_rooms(&mut self, target: &Target, spares: bool) -> Result<(), Failure> {
        let per_person = if spares { PER_PERSON / 2 } else { PER_PERSON };
        let mut counts = Vec::new();
        for (place, room) in self.rooms.iter().enumerate() {
            let people: Vec<&String> = self.tokens.iter().skip(place).step_by(self.rooms.len()).collect();
            let mut api = Api::open(target).await?;
            let count = PAGE.min(people.len() * per_person);
            let mut posted = 0;
            for number in 0..count {
                let form =
                    json!({ "room_id": room, "content": format!("Something to read: {}.", words(number)) });
                match api.call("POST", "/api/messages", people[number % people.len()], form).await?.status {
                    201 => posted += 1,
                    429 => break,
                    status => {
                        return Err(Failure::Failed(format!("the server answers {status} to a message")));
                    }
                }
            }
            counts.push(posted);
        }
        self.has_messages = counts.iter().all(|count| *count >= super::scenario::WORDS_CYCLE);
        Ok(())
    }

    /// Removes what was created, and returns what remains, in sentences.
    pub(super) async fn remove(&self, target: &Target) -> Vec<String> {
        let (rooms, bots, mut left) = (&self.rooms, &self.bots, self.left.clone());
        if rooms.is_empty() && bots.is_empty() {
            return left;
        }
        let mut stuck = 0;
        if let Ok(mut api) = Api::open(target).await {
            for path in rooms
                .iter()
                .map(|room| format!("/api/rooms/{room}"))
                .chain(bots.iter().map(|bot| format!("/api/bots/{bot}")))
            {
                let answer = self.ask(&mut api, "DELETE", &path, Value::Null).await;
                stuck += usize::from(!answer.is_ok_and(|answer| answer.status == 204));
            }
        } else {
            stuck = rooms.len() + bots.len();
        }
        if stuck > 0 {
            left.push(format!(
                "{stuck} of {} \"Bench …\" rooms and bots could not be removed; remove them in the settings.",
                rooms.len() + bots.len()
            ));
        }
        if bots.len() > stuck {
            left.push(format!(
                "The rooms and their messages are removed; {} bots \"Bench …\" remain, deactivated.",
                bots.len()
            ));
        }
        left
    }
}

/// A client of the API.
struct Api<'a> {
    target: &'a Target,
    connection: Connection,
}

struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn expect(self, status: u16, what: &str) -> Result<Value, Failure> {
        if self.status == status {
            return Ok(self.body);
        }
        let detail = self.body["detail"].as_str().or(self.body["title"].as_str()).unwrap_or_default();
        Err(Failure::Failed(format!("the server answers {} to {what}: {detail}", self.status)))
    }
}

impl<'a> Api<'a> {
    async fn open(target: &'a Target) -> Result<Self, Failure> {
        let connection = Connection::open(target)
            .await
            .map_err(|error| Failure::Failed(format!("nothing answers on {} ({error})", target.url)))?;
        Ok(Self { target, connection })
    }

    async fn call(&mut self, method: &str, path: &str, token: &str, body: Value) -> Result<Answer, Failure> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = request(method, path, &self.target.host, token, &body);
        let failed = |why: String| Failure::Failed(format!("{method} {path} of {} {why}", self.target.url));
        match timeout(PATIENCE, self.connection.ask(request.as_bytes())).await {
            Ok(Ok(reply)) => Ok(Answer {
                status: reply.status,
                body: serde_json::from_slice(reply.body).unwrap_or(Value::Null),
            }),
            Ok(Err(Fault::Stale)) => Err(failed("is not answered".into())),
            Ok(Err(Fault::Broken(error))) => Err(failed(format!("is not answered ({error})"))),
            Ok(Err(Fault::Malformed(why))) => Err(failed(format!("is answered wrongly ({why})"))),
            Err(_) => Err(failed("takes too long".into())),
        }
    }
}
