//! Exports of Slack with what real ones have.

mod kinds;
mod places;

use serde_json::{Value, json};

use crate::import::{Chat, report::Kind, tests::imported::Imported};

const USERS: &str = include_str!("tests/users.json");
const CHANNELS: &str = include_str!("tests/channels.json");
const DAY: &str = include_str!("tests/day.json");

/// An export with these messages in the channel `plaza`, whose id is C1.
fn with(messages: &Value) -> Imported {
    let day = messages.to_string();
    Imported::of(
        Chat::Slack,
        &[
            ("users.json", USERS.as_bytes()),
            ("channels.json", CHANNELS.as_bytes()),
            ("plaza/2026-02-01.json", day.as_bytes()),
        ],
    )
}

/// A message of Noor.
fn message(more: Value) -> Value {
    let mut message = json!({ "type": "message", "user": "U1", "ts": "1770000000.000100", "text": "hi" });
    if let (Some(fields), Value::Object(more)) = (message.as_object_mut(), more) {
        fields.extend(more);
    }
    message
}

const KEY: &str = "C1-1770000000.000100";

/// The text of such a message.
fn text_of(more: Value) -> String {
    with(&json!([message(more)])).text(KEY)
}

/// All of the channels and talks that an export can have.
fn whole() -> Imported {
    Imported::of(Chat::Slack, &[
        ("users.json", USERS.as_bytes()),
        ("channels.json", CHANNELS.as_bytes()),
        ("groups.json", br#"[{"id":"G1","name":"board","created":1650000003,"creator":"U1","members":["U1","U4"]}]"#),
        ("mpims.json", br#"[{"id":"G9","name":"mpdm-noor--ilja--pia-1","created":1650000010,"members":["U4","U1","U2"]},
                            {"id":"G8","name":"mpdm-pia--noor--ilja-1","created":1650000011,"members":["U1","U2","U4"]}]"#),
        ("dms.json", br#"[{"id":"D1","created":1,"members":["U1","U2"]},{"id":"D2","created":1700000000,"members":["U1","UEXT"]},
                          {"id":"D3","created":1,"members":["U1"]}]"#),
        ("integration_logs.json", b"[]"),
        ("plaza/2026-02-01.json", DAY.as_bytes()),
        ("plaza/2026-02-02.json", br#"[
            {"type":"message","user":"U2","text":"a day later","thread_ts":"1770001200.001200","ts":"1770090000.000100"},
            {"type":"message","user":"U4","subtype":"thread_broadcast","text":"for all","thread_ts":"1770001200.001200","root":{"user":"U1","text":"first"},"ts":"1770090100.000200"},
            {"type":"message","user":"U4","text":"parent in no file","thread_ts":"1600000000.000100","ts":"1770089900.000300"}]"#),
        ("plaza/canvas_in_the_conversation.json", br#"{"id":"F9","title":"Notes"}"#),
        ("s\u{fc}d/2026-02-01.json", br#"[{"type":"message","user":"U1","text":"south","ts":"1770000000.000001"}]"#),
        ("board/2026-02-01.json", br#"[{"type":"message","user":"U1","text":"secret","ts":"1770000000.000002"}]"#),
        ("D1/2026-02-01.json", br#"[{"type":"message","user":"U2","text":"direct","ts":"1770000000.000003"}]"#),
        ("mpdm-noor--ilja--pia-1/2026-02-01.json", br#"[{"type":"message","user":"U1","text":"one talk","ts":"1770000000.000004"}]"#),
        ("mpdm-pia--noor--ilja-1/2026-02-01.json", br#"[{"type":"message","user":"U4","text":"the other","ts":"1770000100.000005"}]"#),
    ])
}

#[test]
fn people_have_the_names_that_they_chose_and_no_address() {
    let imported = whole();
    assert_eq!(
        imported.people(),
        [
            "Aya Extern|member|deactivated",
            "Bot BZZ|bot|deactivated",
            "CI|bot|deactivated",
            "Deploy|bot|active",
            "Ilja|member|deactivated",
            "Noor Haddad|admin|active",
            "Pia (Gast)|guest|active",
            "Slackbot|bot|deactivated",
            "Somebody who left (UGONE)|member|deactivated",
            "Somebody who left (UNONE)|member|deactivated",
        ]
    );
    assert_eq!(
        imported.rows("select count(*) from users where email is not null or password_hash is not null"),
        ["0"]
    );
    assert_eq!(imported.rows("select bio from users where name = 'Noor Haddad'"), ["Head of maps"]);
    let report = imported.report.text();
    assert!(report.contains("1 guest is a guest here too"), "{report}");
    assert!(report.contains("an administrator gives each a link"));
}

#[test]
fn names_that_several_people_have_get_their_handles() {
    let users = r#"[{"id":"U1","name":"kim","real_name":"Kim Ha"},{"id":"U2","name":"kimha","profile":{"real_name":"Kim Ha"}},{"id":"U3","name":"lee"}]"#;
    let imported = Imported::of(Chat::Slack, &[("users.json", users.as_bytes())]);
    assert_eq!(
        imported.rows("select name from users where id > 0 order by id"),
        ["Kim Ha (kim)", "Kim Ha (kimha)", "lee"]
    );
}

#[test]
fn rooms_are_open_closed_direct_or_archived() {
    let imported = whole();
    assert_eq!(
        imported.rooms(),
        [
            "plaza|open|Noor Haddad,Pia (Gast)",
            "s\u{fc}d|open|Noor Haddad",
            "old|open|",
            "board|closed|Noor Haddad,Pia (Gast)",
            "|direct|Ilja,Noor Haddad,Pia (Gast)",
            "|direct|Ilja,Noor Haddad",
            "|direct|Aya Extern,Noor Haddad",
            "|direct|Noor Haddad",
        ]
    );
    // As a text, as a number, and 1 for a time that is not known: then it is that of the first message.
    let created = imported.rows("select created_at from rooms where id in (1, 2, 6) order by id");
    assert_eq!(created, ["1650000000000", "1650000001000", "1770000000000"]);
    assert_eq!(imported.left_out(Kind::Others, "topics"), 1);
    assert!(imported.report.text().contains("(R&D site)"), "{}", imported.report.text());
    assert_eq!(imported.left_out(Kind::Others, "pins"), 1);
    assert_eq!(imported.left_out(Kind::Others, "not read"), 2);
}

#[test]
fn group_talks_of_the_same_people_are_one_room() {
    let imported = whole();
    let rows = imported.rows(
        "select messages.json ->> '$.content' from messages join rooms on rooms.id = room_id
         where rooms.kind = 'direct' and (select count(*) from memberships where room_id = rooms.id) = 3 order by messages.id",
    );
    assert_eq!(rows, ["one talk", "the other"]);
    assert_eq!(imported.rows("select key from import_origins where kind = 'room' and id = 5"), ["G8"]);
}

#[test]
fn messages_of_a_day_are_as_they_were() {
    let imported = whole();
    let text = |at: &str| imported.text(&format!("C1-{at}"));
    let author = |at: &str| {
        imported
            .texts()
            .into_iter()
            .find(|(key, ..)| *key == format!("C1-{at}"))
            .map(|(_, author, _)| author)
            .unwrap()
    };
    assert_eq!(imported.left_out(Kind::Messages, "lines of Slack"), 2);
    assert_eq!(
        text("1770000000.000100"),
        "Plan **today**\n\n---\n\nNumbers\n\n| **Month** | **Sum** |\n| --- | --- |\n| May | 12 |"
    );
    assert_eq!(text("1770000100.000200"), "if a < b && c > d, written as \\&lt;");
    assert_eq!(
        text("1770000200.000300"),
        "@[Ilja](user:2) @[Pia (Gast)](user:4) @[Somebody who left (UGONE)](user:5) [#plaza](</rooms/1>) \
         [a private room](</rooms/4>) @here @ops 2 Feb [a|b](<https://example.org/?x=1&y=2>) <info@example.org>"
    );
    assert_eq!(
        text("1770000300.000400"),
        "1 new commit by Kim:\n\n[abc1234](<https://example.org/c/1>): Fix & tidy"
    );
    assert_eq!(
        (author("1770000300.000400").as_str(), author("1770000400.000500").as_str()),
        ("Bot BZZ", "CI")
    );
    assert_eq!(text("1770000400.000500"), "Build **42** passed");
    assert_eq!(text("1770000450.000550"), "**CI nightly**\n\nBuild 43 failed");
    assert_eq!(author("1770000500.000600"), "Deploy");
    assert_eq!(text("1770000600.000700"), "*waves*");
    assert_eq!(imported.member("C1-1770000700.000800", "$.edited_at"), "2026-02-02T02:53:20.000Z");
    assert_eq!(author("1770001800.001700"), "Aya Extern");
    assert_eq!(text("1770001900.001800"), "no text key 👋🏼:partyparrot:");
    assert_eq!(text("1770002000.001900"), "🎧 *Huddle, 10 minutes: Noor Haddad, Pia (Gast)*");
    assert_eq!(author("1770002000.001900"), "Noor Haddad");
}

#[test]
fn files_that_are_not_there_are_named_without_their_tokens() {
    let imported = whole();
    assert_eq!(
        imported.text("C1-1770000900.000900"),
        "files\n\n📎 `sketch.png` *(not in the export)*\n\n📎 *a file that was deleted*\n\n\
         📎 *a file that Slack hides beyond the limit of its free plan*\n\n📎 *a file that was closed to who made the export*\n\n\
         📎 [Plan 2026](<https://docs.example/d/1>)"
    );
    let all = imported.rows("select json || plain || addresses from messages").join("\n");
    assert!(!all.contains("xox") && !all.contains("files.slack.com"), "{all}");
    assert!(!imported.report.text().contains("xox"));
    assert_eq!(
        (imported.left_out(Kind::Files, "not in the export"), imported.left_out(Kind::Files, "deleted")),
        (1, 3)
    );
}

#[test]
fn reactions_are_boosts_once_of_a_person() {
    let imported = whole();
    let boosts = imported
        .rows("select users.name, content from boosts join users on users.id = user_id order by boosts.id");
    assert_eq!(
        boosts,
        ["Ilja|👍", "Pia (Gast)|👍", "Noor Haddad|:partyparrot:", "Somebody who left (UNONE)|❤️"]
    );
    assert!(imported.report.text().contains("does not name all people"));
}

#[test]
fn replies_belong_to_their_thread_whenever_they_were_written() {
    let imported = whole();
    let thread = |at: &str| {
        imported.rows(&format!(
            "select ifnull((select substr(root.client_message_id, 11) from messages as root where root.id = messages.thread_root_id), '')
             from messages where client_message_id = 'import:C1-{at}'"
        ))
    };
    assert_eq!(thread("1770001300.001300"), ["1770001200.001200"]);
    assert_eq!(thread("1770090000.000100"), ["1770001200.001200"]);
    assert_eq!(thread("1770090100.000200"), ["1770001200.001200"]);
    assert_eq!(thread("1770089900.000300"), [""]);
    assert_eq!(thread("1770001700.001600"), ["1770001600.001500"]);
    assert_eq!(imported.text("C1-1770001600.001500"), "*This message was deleted.*");
    let broadcasts = imported.texts().into_iter().filter(|(.., text)| text == "for all").count();
    assert_eq!(broadcasts, 1);
}

#[test]
fn messages_are_in_the_order_of_their_microseconds() {
    let imported = whole();
    let texts: Vec<String> = imported.texts().into_iter().map(|(.., text)| text).collect();
    let place = |wanted: &str| texts.iter().position(|text| text == wanted).unwrap();
    assert!(place("one") < place("two, in the same millisecond"));
    assert!(place("first") < place("a reply that stands before its parent"));
    assert!(place("parent in no file") < place("a day later"));
}

#[test]
fn import_that_is_run_again_adds_nothing() {
    let imported = whole();
    let before = imported.rows("select count(*) from messages");
    let again = imported.again();
    assert_eq!(imported.rows("select count(*) from messages"), before);
    for kind in [Kind::People, Kind::Rooms, Kind::Messages, Kind::Boosts] {
        assert_eq!(again.of(kind).taken, 0, "{kind:?}");
    }
}

#[test]
fn check_counts_what_an_import_takes() {
    let imported = whole();
    assert_eq!(imported.check().of(Kind::Messages).found, imported.report.of(Kind::Messages).found);
}
