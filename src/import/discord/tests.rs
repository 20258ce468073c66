use super::text::unsigned;
use crate::import::{
    Chat,
    report::Kind,
    tests::imported::{Imported, try_variants},
};

const DEFAULT: &str = include_str!("tests/default.json");
const RAW: &str = include_str!("tests/raw.json");

fn key(number: u64) -> String {
    (1_000_000_000_000_000_000 + number).to_string()
}

fn of(json: &str) -> Imported {
    Imported::of(
        Chat::Discord,
        &[
            ("allgemein.json", json.as_bytes()),
            ("allgemein.json_Files/liste-0123.txt", b"milk\n"),
            ("allgemein.json_Files/x.json", b"{}"),
        ],
    )
}

#[test]
fn channel_has_its_people_and_messages_in_order() {
    for json in [DEFAULT, RAW] {
        let channel = of(json);
        assert_eq!(
            channel.people(),
            [
                "Ben ⭐|member|active",
                "Deleted User|member|deactivated",
                "Deploy|bot|deactivated",
                "Ida|member|active"
            ]
        );
        assert_eq!(channel.rooms(), ["allgemein|closed|Ben ⭐,Ida"]);
        assert_eq!(channel.rows("select name from account"), ["Blau"]);
        let keys: Vec<String> = channel.texts().into_iter().map(|(key, ..)| key).collect();
        assert_eq!(keys, [11, 12, 13, 14, 15, 16, 17, 19, 20].map(key));
        assert_eq!(channel.rows("select min(created_at) from messages"), ["1767340801500"]);
        assert_eq!(channel.left_out(Kind::Messages, "lines of the system"), 1);
        assert_eq!(channel.left_out(Kind::Messages, "first lines of threads"), 1);
        assert_eq!(channel.left_out(Kind::Messages, "without a content"), 1);
        assert_eq!(channel.again().of(Kind::Messages).known, 9);
        assert_eq!(channel.texts().len(), 9);
    }
}

#[test]
fn raw_text_has_mentions_rooms_and_emoji() {
    let raw = of(RAW);
    let ben = raw.rows("select id from users where name like 'Ben%'").remove(0);
    assert_eq!(
        raw.text(&key(11)),
        format!(
            "Hi @[Ben ⭐](user:{ben}) in [#allgemein](</rooms/1>) and @Team @deleted-role :blob: on 2026-01-02 08:00 UTC"
        )
    );
    assert_eq!(raw.rows("select user_id from mentions"), [ben]);
}

#[test]
fn written_out_name_is_a_mention_if_the_message_mentions_one_person_of_it() {
    let default = of(DEFAULT);
    let ben = default.rows("select id from users where name like 'Ben%'").remove(0);
    assert_eq!(
        default.text(&key(11)),
        format!("Hi @[Ben ⭐](user:{ben}) in #allgemein and @Team @deleted-role :blob: on 1/2/2026 9:00 AM")
    );
    assert!(default.report.remarks().iter().any(|remark| remark.contains("--markdown false")));
    let mut json: serde_json::Value = serde_json::from_str(DEFAULT).unwrap();
    let other = serde_json::json!({"id": "5", "name": "ben2", "nickname": "Ben ⭐"});
    json["messages"][1]["mentions"].as_array_mut().unwrap().push(other);
    assert!(of(&json.to_string()).text(&key(11)).starts_with("Hi @Ben ⭐ in"));
}

#[test]
fn reactions_are_of_people_who_are_named() {
    let raw = of(RAW);
    assert_eq!(
        raw.rows("select content || users.name from boosts join users on users.id = user_id"),
        ["👍Ben ⭐"]
    );
    assert_eq!(raw.left_out(Kind::Boosts, "does not name"), 3);
    assert_eq!(raw.left_out(Kind::Emoji, "not in the export"), 1);
}

#[test]
fn replies_forwards_and_commands_are_told() {
    let raw = of(RAW);
    assert_eq!(raw.reply(&key(13)), key(11));
    assert_eq!(raw.reply(&key(14)), "-");
    assert_eq!(raw.text(&key(15)), "*Forwarded*\n\n> forwarded **words**");
    assert_eq!(raw.text(&key(16)), "*Ida used /ping*\n\npong");
    assert_ne!(raw.member(&key(12), "$.edited_at"), "-");
}

#[test]
fn marks_files_and_signed_links_are_right() {
    let (default, raw) = (of(DEFAULT), of(RAW));
    let text = "*under* ||secret|| ~~strike~~ `co*de`\n\n> quoted\n\n<https://cdn.discordapp.com/attachments/2/7/x.png> end";
    assert_eq!(default.text(&key(17)), text);
    assert_eq!(default.rows("select filename from attachments"), ["liste.txt"]);
    assert_eq!(raw.text(&key(17)), format!("{text}\n\n📎 `liste.txt` *(not in the export)*"));
    assert_eq!(raw.left_out(Kind::Files, "not in the export"), 1);
    for imported in [default, raw] {
        let all = imported.rows("select json || plain || addresses from messages").join("");
        assert!(!all.contains("hm=") && !all.contains("is="), "{all}");
    }
}

#[test]
fn signature_of_a_link_is_dropped_and_other_parameters_stay() {
    let link = "a https://cdn.discordapp.com/x.png?ex=1&size=64&is=2&hm=3& and (https://media.discordapp.net/y?hm=1) https://example.org/?ex=1";
    assert_eq!(
        unsigned(link),
        "a https://cdn.discordapp.com/x.png?size=64 and (https://media.discordapp.net/y) https://example.org/?ex=1"
    );
}

#[test]
fn embeds_of_bots_are_content_and_those_of_links_are_previews() {
    let raw = of(RAW);
    assert_eq!(
        raw.text(&key(19)),
        "**Alarm**\n\n> **[Build 42](<https://ci.example/42>)**\n>\n> it **passed**\n>\n> **Branch**\n>\n> main\n>\n> *CI*"
    );
    assert_eq!(raw.text(&key(20)), "see <https://example.org/a>");
    assert_eq!(raw.member(&key(20), "$.embeds[0].title"), "A page");
}

fn file(channel: &str, messages: &str) -> String {
    format!(r#"{{"guild":{{"id":"1","name":"Blau"}},"channel":{channel},"messages":[{messages}]}}"#)
}

fn message(number: u64, text: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{}","type":"Default","timestamp":"2026-01-02T10:00:0{}+00:00","content":"{text}","author":{{"id":"1","name":"ida","nickname":"Ida"}}{more}}}"#,
        key(number),
        number % 10
    )
}

#[test]
fn threads_are_in_the_room_of_their_parent() {
    let parent = file(r#"{"id":"2","type":"GuildTextChat","name":"plan"}"#, &message(30, "start", ""));
    let from_message = file(
        r#"{"id":"1000000000000000030","type":"GuildPublicThread","categoryId":"2","category":"plan","name":"Deep"}"#,
        &[
            message(31, "", r#","type":"21","reference":{"messageId":"1000000000000000030"}"#)
                .replace(r#""type":"Default","#, ""),
            message(32, "inside", ""),
        ]
        .join(","),
    );
    let thread = r#"{"id":"9","type":"TYPE","categoryId":"4","category":"forum","name":"Question?"}"#;
    let second = file(&thread.replace("TYPE", "GuildPublicThread"), &message(35, "answer", ""));
    let first = file(&thread.replace("TYPE", "11"), &message(34, "ask", ""));
    let threads = Imported::of(
        Chat::Discord,
        &[
            ("a/plan.json", parent.as_bytes()),
            ("a/deep.json", from_message.as_bytes()),
            ("a/q [part 10].json", second.as_bytes()),
            ("a/q.json", first.as_bytes()),
        ],
    );
    assert_eq!(threads.rooms().len(), 2);
    assert_eq!(threads.rooms()[0], "plan|closed|Ida");
    let root = |number| {
        threads.rows(&format!(
            "select (select substr(client_message_id, 8) from messages as root where root.id = messages.thread_root_id)
             from messages where client_message_id = 'import:{}'",
            key(number)
        ))[0]
            .clone()
    };
    assert_eq!([30, 32, 34, 35].map(root), ["-".to_owned(), key(30), "-".into(), key(34)]);
    assert_eq!(threads.text(&key(34)), "**Question?**\n\nask");
}

#[test]
fn direct_channel_is_a_direct_room() {
    let direct = file(r#"{"id":"5","type":"DirectTextChat","name":"Ben"}"#, &message(40, "just us", ""));
    let imported = Imported::of(Chat::Discord, &[("dm.json", direct.as_bytes())]);
    assert_eq!(imported.rooms(), ["|direct|Ida"]);
}

#[test]
fn export_of_another_format_is_refused_with_what_to_do() {
    let refused = |files: &[(&str, &[u8])]| Imported::tried(Chat::Discord, files).err().unwrap().0;
    assert!(refused(&[("a.html", b"")]).contains("--format Json"));
    assert!(refused(&[("a.json", b""), ("b.json", b"[]")]).contains("no file of DiscordChatExporter"));
}

#[test]
fn damaged_file_gives_what_stands_before() {
    let cut = &RAW[..RAW.find("answer to nothing").unwrap()];
    let imported = Imported::of(Chat::Discord, &[("x.json", cut.as_bytes()), ("y.json", b"nothing")]);
    assert_eq!(imported.texts().len(), 3);
    assert_eq!(imported.left_out(Kind::Others, "damaged"), 1);
    assert_eq!(imported.left_out(Kind::Others, "did not write"), 1);
}

#[test]
fn wrong_members_never_panic_and_counts_add_up() {
    try_variants(Chat::Discord, "allgemein.json", RAW, &[("allgemein.json_Files/liste-0123.txt", b"milk\n")]);
}
