//! From what programs send to Slack's incoming webhooks to Markdown: its mrkdwn, its attachments, its blocks.

use serde_json::Value;

/// Bytes of a message made of a payload.
const MAX_MARKDOWN: usize = 60 << 10;

/// Blocks and attachments of one payload that are looked at, as Slack's own limits have it.
const MAX_PARTS: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackMessage {
    pub markdown: String,
    pub username: Option<String>,
    pub icon_emoji: Option<String>,
}

/// None if there is nothing to say in it.
pub fn from_slack(payload: &Value) -> Option<SlackMessage> {
    let mut parts = Vec::new();
    let is_plain = payload["mrkdwn"] == false;
    let blocks = blocks(&payload["blocks"]);
    // With blocks, the text is only for where blocks cannot be shown.
    if blocks.is_empty() {
        push(
            &mut parts,
            payload["text"].as_str().map(|text| if is_plain { plain(text) } else { mrkdwn(text) }),
        );
    }
    parts.extend(blocks);
    for attachment in list(&payload["attachments"]) {
        push(&mut parts, attached(attachment));
    }
    let mut markdown = parts.join("\n\n");
    markdown.truncate(markdown.floor_char_boundary(MAX_MARKDOWN));
    let markdown = markdown.trim().to_owned();
    let line = |name: &str| {
        let text = payload[name].as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().filter(|c| !"*_`[]<>@\\".contains(*c)).take(80).collect();
        (!text.is_empty()).then_some(text)
    };
    let icon = payload["icon_emoji"].as_str().and_then(emoji_of).map(str::to_owned);
    (!markdown.is_empty()).then(|| SlackMessage { markdown, username: line("username"), icon_emoji: icon })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten().take(MAX_PARTS)
}

fn push(parts: &mut Vec<String>, part: Option<String>) {
    parts.extend(part.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
}

/// One of the old attachments, which most monitors still send.
fn attached(attachment: &Value) -> Option<String> {
    let text = |name: &str| attachment[name].as_str().filter(|text| !text.trim().is_empty());
    let mut lines = Vec::new();
    push(&mut lines, text("pretext").map(mrkdwn));
    let light = match text("color").map(str::to_ascii_lowercase).as_deref() {
        Some("danger" | "#a30200" | "#d63232" | "#e01e5a" | "red") => "🔴 ",
        Some("warning" | "#daa038" | "#ecb22e" | "yellow") => "🟡 ",
        Some("good" | "#2eb886" | "#2eb67d" | "#36a64f" | "green") => "🟢 ",
        _ => "",
    };
    push(&mut lines, text("author_name").map(plain));
    let title = text("title").map(|title| match text("title_link").filter(|link| is_web(link)) {
        Some(link) => format!("{light}**[{}](<{}>)**", mrkdwn_label(title), address(link)),
        None => format!("{light}**{}**", mrkdwn_label(title)),
    });
    let untitled = title.is_none();
    push(&mut lines, title);
    push(
        &mut lines,
        text("text").map(|said| format!("{}{}", if untitled { light } else { "" }, mrkdwn(said))),
    );
    push(&mut lines, {
        let fields: Vec<String> = list(&attachment["fields"]).filter_map(field).collect();
        (!fields.is_empty()).then(|| fields.join("\n"))
    });
    lines.extend(blocks(&attachment["blocks"]));
    push(&mut lines, text("image_url").filter(|url| is_web(url)).map(|url| format!("<{}>", address(url))));
    push(&mut lines, text("footer").map(|footer| format!("_{}_", mrkdwn_label(footer))));
    if lines.is_empty() {
        push(&mut lines, text("fallback").map(plain));
    }
    (!lines.is_empty()).then(|| lines.join("\n\n"))
}

fn field(field: &Value) -> Option<String> {
    let value = match &field["value"] {
        Value::String(value) => mrkdwn(value),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return field["title"].as_str().map(|title| format!("- **{}**", mrkdwn_label(title))),
    };
    let value = value.replace('\n', "\n  ");
    Some(match field["title"].as_str().filter(|title| !title.trim().is_empty()) {
        Some(title) => format!("- **{}**: {value}", mrkdwn_label(title)),
        None => format!("- {value}"),
    })
}

fn blocks(blocks: &Value) -> Vec<String> {
    let mut parts = Vec::new();
    for block in list(blocks) {
        let part = match block["type"].as_str().unwrap_or_default() {
            "header" => said(&block["text"]).map(|text| format!("### {}", text.replace('\n', " "))),
            "section" => {
                let mut lines = Vec::new();
                push(&mut lines, said(&block["text"]));
                let fields = list(&block["fields"]).filter_map(said);
                let fields: Vec<String> =
                    fields.map(|field| format!("- {}", field.replace('\n', "\n  "))).collect();
                push(&mut lines, (!fields.is_empty()).then(|| fields.join("\n")));
                Some(lines.join("\n\n"))
            }
            "divider" => Some("---".to_owned()),
            "context" => {
                let words: Vec<String> = list(&block["elements"]).filter_map(said).collect();
                Some(words.join(" "))
            }
            "image" => image(block),
            "rich_text" => {
                Some(list(&block["elements"]).map(|part| rich(part, 0)).collect::<Vec<_>>().join("\n"))
            }
            _ => None,
        };
        push(&mut parts, part);
    }
    // Lines between nothing say nothing.
    if parts.iter().all(|part| part == "---") { Vec::new() } else { parts }
}

/// A text object: plain, or mrkdwn.
fn said(text: &Value) -> Option<String> {
    if text["type"] == "image" {
        return image(text);
    }
    let words = text["text"].as_str().or_else(|| text.as_str())?;
    Some(if text["type"] == "plain_text" { plain(words) } else { mrkdwn(words) })
}

fn image(block: &Value) -> Option<String> {
    let url = block["image_url"].as_str().filter(|url| is_web(url))?;
    let label = block["alt_text"].as_str().filter(|label| !label.trim().is_empty()).unwrap_or("image");
    Some(format!("[{}](<{}>)", escaped(label), address(url)))
}

/// The simple forms of rich text.
fn rich(part: &Value, depth: usize) -> String {
    if depth > 8 {
        return String::new();
    }
    let inner = || list(&part["elements"]).map(|part| rich(part, depth + 1));
    match part["type"].as_str().unwrap_or_default() {
        "text" => {
            let text = plain(part["text"].as_str().unwrap_or_default());
            let style = |name: &str| part["style"][name] == true;
            if style("code") {
                format!("`{}`", part["text"].as_str().unwrap_or_default().replace('`', "'"))
            } else if style("bold") {
                format!("**{text}**")
            } else {
                text
            }
        }
        "link" => {
            let url = part["url"].as_str().filter(|url| is_web(url)).unwrap_or_default();
            let label = part["text"].as_str().unwrap_or(url);
            format!("[{}](<{}>)", escaped(label), address(url))
        }
        "emoji" => format!(":{}:", part["name"].as_str().unwrap_or_default()),
        "rich_text_list" => inner().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n"),
        "rich_text_quote" => format!("> {}", inner().collect::<String>().replace('\n', "\n> ")),
        "rich_text_preformatted" => {
            let code: String = list(&part["elements"]).filter_map(|part| part["text"].as_str()).collect();
            format!("```\n{}\n```", code.replace("```", "'''"))
        }
        _ => inner().collect(),
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// An address between pointed brackets: what would end it is encoded.
fn address(url: &str) -> String {
    url.chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            '\\' => "%5C".to_owned(),
            ' ' => "%20".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

/// Words that mean just themselves: nothing in them is Markdown, or a mention.
fn plain(text: &str) -> String {
    emojified(&escaped(&decoded(text)))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut starts_line = true;
    for c in text.chars() {
        let means_something =
            matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' | '&' | '!' | '@')
                || starts_line && matches!(c, '#' | '-' | '+' | '=');
        if means_something {
            out.push('\\');
        }
        out.push(c);
        starts_line = c == '\n' || starts_line && c == ' ';
    }
    out
}

/// Slack encodes three signs, and only those.
fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    // Only `<!here>` calls people. The word itself is parted by a word joiner (U+2060), which nobody sees.
    text.replace("@here", "@\u{2060}here").replace("@room", "@\u{2060}room")
}

/// A title, which is mrkdwn too, as the label of a link: without links of its own.
fn mrkdwn_label(text: &str) -> String {
    plain(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Slack's markup to Markdown. Code stays as it is.
fn mrkdwn(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(place) = rest.find('`') {
        out.push_str(&marked_up(&rest[..place]));
        let fence = if rest[place..].starts_with("```") { "```" } else { "`" };
        let after = &rest[place + fence.len()..];
        match after.find(fence) {
            Some(end) if end > 0 => {
                let code = decoded(&after[..end]);
                match fence {
                    "```" => out.push_str(&format!("\n```\n{}\n```\n", code.trim_matches('\n'))),
                    _ => out.push_str(&format!("`{code}`")),
                }
                rest = &after[end + fence.len()..];
            }
            _ => {
                out.push_str("\\`");
                rest = &rest[place + 1..];
            }
        }
    }
    out.push_str(&marked_up(rest));
    out
}

/// Stands for one `<…>` while the prose around it is read, which may be bold across it.
const HOLE: char = '\u{E010}';

/// The same for text without code in it.
fn marked_up(text: &str) -> String {
    let text = text.replace(HOLE, "");
    let mut with_holes = String::with_capacity(text.len());
    let mut brackets = Vec::new();
    let mut rest = text.as_str();
    while let Some(place) = rest.find('<') {
        let Some(end) = rest[place..].find('>') else { break };
        with_holes.push_str(&rest[..place]);
        with_holes.push(HOLE);
        brackets.push(bracketed(&rest[place + 1..place + end]));
        rest = &rest[place + end + 1..];
    }
    with_holes.push_str(rest);
    let prose = prose(&with_holes);
    let mut brackets = brackets.into_iter();
    let mut parts = prose.split(HOLE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&brackets.next().unwrap_or_default());
        out.push_str(part);
    }
    out
}

/// What stands between `<` and `>`: a link, somebody, a room, a date.
fn bracketed(inside: &str) -> String {
    let (target, label) =
        inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    match target {
        "!here" => "@here".to_owned(),
        "!channel" | "!everyone" => "@room".to_owned(),
        _ if target.starts_with('!') => label.map(plain).unwrap_or_default(),
        _ if target.starts_with('@') => format!("\\@{}", plain(label.unwrap_or(&target[1..]))),
        _ if target.starts_with('#') => format!("\\#{}", plain(label.unwrap_or(&target[1..]))),
        _ if is_web(target) || target.starts_with("mailto:") => {
            let url = address(&decoded(target));
            match label.map(str::trim).filter(|label| !label.is_empty()) {
                Some(label) => format!("[{}](<{url}>)", mrkdwn_label(label)),
                None => format!("<{url}>"),
            }
        }
        _ => format!("\\<{}\\>", plain(inside)),
    }
}

/// Prose: `*bold*`, `_italic_`, `~struck~` at the borders of words, quotes at a line's start; the rest is escaped.
fn prose(text: &str) -> String {
    let text = decoded(text);
    let mut out = String::with_capacity(text.len() + 16);
    let chars: Vec<char> = text.chars().collect();
    let mut open: Vec<char> = Vec::new();
    let mut starts_line = true;
    for (place, c) in chars.iter().copied().enumerate() {
        let before = place.checked_sub(1).map(|place| chars[place]);
        let after = chars.get(place + 1).copied();
        let is_space = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        match c {
            '*' | '_' | '~' => {
                let mark = match c {
                    '*' => "**",
                    '_' => "_",
                    _ => "~~",
                };
                let closes =
                    open.contains(&c) && before.is_some_and(|c| !c.is_whitespace()) && is_space(after);
                let has_end = || {
                    let mut rest = chars[place + 1..].iter().take_while(|c| **c != '\n');
                    rest.any(|other| *other == c)
                };
                let opens = is_space(before) && after.is_some_and(|c| !c.is_whitespace()) && has_end();
                if closes {
                    while let Some(last) = open.pop() {
                        if last == c {
                            break;
                        }
                    }
                    out.push_str(mark);
                } else if opens && !open.contains(&c) {
                    open.push(c);
                    out.push_str(mark);
                } else {
                    out.push('\\');
                    out.push(c);
                }
            }
            // A quote, or the end of one: Slack's own sign for it is the same.
            '>' if starts_line => out.push('>'),
            '>' => out.push_str("\\>"),
            '\n' => {
                open.clear();
                out.push('\n');
            }
            '\\' | '[' | ']' | '|' | '<' | '&' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            '#' | '+' | '=' | '-' if starts_line && (c == '#' || after.is_none_or(|c| c != ' ')) => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        starts_line = c == '\n' || starts_line && c == ' ';
    }
    emojified(&out)
}

/// `:fire:` and its like, as far as they are common.
fn emojified(text: &str) -> String {
    if !text.contains(':') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(':') {
        out.push_str(&rest[..place]);
        let after = &rest[place + 1..];
        // An escaped underscore is one all the same.
        let end = after.find(':').filter(|end| *end > 0 && *end < 40);
        let found = end.and_then(|end| Some((end, emoji_of(&after[..end].replace('\\', ""))?)));
        match found {
            Some((end, emoji)) => {
                out.push_str(emoji);
                rest = &after[end + 1..];
            }
            None => {
                out.push(':');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn emoji_of(name: &str) -> Option<&'static str> {
    const EMOJI: [(&str, &str); 44] = [
        ("+1", "👍"),
        ("-1", "👎"),
        ("alarm_clock", "⏰"),
        ("arrow_down", "⬇️"),
        ("arrow_up", "⬆️"),
        ("bangbang", "‼️"),
        ("bell", "🔔"),
        ("black_circle", "⚫"),
        ("boom", "💥"),
        ("bug", "🐛"),
        ("chart_with_upwards_trend", "📈"),
        ("checkered_flag", "🏁"),
        ("construction", "🚧"),
        ("exclamation", "❗"),
        ("eyes", "👀"),
        ("fire", "🔥"),
        ("ghost", "👻"),
        ("green_heart", "💚"),
        ("hammer", "🔨"),
        ("heart", "❤️"),
        ("heavy_check_mark", "✔️"),
        ("hourglass", "⌛"),
        ("information_source", "ℹ️"),
        ("large_blue_circle", "🔵"),
        ("large_green_circle", "🟢"),
        ("large_yellow_circle", "🟡"),
        ("lock", "🔒"),
        ("mag", "🔍"),
        ("mega", "📣"),
        ("no_entry", "⛔"),
        ("package", "📦"),
        ("red_circle", "🔴"),
        ("robot_face", "🤖"),
        ("rocket", "🚀"),
        ("rotating_light", "🚨"),
        ("skull", "💀"),
        ("snail", "🐌"),
        ("sos", "🆘"),
        ("tada", "🎉"),
        ("thumbsup", "👍"),
        ("warning", "⚠️"),
        ("white_check_mark", "✅"),
        ("x", "❌"),
        ("zap", "⚡"),
    ];
    let name = name.trim_matches(':');
    EMOJI.iter().find(|(known, _)| *known == name).map(|(_, emoji)| *emoji)
}

#[cfg(test)]
mod tests {
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
    fn nothing_to_say_is_none() {
        for payload in
            [json!({}), json!({"text": " "}), json!([]), json!("x"), json!({"blocks": [{"type": "divider"}]})]
        {
            assert_eq!(from_slack(&payload), None, "{payload}");
        }
    }

    #[test]
    fn alertmanager_is_understood() {
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
    fn grafana_and_uptime_kuma_are_understood() {
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
    fn github_style_blocks_are_understood() {
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
        fn no_text_summons_anybody_or_makes_markup(text in "[@a-z*_~`<>|#! \\[\\]\\n\\\\&:()0-9-]{0,60}") {
            let payload = json!({"blocks": [{"type": "section", "text": {"type": "plain_text", "text": format!("{text} @here @[x](user:1)")}}]});
            let markdown = said(payload);
            let rendered = crate::text::render(&markdown, |_: UserId| Some("x"));
            prop_assert!(rendered.everyone.is_none() && rendered.mentions.is_empty(), "{markdown}");
        }

        #[test]
        fn any_text_is_safe(text in "\\PC{0,80}") {
            said(json!({"text": &text, "attachments": [{"title": &text, "title_link": &text, "text": &text}], "blocks": &text}));
        }
    }
}
