//! The scenarios: which requests users send, and how responses are checked.

use serde::Deserialize;

use super::tally::{Failure, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    Health,
    Send,
    List,
    Search,
    Sockets,
    Mixed,
}

/// The requests of the mixed scenario, ten at a time; most read.
const MIX: [Kind; 10] = [
    Kind::List,
    Kind::List,
    Kind::Health,
    Kind::List,
    Kind::List,
    Kind::Search,
    Kind::List,
    Kind::Send,
    Kind::List,
    Kind::List,
];

impl Scenario {
    pub(super) const ALL: [(&str, Self); 6] = [
        ("health", Self::Health),
        ("send", Self::Send),
        ("list", Self::List),
        ("search", Self::Search),
        ("sockets", Self::Sockets),
        ("mixed", Self::Mixed),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scenario)| *scenario == self).map_or("", |(name, _)| name)
    }

    /// In one sentence, for the report.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Health => "GET /health.",
            Self::Send => {
                "Messages are posted over HTTP; every user also has a socket in a room and checks each delivery."
            }
            Self::List => "The newest page of a room is read.",
            Self::Search => "A word is searched for in all rooms of a user.",
            Self::Sockets => {
                "Every user has a socket in a room; messages are sent over the sockets, and each receiver checks each delivery."
            }
            Self::Mixed => {
                "Of ten requests seven read the newest page of a room, one searches, one posts a message, one requests /health; every user also has a socket in a room and checks each delivery."
            }
        }
    }

    /// The kind of the request of a number.
    pub(super) fn kind(self, number: u64) -> Kind {
        match self {
            Self::Health => Kind::Health,
            Self::Send => Kind::Send,
            Self::List => Kind::List,
            Self::Search => Kind::Search,
            Self::Sockets => Kind::Message,
            Self::Mixed => MIX[(number % 10) as usize],
        }
    }

    /// Whether users have a WebSocket.
    pub(super) fn has_sockets(self) -> bool {
        matches!(self, Self::Send | Self::Sockets | Self::Mixed)
    }

    /// Whether users have an HTTP connection.
    pub(super) fn has_http(self) -> bool {
        self != Self::Sockets
    }

    /// The share of requests that post messages.
    pub(super) fn posts(self) -> f64 {
        match self {
            Self::Send | Self::Sockets => 1.0,
            Self::Mixed => 0.1,
            _ => 0.0,
        }
    }

    /// Whether rooms need messages before the run.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Search | Self::Mixed)
    }
}

const WORDS: [&str; 64] = [
    "ember", "kettle", "lantern", "meadow", "harbour", "cedar", "willow", "granite", "copper", "thunder",
    "blanket", "compass", "journey", "whisper", "morning", "evening", "candle", "timber", "pebble", "ribbon",
    "saddle", "tunnel", "velvet", "window", "anchor", "basket", "castle", "desert", "engine", "feather",
    "garden", "hammer", "island", "jacket", "kitchen", "ladder", "marble", "needle", "orchard", "paddle",
    "quarry", "rocket", "shelter", "temple", "umbrella", "valley", "wagon", "yellow", "zephyr", "bridge",
    "canyon", "dragon", "falcon", "glacier", "horizon", "jungle", "lagoon", "mountain", "nectar", "octave",
    "prairie", "raven", "summit", "tundra",
];

const IN_A_ROW: usize = 8;
/// The number of messages that contain every word.
pub(super) const WORDS_CYCLE: usize = WORDS.len() / IN_A_ROW;

/// The text of a message, of a typical length.
pub(super) fn words(number: usize) -> String {
    WORDS[number % WORDS_CYCLE * IN_A_ROW..][..IN_A_ROW].join(" ")
}

/// A word to search for.
pub(super) fn word(number: u64) -> &'static str {
    WORDS[(number.wrapping_mul(29) % WORDS.len() as u64) as usize]
}

/// How a response is checked: always its status, start and end; its whole content only if `thorough`, because parsing all
/// responses would take CPU time from the server.
pub(super) struct Check<'a> {
    pub(super) kind: Kind,
    pub(super) thorough: bool,
    /// The requested room.
    pub(super) room: i64,
    /// The word that was searched for, or the marker of the message that was sent.
    pub(super) wanted: &'a str,
    pub(super) may_be_empty: bool,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    has_before: bool,
    has_after: bool,
}

#[derive(Deserialize)]
struct Message {
    id: i64,
    room_id: i64,
    content: String,
}

#[derive(Deserialize)]
struct Found {
    results: Vec<FoundOne>,
}

#[derive(Deserialize)]
struct FoundOne {
    message: Message,
}

impl Check<'_> {
    pub(super) fn answer(&self, status: u16, body: &[u8]) -> Result<(), Failure> {
        let expected: &[u16] = if self.kind == Kind::Send { &[201, 200] } else { &[200] };
        if !expected.contains(&status) {
            return Err(Failure::Status(status));
        }
        let (start, what): (&[u8], _) = match self.kind {
            Kind::Health => (b"{\"status\":\"ok\"", "it does not report status ok"),
            Kind::List => (b"{\"messages\":[", "it is not a page of messages"),
            Kind::Search => (b"{\"results\":[", "it is not a list of results"),
            Kind::Send | Kind::Message => (b"{\"id\":", "it is not a message"),
        };
        if !body.starts_with(start) || !body.ends_with(b"}") {
            return Err(Failure::Wrong(what));
        }
        if self.kind == Kind::Send && super::http::find(body, self.wanted.as_bytes()).is_none() {
            return Err(Failure::Wrong("the message is not the one that was sent"));
        }
        if !self.may_be_empty && body[start.len()..].starts_with(b"]") {
            return Err(Failure::Wrong("it is empty"));
        }
        if self.thorough { self.content(body).map_err(Failure::Wrong) } else { Ok(()) }
    }

    fn content(&self, body: &[u8]) -> Result<(), &'static str> {
        match self.kind {
            Kind::Health => {
                serde_json::from_slice::<serde::de::IgnoredAny>(body).map(drop).map_err(|_| "it is not JSON")
            }
            Kind::List => {
                let page: Page = serde_json::from_slice(body).map_err(|_| "it is not a page of messages")?;
                if page.messages.iter().any(|message| message.room_id != self.room) {
                    return Err("it has messages of another room");
                }
                if page.messages.len() > 50 || page.has_after || page.has_before && page.messages.len() < 50 {
                    return Err("it is not the newest page");
                }
                if !page.messages.is_sorted_by(|one, next| one.id < next.id) {
                    return Err("its messages are not in order");
                }
                Ok(())
            }
            Kind::Search => {
                let found: Found = serde_json::from_slice(body).map_err(|_| "it is not a list of results")?;
                if found
                    .results
                    .iter()
                    .any(|found| !found.message.content.to_lowercase().contains(self.wanted))
                {
                    return Err("it has a message without the word");
                }
                if !found.results.is_sorted_by(|one, next| one.message.id > next.message.id) {
                    return Err("the newest is not first");
                }
                Ok(())
            }
            Kind::Send | Kind::Message => {
                let message: Message = serde_json::from_slice(body).map_err(|_| "it is not a message")?;
                let is_it = message.room_id == self.room && message.content.starts_with(self.wanted);
                if is_it { Ok(()) } else { Err("the message is not the one that was sent") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_posted_and_searched_for() {
        let said: Vec<String> = (0..WORDS_CYCLE).map(words).collect();
        let mut asked: Vec<&str> = (0..64).map(word).collect();
        assert!(asked.iter().all(|word| said.iter().any(|said| said.contains(word))));
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), 64);
    }

    #[test]
    fn mixed_scenario_has_its_shares() {
        let count = |kind| (0..10).filter(|number| Scenario::Mixed.kind(*number) == kind).count();
        let all = [Kind::List, Kind::Search, Kind::Send, Kind::Health, Kind::Message].map(count);
        assert_eq!(all, [7, 1, 1, 1, 0]);
        assert!((count(Kind::Send) as f64 / 10.0 - Scenario::Mixed.posts()).abs() < 1e-9);
    }

    #[test]
    fn check_finds_wrong_answers() {
        let check = |kind, status, body: &str| {
            let check = Check { kind, thorough: true, room: 3, wanted: "ember", may_be_empty: false };
            check.answer(status, body.as_bytes())
        };
        let message = |id: i64, room: i64, content: &str| {
            format!(r#"{{"id":{id},"room_id":{room},"content":"{content}"}}"#)
        };
        let page = |list: &[String]| {
            format!(r#"{{"messages":[{}],"has_before":false,"has_after":false}}"#, list.join(","))
        };
        let found = |list: &[String]| {
            let list: Vec<_> =
                list.iter().map(|message| format!(r#"{{"message":{message},"snippet":""}}"#)).collect();
            format!(r#"{{"results":[{}],"has_before":false}}"#, list.join(","))
        };
        assert_eq!(check(Kind::Health, 200, r#"{"status":"ok","version":"1"}"#), Ok(()));
        assert_eq!(check(Kind::List, 200, &page(&[message(1, 3, "a"), message(2, 3, "b")])), Ok(()));
        assert_eq!(
            check(Kind::Search, 200, &found(&[message(2, 9, "Ember"), message(1, 3, "embers")])),
            Ok(())
        );
        assert_eq!(check(Kind::Send, 201, &message(1, 3, "ember glows")), Ok(()));
        assert_eq!(check(Kind::Health, 503, "{}"), Err(Failure::Status(503)));
        for (kind, body) in [
            (Kind::Health, r#"{"status":"bad"}"#.to_owned()),
            (Kind::Health, r#"{"status":"ok""#.to_owned()),
            (Kind::List, page(&[])),
            (Kind::List, page(&[message(1, 4, "a")])),
            (Kind::List, page(&[message(2, 3, "a"), message(1, 3, "b")])),
            (Kind::List, page(&[message(1, 3, "a")]).replace("fore\":false", "fore\":true")),
            (Kind::Search, found(&[message(1, 3, "kettle")])),
            (Kind::Search, found(&[message(1, 3, "ember"), message(2, 3, "ember")])),
            (Kind::Send, message(1, 3, "kettle")),
            (Kind::Send, message(1, 4, "ember")),
        ] {
            assert!(matches!(check(kind, 200, &body), Err(Failure::Wrong(_))), "{body}");
        }
    }
}
