use proptest::prelude::*;

use super::*;
use crate::{text::Written, types::UserId};

fn name_of(id: UserId) -> Option<&'static str> {
    match id.0 {
        5 => Some("Ann"),
        123 => Some("Kevin"),
        _ => None,
    }
}

fn written(html: &str) -> Written {
    from_html(html).write(name_of)
}

fn html(source: &str) -> String {
    written(source).rendered.html
}

fn link(address: &str, label: &str) -> String {
    format!("<a href=\"{address}\" rel=\"noopener noreferrer\" target=\"_blank\">{label}</a>")
}

#[test]
fn html_is_kept_as_what_it_means() {
    for (source, expected) in [
        ("<p>Build <b>green</b></p><script>if (a<b) no()</script><style>p{}</style>a &lt; b<br>c", "<p>Build <strong>green</strong></p><p>a &lt; b<br>c</p>".to_owned()),
        ("<strong>Build failed</strong><br><a href=\"https://ci.example/7\">#7</a>", format!("<p><strong>Build failed</strong><br>{}</p>", link("https://ci.example/7", "#7"))),
        // White space is folded, and signs are signs.
        ("<div>  *x*\n  # y  <i> z </i>\n\n</div>", "<p>*x* # y <em>z</em></p>".into()),
        ("<div>one<br><br>two<br>three</div>", "<p>one</p><p>two<br>three</p>".into()),
        ("<div>a<div>b</div>c</div>", "<p>a</p><p>b</p><p>c</p>".into()),
        ("<h2>T</h2><h7>u</h7>", "<h2>T</h2><p>u</p>".into()),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>".into()),
        ("<ol start=3><li>a</li></ol><li>stray", "<ol start=\"3\"><li>a</li></ol><p>stray</p>".into()),
        ("<blockquote><p>q</p></blockquote><cite>Ann <a href=\"https://c.example/rooms/1/@2\">#</a></cite><br>yes", format!("<blockquote><p>q</p></blockquote><p>Ann {}<br>yes</p>", link("https://c.example/rooms/1/@2", "#"))),
        ("<pre>\n  a &amp; b\n    c</pre>", "<pre><code>  a &amp; b\n    c\n</code></pre>".into()),
        ("<pre data-language=\"ruby\">a<br>b</pre>", "<pre><code class=\"language-ruby\">a\nb\n</code></pre>".into()),
        ("<pre><code class=\"language-rust\">x</code></pre>", "<pre><code class=\"language-rust\">x\n</code></pre>".into()),
        ("<code>a *b*</code> <kbd>Ctrl</kbd>", "<p><code>a *b*</code> <code>Ctrl</code></p>".into()),
        ("<s>a</s><del>b</del><u>c</u><mark>d</mark>", "<p><del>a</del><del>b</del>cd</p>".into()),
        ("<b>a <i>b</b> c</i>", "<p><strong>a <em>b</em></strong><em> c</em></p>".into()),
        ("<b><p>a</p><p>b</p></b>", "<p><strong>a</strong></p><p><strong>b</strong></p>".into()),
        ("<table><tr><th>n<th align=right>v<tr><td>a<td>1</table>", "<table><thead><tr><th>n</th><th align=\"right\">v</th></tr></thead><tbody><tr><td>a</td><td align=\"right\">1</td></tr></tbody></table>".into()),
        ("<figure class=\"lexxy-content__table-wrapper\"><table><tbody><tr><th class=\"x\"><p>h</p></th></tr><tr><td><p>a</p><p>b</p></td></tr></tbody></table></figure>", "<table><thead><tr><th>h</th></tr></thead><tbody><tr><td>a<br>b</td></tr></tbody></table>".into()),
        ("<img src=\"https://a.b/i.png\" alt=\"a cat\"> <img src=\"data:x\" alt=\"dot\">", format!("<p>{} dot</p>", link("https://a.b/i.png", "a cat"))),
        ("<hr><q>said</q> <input type=checkbox checked> done", "<hr><p>“said” <input type=\"checkbox\" disabled=\"\" checked=\"\"> done</p>".into()),
        ("<a href=\"javascript:alert(1)\" onclick=x>no</a>", "<p>no</p>".into()),
        ("<a href=\"https://a.b\"><a href=\"https://c.d\">x</a></a>", format!("<p>{}</p>", link("https://a.b", "x"))),
        ("a < b, Tom & Jerry, 1<2", "<p>a &lt; b, Tom &amp; Jerry, 1&lt;2</p>".into()),
        ("<p><br></p><div>&nbsp;</div>", String::new()),
        ("<html><head><title>t</title></head><body>x</body></html>", "<p>x</p>".into()),
        ("never <b>closed", "<p>never <strong>closed</strong></p>".into()),
    ] {
        assert_eq!(html(source), expected, "{source}");
    }
}

#[test]
fn attachments_are_mentions_and_previews() {
    let of_rails_8 = "eyJfcmFpbHMiOnsiZGF0YSI6ImdpZDovL2NhbXBmaXJlL1VzZXIvMTIzP2V4cGlyZXNfaW4iLCJwdXIiOiJhdHRhY2hhYmxlIn19--0123abcd";
    let of_rails_7 = {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let gid = b"\x04\x08I\"&gid://campfire/User/123?expires_in\x06:\x06ET";
        let inner = format!(
            "{{\"_rails\":{{\"message\":\"{}\",\"exp\":null,\"pur\":\"attachable\"}}}}",
            STANDARD.encode(gid)
        );
        format!("{}--00ff", STANDARD.encode(inner))
    };
    let mention = "<span class=\"mention\" data-user-id=\"123\">@Kevin</span>";
    for sgid in [of_rails_8, &of_rails_7] {
        let source = format!(
            "<div>Hey <action-text-attachment sgid=\"{sgid}\" content-type=\"application/vnd.campfire.mention\" content=\"&lt;div class=&quot;mention&quot;&gt;&lt;img src=&quot;/a&quot;&gt; Old Name&lt;/div&gt;\"><span>Old Name</span></action-text-attachment> there</div>"
        );
        let found = written(&source);
        assert_eq!(found.rendered.html, format!("<p>Hey {mention} there</p>"));
        assert_eq!(found.rendered.mentions.to_vec(), [UserId(123)]);
        assert_eq!(from_html(&source).without_mention(UserId(123)).plain_lines(name_of), "Hey  there");
        let figure = format!(
            "<figure data-trix-attachment='{{\"sgid\":\"{sgid}\",\"contentType\":\"application/vnd.campfire.mention\"}}'></figure>"
        );
        assert_eq!(html(&figure), format!("<p>{mention}</p>"));
    }
    // Somebody who is not in the room, and an id of nobody: the name as it was.
    let gone = |sgid: &str| {
        format!(
            "<action-text-attachment sgid=\"{sgid}\" content-type=\"application/vnd.campfire.mention\" content=\"&lt;span&gt; Zoe Q &lt;/span&gt;\"></action-text-attachment> x"
        )
    };
    for sgid in [
        "eyJfcmFpbHMiOnsiZGF0YSI6ImdpZDovL2NhbXBmaXJlL1VzZXIvOSIsInB1ciI6ImF0dGFjaGFibGUifX0=--00",
        "nonsense",
    ] {
        let found = written(&gone(sgid));
        assert_eq!((found.rendered.html.as_str(), found.rendered.mentions.len()), ("<p>@Zoe Q x</p>", 0));
    }
    let preview = "<a href=\"https://a.b\">https://a.b</a><action-text-attachment content-type=\"application/vnd.actiontext.opengraph-embed\" href=\"https://a.b\" filename=\"Title\"><figure>Title</figure></action-text-attachment>";
    assert_eq!(html(preview), format!("<p>{}</p>", link("https://a.b", "https://a.b")));
    let unclosed = "<action-text-attachment sgid=\"x\" content-type=\"y/mention\"> words behind it";
    assert!(html(unclosed).contains("words behind it"));
}

#[test]
fn bare_addresses_and_everyone_are_found_as_in_any_message() {
    let source = "<div>@here see https://a.b/c. <code>@room</code></div>";
    let rendered = from_html(source).with_links(true).write(name_of).rendered;
    assert_eq!(
        rendered.html,
        format!(
            "<p><span class=\"mention\">@here</span> see {}. <code>@room</code></p>",
            link("https://a.b/c", "https://a.b/c")
        )
    );
    assert!(rendered.everyone.is_some());
    assert!(from_html(source).with_links(false).write(name_of).rendered.everyone.is_none());
}

#[test]
fn html_is_told_from_markdown() {
    for html in [
        "<b>x</b>",
        "a<br>b",
        "<div>\nx\n</div>",
        "<A HREF='x'>y</A>",
        "x <action-text-attachment sgid=\"y\"></action-text-attachment>",
        "<p>run `make`</p>",
        "<img src=x/>",
    ] {
        assert!(is_html(html), "{html}");
    }
    for markdown in [
        "a < b",
        "`<b>x</b>`",
        "List<String>",
        "the <div> is not closed",
        "</b>",
        "<b",
        "<https://a.b>",
        "<bold>x</bold>",
        "x </p> <p> y",
        "```\n<b>x</b>\n```",
    ] {
        assert!(!is_html(markdown), "{markdown}");
    }
}

#[test]
fn plain_lines_are_as_action_text_has_them() {
    let source = "<h1>T</h1><p>a<br>b</p><ul><li>x<ol><li>y</li><li>z</li></ol></li></ul><blockquote>said</blockquote><pre>c\n d</pre><table><tr><td>1</td><td>2</td></tr></table>";
    assert_eq!(from_html(source).plain_lines(name_of), "T\na\nb\n• x\n  1. y\n  2. z\n“said”\nc\n d\n1\t2");
}

#[test]
fn reading_takes_time_in_proportion_to_the_text() {
    for part in [
        "<b>",
        "<b><i>",
        "</b>",
        "<b><p>",
        "<ul><li>",
        "<table><tr><td>",
        "<a href=x>",
        "<b",
        "<",
        "&",
        "<action-text-attachment>",
        "<pre>",
        "<br>",
        "<b>x</i>",
        "<span>",
        "a </p>",
    ] {
        let source = part.repeat((64 << 10) / part.len());
        let started = std::time::Instant::now();
        is_html(&source);
        let Written { content, rendered } = written(&source);
        assert!(started.elapsed().as_secs() < 5, "{part}: {:?}", started.elapsed());
        assert!(content.len() <= 70 << 10 && rendered.html.len() <= 400 << 10, "{part}: {}", content.len());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_its_html_is_safe(text in "(<(/?(b|p|ul|li|pre|table|tr|td|a href=\"javascript:x\"|img src=x onerror=y|script|span|blockquote)>|[a-z<>&;\"' ]){0,30}){0,3}") {
        let rendered = written(&text).rendered;
        prop_assert_eq!(&crate::text::clean::with_ammonia(&rendered.html), &rendered.html, "{}", text);
    }
}
