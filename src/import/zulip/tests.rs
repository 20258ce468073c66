use crate::import::{
    Chat,
    report::Kind,
    tests::imported::{Imported, try_variants},
};

const REALM: &str = include_str!("tests/realm.json");
const FIRST: &str = include_str!("tests/messages-000001.json");
const SECOND: &[u8] = include_bytes!("tests/messages-000002.json");

fn of(realm: &str) -> Imported {
    Imported::of(
        Chat::Zulip,
        &[
            ("zulip-export/realm.json", realm.as_bytes()),
            ("zulip-export/messages-000001.json", FIRST.as_bytes()),
            ("zulip-export/messages-000002.json", SECOND),
            ("zulip-export/messages-000003.json.partial", b"{"),
            ("zulip-export/uploads/2/ab/liste.txt", b"milk\n"),
        ],
    )
}

#[test]
fn organization_has_its_people_and_rooms() {
    let imported = of(REALM);
    assert_eq!(
        imported.people(),
        [
            "Ben Król|member|deactivated",
            "CI|bot|active",
            "Gast|guest|active",
            "Ida Sommer|admin|active",
            "Somebody who left|member|deactivated"
        ]
    );
    assert_eq!(
        imported.rows("select email from users where email is not null order by 1"),
        ["ben@example.org", "gast@example.org", "ida@example.org"]
    );
    assert_eq!(
        imported.rooms(),
        [
            "allgemein|open|Ida Sommer",
            "alt|closed|",
            "|direct|Ben Król,Ida Sommer",
            "|direct|Ben Król,CI,Ida Sommer"
        ]
    );
    assert_eq!(imported.rows("select name from account"), ["Blau"]);
    assert_eq!(imported.left_out(Kind::Emoji, "not in the export"), 1);
    assert!(imported.report.remarks().iter().any(|remark| remark.starts_with("1 guest is a guest here too")));
    assert!(imported.report.changes().keys().any(|reason| reason.contains("new subscribers do not see")));
}

#[test]
fn messages_are_in_the_order_of_time_and_come_once() {
    let imported = of(REALM);
    let keys: Vec<String> = imported.texts().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["101", "102", "107", "106", "108", "109", "103", "105"]);
    assert_eq!(imported.rows("select created_at from messages limit 1"), ["1767340700123"]);
    assert_eq!(imported.left_out(Kind::Messages, "Zulip's own bots"), 1);
    assert_eq!(imported.left_out(Kind::Boosts, "left out"), 1);
    // Both ways of one pair are one room.
    assert_eq!(imported.rows("select count(distinct room_id) from messages where plain like '%person%' or plain like '%same two%'"), ["1"]);
    assert_eq!(imported.again().of(Kind::Messages).known, 8);
    assert_eq!(imported.texts().len(), 8);
}

#[test]
fn topic_is_a_thread_below_its_first_message() {
    let imported = of(REALM);
    let ids = imported.rows("select id from users where id > 0 order by name");
    let [ben, _ci, _guest, ida, ..] = &ids[..] else { panic!("{ids:?}") };
    // Somebody who is deactivated is a member of direct rooms only.
    assert_eq!(
        imported.text("101"),
        format!(
            "**Release 2.0**\n\nHello @[Ben Król](user:{ben}) and @[Ida Sommer](user:{ida}) in [#allgemein](</rooms/1>), see @CI liste.txt :tick: 😄 2026-01-02 09:00 UTC a_b_c"
        )
    );
    assert_eq!(imported.rows("select user_id from mentions where user_id > 0"), std::slice::from_ref(ida));
    assert_eq!(imported.rows("select filename from attachments"), ["liste.txt"]);
    assert_eq!(imported.reply("107"), "101");
    let roots = imported.rows("select count(*) from messages where thread_root_id = (select id from messages where client_message_id = 'import:101')");
    assert_eq!(roots, ["1"]);
    assert_ne!(imported.member("101", "$.edited_at"), "-");
    assert_eq!(
        imported.rows("select content || users.name from boosts join users on users.id = user_id order by 1"),
        [":tick:Ida Sommer", "👍Ben Król"]
    );
}

#[test]
fn marks_quotes_links_and_actions_are_right() {
    let imported = of(REALM);
    assert_eq!(imported.text("102"), "> Hello\n\n*Ben Król nods*");
    let root = imported.rows("select id from messages where client_message_id = 'import:101'").remove(0);
    assert_eq!(
        imported.text("107"),
        format!(
            "@Ida Sommer [said](</rooms/1/@{root}>):\n\n> Hello\n\nyes, [#allgemein > Release 2.0](</rooms/1/@{root}>)"
        )
    );
    assert_eq!(
        imported.text("106"),
        "**Other**\n\n**All** *done*: 2 * 3\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n1. one\n2. two\n   - deep\n\n```py\nx = *p\n```\n\n**Why**\n\n> because"
    );
    assert_eq!(imported.text("108"), "**x**\n\n📎 `bild.png` *(not in the export)*");
    assert_eq!(imported.text("109"), "@room from nobody");
}

#[test]
fn avatars_and_emoji_are_found_by_their_records() {
    let records = r#"[{"path":"2/x.png","user_profile_id":11},{"path":"2/x.png.original","user_profile_id":11},{"path":7}]"#;
    let picture = include_bytes!("../../../web/icons/icon-192.png");
    let imported = Imported::of(
        Chat::Zulip,
        &[
            ("realm.json", REALM.as_bytes()),
            ("avatars/records.json", records.as_bytes()),
            ("avatars/2/x.png", picture),
            ("avatars/2/x.png.original", picture),
            ("emoji/2/emoji/images/7.png", picture),
        ],
    );
    assert_eq!(imported.report.of(Kind::Pictures).taken, 1);
    assert_eq!(imported.report.of(Kind::Emoji).taken, 1);
}

#[test]
fn what_is_no_export_is_refused() {
    let refused = |files: &[(&str, &[u8])]| Imported::tried(Chat::Zulip, files).err().unwrap().0;
    assert!(refused(&[("messages-000001.json", FIRST.as_bytes())]).contains("no realm.json"));
    assert!(refused(&[("realm.json", b"")]).contains("not of Zulip"));
    assert!(refused(&[("realm.json", b"{\"zerver_realm\": null}")]).contains("not of Zulip"));
}

#[test]
fn wrong_members_never_panic_and_counts_add_up() {
    let files: [(&str, &[u8]); 2] =
        [("messages-000001.json", FIRST.as_bytes()), ("messages-000002.json", SECOND)];
    try_variants(Chat::Zulip, "realm.json", REALM, &files);
    let files: [(&str, &[u8]); 2] = [("realm.json", REALM.as_bytes()), ("messages-000002.json", SECOND)];
    try_variants(Chat::Zulip, "messages-000001.json", FIRST, &files);
}
