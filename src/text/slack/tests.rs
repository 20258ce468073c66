use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::types::UserId;

fn said(payload: Value) -> String {
    from_slack(&payload).map(|message| message.markdown).unwrap_or_default()
}

#[test]
fn mrkdwn_becomes_markdown() {
    for (mrkdwn, markdown) in [
        ("*bold* and _thin_ and ~gone~", "**bold** and _thin_ and ~~gone~~"),
        ("<https://a.b/x?y=1&amp;z=2|the page>", "[the page](<https://a.b/x?y=1&z=2>)"),
        ("<https://a.b>", "<https://a.b>"),
        ("<!here> <!channel>", "@here @room"),
        ("2 &lt; 3 &amp; 5", "2 \\< 3 \\& 5"),
        ("snake_case_name and 2*3*4", "snake\\_case\\_name and 2\\*3\\*4"),
        ("`a*b*` stays", "`a*b*` stays"),
        (":fire: 12:30: :nothing:", "🔥 12:30: :nothing:"),
        ("# no heading", "\\# no heading"),
        ("@here is text", "\\@\u{2060}here is text"),
        ("<@U1|ana> <#C2|talk>", "\\@ana \\#talk"),
    ] {
        assert_eq!(said(json!({ "text": mrkdwn })), markdown, "{mrkdwn}");
    }
}

#[test]
fn payload_without_text_is_none() {
    for payload in
        [json!({}), json!({"text": " "}), json!([]), json!("x"), json!({"blocks": [{"type": "divider"}]})]
    {
        assert_eq!(from_slack(&payload), None, "{payload}");
    }
}

#[test]
fn alertmanager_payload_becomes_markdown() {
    let payload = json!({
        "channel": "#alerts", "username": "Alertmanager", "icon_emoji": ":fire:",
        "attachments": [{
            "title": "[FIRING:1] HighLatency (api)", "title_link": "https://alerts.example/#/alerts?receiver=chat",
            "text": "*Alert:* p99 over 2 s\n*Severity:* `critical`", "fallback": "[FIRING:1] HighLatency",
            "color": "danger", "mrkdwn_in": ["fallback", "pretext", "text"],
        }],
    });
    let message = from_slack(&payload).unwrap();
    assert_eq!(
        (message.username.as_deref(), message.icon_emoji.as_deref()),
        (Some("Alertmanager"), Some("🔥"))
    );
    assert_eq!(
        message.markdown,
        "🔴 **[\\[FIRING:1\\] HighLatency (api)](<https://alerts.example/#/alerts?receiver=chat>)**\n\n**Alert:** p99 over 2 s\n**Severity:** `critical`"
    );
}

#[test]
fn grafana_and_uptime_kuma_payloads_become_markdown() {
    let grafana = json!({
        "text": "", "attachments": [{
            "color": "#D63232", "title": "[FIRING:1] Disk full", "title_link": "http://grafana.example/alerting",
            "fields": [{"title": "host", "value": "pi-4", "short": true}, {"title": "free", "value": 3}],
            "footer": "Grafana v11", "ts": 1_700_000_000,
        }],
    });
    assert_eq!(
        said(grafana),
        "🔴 **[\\[FIRING:1\\] Disk full](<http://grafana.example/alerting>)**\n\n- **host**: pi-4\n- **free**: 3\n\n_Grafana v11_"
    );
    let kuma = json!({
        "text": "Uptime Kuma Alert", "username": "Uptime Kuma", "attachments": [{
            "color": "#e01e5a", "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Uptime Kuma Alert"}},
                {"type": "section", "fields": [
                    {"type": "mrkdwn", "text": "*Message*\nConnection refused"},
                    {"type": "mrkdwn", "text": "*Time (UTC)*\n2026-11-24 08:00:00"}]}],
        }],
    });
    assert_eq!(
        said(kuma),
        "Uptime Kuma Alert\n\n### Uptime Kuma Alert\n\n- **Message**\n  Connection refused\n- **Time (UTC)**\n  2026-11-24 08:00:00"
    );
}

#[test]
fn github_style_blocks_become_markdown() {
    let payload = json!({"text": "fallback", "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*<https://github.example/o/r|o/r>* 2 new commits"}},
        {"type": "divider"},
        {"type": "context", "elements": [
            {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "ana"},
            {"type": "plain_text", "text": "by @here *ana*"}]},
    ]});
    assert_eq!(
        said(payload),
        "**[o/r](<https://github.example/o/r>)** 2 new commits\n\n---\n\n[ana](<https://a.example/i.png>) by \\@\u{2060}here \\*ana\\*"
    );
}

proptest! {
    #[test]
    fn plain_text_never_mentions_anybody(text in "[@a-z*_~`<>|#! \\[\\]\\n\\\\&:()0-9-]{0,60}") {
        let payload = json!({"blocks": [{"type": "section", "text": {"type": "plain_text", "text": format!("{text} @here @[x](user:1)")}}]});
        let markdown = said(payload);
        let rendered = crate::text::render(&markdown, |_: UserId| Some("x"));
        prop_assert!(rendered.everyone.is_none() && rendered.mentions.is_empty(), "{markdown}");
    }

    #[test]
    fn conversion_accepts_any_text(text in "\\PC{0,80}") {
        said(json!({"text": &text, "attachments": [{"title": &text, "title_link": &text, "text": &text}], "blocks": &text}));
    }
}
