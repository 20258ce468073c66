//! Fan-out to many sockets of one room, some of which reconnect.

use std::collections::BTreeMap;

use crate::support::*;

const SOCKETS: usize = 40;
const MESSAGES: usize = 500;

/// Reads until it has all messages; every fourth listener disconnects now and then and resumes with `since`.
async fn listener(person: Person, room: i64, since: i64, number: usize) -> Vec<(i64, String)> {
    let mut heard: BTreeMap<i64, String> = BTreeMap::new();
    let mut order = Vec::new();
    let mut last = since;
    let mut socket = person.socket().await;
    socket.join_since(room, last).await;
    let drops = number.is_multiple_of(4);
    let mut next_drop = 20 + number;
    while order.len() < MESSAGES {
        let event = socket.event().await;
        assert_ne!(event["type"], "resync", "this socket reads: {event}");
        if event["type"] != "message.created" {
            continue;
        }
        let seq = event["seq"].as_i64().expect("seq");
        let content = event["message"]["content"].as_str().expect("content").to_owned();
        assert!(seq > last, "socket {number}: {seq} after {last}");
        last = seq;
        assert!(heard.insert(seq, content.clone()).is_none(), "socket {number}: {seq} twice");
        order.push((seq, content));
        if drops && order.len() == next_drop && order.len() < MESSAGES {
            next_drop += 40 + number;
            socket.disconnect();
            socket = person.socket().await;
            socket.join_since(room, last).await;
        }
    }
    order
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broadcast_to_forty_sockets_is_in_order_without_gap_or_duplicate() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = team.ada.get("/api/session").await.expect(200)["seq"].as_i64().unwrap();
    let listeners: Vec<_> = (0..SOCKETS)
        .map(|number| {
            let person = if number % 2 == 0 { team.ada.clone() } else { grace.clone() };
            tokio::spawn(listener(person, team.room, since, number))
        })
        .collect();
    // Four authors post at the same time, two over HTTP and two over sockets.
    let mut authors = Vec::new();
    for author in 0..4 {
        let person = if author % 2 == 0 { team.ada.clone() } else { grace.clone() };
        let room = team.room;
        authors.push(tokio::spawn(async move {
            let mut said = Vec::new();
            let mut socket = person.socket().await;
            for n in 0..MESSAGES / 4 {
                let content = format!("{author}-{n}");
                let message = if author < 2 {
                    person.say(room, &content).await
                } else {
                    socket.say(room, &content, &content).await["message"].clone()
                };
                said.push((id(&message), content));
            }
            said
        }));
    }
    let mut said = Vec::new();
    for author in authors {
        said.extend(author.await.expect("an author"));
    }
    said.sort_unstable();
    assert_eq!(said.len(), MESSAGES);
    for (number, listener) in listeners.into_iter().enumerate() {
        let heard = within("a listener to have heard all", listener).await.expect("a listener");
        assert_eq!(heard, said, "socket {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn join_while_others_post_misses_nothing() {
    let team = Team::start().await;
    let since = team.ada.get("/api/session").await.expect(200)["seq"].as_i64().unwrap();
    let (ada, room) = (team.ada.clone(), team.room);
    let posting = tokio::spawn(async move {
        let mut said = Vec::new();
        for n in 0..300 {
            said.push(id(&ada.say(room, &format!("{n}")).await));
        }
        said
    });
    let mut listeners = Vec::new();
    for _ in 0..30 {
        let ada = team.ada.clone();
        listeners.push(tokio::spawn(async move {
            let mut socket = ada.socket().await;
            socket.join_since(room, since).await;
            let mut heard = Vec::new();
            while heard.len() < 300 {
                let event = socket.event().await;
                if event["type"] == "message.created" {
                    heard.push(event["seq"].as_i64().unwrap());
                }
            }
            heard
        }));
        tokio::task::yield_now().await;
    }
    let said = posting.await.expect("the posts");
    for listener in listeners {
        assert_eq!(within("a listener", listener).await.expect("a listener"), said);
    }
}
