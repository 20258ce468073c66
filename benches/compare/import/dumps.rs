//! Exports that are tables of a database: of Zulip and Rocket.Chat.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use bson::{DateTime, Document, doc};
use serde_json::{Value, json};

use super::{PEOPLE, ROOMS, files::markdown, second};

/// An organization: 1,000 messages in a file, as its exporter splits them, each in one of ten topics of its channel.
pub(super) fn zulip(dir: &Path, messages: usize) -> PathBuf {
    let path = dir.join("zulip");
    std::fs::create_dir_all(&path).expect("a directory");
    let write = |name: &str, value: &Value| {
        let file = File::create(path.join(name)).expect("a file");
        serde_json::to_writer(BufWriter::new(file), value).expect("JSON");
    };
    let people: Vec<Value> = (1..=PEOPLE)
        .map(|n| json!({"id": n, "email": format!("user{n}@chat.example"), "delivery_email": format!("p{n}@lamp.example"),
            "full_name": format!("Person {n}"), "is_active": true, "is_bot": false, "role": 400, "date_joined": 1_500_000_000.5}))
        .collect();
    let streams: Vec<Value> = (1..=ROOMS)
        .map(|n| json!({"id": n, "name": format!("room {n}"), "description": "", "invite_only": false, "deactivated": false,
            "date_created": 1_500_000_000.0}))
        .collect();
    let recipients: Vec<Value> =
        (1..=ROOMS).map(|n| json!({"id": 1_000 + n, "type": 2, "type_id": n})).collect();
    let subscriptions: Vec<Value> = (0..ROOMS * PEOPLE)
        .map(|n| json!({"id": n + 1, "user_profile": n % PEOPLE + 1, "recipient": 1_001 + n / PEOPLE, "active": true}))
        .collect();
    let reactions: Vec<Value> = (5..=messages)
        .step_by(10)
        .map(|n| json!({"id": n, "message": n, "user_profile": 1, "emoji_name": "+1", "emoji_code": "1f44d", "reaction_type": "unicode_emoji"}))
        .collect();
    write(
        "realm.json",
        &json!({"zerver_realm": [{"id": 2, "string_id": "lamp", "name": "Lamp"}], "zerver_userprofile": people,
            "zerver_userprofile_crossrealm": [], "zerver_userprofile_mirrordummy": [], "zerver_stream": streams, "zerver_huddle": [],
            "zerver_recipient": recipients, "zerver_subscription": subscriptions, "zerver_reaction": reactions,
            "zerver_realmemoji": []}),
    );
    for (place, first) in (1..=messages).step_by(1_000).enumerate() {
        let list: Vec<Value> = (first..=messages.min(first + 999))
            .map(|n| {
                let mention = format!("@**Person {}**", n % PEOPLE + 1);
                json!({"id": n, "sender": n % PEOPLE + 1, "recipient": 1_001 + n % ROOMS, "subject": format!("Topic {}", n / ROOMS % 10),
                    "content": markdown(n, &mention), "rendered_content": "<p></p>", "date_sent": second(n) as f64 + 0.25,
                    "last_edit_time": null, "has_attachment": false})
            })
            .collect();
        write(
            &format!("messages-{:06}.json", place + 1),
            &json!({"zerver_message": list, "zerver_usermessage": []}),
        );
    }
    path
}

/// What mongodump makes of a server.
pub(super) fn rocketchat(dir: &Path, messages: usize) -> PathBuf {
    let path = dir.join("dump");
    std::fs::create_dir_all(path.join("rc")).expect("a directory");
    let write = |name: &str, documents: &mut dyn Iterator<Item = Document>| {
        let mut file = BufWriter::new(File::create(path.join("rc").join(name)).expect("a file"));
        for document in documents {
            file.write_all(&document.to_vec().expect("BSON")).expect("it is written");
        }
    };
    let at = |n: usize| DateTime::from_millis(second(n) * 1_000);
    let user =
        |n: usize| doc! {"_id": format!("u{n}"), "username": format!("p{n}"), "name": format!("Person {n}")};
    write(
        "users.bson",
        &mut (1..=PEOPLE).map(|n| {
            let mut document = user(n);
            document.extend(doc! {"type": "user", "active": true, "roles": ["user"], "createdAt": at(0),
            "emails": [{"address": format!("p{n}@lamp.example"), "verified": true}]});
            document
        }),
    );
    write("rocketchat_room.bson", &mut (1..=ROOMS).map(
        |n| doc! {"_id": format!("r{n}"), "t": "c", "name": format!("room-{n}"), "fname": format!("Room {n}"), "ts": at(0)},
    ));
    write("rocketchat_subscription.bson", &mut (0..ROOMS * PEOPLE).map(|n| {
        let person = n % PEOPLE + 1;
        doc! {"_id": format!("s{n}"), "rid": format!("r{}", n / PEOPLE + 1), "ls": at(1 << 24), "alert": false, "unread": 0,
            "u": {"_id": format!("u{person}"), "username": format!("p{person}")}}
    }));
    write("rocketchat_message.bson", &mut (1..=messages).map(|n| {
        let person = n % PEOPLE + 1;
        let mut document = doc! {"_id": format!("m{n}"), "rid": format!("r{}", n % ROOMS + 1), "ts": at(n), "u": user(person),
            "msg": markdown(n, &format!("@p{person}")), "mentions": [], "channels": [], "_updatedAt": at(n)};
        if n.is_multiple_of(10) && n > ROOMS {
            document.insert("tmid", format!("m{}", n - ROOMS));
        }
        if n % 10 == 5 {
            document.insert("reactions", doc! {":thumbsup:": {"usernames": ["p1"]}});
        }
        document
    }));
    path
}
