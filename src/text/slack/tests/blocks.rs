//! Every type of block, and every element of rich text.

use super::*;

/// Every type of block, each with the words that have to be seen.
#[test]
fn blocks_of_every_type_are_shown() {
    let text = |text: &str| json!({"type": "plain_text", "text": text});
    let rich = |text: &str| json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]});
    let button = json!({"type": "button", "text": text("View"), "url": "https://a.example/run"});
    let view = link("https://a.example/run", "View");
    let cases = [
        (json!({"type": "header", "text": text("Build &amp; test")}), "<h3>Build &amp; test</h3>".into()),
        (json!({"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}, "accessory": button}), format!("<p><strong>x</strong></p><p>{view}</p>")),
        (json!({"type": "section", "fields": [{"type": "mrkdwn", "text": "*A*\nb"}, text("c")]}), "<ul><li><strong>A</strong><br>b</li><li>c</li></ul>".into()),
        (json!({"type": "actions", "elements": [button, {"type": "button", "text": text("Approve"), "value": "1"}]}), format!("<p>{view} · Approve</p>")),
        (json!({"type": "actions", "elements": [{"type": "overflow", "options": [{"text": text("Docs"), "url": "https://a.example/d"}]}]}), format!("<p>{}</p>", link("https://a.example/d", "Docs"))),
        (json!({"type": "context", "elements": [{"type": "image", "image_url": "https://a.example/i.png", "alt_text": "ana"}, text("by @here *ana*")]}), format!("<p>{} by @here *ana*</p>", link("https://a.example/i.png", "ana"))),
        (json!({"type": "context_actions", "elements": [{"type": "feedback_buttons", "positive_button": {"text": text("Good")}, "negative_button": {"text": text("Bad")}}]}), "<p>Good · Bad</p>".into()),
        (json!({"type": "image", "title": text("Chart"), "image_url": "https://a.example/c.png", "alt_text": "load"}), format!("<p>Chart</p><p>{}</p>", link("https://a.example/c.png", "load"))),
        (json!({"type": "image", "slack_file": {"url": "https://files.example/f"}, "alt_text": "load"}), format!("<p>{}</p>", link("https://files.example/f", "load"))),
        (json!({"type": "input", "label": text("Reason"), "element": {"type": "plain_text_input", "initial_value": "none"}, "hint": text("short")}), "<p><strong>Reason</strong></p><p>none</p><p>short</p>".into()),
        (json!({"type": "markdown", "text": "**b** and\n\n- [x] done"}), "<p><strong>b</strong> and</p><ul><li><input type=\"checkbox\" disabled=\"\" checked=\"\"> done</li></ul>".into()),
        (json!({"type": "table", "column_settings": [{"align": "right"}], "rows": [[{"type": "raw_text", "text": "n"}, {"type": "raw_text", "text": "what"}], [{"type": "raw_number", "value": 3, "text": "3"}, rich("apples")]]}), "<table><thead><tr><th align=\"right\">n</th><th>what</th></tr></thead><tbody><tr><td align=\"right\">3</td><td>apples</td></tr></tbody></table>".into()),
        (json!({"type": "data_table", "caption": "Stock", "rows": [[{"type": "raw_text", "text": "n"}], [{"type": "raw_number", "value": 3}]]}), "<p><strong>Stock</strong></p><table><thead><tr><th>n</th></tr></thead><tbody><tr><td>3</td></tr></tbody></table>".into()),
        (json!({"type": "data_visualization", "title": "Pies", "chart": {"type": "pie", "segments": [{"label": "Apple", "value": 45}]}}), "<p><strong>Pies</strong></p><table><tbody><tr><td>Apple</td><td align=\"right\">45</td></tr></tbody></table>".into()),
        (json!({"type": "data_visualization", "title": "Load", "chart": {"type": "line", "axis_config": {"categories": ["Mon", "Tue"], "x_label": "Day"}, "series": [{"name": "p95", "data": [{"label": "Mon", "value": 7.5}, {"label": "Tue", "value": 8}]}]}}), "<p><strong>Load</strong></p><table><thead><tr><th>Day</th><th align=\"right\">p95</th></tr></thead><tbody><tr><td>Mon</td><td align=\"right\">7.5</td></tr><tr><td>Tue</td><td align=\"right\">8</td></tr></tbody></table>".into()),
        (json!({"type": "alert", "level": "warning", "text": {"type": "mrkdwn", "text": "*Careful*"}}), "<p>⚠️ <strong>Careful</strong></p>".into()),
        (json!({"type": "card", "hero_image": {"type": "image", "image_url": "https://a.example/h.png", "alt_text": "hero"}, "title": {"type": "mrkdwn", "text": "Lumon"}, "subtitle": {"type": "mrkdwn", "text": "since 1865"}, "body": {"type": "mrkdwn", "text": "_Enjoy_"}, "actions": [button]}), format!("<p>{}</p><p><strong>Lumon</strong></p><p>since 1865</p><p><em>Enjoy</em></p><p>{view}</p>", link("https://a.example/h.png", "hero"))),
        (json!({"type": "carousel", "elements": [{"type": "card", "title": {"type": "mrkdwn", "text": "One"}}, {"type": "card", "title": {"type": "mrkdwn", "text": "Two"}}]}), "<p><strong>One</strong></p><p><strong>Two</strong></p>".into()),
        (json!({"type": "container", "title": text("Box"), "subtitle": text("open"), "child_blocks": [{"type": "section", "text": text("in it")}]}), "<p><strong>Box</strong></p><p>open</p><p>in it</p>".into()),
        (json!({"type": "container", "rich_text_title": rich("Rich box"), "child_blocks": []}), "<p>Rich box</p>".into()),
        (json!({"type": "file", "source": "remote", "external_id": "ABCD1"}), "<p>📄 ABCD1</p>".into()),
        (json!({"type": "plan", "title": "Steps", "tasks": [{"type": "task_card", "task_id": "1", "title": "Fetch", "status": "complete", "output": rich("12 rows"), "sources": [{"type": "url", "url": "https://a.example/run", "text": "View"}]}]}), format!("<p><strong>Steps</strong></p><p>✅ Fetch</p><p>12 rows</p><p>{view}</p>")),
        (json!({"type": "video", "title": text("Talk"), "title_url": "https://v.example/1", "video_url": "https://v.example/e", "thumbnail_url": "https://v.example/t", "alt_text": "t", "author_name": "Ana", "provider_name": "Tube", "description": text("An hour")}), format!("<p><strong>{}</strong></p><p>Ana · Tube</p><p>An hour</p>", link("https://v.example/1", "Talk"))),
        (json!({"type": "hologram", "title": text("New"), "rays": [{"type": "section", "text": {"type": "mrkdwn", "text": "*deep*"}}], "url": "https://a.example/h"}), format!("<p>New</p><p>{}</p><p><strong>deep</strong></p>", link("https://a.example/h", "https://a.example/h"))),
        (rich("plain"), "<p>plain</p>".into()),
    ];
    for (block, expected) in cases {
        let payload = json!({ "text": "fallback", "blocks": [{"type": "divider"}, block] });
        assert_eq!(html(&payload), format!("<hr>{expected}"), "{payload}");
    }
    let strings = json!({"blocks": "[{\"type\":\"divider\"},{\"type\":\"markdown\",\"text\":\"**b**\"}]"});
    assert_eq!(html(&strings), "<hr><p><strong>b</strong></p>");
    assert_eq!(html(&json!({"text": "the text", "blocks": [{"type": "divider"}]})), "<p>the text</p>");
}

#[test]
fn rich_text_is_read_whole() {
    let section = |elements: Value| json!({"type": "rich_text_section", "elements": elements});
    let rich = |elements: Value| html(&json!({"blocks": [{"type": "rich_text", "elements": elements}]}));
    let inline = |elements: Value| rich(json!([section(elements)]));
    let styled = |text: &str, style: &str| json!({"type": "text", "text": text, "style": {style: true}});
    assert_eq!(
        inline(json!([
            styled("bold ", "bold"),
            styled("thin", "italic"),
            styled(" gone", "strike"),
            styled("`c`", "code")
        ])),
        "<p><strong>bold</strong> <em>thin</em> <del>gone</del><code>`c`</code></p>"
    );
    let all = json!({"bold": true, "italic": true, "strike": true, "underline": true});
    assert_eq!(
        inline(json!([{"type": "text", "text": "all", "style": all}])),
        "<p><strong><em><del>all</del></em></strong></p>"
    );
    assert_eq!(
        inline(json!([
            {"type": "user", "user_id": "U1"}, {"type": "text", "text": " "},
            {"type": "usergroup", "usergroup_id": "S1"}, {"type": "text", "text": " "},
            {"type": "channel", "channel_id": "C1"}, {"type": "text", "text": " "},
            {"type": "broadcast", "range": "channel"}, {"type": "text", "text": " "},
            {"type": "color", "value": "#F405B3"}, {"type": "text", "text": " "},
            {"type": "date", "timestamp": 1392734382, "format": "{date_short}", "fallback": "Feb 18"},
            {"type": "emoji", "name": "tada"}, {"type": "emoji", "name": "ours", "unicode": "1f389"},
            {"type": "emoji", "name": "wave", "skin_tone": 3}, {"type": "emoji", "name": "ours"},
            {"type": "link", "url": "mailto:a@b.example"}, {"type": "link", "url": "https://a.b", "text": "B", "style": {"bold": true}},
            {"type": "unheard_of", "text": "\nlast"},
        ])),
        format!(
            "<p>@U1 @S1 #C1 <span class=\"mention\">@room</span> #F405B3 Feb 18🎉🎉👋🏼:ours:{}<strong>{}</strong><br>last</p>",
            link("mailto:a@b.example", "a@b.example"),
            link("https://a.b", "B")
        )
    );
    let list = |style: &str, indent: u32, offset: u32, items: &[&str]| {
        let items: Vec<Value> =
            items.iter().map(|item| section(json!([{"type": "text", "text": item}]))).collect();
        json!({"type": "rich_text_list", "style": style, "indent": indent, "offset": offset, "elements": items})
    };
    assert_eq!(
        rich(json!([
            list("ordered", 0, 0, &["a"]), list("bullet", 1, 0, &["b", "c"]), list("ordered", 0, 1, &["d"]),
            section(json!([{"type": "text", "text": "\n"}])), list("ordered", 0, 6, &["g"]),
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said\nso"}]},
            section(json!([{"type": "text", "text": "after"}])),
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "get "}, {"type": "link", "url": "https://a.b"}]},
        ])),
        format!(
            "<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li><li>g</li></ol><blockquote><p>said<br>so</p></blockquote><p>after</p><pre><code>get https://a.b\n</code></pre><p>{}</p>",
            link("https://a.b", "https://a.b")
        )
    );
}
