//! Exports that are JSON: of Slack, Mattermost, Telegram and Discord.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{PEOPLE, ROOMS, second, sentence};

fn file(path: &Path) -> BufWriter<File> {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    BufWriter::new(File::create(path).expect("a file"))
}

fn write_line(file: &mut impl std::io::Write, value: &Value) {
    serde_json::to_writer(&mut *file, value).expect("JSON");
    file.write_all(b"\n").expect("it is written");
}

/// The members of a list, with commas between.
struct List<W: std::io::Write> {
    file: W,
    is_first: bool,
}

impl<W: std::io::Write> List<W> {
    fn new(mut file: W, head: &str) -> Self {
        file.write_all(head.as_bytes()).expect("it is written");
        Self { file, is_first: true }
    }

    fn put(&mut self, value: &Value) {
        if !std::mem::take(&mut self.is_first) {
            self.file.write_all(b",\n").expect("it is written");
        }
        serde_json::to_writer(&mut self.file, value).expect("JSON");
    }

    fn end(&mut self, foot: &str) {
        self.file.write_all(foot.as_bytes()).expect("it is written");
    }
}

/// An export of a workspace, as a ZIP: a file for each day of each channel, rich text beside the text, as clients write it.
pub(super) fn slack(dir: &Path, messages: usize) -> PathBuf {
    let path = dir.join("export.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).expect("a file"));
    let options = zip::write::SimpleFileOptions::default();
    let mut put = |name: &str, value: &Value| {
        zip.start_file(name, options).expect("an entry");
        zip.write_all(value.to_string().as_bytes()).expect("it is written");
    };
    let user = |n: usize| format!("U{n:06}");
    let users: Vec<Value> = (1..=PEOPLE)
        .map(|n| json!({"id": user(n), "name": format!("p{n}"), "deleted": false, "is_bot": false,
            "profile": {"real_name": format!("Person {n}"), "display_name": "", "email": format!("p{n}@lamp.example")}}))
        .collect();
    put("users.json", &users.into());
    let members: Vec<String> = (1..=PEOPLE).map(user).collect();
    let channels: Vec<Value> = (1..=ROOMS)
        .map(|n| {
            json!({"id": format!("C{n:06}"), "name": format!("room-{n}"), "created": 1_577_836_000,
            "creator": user(1), "is_archived": false, "members": members})
        })
        .collect();
    put("channels.json", &channels.into());
    for room in 1..=ROOMS {
        let mut day = (0, Vec::<Value>::new());
        for n in (room..=messages).step_by(ROOMS) {
            let at = second(n);
            if at / 86_400 != day.0 && !day.1.is_empty() {
                let name =
                    jiff::Timestamp::from_second(day.0 * 86_400).expect("a day").strftime("%F").to_string();
                put(&format!("room-{room}/{name}.json"), &std::mem::take(&mut day.1).into());
            }
            day.0 = at / 86_400;
            day.1.push(slack_message(n, &user));
        }
        let name = jiff::Timestamp::from_second(day.0 * 86_400).expect("a day").strftime("%F").to_string();
        put(&format!("room-{room}/{name}.json"), &day.1.into());
    }
    zip.finish().expect("a ZIP");
    path
}

fn slack_message(n: usize, user: &impl Fn(usize) -> String) -> Value {
    let words = sentence(n as i64);
    let ts = |n: usize| format!("{}.{:06}", second(n), n % 1_000_000);
    let (text, elements) = match n % 10 {
        1 => (
            format!("{words} <https://example.org/{n}>"),
            json!([{"type": "text", "text": format!("{words} ")}, {"type": "link", "url": format!("https://example.org/{n}")}]),
        ),
        2 => (
            format!("*{words}* and"),
            json!([{"type": "text", "text": words, "style": {"bold": true}}, {"type": "text", "text": " and"}]),
        ),
        3 => (
            format!("<@{}> {words}", user(n % PEOPLE + 1)),
            json!([{"type": "user", "user_id": user(n % PEOPLE + 1)}, {"type": "text", "text": format!(" {words}")}]),
        ),
        _ => (words.clone(), json!([{"type": "text", "text": words}])),
    };
    let mut message = json!({
        "client_msg_id": format!("{n:08x}-0000-4000-8000-000000000000"), "type": "message", "user": user(n % PEOPLE + 1),
        "text": text, "ts": ts(n), "team": "T000001",
        "user_profile": {"real_name": format!("Person {}", n % PEOPLE + 1), "name": format!("p{}", n % PEOPLE + 1), "is_restricted": false},
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [{"type": "rich_text_section", "elements": elements}]}],
    });
    if n.is_multiple_of(10) && n > ROOMS {
        message["thread_ts"] = ts(n - ROOMS).into();
        message["parent_user_id"] = user((n - ROOMS) % PEOPLE + 1).into();
    }
    if n % 10 == 5 {
        message["reactions"] = json!([{"name": "+1", "users": [user(1)], "count": 1}]);
    }
    message
}

/// A bulk export of one team, as its file of lines. Replies stand in the posts that they answer.
pub(super) fn mattermost(dir: &Path, messages: usize) -> PathBuf {
    let path = dir.join("import.jsonl");
    let mut out = file(&path);
    let mut line = |kind: &str, value: Value| write_line(&mut out, &json!({"type": kind, kind: value}));
    line("version", json!(1));
    line("team", json!({"name": "lamp", "display_name": "Lamp", "type": "O"}));
    for n in 1..=ROOMS {
        line(
            "channel",
            json!({"team": "lamp", "name": format!("room-{n}"), "display_name": format!("Room {n}"), "type": "O"}),
        );
    }
    let channels: Vec<Value> =
        (1..=ROOMS).map(|n| json!({"name": format!("room-{n}"), "roles": "channel_user"})).collect();
    for n in 1..=PEOPLE {
        line(
            "user",
            json!({"username": format!("p{n}"), "email": format!("p{n}@lamp.example"), "first_name": "Person",
            "last_name": n.to_string(), "roles": "system_user",
            "teams": [{"name": "lamp", "roles": "team_user", "channels": channels}]}),
        );
    }
    let user = |n: usize| format!("p{}", n % PEOPLE + 1);
    for n in 1..=messages {
        if n.is_multiple_of(10) && n > 10 {
            continue;
        }
        let mut post = json!({"team": "lamp", "channel": format!("room-{}", n % ROOMS + 1), "user": user(n), "type": "",
            "message": markdown(n, &format!("@{}", user(n + 7))), "props": {}, "create_at": second(n) * 1_000, "edit_at": 0,
            "reactions": null, "replies": null, "attachments": []});
        if n % 10 == 5 {
            post["reactions"] =
                json!([{"user": "p1", "create_at": second(n) * 1_000 + 1, "emoji_name": "+1"}]);
        }
        // The one behind it, whose number ends in 0, is its reply.
        if n % 10 == 9 && n < messages {
            post["replies"] = json!([{"user": user(n + 1), "type": "", "message": markdown(n + 1, ""), "create_at": second(n + 1) * 1_000,
                "edit_at": 0, "props": {}, "attachments": []}]);
        }
        line("post", json!(post));
    }
    drop(out);
    path
}

/// A text with a link, marks, a mention or code now and then.
pub(super) fn markdown(n: usize, mention: &str) -> String {
    let words = sentence(n as i64);
    match n % 10 {
        1 => format!("{words} https://example.org/{n}"),
        2 => format!("**{words}** and\n- one\n- two"),
        3 => format!("{mention} {words}"),
        4 => format!("{words}\n```\na\nb\n```"),
        _ => words,
    }
}

/// An export of all chats of Telegram Desktop.
pub(super) fn telegram(dir: &Path, messages: usize) -> PathBuf {
    let path = dir.join("result.json");
    let mut chats = List::new(file(&path), r#"{"about": "", "chats": {"list": ["#);
    for room in 1..=ROOMS {
        let list: Vec<Value> = (room..=messages)
            .step_by(ROOMS)
            .map(|n| {
                let words = sentence(n as i64);
                let entities = match n % 10 {
                    1 => json!([{"type": "plain", "text": format!("{words} ")}, {"type": "link", "text": format!("https://example.org/{n}")}]),
                    2 => json!([{"type": "bold", "text": words}, {"type": "plain", "text": " and"}]),
                    3 => json!([{"type": "mention_name", "text": "@P", "user_id": n % PEOPLE + 1}, {"type": "plain", "text": format!(" {words}")}]),
                    4 => json!([{"type": "plain", "text": format!("{words}\n")}, {"type": "pre", "text": "a\nb", "language": ""}]),
                    _ => json!([{"type": "plain", "text": words}]),
                };
                let mut message = json!({"id": n, "type": "message", "date": "2020-01-01T00:00:00", "date_unixtime": second(n).to_string(),
                    "from": format!("Person {}", n % PEOPLE + 1), "from_id": format!("user{}", n % PEOPLE + 1),
                    "text": entities, "text_entities": entities});
                if n.is_multiple_of(10) && n > ROOMS {
                    message["reply_to_message_id"] = (n - ROOMS).into();
                }
                if n % 10 == 5 {
                    message["reactions"] = json!([{"type": "emoji", "count": 1, "emoji": "👍",
                        "recent": [{"from": "Person 1", "from_id": "user1", "date": "2020-01-01T00:00:00"}]}]);
                }
                message
            })
            .collect();
        chats.put(&json!({"name": format!("Room {room}"), "type": "private_supergroup", "id": room, "messages": list}));
    }
    chats.end("]}}");
    path
}

/// A file for each channel, as DiscordChatExporter writes them with `--markdown false`.
pub(super) fn discord(dir: &Path, messages: usize) -> PathBuf {
    let path = dir.join("discord");
    let person = |n: usize| {
        let n = n % PEOPLE + 1;
        json!({"id": (100_000_000_000_000_000 + n).to_string(), "name": format!("p{n}"), "discriminator": "0000",
            "nickname": format!("Person {n}"), "color": null, "isBot": false, "roles": [],
            "avatarUrl": "https://cdn.discordapp.com/embed/avatars/0.png"})
    };
    let id = |n: usize| (1_000_000_000_000_000_000 + n).to_string();
    for room in 1..=ROOMS {
        let head = json!({"guild": {"id": "1", "name": "Lamp", "iconUrl": ""},
            "channel": {"id": (2_000 + room).to_string(), "type": "GuildTextChat", "categoryId": "3", "category": "All",
                "name": format!("room-{room}"), "topic": null},
            "dateRange": {"after": null, "before": null}, "exportedAt": "2026-01-04T11:00:00+00:00"});
        let head = head.to_string();
        let head = format!("{},\"messages\":[", &head[..head.len() - 1]);
        let mut list = List::new(file(&path.join(format!("room-{room}.json"))), &head);
        for n in (room..=messages).step_by(ROOMS) {
            let at = jiff::Timestamp::from_second(second(n))
                .expect("a moment")
                .strftime("%FT%T+00:00")
                .to_string();
            let mention = format!("<@{}>", 100_000_000_000_000_000 + n % PEOPLE + 1);
            let mut message = json!({"id": id(n), "type": "Default", "timestamp": at, "timestampEdited": null, "callEndedTimestamp": null,
                "isPinned": false, "content": markdown(n, &mention), "author": person(n), "attachments": [], "embeds": [],
                "stickers": [], "reactions": [], "mentions": if n % 10 == 3 { json!([person(n)]) } else { json!([]) }, "inlineEmojis": []});
            if n.is_multiple_of(10) && n > ROOMS {
                message["type"] = "Reply".into();
                message["reference"] = json!({"messageId": id(n - ROOMS), "channelId": (2_000 + room).to_string(), "guildId": "1"});
            }
            if n % 10 == 5 {
                message["reactions"] = json!([{"emoji": {"id": "", "name": "👍", "code": "thumbsup", "isAnimated": false, "imageUrl": ""},
                    "count": 1, "users": [person(0)]}]);
            }
            list.put(&message);
        }
        list.end("],\"messageCount\":0}");
    }
    path
}
