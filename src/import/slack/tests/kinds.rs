//! Kinds of messages, and records as no export should have them.

use super::*;
use crate::import::tests::imported::try_variants;

#[test]
fn threads_are_grouped_by_their_time_alone() {
    let imported = with(&json!([
        message(json!({ "thread_ts": "1770000000.000100", "reply_count": 1 })),
        message(json!({ "ts": "1770000001.000000", "thread_ts": 1_770_000_000.000_1 })),
    ]));
    assert_eq!(imported.reply("C1-1770000001.000000"), KEY);
    assert_eq!(imported.member(KEY, "$.thread_root_id"), "-");
}

#[test]
fn file_of_before_2018_is_one_with_its_comment() {
    let file =
        json!({ "id": "F1", "name": "a.pdf", "initial_comment": { "user": "U1", "comment": "see <@U4>" } });
    let text = "<@U1> uploaded a file: <https://x.slack.com/files/U1/F1/a.pdf|a.pdf> and commented: see";
    let shown = text_of(json!({ "subtype": "file_share", "text": text, "file": file, "upload": true }));
    assert_eq!(shown, "see @[Pia (Gast)](user:4)\n\n📎 `a.pdf` *(not in the export)*");
    let comment = json!({
        "subtype": "file_comment", "user": "U3", "text": "<@U4> commented on …", "comment": { "user": "U4", "comment": "*fine*" }
    });
    let imported = with(&json!([message(comment)]));
    assert_eq!(imported.texts(), [(KEY.into(), "Pia (Gast)".into(), "**fine**".into())]);
}

#[test]
fn snippet_without_its_file_keeps_its_beginning() {
    let file = json!({ "id": "F1", "name": "a.py", "mode": "snippet", "preview": "print(1)\nprint(`2`)" });
    let shown = text_of(json!({ "text": "", "files": [file] }));
    assert_eq!(shown, "📎 `a.py` *(not in the export)*\n\n```\nprint(1)\nprint(`2`)\n```");
}

#[test]
fn unfurled_link_is_a_preview_and_a_shared_message_is_content() {
    let page = json!({
        "from_url": "https://example.org/a", "original_url": "https://example.org/a", "title": "A &amp; B",
        "text": "About\nit", "service_name": "Example", "image_url": "https://example.org/a.png",
    });
    let shared = json!({
        "from_url": "https://acme.slack.com/archives/C2/p1770000000000300", "is_share": true, "author_name": "Ilja", "text": "look",
    });
    let text = "<https://example.org/a>";
    let imported = with(&json!([message(json!({ "text": text, "attachments": [page, shared] }))]));
    assert_eq!(imported.text(KEY), "<https://example.org/a>\n\nIlja\n\nlook");
    assert_eq!(imported.member(KEY, "$.embeds[0].title"), "A & B");
    assert_eq!(imported.member(KEY, "$.embeds[0].description"), "About it");
    // Nothing else is in this one.
    let alone = json!({ "text": "", "attachments": [{ "from_url": "https://example.org/b", "title": "B" }] });
    assert_eq!(text_of(alone), "**B**");
}

#[test]
fn links_to_messages_in_slack_lead_to_those_here() {
    let imported = with(&json!([
        message(json!({})),
        message(json!({
            "ts": "1770000001.000000",
            "text": "<https://acme.slack.com/archives/C1/p1770000000000100?thread_ts=1.2&amp;cid=C1|there> \
                     <https://acme.slack.com/archives/C1/p1770000099000000|gone> <https://acme.slack.com/archives/C2|south> \
                     <https://acme.slack.com/archives/C77|x> <https://slack.com.example/archives/C1|y>",
        })),
    ]));
    let first = imported.rows("select min(id) from messages").remove(0);
    assert_eq!(
        imported.text("C1-1770000001.000000"),
        format!(
            "[there](</rooms/1/@{first}>) [gone](</rooms/1>) [south](</rooms/2>) \
             [x](<https://acme.slack.com/archives/C77>) [y](<https://slack.com.example/archives/C1>)"
        )
    );
}

#[test]
fn tokens_are_taken_out_of_every_address() {
    let text = "<https://files.slack.com/a.png?t=xoxe-1-AbC> <https://files.slack.com/b?x=1&amp;token=xoxe-2&amp;y=2|b> \
                <https://files.slack.com/c?t=xoxp-3&amp;y=2|c> <https://slack-files.com/d?pub_secret=0a1b|d> say =xoxo";
    let block =
        json!({ "type": "image", "image_url": "https://files.slack.com/e?t=xoxe-4", "alt_text": "e" });
    let imported = with(&json!([
        message(
            json!({ "text": text, "attachments": [{ "text": "more", "thumb_url": "https://files.slack.com/f?t=xoxe-5" }] })
        ),
        message(json!({ "ts": "1770000001.000000", "blocks": [block] })),
    ]));
    assert_eq!(
        imported.text(KEY),
        "<https://files.slack.com/a.png> [b](<https://files.slack.com/b?x=1&y=2>) [c](<https://files.slack.com/c?y=2>) \
         [d](<https://slack-files.com/d>) say =xoxo\n\nmore\n\n<https://files.slack.com/f>"
    );
    assert_eq!(imported.text("C1-1770000001.000000"), "[e](<https://files.slack.com/e>)");
}

#[test]
fn text_of_more_than_56_kib_is_kept_whole_in_a_file() {
    let typed = "*é* ".repeat(14 << 10);
    assert!(typed.len() > 56 << 10);
    let imported = with(&json!([message(json!({ "text": format!("{typed}&amp; end") }))]));
    assert_eq!(imported.member(KEY, "$.attachment.byte_size"), (typed.len() + "& end".len()).to_string());
    let short = text_of(json!({ "text": "é".repeat(28 << 10) }));
    assert_eq!(short.chars().count(), 28 << 10);
}

#[test]
fn lines_of_nobody_and_empty_messages_are_left_out() {
    let imported = with(&json!([
        message(json!({ "user": "U00" })),
        message(json!({ "ts": "1770000001.000000", "text": " " })),
        message(json!({ "ts": "1770000002.000000", "type": "event" })),
        message(json!({ "ts": null })),
        message(json!({ "ts": "soon" })),
        message(json!({ "ts": "99999999999999.0" })),
        7,
        null,
        message(json!({ "ts": "1770000003.000000", "subtype": "something_new", "text": "kept" })),
    ]));
    assert_eq!(imported.texts().len(), 1);
    assert_eq!(imported.left_out(Kind::Messages, "of nobody"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "without anything"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "other records"), 1);
    assert_eq!(imported.left_out(Kind::Messages, "without a time"), 5);
}

#[test]
fn message_that_stands_twice_is_taken_once() {
    let imported = with(&json!([
        message(json!({ "reactions": [{ "name": "+1", "users": ["U2"] }] })),
        message(json!({}))
    ]));
    assert_eq!(imported.texts().len(), 1);
    assert_eq!(imported.left_out(Kind::Messages, "twice"), 1);
}

#[test]
fn message_of_a_bot_without_an_id_has_its_name_above() {
    let bot = json!({ "user": null, "subtype": "bot_message", "username": "Weather", "text": "rain" });
    let imported = with(&json!([message(bot)]));
    assert_eq!(imported.texts(), [(KEY.into(), "Bot".into(), "**Weather**\n\nrain".into())]);
}

#[test]
fn half_an_emoji_costs_no_message() {
    let day = r#"[{"type":"message","user":"U1","ts":"1770000000.000100","text":"a\ud83d"}]"#;
    let imported = Imported::of(
        Chat::Slack,
        &[
            ("users.json", USERS.as_bytes()),
            ("channels.json", CHANNELS.as_bytes()),
            ("plaza/2026-02-01.json", day.as_bytes()),
        ],
    );
    assert_eq!(imported.text(KEY), "a\u{FFFD}");
}

#[test]
fn texts_of_all_scripts_are_kept() {
    for text in ["日本語の*強調*です", "مرحبا بالعالم", "สวัสดี", "Ünï çödé 👩‍👩‍👧", "שלום"]
    {
        let shown = text_of(json!({ "text": text }));
        assert_eq!(shown.replace('*', ""), text.replace('*', ""), "{text}");
    }
}

#[test]
fn wrong_records_never_end_an_import() {
    let others: [(&str, &[u8]); 2] =
        [("users.json", USERS.as_bytes()), ("channels.json", CHANNELS.as_bytes())];
    let kinds = json!([
        message(json!({
            "files": [{ "id": "F1", "name": "a", "size": 1, "mode": "hosted" }], "edited": { "user": "U1", "ts": "1770000001.0" },
            "reactions": [{ "name": "wave::skin-tone-2", "users": ["U1"], "count": 1 }], "thread_ts": "1770000000.000000",
        })),
        message(
            json!({ "ts": "1770000001.000000", "subtype": "huddle_thread", "room": { "created_by": "U1", "date_start": 1, "date_end": 2, "participant_history": ["U1"] } })
        ),
        message(
            json!({ "ts": "1770000002.000000", "blocks": [{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [{ "type": "user", "user_id": "U1" }] }] }] })
        ),
    ]);
    try_variants(Chat::Slack, "plaza/2026-02-01.json", &kinds.to_string(), &others);
    let user =
        r#"[{"id":"U9","name":"x","profile":{"display_name":"X","email":"x@example.org"},"is_bot":false}]"#;
    try_variants(Chat::Slack, "users.json", user, &others[1..]);
    let room = r#"[{"id":"C9","name":"x","created":1650000000,"creator":"U1","members":["U1","U2"],"topic":{"value":"t"},"pins":[{}]}]"#;
    try_variants(Chat::Slack, "channels.json", room, &others[..1]);
    let direct = r#"[{"id":"D9","created":1,"members":["U1","U2"]}]"#;
    try_variants(Chat::Slack, "dms.json", direct, &others);
}
