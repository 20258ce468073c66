use super::*;

fn text(text: &str) -> Inline {
    Inline::Text(text.into())
}

fn content(inlines: Vec<Inline>) -> String {
    Document::of(vec![Block::Paragraph(inlines)]).write(|_| None).content
}

#[test]
fn only_what_would_be_a_mark_is_escaped() {
    for (source, markdown) in [
        ("a * b, 2 * 3", "a * b, 2 * 3"),
        ("*a* _b_ `c`", "\\*a\\* \\_b\\_ \\`c\\`"),
        ("snake_case [x] (y) 1. a-b", "snake_case [x] (y) 1. a-b"),
        ("[x](y)", "[x](y)"),
        ("[x](http://a.b)", "\\[x](http://a.b)"),
        ("# a", "\\# a"),
        ("#123 -x", "#123 -x"),
        ("12. a", "12\\. a"),
        ("2026 a", "2026 a"),
        ("- a", "\\- a"),
        ("a < b <c> &amp; &", "a < b <c> \\&amp; &"),
        ("C:\\a \\*", "C:\\a \\*"),
        ("\\*a*", "\\\\\\*a\\*"),
        ("@here and @home", "\\@here and @home"),
        ("~/a", "~/a"),
    ] {
        assert_eq!(content(vec![text(source)]), markdown, "{source}");
    }
    assert_eq!(content(vec![Inline::Strong(vec![text(" a "), Inline::Break, text("b")])]), "**a**\n**b**");
    assert_eq!(content(vec![Inline::Code("a `b`".into())]), "`` a `b` ``");
    let user = Inline::User { id: UserId(5), name: "A]b".into() };
    assert_eq!(content(vec![user, text(" "), Inline::Everyone(Everyone::Here)]), "@[A\\]b](user:5) @here");
}

#[test]
fn blocks_are_written_as_markdown() {
    let paragraph = |words: &str| Block::Paragraph(vec![text(words)]);
    let blocks = vec![
        Block::Heading(3, vec![text("T")]),
        Block::Quote(vec![paragraph("q"), Block::Rule]),
        Block::List {
            first: Some(9),
            items: vec![
                vec![paragraph("a"), Block::List { first: None, items: vec![vec![paragraph("b")]] }],
                vec![paragraph("c")],
            ],
        },
        Block::Code { language: "sh".into(), text: "a ```` b".into() },
        Block::Table(Table {
            alignments: vec![Alignment::Right],
            has_head: true,
            rows: vec![vec![vec![text("n|m")]], vec![vec![text("1")], vec![]]],
        }),
    ];
    let written = Document::of(blocks).write(|_| None);
    assert_eq!(
        written.content,
        "### T\n\n> q\n>\n> ---\n\n9. a\n   - b\n10. c\n\n`````sh\na ```` b\n`````\n\n| n\\|m |  |\n| --: | --- |\n| 1 |  |"
    );
    let again = crate::text::render(&written.content, |_| None);
    assert_eq!(again.plain, "T q a b c a ```` b n|m 1");
}

#[test]
fn a_document_is_empty_if_nothing_of_it_is_seen() {
    let blank = vec![text(" \u{200B}"), Inline::Break, Inline::Strong(vec![])];
    assert!(Document::of(vec![Block::Rule, Block::Paragraph(blank)]).is_empty());
    assert!(!Document::of(vec![Block::Paragraph(vec![Inline::Code("x".into())])]).is_empty());
}

#[test]
fn a_link_that_nobody_may_follow_is_its_label() {
    let link = |address: &str| Inline::Link { address: address.into(), label: vec![text("x")] };
    let written =
        Document::of(vec![Block::Paragraph(vec![link("javascript:alert(1)"), link("HTTPS://a.b/\"<>")])])
            .write(|_| None);
    assert_eq!(
        written.rendered.html,
        "<p>x<a href=\"HTTPS://a.b/%22%3C%3E\" rel=\"noopener noreferrer\" target=\"_blank\">x</a></p>"
    );
    assert_eq!(written.content, "x[x](<HTTPS://a.b/\"%3C%3E>)");
}
