use std::io::Write;

use bson::{Bson, DateTime, Document, doc};

use crate::import::{Chat, report::Kind, tests::imported::Imported};

const START: i64 = 1_767_344_400_000;

fn at(seconds: i64) -> DateTime {
    DateTime::from_millis(START + seconds * 1_000)
}

fn dump(documents: &[Document]) -> Vec<u8> {
    documents.iter().flat_map(|document| document.to_vec().unwrap()).collect()
}

fn users() -> Vec<Document> {
    let user = |id: &str, handle: &str, name: &str, kind: &str, more: Document| {
        let mut user = doc! {"_id": id, "username": handle, "name": name, "type": kind, "active": true, "roles": ["user"], "createdAt": at(0)};
        user.extend(more);
        user
    };
    vec![
        user(
            "u1",
            "Ida",
            "Ida Sommer",
            "user",
            doc! {
                "emails": [{"address": "ida@example.org", "verified": true}], "roles": ["admin", "user"],
                "services": {"password": {"bcrypt": "$2b$10$secret"}}, "bio": "cooks",
            },
        ),
        user("u2", "ben.k", "Ben Król", "user", doc! {"active": false}),
        user("u3", "gast", "Gast", "user", doc! {"emails": [], "roles": ["guest"]}),
        user("rocket.cat", "rocket.cat", "Rocket.Cat", "bot", doc! {}),
        user("app1", "poll.app", "Poll", "app", doc! {}),
    ]
}

fn rooms() -> Vec<Document> {
    vec![
        doc! {"_id": "GENERAL", "t": "c", "name": "general", "fname": "Allgemein", "topic": "R&D", "description": Bson::Null, "ts": at(0)},
        doc! {"_id": "r2", "t": "p", "name": "planung", "ts": at(0), "archived": true},
        doc! {"_id": "u1u2", "t": "d", "uids": ["u1", "u2"], "usernames": ["Ida", "ben.k"], "ts": at(0)},
        doc! {"_id": "u1u1", "t": "d", "uids": ["u1"], "usernames": ["Ida"], "ts": at(0)},
        doc! {"_id": "r5", "t": "p", "name": "geheim", "encrypted": true, "ts": at(0)},
        doc! {"_id": "r6", "t": "p", "name": "x7YpQ", "fname": "Why green?", "prid": "GENERAL", "ts": at(0)},
        doc! {"_id": "r7", "t": "l", "fname": "Visitor", "ts": at(0)},
    ]
}

fn subscriptions() -> Vec<Document> {
    let of = |id: &str, room: &str, user: &str| doc! {"_id": id, "rid": room, "u": {"_id": user, "username": user}};
    let mut first = of("s1", "GENERAL", "u1");
    first.extend(doc! {"ls": at(6), "alert": true, "unread": 3, "desktopNotifications": "all"});
    vec![
        first,
        of("s2", "GENERAL", "u2"),
        of("s3", "r2", "u1"),
        of("s4", "r5", "u1"),
        of("s5", "u1u2", "u1"),
        of("s6", "r6", "u1"),
    ]
}

fn messages() -> Vec<Document> {
    let of = |id: &str, seconds: i64, user: Document, text: &str, more: Document| {
        let mut message = doc! {"_id": id, "rid": "GENERAL", "msg": text, "ts": at(seconds), "u": user};
        message.extend(more);
        message
    };
    let ida = || doc! {"_id": "u1", "username": "oldname", "name": "Ida"};
    let ben = || doc! {"_id": "u2", "username": "ben.k", "name": "Ben"};
    let link = "https://chat.example/channel/general?msg=m1";
    let elsewhere = "https://chat.example/group/planung?msg=q1";
    vec![
        of("m2", 2, ben(), "answer", doc! {"tmid": "m1"}),
        of(
            "m1",
            1,
            ida(),
            "Hi @ben.k. see #planung :thumbsup: *bold* _it_ ~~no~~ ~strike~ `c` **too** a_b_c 2 * 3",
            doc! {
                "mentions": [{"_id": "u2", "username": "ben.k", "name": "Ben"}], "channels": [{"_id": "r2", "name": "planung"}],
                "reactions": {":thumbsup:": {"usernames": ["ben.k", "ida"]}, ":thumbsup_tone3:": {"usernames": ["gone"]}, ":party_parrot:": {"usernames": ["Ida"]}},
                "editedAt": at(2), "md": [{"type": "PARAGRAPH"}],
            },
        ),
        of(
            "m3",
            3,
            ida(),
            "",
            doc! {
                "file": {"_id": "f1", "name": "liste.txt"},
                "files": [{"_id": "f1", "name": "liste.txt"}, {"_id": "f2", "name": "thumb.png", "typeGroup": "thumb"}],
                "attachments": [{"title": "liste.txt", "title_link": "/file-upload/f1/liste.txt", "description": "the list"}],
            },
        ),
        of("m4", 4, ben(), "ben.k", doc! {"t": "uj"}),
        of("m5", 5, ida(), "", doc! {"t": "rm"}),
        of(
            "m6",
            6,
            ben(),
            &format!("[ ]({link}) quoted answer"),
            doc! {
                "attachments": [{"text": "Hi", "author_name": "Ida", "message_link": link}],
            },
        ),
        of(
            "m7",
            7,
            doc! {"_id": "rocket.cat", "username": "rocket.cat"},
            "from a hook",
            doc! {
                "alias": "Deploy", "bot": {"i": "b1"}, "attachments": [{"color": "#f00", "title": "Build 42", "text": "passed"}],
            },
        ),
        of(
            "m8",
            8,
            doc! {"_id": "u9", "username": "weg", "name": "Weg"},
            "reply to nothing",
            doc! {"tmid": "nope"},
        ),
        doc! {"_id": "m9", "rid": "u1u2", "msg": "direct", "ts": at(9), "u": ida()},
        doc! {"_id": "m10", "rid": "r5", "t": "e2e", "msg": "AAAA", "ts": at(10), "u": ida()},
        of(
            "m11",
            11,
            ida(),
            &format!("[ ]({elsewhere}) of another room"),
            doc! {
                "attachments": [{"text": "*plan*", "author_name": "Ben", "message_link": elsewhere}],
            },
        ),
        of("m12", 12, ida(), "gone file", doc! {"files": [{"_id": "f9", "name": "weg.pdf"}]}),
        of("m13", 13, ida(), "on a disk", doc! {"file": {"_id": "f8", "name": "disk.txt"}}),
        of("m14", 14, ida(), "old", doc! {"_hidden": true, "parent": "m1"}),
        of(
            "m15",
            15,
            ida(),
            "```js\nlet a = 1\n```\nand ```b``` :unknown_one: http://a.example/x_y_z",
            doc! {},
        ),
    ]
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let binary =
        |bytes: &[u8]| bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: bytes.to_vec() };
    vec![
        ("dump/rc/users.bson", dump(&users())),
        ("dump/rc/rocketchat_room.bson", dump(&rooms())),
        ("dump/rc/rocketchat_subscription.bson", dump(&subscriptions())),
        ("dump/rc/rocketchat_message.bson", dump(&messages())),
        ("dump/rc/rocketchat_settings.bson", dump(&[doc! {"_id": "Site_Name", "value": "Blau"}])),
        (
            "dump/rc/rocketchat_custom_emoji.bson",
            dump(&[doc! {"_id": "e1", "name": "party_parrot", "extension": "gif"}]),
        ),
        (
            "dump/rc/rocketchat_uploads.bson",
            dump(&[
                doc! {"_id": "f1", "name": "liste.txt", "size": 5, "complete": true},
                doc! {"_id": "f2", "name": "thumb.png", "typeGroup": "thumb", "size": 1, "complete": true},
                doc! {"_id": "f3", "name": "half.bin", "size": 9, "complete": false},
            ]),
        ),
        (
            "dump/rc/rocketchat_uploads.chunks.bson",
            dump(&[
                doc! {"_id": bson::oid::ObjectId::from_bytes([2; 12]), "files_id": "f1", "n": 1, "data": binary(b"lk\n")},
                doc! {"_id": bson::oid::ObjectId::from_bytes([1; 12]), "files_id": "f1", "n": 0, "data": binary(b"mi")},
                doc! {"_id": 5, "files_id": Bson::Null, "n": "x", "data": 7},
            ]),
        ),
        ("uploads/f8", b"disk\n".to_vec()),
    ]
}

fn imported(files: &[(&'static str, Vec<u8>)]) -> Imported {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    Imported::of(Chat::Rocket, &files)
}

#[test]
fn dump_has_its_people_and_rooms() {
    let imported = imported(&files());
    assert_eq!(
        imported.people(),
        [
            "Ben Król|member|deactivated",
            "Deploy|bot|deactivated",
            "Gast|guest|active",
            "Ida Sommer|admin|active",
            "Weg|member|deactivated"
        ]
    );
    assert_eq!(
        imported.rooms(),
        [
            "Allgemein|open|Ida Sommer",
            "planung|closed|",
            "|direct|Ben Król,Ida Sommer",
            "|direct|Ida Sommer",
            "Why green?|closed|Ida Sommer"
        ]
    );
    assert_eq!(
        imported.rows("select email, bio from users where email is not null"),
        ["ida@example.org|cooks"]
    );
    assert_eq!(imported.rows("select count(*) from users where password_hash is not null"), ["0"]);
    assert_eq!(imported.rows("select name from account"), ["Blau"]);
    assert_eq!(imported.left_out(Kind::Rooms, "encrypted"), 1);
    assert_eq!(imported.left_out(Kind::Rooms, "visitors"), 1);
    assert_eq!(imported.left_out(Kind::Emoji, "without pictures"), 1);
    assert!(imported.report.remarks().iter().any(|remark| remark.starts_with("1 guest is a guest here too")));
}

#[test]
fn messages_are_in_the_order_of_time_and_come_once() {
    let imported = imported(&files());
    let keys: Vec<String> = imported.texts().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["m1", "m2", "m3", "m6", "m7", "m8", "m9", "m11", "m12", "m13", "m15"]);
    assert_eq!(imported.left_out(Kind::Messages, "deleted"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "lines of the system"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "encrypted"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "former versions"), 1);
    assert_eq!(imported.again().of(Kind::Messages).known, 11);
    assert_eq!(imported.texts().len(), 11);
    assert_eq!(imported.check().of(Kind::Messages).found, 15);
}

#[test]
fn marks_mentions_and_reactions_are_right() {
    let imported = imported(&files());
    let ben = imported.rows("select id from users where name like 'Ben%'").remove(0);
    assert_eq!(
        imported.text("m1"),
        format!(
            "Hi @[Ben Król](user:{ben}). see [#planung](</rooms/2>) 👍 **bold** *it* ~~no~~ ~~strike~~ `c` **too** a_b_c 2 * 3"
        )
    );
    assert_eq!(imported.texts()[0].1, "Ida Sommer");
    assert_eq!(
        imported.rows("select content || users.name from boosts join users on users.id = user_id order by 1"),
        [":party_parrot:Ida Sommer", "👍Ben Król", "👍Ida Sommer"]
    );
    assert_eq!(imported.left_out(Kind::Boosts, "does not name"), 1);
    assert_eq!(
        imported.text("m15"),
        "```js\nlet a = 1\n```\n\nand\n\n```\nb\n```\n\n:unknown_one: <http://a.example/x_y_z>"
    );
}

#[test]
fn answers_threads_and_quotes_are_told() {
    let imported = imported(&files());
    let root = imported.rows("select id from messages where client_message_id = 'import:m1'").remove(0);
    assert_eq!(
        imported.rows("select thread_root_id from messages where client_message_id = 'import:m2'"),
        [root]
    );
    assert_eq!(imported.text("m6"), "quoted answer");
    assert_eq!(imported.reply("m6"), "m1");
    assert_eq!(imported.text("m8"), "reply to nothing");
    assert_eq!(imported.text("m11"), "> **Ben**\n>\n> **plan**\n\nof another room");
    assert_eq!(imported.texts()[4].1, "Deploy");
    assert_eq!(imported.text("m7"), "from a hook\n\n🔴 **Build 42**\n\npassed");
}

#[test]
fn files_are_put_together_in_the_order_of_their_pieces() {
    let imported = imported(&files());
    assert_eq!(imported.text("m3"), "the list");
    assert_eq!(
        imported.rows("select filename, byte_size from attachments order by 1"),
        ["disk.txt|5", "liste.txt|5"]
    );
    assert_eq!(imported.text("m12"), "gone file\n\n📎 `weg.pdf` *(not in the export)*");
    assert_eq!(imported.left_out(Kind::Files, "did not end"), 1);
}

#[test]
fn file_without_all_of_its_pieces_is_missing() {
    let mut files = files();
    files[7].1 = dump(&[
        doc! {"_id": 1, "files_id": "f1", "n": 1, "data": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: b"lk\n".to_vec() }},
    ]);
    assert_eq!(imported(&files).text("m3"), "the list\n\n📎 `liste.txt` *(not in the export)*");
}

#[test]
fn dump_that_is_compressed_is_read_too() {
    let packed = files().into_iter().map(|(name, bytes)| match name.strip_suffix(".bson") {
        Some(_) => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            (&*format!("{name}.gz").leak(), encoder.finish().unwrap())
        }
        None => (name, bytes),
    });
    let imported = imported(&packed.collect::<Vec<_>>());
    assert_eq!(imported.texts().len(), 11);
    assert_eq!(imported.rows("select count(*) from attachments"), ["2"]);
}

#[test]
fn unread_messages_stay_unread() {
    let imported = imported(&files());
    let unread = imported.rows(
        "select count(*) from messages join memberships using (room_id)
         where messages.id > last_read_message_id and memberships.user_id = (select id from users where name like 'Ida%')
         and room_id = 1",
    );
    // From the moment that was seen last.
    assert_eq!(unread, ["6"]);
    assert_eq!(
        imported
            .rows("select involvement from memberships where room_id = 1 and involvement = 'everything'")
            .len(),
        1
    );
}

#[test]
fn what_is_no_dump_is_refused() {
    let refused = |files: &[(&str, &[u8])]| Imported::tried(Chat::Rocket, files).err().unwrap().0;
    assert!(refused(&[("a.txt", b"")]).contains("no rocketchat_message.bson"));
    assert!(refused(&[("dump.archive", b"")]).contains("--out FOLDER"));
    assert!(
        refused(&[("rocketchat_message.bson", b""), ("users.bson", b"")]).contains("no rocketchat_room.bson")
    );
}

#[test]
fn wrong_values_never_panic_and_counts_add_up() {
    let wrong = [
        Bson::Null,
        Bson::String("ß \u{1F600}".into()),
        Bson::Int64(i64::MIN),
        Bson::Double(f64::NAN),
        Bson::Array(vec![Bson::Null, Bson::Int32(5)]),
        Bson::Document(doc! {"a": {"b": Bson::Undefined}}),
        Bson::MaxKey,
        Bson::DateTime(DateTime::from_millis(i64::MAX)),
    ];
    for (place, value) in wrong.iter().enumerate() {
        let spoil = |mut documents: Vec<Document>| {
            for (number, document) in documents.iter_mut().enumerate() {
                let names: Vec<String> = document.keys().cloned().collect();
                let name = &names[(number + place) % names.len()];
                document.insert(name.clone(), value.clone());
            }
            dump(&documents)
        };
        let mut files = files();
        files[0].1 = spoil(users());
        files[1].1 = spoil(rooms());
        files[2].1 = spoil(subscriptions());
        files[3].1 = spoil(messages());
        files[7].1.truncate(60 + place);
        imported(&files);
    }
    for place in 0..8 {
        let mut files = files();
        let half = files[place].1.len() / 2;
        files[place].1.truncate(half);
        imported(&files);
    }
}
