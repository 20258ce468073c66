//! Who takes part: people and rooms that are made for the run and removed after it.

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

/// People in a room: a team that talks.
const PER_ROOM: usize = 50;
/// Messages that a room has before it is read: a page.
const PAGE: usize = 50;
/// Of which a person posts as many, to stay within the limit that is the default (20 in ten seconds).
const PER_PERSON: usize = 18;
/// Accounts at most: each is a row that stays.
const MAX_ACCOUNTS: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub(super) users: usize,
    /// Messages a second, none if they go as fast as they can.
    pub(super) posts: Option<f64>,
    /// Rooms have to have something in them to be read.
    pub(super) reads: bool,
    pub(super) rooms: Option<usize>,
}

impl Needs {
    /// Rooms and accounts. By default a person may post twice a second, so there are enough of them to post once.
    fn counts(&self) -> (usize, usize) {
        let most = self.users.min(MAX_ACCOUNTS);
        let rooms = self.rooms.unwrap_or(self.users.div_ceil(PER_ROOM)).clamp(1, most);
        let posting = self.posts.map_or(100.0, f64::ceil) as usize;
        (rooms, posting.max(20).max(rooms).min(most))
    }
}

/// Who takes part, and what was made for that.
#[derive(Default)]
pub(super) struct People {
    /// Their tokens. A user speaks as one of them, and there may be more users than accounts.
    pub(super) tokens: Vec<String>,
    pub(super) rooms: Vec<i64>,
    /// Every room has messages with every word.
    pub(super) is_furnished: bool,
    /// Who made the rooms, and may remove them.
    owner: Option<String>,
    bots: Vec<i64>,
    /// What is still there afterwards, in sentences.
    left: Vec<String>,
}

impl People {
    /// The room in which an account talks.
    pub(super) fn room_of(&self, account: usize) -> usize {
        account % self.rooms.len()
    }

    /// Makes what is needed; `tokens` are those that were given.
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
            self.furnish(target, needs.posts != Some(0.0)).await?;
        }
        Ok(())
    }

    /// An administrator: of a server that nobody has set up yet, or of a demo.
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
            // A demo signs its first visitor in, but that is somebody at a browser; its people's password is known.
            let form = json!({ "email": visitor_email(), "password": PASSWORD });
            let answer = api.call("POST", "/api/session", "", form).await?;
            if answer.status == 201 {
                return Ok(answer.body["token"].as_str().unwrap_or_default().to_owned());
            }
        }
        Err(Failure::Failed(format!(
            "{} has an owner: give a personal API token of an administrator with --token (Settings → API tokens makes one), \
             or measure a `campfire demo`",
            api.target.url
        )))
    }

    async fn ask(&self, api: &mut Api<'_>, method: &str, path: &str, body: Value) -> Result<Answer, Failure> {
        api.call(method, path, self.owner.as_deref().unwrap_or_default(), body).await
    }

    /// Puts a page of messages into every room, if the limit on posting lets it.
    async fn furnish(&mut self, target: &Target, spares: bool) -> Result<(), Failure> {
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
        self.is_furnished = counts.iter().all(|count| *count >= super::scenario::WORDS_CYCLE);
        Ok(())
    }

    /// Takes away what was made. What cannot be taken away is told.
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
                "{stuck} of {} \"Bench …\" rooms and bots could not be removed: do that in the settings.",
                rooms.len() + bots.len()
            ));
        }
        if bots.len() > stuck {
            left.push(format!(
                "The rooms and their messages are gone; {} bots \"Bench …\" stay as deactivated, which is how bots go.",
                bots.len()
            ));
        }
        left
    }
}

/// The API, a call at a time.
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
