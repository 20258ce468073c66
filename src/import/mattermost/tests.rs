//! Bulk exports of Mattermost with what real ones have.

mod texts;

use serde_json::{Value, json};

use crate::import::{
    Chat,
    report::Kind,
    tests::imported::{Imported, try_variants},
};

const EXPORT: &str = include_str!("tests/import.jsonl");

/// An export of two teams with all kinds of lines.
fn whole() -> Imported {
    Imported::of(
        Chat::Mattermost,
        &[
            ("import.jsonl", EXPORT.as_bytes()),
            ("data/20260102/teams/noteam/channels/c1/users/u1/f1/plan.txt", b"plan\n"),
        ],
    )
}

/// What stands before the posts: the team `blue` with `square` (open) and `board` (closed), and noor, pia and a.b-c.
const LISTS: [&str; 6] = [
    r#"{"type":"team","team":{"name":"blue","display_name":"Blue"}}"#,
    r#"{"type":"channel","channel":{"team":"blue","name":"square","display_name":"Main Square","type":"O"}}"#,
    r#"{"type":"channel","channel":{"team":"blue","name":"board","display_name":"The Board","type":"P"}}"#,
    r#"{"type":"user","user":{"username":"noor","email":"noor@example.org"}}"#,
    r#"{"type":"user","user":{"username":"pia","email":"pia@example.org","teams":[{"name":"blue","channels":[{"name":"square"}]}]}}"#,
    r#"{"type":"user","user":{"username":"a.b-c","email":"abc@example.org","nickname":"A. [B] C"}}"#,
];

/// An export with these posts, each of noor in `square` at 1770000000000 but for what it says.
fn with(posts: &[Value]) -> Imported {
    let mut lines: Vec<String> = LISTS.map(str::to_owned).into();
    for more in posts {
        let mut post = json!({ "team": "blue", "channel": "square", "user": "noor", "message": "hi", "create_at": 1_770_000_000_000_i64 });
        if let (Some(fields), Value::Object(more)) = (post.as_object_mut(), more.clone()) {
            fields.extend(more);
        }
        lines.push(json!({ "type": "post", "post": post }).to_string());
    }
    Imported::of(Chat::Mattermost, &[("import.jsonl", lines.join("\n").as_bytes())])
}

/// The text of a post.
fn text_of(post: Value) -> String {
    with(&[post]).texts().remove(0).2
}

#[test]
fn people_have_an_address_and_no_password() {
    let imported = whole();
    assert_eq!(
        imported.people(),
        [
            "Deploy|bot|active",
            "Noor Haddad|admin|active",
            "Pia|guest|active",
            "ghost|member|deactivated",
            "ilja|member|deactivated",
        ]
    );
    let emails = imported.rows("select email from users where email is not null order by email");
    assert_eq!(emails, ["ilja@example.org", "noor@example.org", "pia@example.org"]);
    assert_eq!(imported.rows("select count(*) from users where password_hash is not null"), ["0"]);
    let report = imported.report.text();
    assert!(
        report.contains("1 guest is a guest here too") && report.contains("without their passwords"),
        "{report}"
    );
}

#[test]
fn channels_of_each_team_are_rooms_of_their_own() {
    let imported = whole();
    assert_eq!(
        imported.rooms(),
        [
            "Town Square (Blue)|open|Noor Haddad",
            "Town Square (Red)|open|",
            "Board|closed|",
            "|direct|Noor Haddad,Pia",
            "|direct|Noor Haddad",
            "|direct|Noor Haddad,ilja",
        ]
    );
    let of_room = |room: i64| imported.rows(&format!("select count(*) from messages where room_id = {room}"));
    assert_eq!([1, 2, 4, 5, 6].map(of_room).concat(), ["4", "2", "1", "1", "1"]);
}

#[test]
fn archived_channel_is_hidden() {
    let lines = LISTS.join("\n").replace(r#""type":"O""#, r#""type":"O","deleted_at":1767300000000"#);
    let imported = Imported::of(Chat::Mattermost, &[("import.jsonl", lines.as_bytes())]);
    assert_eq!(imported.rooms()[0], "Main Square|open|");
    assert_eq!(imported.rows("select distinct involvement from memberships"), ["invisible"]);
}

#[test]
fn posts_are_in_the_order_of_their_times() {
    let imported = whole();
    let texts: Vec<(String, String)> =
        imported.texts().into_iter().map(|(_, author, text)| (author, text)).collect();
    let expected = [
        ("Noor Haddad", "same pair, other order"),
        ("ilja", "no line of a direct channel for us"),
        ("Noor Haddad", "note to self"),
        ("Deploy", "**CI**\n\nBuild **42** passed"),
        ("ghost", "the writer has no user line"),
        ("Pia", "*waves*"),
        ("ilja", "a reply with an older time than its parent"),
        ("Noor Haddad", "later, yet first in the file @[ilja](user:2) [#board](</rooms/3>) :tick:"),
        ("Noor Haddad", ""),
    ];
    assert_eq!(texts, expected.map(|(author, text)| (author.to_owned(), text.to_owned())));
    assert_eq!(imported.left_out(Kind::Messages, "lines of Mattermost"), 1);
}

#[test]
fn replies_are_in_the_thread_of_their_post_also_when_they_are_older() {
    let imported = whole();
    let rows = imported.rows(
        "select messages.json ->> '$.content', root.json ->> '$.content' from messages
         join messages as root on root.id = messages.thread_root_id order by messages.id",
    );
    let root = "later, yet first in the file @[ilja](user:2) [#board](</rooms/3>) :tick:";
    assert_eq!(rows, [format!("a reply with an older time than its parent|{root}"), format!("|{root}")]);
}

#[test]
fn post_has_its_edit_its_boosts_and_its_file() {
    let imported = whole();
    let edited =
        imported.rows("select json ->> '$.edited_at' from messages where json ->> '$.edited_at' is not null");
    assert_eq!(edited, ["2026-01-02T09:20:00.000Z"]);
    let boosts = imported.rows(
        "select users.name, content, boosts.created_at from boosts join users on users.id = user_id order by boosts.id",
    );
    assert_eq!(boosts, ["ilja|👍|1767345100000", "Noor Haddad|:tick:|1767345200000"]);
    let files = imported.rows(
        "select json ->> '$.attachment.filename', json ->> '$.attachment.byte_size' from messages where kind = 'attachment'",
    );
    assert_eq!(files, ["plan.txt|5"]);
}

#[test]
fn lines_that_are_not_taken_are_counted() {
    let imported = whole();
    assert_eq!(imported.left_out(Kind::Others, "lines of types"), 2);
    assert_eq!(imported.left_out(Kind::Emoji, "not in the export"), 1);
    assert_eq!(imported.left_out(Kind::Others, "pins"), 1);
    assert_eq!(imported.left_out(Kind::Others, "saved"), 1);
}

#[test]
fn import_that_is_run_again_adds_nothing() {
    let imported = whole();
    let before = imported.rows("select count(*) from messages");
    let again = imported.again();
    assert_eq!(imported.rows("select count(*) from messages"), before);
    for kind in [Kind::People, Kind::Rooms, Kind::Messages, Kind::Files, Kind::Boosts] {
        assert_eq!(again.of(kind).taken, 0, "{kind:?}");
    }
}

#[test]
fn membership_has_what_was_read_and_how_much_is_notified() {
    let user = |name: &str, channel: Value| {
        let teams =
            json!([{ "name": "blue", "channels": [channel, { "name": "nowhere" }, { "roles": "x" }] }]);
        json!({ "type": "user", "user": { "username": name, "teams": teams } }).to_string()
    };
    let post = |at: i64| {
        json!({ "type": "post", "post": { "team": "blue", "channel": "square", "user": "x", "message": "m", "create_at": at } })
            .to_string()
    };
    let lines = [
        LISTS[1].to_owned(),
        user(
            "x",
            json!({ "name": "square", "last_viewed_at": 1_770_000_000_000_i64, "notify_props": { "desktop": "all", "mark_unread": "all" } }),
        ),
        user(
            "y",
            json!({ "name": "square", "last_viewed_at": 0, "notify_props": { "mark_unread": "mention" } }),
        ),
        user("z", json!({ "name": "square", "notify_props": null })),
        post(1_770_000_000_000),
        post(1_770_000_000_001),
    ];
    let imported = Imported::of(Chat::Mattermost, &[("import.jsonl", lines.join("\n").as_bytes())]);
    let rows = imported.rows(
        "select users.name, involvement, (select count(*) from messages where messages.id > last_read_message_id)
         from memberships join users on users.id = user_id order by users.name",
    );
    assert_eq!(rows, ["x|everything|1", "y|nothing|0", "z|mentions|0"]);
    assert_eq!(imported.left_out(Kind::Memberships, "does not have"), 3);
    assert_eq!(imported.left_out(Kind::Memberships, "without a name"), 3);
}

#[test]
fn picture_of_a_person_comes_along() {
    let mut png = Vec::new();
    let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([200, 30, 30]));
    picture.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let line = r#"{"type":"user","user":{"username":"x","profile_image":"profile/x.png"}}"#;
    let imported = Imported::of(
        Chat::Mattermost,
        &[("out/import.jsonl", line.as_bytes()), ("out/data/profile/x.png", &png)],
    );
    assert_eq!(imported.rows("select avatar_version from users where name = 'x'"), ["1"]);
    assert_eq!(imported.report.of(Kind::Pictures).taken, 1);
}

#[test]
fn missing_files_are_named() {
    let attachments =
        json!([{ "path": "20260102/a/plan.pdf" }, { "path": "b\\x`y.png" }, { "path": null }, 7]);
    let post = json!({ "message": "see", "attachments": attachments });
    let imported = with(&[post]);
    let text = "see\n\n📎 `plan.pdf` *(not in the export)*\n\n📎 `xy.png` *(not in the export)*";
    assert_eq!(imported.texts().remove(0).2, text);
    assert_eq!(imported.left_out(Kind::Files, "not in the export"), 2);
}

#[test]
fn wrong_posts_are_left_out_alone() {
    let imported = with(&[
        json!({ "create_at": 0 }),
        json!({ "create_at": "soon" }),
        json!({ "create_at": i64::MAX }),
        json!({ "user": "" }),
        json!({ "message": null, "attachments": null, "props": null }),
        json!({ "channel": "nowhere" }),
        json!({ "message": "kept", "replies": [null, {}], "reactions": [{ "user": "noor" }, null], "edit_at": -1 }),
        json!({ "message": "kept" }),
    ]);
    assert_eq!(imported.texts().len(), 1);
    assert_eq!(imported.left_out(Kind::Messages, "without an author or a time"), 6);
    assert_eq!(imported.left_out(Kind::Messages, "without anything"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "in a room"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "twice"), 1);
    assert_eq!(imported.left_out(Kind::Boosts, "without a person"), 2);
}

#[test]
fn export_may_be_one_file_and_something_else_is_refused() {
    let one = Imported::of(Chat::Mattermost, &[("history.txt", EXPORT.as_bytes())]);
    assert_eq!(one.report.of(Kind::Messages).taken, 9);
    let refused =
        |files: &[(&str, &[u8])]| Imported::tried(Chat::Mattermost, files).err().unwrap().to_string();
    assert!(refused(&[("a.jsonl", b"{}\nnone")]).contains("none of its lines"));
    assert!(refused(&[("a.jsonl", b"")]).contains("none of its lines"));
    assert!(refused(&[("a.json", b"{}"), ("b.json", b"{}")]).contains("no .jsonl file"));
}

#[test]
fn wrong_records_never_end_an_import() {
    for line in EXPORT.lines() {
        let others: Vec<&str> = LISTS.into_iter().collect();
        let others = others.join("\n");
        try_variants(Chat::Mattermost, "import.jsonl", line, &[("other.txt", others.as_bytes())]);
    }
}
