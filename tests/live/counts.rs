//! Unread counts and mentions, kept by the events of a socket, equal those of a fresh start.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::support::*;

fn mention(person: &Person) -> String {
    format!("@[{}](user:{})", person.name, person.id)
}

/// F5.
#[tokio::test]
async fn deletions_and_edits_change_the_counts_of_sockets_that_have_not_joined() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.room;
    let mut of_grace = grace.socket().await;
    let mut of_ada = team.ada.socket().await;
    let mut hidden = linus.socket().await;
    linus
        .put(&format!("/api/rooms/{room}/involvement"), json!({"involvement": "invisible"}))
        .await
        .expect(200);
    let said = team.ada.say(room, "Nobody in particular").await;
    let path = format!("/api/messages/{}", id(&said));
    let changed = |unread: i64, mentions: i64| json!({"type": "unread_changed", "room_id": room, "message_id": said["id"], "unread": unread, "mentions": mentions});
    for (content, expected) in [
        (format!("I mean {}", mention(&grace)), Some(changed(0, 1))),
        (format!("{} and @room", mention(&grace)), None),
        ("@here".to_owned(), None),
        ("Nobody".to_owned(), Some(changed(0, -1))),
        (format!("I mean {}", mention(&linus)), None),
        ("@room".to_owned(), Some(changed(0, 1))),
    ] {
        team.ada.patch(&path, json!({"content": content})).await.expect(200);
        of_grace.round_trip().await;
        let heard: Vec<Value> =
            of_grace.skipped.drain(..).filter(|it| it["type"] == "unread_changed").collect();
        assert_eq!(heard, expected.into_iter().collect::<Vec<_>>(), "{content}");
    }
    team.ada.delete(&path).await.expect(204);
    assert_eq!(of_grace.expect("unread_changed").await, changed(-1, -1));
    // One's own messages never count, and an invisible room has no counts.
    for socket in [&mut of_ada, &mut hidden] {
        socket.round_trip().await;
        socket.assert_not_received("unread_changed");
    }
    let mut joined = grace.socket_in(room).await;
    let said = team.ada.say(room, &format!("{} and @room", mention(&grace))).await;
    team.ada.delete(&format!("/api/messages/{}", id(&said))).await.expect(204);
    let gone = joined.expect("message.deleted").await;
    assert_eq!((&gone["mentions"], &gone["everyone"]), (&json!([grace.id]), &json!(true)));
    joined.round_trip().await;
    joined.assert_not_received("unread_changed");
}

/// F5: a muted room has counts as well; whoever shows them decides what they are worth.
#[tokio::test]
async fn mentions_in_a_muted_room_are_counted_by_events_as_by_a_fresh_start() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = format!("/api/rooms/{}/involvement", team.room);
    grace.put(&path, json!({"involvement": "nothing"})).await.expect(200);
    let mut socket = grace.socket().await;
    team.ada.say(team.room, &mention(&grace)).await;
    assert_eq!(socket.expect("unread").await["mention"], true);
    assert_eq!(grace.unread(team.room).await, (1, 1));
}

/// A pseudo-random generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    unread: i64,
    mentions: i64,
    last_read: i64,
}

/// What a client keeps of the rooms, by the session at its start and the events since.
struct Kept {
    me: i64,
    rooms: BTreeMap<i64, Counts>,
    /// By room and message: whether it mentions me. From it a read mark tells how many are left.
    messages: BTreeMap<(i64, i64), bool>,
}

impl Kept {
    async fn start(person: &Person) -> Kept {
        let rooms = rooms(person).await;
        assert!(
            rooms.values().all(|counts| counts.unread == 0),
            "the test needs to know every unread message"
        );
        Kept { me: person.id, rooms, messages: BTreeMap::new() }
    }

    fn mentions_me(&self, message: &Value) -> bool {
        message["mentions"].as_array().expect("mentions").contains(&json!(self.me))
            || message["everyone"] == true
    }

    fn room(&mut self, event: &Value) -> (i64, i64, &mut Counts) {
        let (room, message) =
            (event["room_id"].as_i64().expect("room_id"), event["message_id"].as_i64().expect("message_id"));
        (room, message, self.rooms.get_mut(&room).expect("a known room"))
    }

    fn add(&mut self, room: i64, message: i64, mention: bool) {
        self.messages.insert((room, message), mention);
        let counts = self.rooms.get_mut(&room).expect("a known room");
        if message > counts.last_read {
            counts.unread += 1;
            counts.mentions += i64::from(mention);
        }
    }

    fn read(&mut self, room: i64, message: i64) {
        let counts = self.rooms.get_mut(&room).expect("a known room");
        if message > counts.last_read {
            let left =
                || self.messages.range((room, message + 1)..(room + 1, 0)).map(|(_, mention)| *mention);
            *counts = Counts {
                unread: left().count() as i64,
                mentions: left().filter(|it| *it).count() as i64,
                last_read: message,
            };
        }
    }

    fn change(&mut self, event: &Value, unread: i64, mentions: i64) {
        let (room, message, counts) = self.room(event);
        if message > counts.last_read {
            counts.unread += unread;
            counts.mentions += mentions;
        }
        if unread < 0 {
            self.messages.remove(&(room, message));
        } else if let Some(mention) = self.messages.get_mut(&(room, message)) {
            *mention = i64::from(*mention) + mentions > 0;
        }
    }

    fn take(&mut self, event: &Value) {
        match event["type"].as_str().expect("a type") {
            "unread" => {
                let (room, message, _) = self.room(event);
                self.add(room, message, event["mention"] == true);
            }
            "read" => {
                let (room, message, _) = self.room(event);
                self.read(room, message);
            }
            "unread_changed" => {
                let number = |name: &str| event[name].as_i64().expect("a number");
                self.change(event, number("unread"), number("mentions"));
            }
            "message.deleted" => self.change(event, -1, -i64::from(self.mentions_me(event))),
            "message.created" => {
                let message = &event["message"];
                let room = message["room_id"].as_i64().expect("room_id");
                if message["creator_id"] == self.me {
                    self.messages.insert((room, id(message)), false);
                    self.read(room, id(message));
                } else {
                    self.add(room, id(message), self.mentions_me(message));
                }
            }
            "message.updated" => {
                let message = &event["message"];
                let mention = self.mentions_me(message);
                let room = message["room_id"].as_i64().expect("room_id");
                let before = self.messages.get(&(room, id(message))).copied().unwrap_or_default();
                let event = json!({"room_id": room, "message_id": id(message)});
                self.change(&event, 0, i64::from(mention) - i64::from(before));
            }
            "membership.updated" => {
                let room = event["room_id"].as_i64().expect("room_id");
                self.rooms.insert(room, counts(&event["membership"]));
            }
            "resync" | "error" => panic!("{event}"),
            _ => {}
        }
    }
}

fn counts(membership: &Value) -> Counts {
    let number = |name: &str| membership[name].as_i64().unwrap_or_default();
    Counts {
        unread: number("unread_count"),
        mentions: number("mention_count"),
        last_read: number("last_read_message_id"),
    }
}

/// The rooms as a fresh start has them.
async fn rooms(person: &Person) -> BTreeMap<i64, Counts> {
    let session = person.get("/api/session").await.expect(200);
    let rooms = session["rooms"].as_array().expect("rooms");
    rooms.iter().map(|room| (id(room), counts(&room["membership"]))).collect()
}

/// F5: thousands of random changes, several at once, and the counts of sockets that have joined no room, all rooms, or
/// now this and now that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_kept_by_events_equal_those_of_a_fresh_start() {
    const ROUNDS: usize = 1_500;
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let closed = team.closed_room("Closed", &[&team.ada, &grace, &linus]).await;
    let direct = team.ada.direct_with(&[&grace]).await;
    let rooms_of = |person: &Person| {
        if person.id == linus.id { vec![team.room, closed] } else { vec![team.room, closed, direct] }
    };
    let mut sockets = [grace.socket().await, Socket::connect_msgpack(&grace).await, grace.socket().await];
    for room in rooms_of(&grace) {
        sockets[1].join(room).await;
    }
    let mut kept = Vec::new();
    for _ in &sockets {
        kept.push(Kept::start(&grace).await);
    }
    let texts = [
        "Nobody in particular".to_owned(),
        mention(&grace),
        mention(&linus),
        format!("{} {} {}", mention(&grace), mention(&linus), mention(&team.ada)),
        "@room".to_owned(),
        format!("@here, and above all {}", mention(&grace)),
    ];
    let people = [&team.ada, &grace, &linus];
    // Room, message, author.
    let mut said: Vec<(i64, i64, usize)> = Vec::new();
    let mut random = Random(0x5EED_C0DE);
    for round in 0..ROUNDS {
        let mut requests = Vec::new();
        for _ in 0..=random.below(6) {
            let author = random.below(people.len());
            let person = people[author];
            let mine: Vec<_> = said.iter().filter(|it| it.2 == author).copied().collect();
            let text = random.of(&texts).clone();
            let kind = random.below(10);
            let room = *random.of(&rooms_of(person));
            requests.push(match kind {
                5 | 6 if !mine.is_empty() => {
                    let path = format!("/api/messages/{}", random.of(&mine).1);
                    (None, person.request("PATCH", &path).json(json!({"content": text})))
                }
                7 if !mine.is_empty() => {
                    let (room, message, author) = *random.of(&mine);
                    said.retain(|it| *it != (room, message, author));
                    (None, person.request("DELETE", &format!("/api/messages/{message}")))
                }
                8 if !said.is_empty() => {
                    let (room, message, _) = *random.of(&said[said.len().saturating_sub(20)..]);
                    let path = format!("/api/rooms/{room}/read");
                    (None, grace.request("POST", &path).json(json!({"message_id": message})))
                }
                9 => {
                    let path = format!("/api/rooms/{room}/involvement");
                    let involvement = *random.of(&["nothing", "mentions", "everything"]);
                    (None, person.request("PUT", &path).json(json!({"involvement": involvement})))
                }
                _ => {
                    let body = json!({"room_id": room, "content": text});
                    (Some((room, author)), person.request("POST", "/api/messages").json(body))
                }
            });
        }
        let joins = json!({"type": *random.of(&["join_room", "leave_room"]), "room_id": *random.of(&rooms_of(&grace))});
        sockets[2].send(joins).await;
        let (posts, requests): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        let replies = join_all(requests.into_iter().map(|it| it.send())).await;
        for (post, reply) in posts.into_iter().zip(replies) {
            // What is changed may have been deleted in the same round.
            assert!(matches!(reply.status, 200 | 201 | 204 | 404), "{}", reply.text());
            if let Some((room, author)) = post {
                said.push((room, id(&reply.json()), author));
            }
        }
        if round % 10 == 0 || round + 1 == ROUNDS {
            let fresh = rooms(&grace).await;
            for (number, (socket, kept)) in sockets.iter_mut().zip(&mut kept).enumerate() {
                socket.round_trip().await;
                socket.skipped.drain(..).for_each(|event| kept.take(&event));
                assert_eq!(kept.rooms, fresh, "socket {number} after round {round}");
            }
        }
    }
    assert!(rooms(&grace).await.values().any(|counts| counts.mentions > 0), "there was something to count");
}
