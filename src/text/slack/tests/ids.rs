//! Ids that an import knows, and links that it changes.

use super::*;
use crate::text::{Block, Document, Ids, Inline, from_slack_export};

struct Known;

impl Ids for Known {
    fn user(&self, id: &str, label: Option<&str>) -> Option<Inline> {
        let name = label.unwrap_or("Ann").to_owned();
        (id == "U0A1").then_some(Inline::User { id: UserId(5), name })
    }

    fn channel(&self, id: &str, label: Option<&str>) -> Option<Inline> {
        let label = vec![Inline::Text(format!("#{}", label.unwrap_or("general")))];
        (id == "C0G1").then_some(Inline::Link { address: "/rooms/3".into(), label })
    }

    fn group(&self, id: &str) -> Option<String> {
        (id == "S0A").then(|| "ops".to_owned())
    }
}

fn content(message: &Value) -> String {
    from_slack_export(message, &Known).unwrap().document.write(name_of).content
}

#[test]
fn ids_in_texts_are_mentions_and_links_where_they_are_known() {
    for (text, expected) in [
        ("<@U0A1> hi", "@[Ann](user:5) hi"),
        ("<@U0A1|ann.b>, *<@U0A1>*", "@[ann.b](user:5), **@[Ann](user:5)**"),
        ("<@U0ZZ|kim> <@U0ZZ>", "@kim @U0ZZ"),
        ("see <#C0G1>, <#C0G1|r&amp;d>", "see [#general](</rooms/3>), [#r&d](</rooms/3>)"),
        ("<#C0ZZ|old>", "#old"),
        ("<!subteam^S0A> <!subteam^S0B|@team>", "@ops @team"),
        ("`<@U0A1>`", "`<@U0A1>`"),
    ] {
        assert_eq!(content(&json!({ "text": text })), expected, "{text}");
    }
}

#[test]
fn ids_in_blocks_are_mentions_and_links_where_they_are_known() {
    let elements = json!([
        { "type": "user", "user_id": "U0A1", "style": { "bold": true } },
        { "type": "text", "text": " in " },
        { "type": "channel", "channel_id": "C0G1" },
        { "type": "text", "text": " of " },
        { "type": "usergroup", "usergroup_id": "S0A" },
        { "type": "text", "text": ", not " },
        { "type": "user", "user_id": "U0ZZ" },
        { "type": "user", "user_id": 7 },
    ]);
    let section = json!({ "type": "rich_text_section", "elements": elements });
    let message = json!({ "blocks": [{ "type": "rich_text", "elements": [section] }] });
    assert_eq!(content(&message), "**@[Ann](user:5)** in [#general](</rooms/3>) of @ops, not @U0ZZ@7");
}

#[test]
fn webhook_mentions_nobody_by_an_id() {
    assert_eq!(html(&json!({ "text": "<@U0A1> in <#C0G1>" })), "<p>@U0A1 in #C0G1</p>");
}

#[test]
fn emoji_by_code_points_have_their_tone() {
    let shown = |element: Value| {
        let section = json!({ "type": "rich_text_section", "elements": [element] });
        content(&json!({ "blocks": [{ "type": "rich_text", "elements": [section] }] }))
    };
    for (element, expected) in [
        (json!({ "type": "emoji", "name": "wave", "unicode": "1f44b", "skin_tone": 3 }), "👋🏼"),
        (json!({ "type": "emoji", "name": "wave", "unicode": "1f44b-1f3ff", "skin_tone": 6 }), "👋🏿"),
        (json!({ "type": "emoji", "name": "fire", "unicode": "1f525", "skin_tone": 3 }), "🔥"),
        (json!({ "type": "emoji", "name": "wave", "unicode": "1f44b", "skin_tone": 77 }), "👋"),
        (json!({ "type": "emoji", "name": "partyparrot" }), ":partyparrot:"),
    ] {
        assert_eq!(shown(element.clone()), expected, "{element}");
    }
}

#[test]
fn documents_are_emphasized_and_change_their_addresses() {
    let link =
        Inline::Link { address: "https://old.example/1".into(), label: vec![Inline::Text("it".into())] };
    let words = vec![Inline::Text("reads ".into()), link];
    let document = Document::of(vec![Block::Paragraph(words), Block::Rule]);
    let change = |address: &str| Some(address.replace("https://old.example/", "/rooms/"));
    let written = document.emphasized().with_addresses(change).write(name_of);
    assert_eq!(written.content, "*reads [it](</rooms/1>)*\n\n---");
}
