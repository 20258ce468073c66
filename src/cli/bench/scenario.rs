//! What users do, how it is asked for, and what a right answer is.

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

/// Of ten requests of the mixed scenario: people mostly read.
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
                "Messages are posted over HTTP; every user also holds a socket in a room and checks each delivery."
            }
            Self::List => "The newest page of a room is read.",
            Self::Search => "A word is looked for in all rooms of a person.",
            Self::Sockets => {
                "Every user holds a socket in a room; messages go out over the sockets, and each receiver checks each delivery."
            }
            Self::Mixed => {
                "Of ten requests seven read the newest page of a room, one searches, one posts a message, one asks for /health; every user also holds a socket in a room and checks each delivery."
            }
        }
    }

    /// What the request of a number is.
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

    /// Users hold a socket.
    pub(super) fn has_sockets(self) -> bool {
        matches!(self, Self::Send | Self::Sockets | Self::Mixed)
    }

    /// Users have a connection for HTTP.
    pub(super) fn has_http(self) -> bool {
        self != Self::Sockets
    }

    /// How much of what is asked are messages.
    pub(super) fn posts(self) -> f64 {
        match self {
            Self::Send | Self::Sockets => 1.0,
            Self::Mixed => 0.1,
            _ => 0.0,
        }
    }

    /// What is read has to be there.
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
/// After as many messages every word was said.
pub(super) const WORDS_CYCLE: usize = WORDS.len() / IN_A_ROW;

/// Something to say: about as much as people say.
pub(super) fn words(number: usize) -> String {
    WORDS[number % WORDS_CYCLE * IN_A_ROW..][..IN_A_ROW].join(" ")
}

/// Something to look for.
pub(super) fn word(number: u64) -> &'static str {
    WORDS[(number.wrapping_mul(29) % WORDS.len() as u64) as usize]
}

/// How an answer is looked at: of all the status and both ends; of some everything, because parsing them all would
/// take the time that the server is to have.
pub(super) struct Check<'a> {
    pub(super) kind: Kind,
    pub(super) thorough: bool,
    /// The room that was asked for.
    pub(super) room: i64,
    /// The word that was looked for, or the marker of what was sent.
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
            Kind::Health => (b"{\"status\":\"ok\"", "it does not say that it is well"),
            Kind::List => (b"{\"messages\":[", "it is no page of messages"),
            Kind::Search => (b"{\"results\":[", "it is no list of results"),
            Kind::Send | Kind::Message => (b"{\"id\":", "it is no message"),
        };
        if !body.starts_with(start) || !body.ends_with(b"}") {
            return Err(Failure::Wrong(what));
        }
        if self.kind == Kind::Send && super::http::find(body, self.wanted.as_bytes()).is_none() {
            return Err(Failure::Wrong("the message is not the one that was sent"));
        }
        if !self.may_be_empty && body[start.len()..].starts_with(b"]") {
            return Err(Failure::Wrong("nothing is in it where something is"));
        }
        if self.thorough { self.content(body).map_err(Failure::Wrong) } else { Ok(()) }
    }

    fn content(&self, body: &[u8]) -> Result<(), &'static str> {
        match self.kind {
            Kind::Health => {
                serde_json::from_slice::<serde::de::IgnoredAny>(body).map(drop).map_err(|_| "it is no JSON")
            }
            Kind::List => {
                let page: Page = serde_json::from_slice(body).map_err(|_| "it is no page of messages")?;
                if page.messages.iter().any(|message| message.room_id != self.room) {
                    return Err("it has messages of another room");
                }
                if page.messages.len() > 50 || page.has_after || page.has_before && page.messages.len() < 50 {
                    return Err("it is not the newest page");
                }
                if !page.messages.is_sorted_by(|one, next| one.id < next.id) {
                    return Err("its messages are not in their order");
                }
                Ok(())
            }
            Kind::Search => {
                let found: Found = serde_json::from_slice(body).map_err(|_| "it is no list of results")?;
                if found
                    .results
                    .iter()
                    .any(|found| !found.message.content.to_lowercase().contains(self.wanted))
                {
                    return Err("it has what was not looked for");
                }
                if !found.results.is_sorted_by(|one, next| one.message.id > next.message.id) {
                    return Err("the newest is not the first");
                }
                Ok(())
            }
            Kind::Send | Kind::Message => {
                let message: Message = serde_json::from_slice(body).map_err(|_| "it is no message")?;
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
    fn every_word_is_said_in_one_round_and_looked_for_in_another() {
        let said: Vec<String> = (0..WORDS_CYCLE).map(words).collect();
        let mut asked: Vec<&str> = (0..64).map(word).collect();
        assert!(asked.iter().all(|word| said.iter().any(|said| said.contains(word))));
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), 64);
    }

    #[test]
    fn seven_of_ten_requests_of_the_mixed_scenario_read() {
        let count = |kind| (0..10).filter(|number| Scenario::Mixed.kind(*number) == kind).count();
        let all = [Kind::List, Kind::Search, Kind::Send, Kind::Health, Kind::Message].map(count);
        assert_eq!(all, [7, 1, 1, 1, 0]);
        assert!((count(Kind::Send) as f64 / 10.0 - Scenario::Mixed.posts()).abs() < 1e-9);
    }

    #[test]
    fn wrong_answers_are_found_out() {
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
