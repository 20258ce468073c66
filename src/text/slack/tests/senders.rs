//! What senders send, rebuilt after their sources.

use super::*;

#[test]
fn alertmanager() {
    let payload = json!({
        "channel": "#alerts", "username": "Alertmanager", "icon_emoji": ":fire:",
        "attachments": [{
            "title": "[FIRING:1] HighLatency (api)", "title_link": "https://alerts.example/#/alerts?receiver=chat",
            "text": "*Alert:* p99 over 2 s\n*Severity:* `critical`", "fallback": "[FIRING:1] HighLatency",
            "color": "danger", "mrkdwn_in": ["fallback", "pretext", "text"],
            "actions": [
                {"type": "button", "text": "Runbook :green_book:", "url": "https://wiki.example/latency"},
                {"type": "button", "text": "Silence", "url": "https://alerts.example/#/silences/new"}],
        }],
    });
    let message = from_slack(&payload, HookFormat::Auto, name_of).unwrap();
    assert_eq!(
        (message.username.as_deref(), message.icon_emoji.as_deref()),
        (Some("Alertmanager"), Some("🔥"))
    );
    assert_eq!(
        html(&payload),
        format!(
            "<p>🔴 <strong>{}</strong></p><p><strong>Alert:</strong> p99 over 2 s<br><strong>Severity:</strong> <code>critical</code></p><p>{} · {}</p>",
            link("https://alerts.example/#/alerts?receiver=chat", "[FIRING:1] HighLatency (api)"),
            link("https://wiki.example/latency", "Runbook 📗"),
            link("https://alerts.example/#/silences/new", "Silence"),
        )
    );
}

#[test]
fn grafana() {
    let payload = json!({
        "channel": "", "username": "Grafana", "icon_url": "https://grafana.example/icon.png", "text": "",
        "attachments": [{
            "color": "#D63232", "title": "[FIRING:1] Disk full (pi-4)", "title_link": "http://grafana.example/alerting/list",
            "fallback": "[FIRING:1] Disk full (pi-4)",
            "text": "**Firing**\n\nValue: B=97, C=1\nLabels:\n - alertname = Disk full\n - host = pi-4\nAnnotations:\n - summary = nearly full\nSource: http://grafana.example/g?a=1&b=2\nSilence: http://grafana.example/s\n",
            "footer": "Grafana v11.2.0", "footer_icon": "https://grafana.example/icon.png", "ts": 1_700_000_000,
        }],
    });
    assert_eq!(
        html(&payload),
        format!(
            "<p>🔴 <strong>{}</strong></p><p><strong>Firing</strong></p><p>Value: B=97, C=1<br>Labels:</p><ul><li>alertname = Disk full</li><li>host = pi-4</li></ul><p>Annotations:</p><ul><li>summary = nearly full</li></ul><p>Source: {}<br>Silence: {}</p><p><em>Grafana v11.2.0 · 2023-11-14 22:13 UTC</em></p>",
            link("http://grafana.example/alerting/list", "[FIRING:1] Disk full (pi-4)"),
            link("http://grafana.example/g?a=1&amp;b=2", "http://grafana.example/g?a=1&amp;b=2"),
            link("http://grafana.example/s", "http://grafana.example/s"),
        )
    );
}

#[test]
fn uptime_kuma() {
    let payload = json!({
        "text": "Uptime Kuma Alert", "username": "Uptime Kuma", "attachments": [{
            "color": "#e01e5a", "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Uptime Kuma Alert"}},
                {"type": "section", "fields": [
                    {"type": "mrkdwn", "text": "*Message*\nConnection refused"},
                    {"type": "mrkdwn", "text": "*Time (UTC)*\n2026-11-24 08:00:00"}]},
                {"type": "actions", "elements": [
                    {"type": "button", "text": {"type": "plain_text", "text": "Visit Uptime Kuma"}, "value": "Uptime-Kuma", "url": "https://kuma.example/dashboard/1"},
                    {"type": "button", "text": {"type": "plain_text", "text": "Visit site"}, "value": "Site", "url": "https://site.example"}]}],
        }],
    });
    assert_eq!(
        html(&payload),
        format!(
            "<p>Uptime Kuma Alert</p><h3>🔴 Uptime Kuma Alert</h3><ul><li><strong>Message</strong><br>Connection refused</li><li><strong>Time (UTC)</strong><br>2026-11-24 08:00:00</li></ul><p>{} · {}</p>",
            link("https://kuma.example/dashboard/1", "Visit Uptime Kuma"),
            link("https://site.example", "Visit site"),
        )
    );
}

#[test]
fn gitlab() {
    let payload = json!({
        "username": "GitLab", "channel": "#dev", "icon_url": "https://gitlab.example/icon.png",
        "text": "Ana pushed to branch <https://gitlab.example/o/r/-/commits/main|main> of <https://gitlab.example/o/r|O / R> (<https://gitlab.example/o/r/-/compare/a...b|Compare changes>)",
        "attachments": [{
            "color": "#345", "mrkdwn_in": ["text"],
            "text": "<https://gitlab.example/o/r/-/commit/abc|abc123>: Fix `foo_bar` in *.rs - Ana\n\n<https://gitlab.example/o/r/-/commit/def|def456>: Use a_b_c - Ben"}],
    });
    assert_eq!(
        html(&payload),
        format!(
            "<p>Ana pushed to branch {} of {} ({})</p><p>{}: Fix <code>foo_bar</code> in *.rs - Ana</p><p>{}: Use a_b_c - Ben</p>",
            link("https://gitlab.example/o/r/-/commits/main", "main"),
            link("https://gitlab.example/o/r", "O / R"),
            link("https://gitlab.example/o/r/-/compare/a...b", "Compare changes"),
            link("https://gitlab.example/o/r/-/commit/abc", "abc123"),
            link("https://gitlab.example/o/r/-/commit/def", "def456"),
        )
    );
}

#[test]
fn gitea() {
    let review = json!({
        "channel": "#dev", "username": "gitea", "unfurl_links": 0, "link_names": 0,
        "text": "[<https://gitea.example/o/r|o/r>] Pull request review approved: [#12 Fix it](https://gitea.example/o/r/pulls/12) by <https://gitea.example/ana|ana>",
        "attachments": [{"color": "#1f88e5", "title": "#12 Fix it", "title_link": "https://gitea.example/o/r/pulls/12", "text": "Looks *good*"}],
    });
    assert_eq!(
        html(&review),
        format!(
            "<p>[{}] Pull request review approved: {} by {}</p><p><strong>{}</strong></p><p>Looks <strong>good</strong></p>",
            link("https://gitea.example/o/r", "o/r"),
            link("https://gitea.example/o/r/pulls/12", "#12 Fix it"),
            link("https://gitea.example/ana", "ana"),
            link("https://gitea.example/o/r/pulls/12", "#12 Fix it"),
        )
    );
}

#[test]
fn sentry() {
    let payload = json!({
        "text": "[api] TypeError: x is undefined", "attachments": [{"color": "#E03E2F", "blocks": [
            {"type": "section", "block_id": "{\"issue\":7}", "text": {"type": "mrkdwn", "text": ":red_circle: <https://sentry.example/issues/7/?referrer=slack|*TypeError*>"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "app.handlers.__init__ in `handle_request`"}]},
            {"type": "section", "text": {"type": "mrkdwn", "text": "```x is undefined```"}},
            {"type": "actions", "elements": [
                {"type": "button", "action_id": "resolve", "text": {"type": "plain_text", "text": "Resolve"}, "value": "resolve"},
                {"type": "static_select", "action_id": "assign", "placeholder": {"type": "plain_text", "text": "Select Assignee..."}}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "Project: <https://sentry.example/p/1|api>    Alert: <https://sentry.example/a/1|Errors>"}]},
        ]}],
    });
    assert_eq!(
        html(&payload),
        format!(
            "<p>[api] TypeError: x is undefined</p><p>🔴 {}</p><p>app.handlers.__init__ in <code>handle_request</code></p><pre><code>x is undefined\n</code></pre><p>Resolve · Select Assignee...</p><p>Project: {}    Alert: {}</p>",
            link("https://sentry.example/issues/7/?referrer=slack", "<strong>TypeError</strong>"),
            link("https://sentry.example/p/1", "api"),
            link("https://sentry.example/a/1", "Errors"),
        )
    );
}

#[test]
fn mattermost_and_release_notes() {
    let payload = json!({
        "text": "#### Test results for *main*\n\n| suite | passed |\n|:------|-------:|\n| unit | 212 |\n",
        "props": {"attachments": [{"text": "See [the log](https://ci.example/7) **now**"}]},
    });
    assert_eq!(
        html(&payload),
        format!(
            "<h4>Test results for <em>main</em></h4><table><thead><tr><th align=\"left\">suite</th><th align=\"right\">passed</th></tr></thead><tbody><tr><td align=\"left\">unit</td><td align=\"right\">212</td></tr></tbody></table><p>See {} <strong>now</strong></p>",
            link("https://ci.example/7", "the log")
        )
    );
}
