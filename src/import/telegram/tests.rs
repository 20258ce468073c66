use crate::import::{
    Chat,
    report::Kind,
    tests::imported::{Imported, try_variants},
};

const GROUP: &str = include_str!("tests/result.json");

fn group() -> Imported {
    Imported::of(
        Chat::Telegram,
        &[("result.json", GROUP.as_bytes()), ("files/liste.txt", b"milk\n"), ("files/result.json", b"{}")],
    )
}

#[test]
fn group_has_its_people_and_messages_in_order() {
    let group = group();
    assert_eq!(
        group.people(),
        [
            "Deleted Account|member|deactivated",
            "Lena|member|active",
            "Nachrichten|member|deactivated",
            "Tomás|member|active"
        ]
    );
    assert_eq!(group.rooms(), ["Küche|closed|Lena,Tomás"]);
    let keys: Vec<String> = group.texts().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["-999000002", "1", "2", "3", "4", "5", "6", "8", "9", "10"]);
    let times = group.rows("select distinct created_at from messages order by 1");
    assert_eq!(times, ["1767254400000", "1767340800000"]);
    assert_eq!(group.left_out(Kind::Messages, "lines of the system"), 1);
    assert_eq!(group.left_out(Kind::Messages, "did not export"), 1);
    assert_eq!(group.again().of(Kind::Messages).known, 10);
    assert_eq!(group.texts().len(), 10);
    assert_eq!(group.check().of(Kind::Messages).found, group.report.of(Kind::Messages).found);
}

#[test]
fn entities_become_marks() {
    let group = group();
    let user = group.rows("select id from users where name = 'Tomás'").remove(0);
    assert_eq!(
        group.text("2"),
        format!(
            "look **at this** [page](<https://example.org/>)@[Tom](user:{user})\n\n```py\nx=1\n```\n\n👍"
        )
    );
    assert_eq!(group.text("9"), "*under* ||secret|| ~~gone~~ `a*b`\nnext line 2 * 3 * 4\n\n> quoted\n\nend");
    assert_eq!(group.left_out(Kind::Emoji, "no pictures"), 1);
}

#[test]
fn deleted_account_replies_and_forwards_are_told() {
    let group = group();
    assert_eq!(group.texts()[3].1, "Deleted Account");
    assert_eq!(group.reply("3"), "1");
    assert_eq!(group.text("4"), "*Forwarded from Someone*\n\nnews");
    assert_ne!(group.member("4", "$.edited_at"), "-");
    // It answers a message of another chat.
    assert_eq!(group.reply("8"), "-");
    assert_eq!(group.text("8"), "answers one elsewhere");
}

#[test]
fn files_are_taken_by_their_path_and_a_sentence_is_none() {
    let group = group();
    assert_eq!(group.text("5"), "caption\n\n📎 `photo` *(not in the export)*");
    assert_eq!(group.rows("select filename from attachments"), ["liste.txt"]);
    assert_eq!(
        group.rows("select content || users.name from boosts join users on users.id = user_id"),
        ["👍Tomás"]
    );
    assert_eq!(group.left_out(Kind::Boosts, "does not name"), 1);
    assert_eq!(group.left_out(Kind::Files, "not in the export"), 1);
}

#[test]
fn polls_places_and_contacts_are_written_out() {
    let group = group();
    assert_eq!(group.text("10"), "**📊 Lunch?**\n\n- Soup (2)\n- Rice (0)");
    assert_eq!(group.text("-999000002"), "📍 Café, Hauptstr. 1, 52.5, 13.4");
}

#[test]
fn whole_account_has_its_chats() {
    let account = Imported::of(
        Chat::Telegram,
        &[
            ("DataExport/result.json", include_bytes!("tests/account.json")),
            ("DataExport/chats/chat_1/files/a.txt", b"hi"),
        ],
    );
    assert_eq!(
        account.rooms(),
        ["|direct|Aiko,Lena", "|direct|Lena", "|direct|Helper,Lena", "Platz|open|Lena", "Alt|closed|Lena"]
    );
    assert_eq!(account.people(), ["Aiko|member|active", "Helper|bot|deactivated", "Lena|member|active"]);
    assert_eq!(account.rows("select filename from attachments"), ["a.txt"]);
    assert_eq!(account.texts().len(), 5);
}

#[test]
fn control_characters_and_values_without_quotes_are_repaired() {
    let json = "{\"name\": \"B\", \"type\": \"private_group\", \"id\": 1, \"messages\": [\n{\"id\": 1, \"type\": \"message\",\n\
        \"date\": \"2026-01-02T09:00:00\", \"date_unixtime\": \"1767340800\", \"from\": \"Lena\", \"from_id\": \"user1\",\n\
        \"text\": \"tab\\x0Bvertical, and a path C:\\\\x41\", \"text_entities\": [\n{\"type\": \"plain\", \"text\": \"tab\\x0Bvertical, and a path C:\\\\x41 \"},\n\
        {\"type\": \"custom_emoji\", \"text\": \"🙂\",\n\"document_id\": video_files/sticker (2).webm\n}]}]}";
    let chat = Imported::of(Chat::Telegram, &[("result.json", json.as_bytes())]);
    assert_eq!(chat.text("1"), "tab vertical, and a path C:\\x41 🙂");
    assert!(
        chat.report.remarks().iter().any(|remark| remark.starts_with("3 places")),
        "{:?}",
        chat.report.remarks()
    );
}

#[test]
fn damaged_export_gives_what_stands_before_and_says_where() {
    let cut = &GROUP[..GROUP.find("\"id\": 6").unwrap()];
    let chat = Imported::of(Chat::Telegram, &[("chat.json", cut.as_bytes())]);
    assert_eq!(chat.texts().len(), 6);
    assert_eq!(chat.rooms(), ["Küche|closed|Lena"]);
    assert!(chat.report.remarks().iter().any(|remark| remark.contains("line") && remark.contains("column")));
    assert_eq!(chat.left_out(Kind::Others, "damaged"), 1);
}

#[test]
fn chat_in_two_exports_is_one_room() {
    let part = |id: u32| {
        format!(
            r#"{{"name":"A","type":"private_group","id":5,"messages":[{{"id":{id},"type":"message","date":"2020-05-01T10:00:00","from":"Ida","from_id":77,"text":"n{id}"}},
            {{"id":9,"type":"message","date_unixtime":"1590000000","from":"Ida","from_id":"user77","text":["both ",{{"type":"bold","text":"parts"}}]}}]}}"#
        )
    };
    let chat = Imported::of(
        Chat::Telegram,
        &[("a/result.json", part(1).as_bytes()), ("b/result.json", part(2).as_bytes())],
    );
    assert_eq!(chat.rooms(), ["A|closed|Ida"]);
    assert_eq!(chat.texts().len(), 3);
    assert_eq!(chat.text("9"), "both **parts**");
    assert_eq!(chat.left_out(Kind::Messages, "twice"), 1);
    assert_eq!(chat.rows("select min(created_at) from messages"), ["1588327200000"]);
}

#[test]
fn export_in_html_is_refused_with_what_to_do() {
    let refused = |files: &[(&str, &[u8])]| Imported::tried(Chat::Telegram, files).err().unwrap().0;
    assert!(refused(&[("messages.html", b"<html>")]).contains("Machine-readable JSON"));
    assert!(refused(&[("other.txt", b"")]).contains("no result.json"));
    assert!(refused(&[("result.json", b"")]).contains("no chat of Telegram"));
    assert!(refused(&[("result.json", b"[1,2]")]).contains("no chat of Telegram"));
}

#[test]
fn wrong_members_never_panic_and_counts_add_up() {
    try_variants(Chat::Telegram, "result.json", GROUP, &[("files/liste.txt", b"milk\n")]);
}
