use super::*;

static RULES: Rules = Rules {
    marks: &[
        ("***", Style::StrongEmphasis),
        ("**", Style::Strong),
        ("*", Style::Emphasis),
        ("_", Style::Emphasis),
        ("~~", Style::Struck),
    ],
    headings: 3,
    fences_anywhere: false,
    named_fences: true,
    tables: true,
    discord: false,
};

struct Plain;

impl Dialect for Plain {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn token(&mut self, _: Option<char>, _: &str) -> Option<(Vec<Inline>, usize)> {
        None
    }
}

fn written(typed: &str) -> String {
    match body(parse(typed, &mut Plain), typed) {
        Body::Markdown(text) | Body::Html(text) => text,
    }
}

#[test]
fn marks_become_marks_and_others_stay_as_they_were_typed() {
    for (typed, expected) in [
        ("**a** *b* ***c*** ~~d~~ _e_", "**a** *b* ***c*** ~~d~~ *e*"),
        ("*a **b***", "*a **b***"),
        ("snake_case_name 2 * 3 * 4 **", "snake_case_name 2 * 3 * 4 **"),
        ("`a*b*` ``x`y`` `", "`a*b*` ``x`y`` `"),
        (
            "[x](https://a.example/_b_) <https://b.example> https://c.example/a_b_.",
            "[x](<https://a.example/_b_>) <https://b.example> <https://c.example/a_b_>.",
        ),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("# Head\ntext\n- one\n  - two\n- three", "# Head\n\ntext\n- one\n  - two\n- three"),
        ("a\n\n1. one\n2. two\n\nb", "a\n\n1. one\n2. two\n\nb"),
        ("> q\n> > r\ns", "> q\n>\n> > r\n\ns"),
        ("```rs\nlet a;\n```", "```rs\nlet a;\n```"),
        ("````quote\n```\nx\n```\n````", "> ```\n> x\n> ```"),
    ] {
        let once = written(typed);
        assert_eq!(once.replace("\\", ""), expected, "{typed}");
    }
}

#[test]
fn text_of_more_than_32_kib_stays_as_it_was_typed() {
    let long = "word *x* ".repeat(MAX_PARSED / 8);
    assert_eq!(written(&long), long);
}

#[test]
fn links_are_read_until_200_signs_were_none() {
    let text = |failed: usize| format!("{} https://a.example", "[ ".repeat(failed));
    let has_link = |typed: &str| {
        let blocks = parse(typed, &mut Plain);
        matches!(&blocks[..], [Block::Paragraph(inlines)] if matches!(inlines.last(), Some(Inline::Link { .. })))
    };
    assert!(has_link(&text(199)));
    assert!(!has_link(&text(200)));
}

#[test]
fn depth_of_marks_quotes_and_lists_has_an_end() {
    let quotes = format!("{}deep", "> ".repeat(500));
    assert!(written(&quotes).contains("deep"));
    let list: String = (0..200).map(|depth| format!("{}- item\n", "  ".repeat(depth))).collect();
    assert_eq!(written(&list).matches("item").count(), 200);
    assert!(written(&"**_".repeat(2_000)).len() >= 6_000);
}

#[test]
fn hostile_texts_are_read_in_little_time() {
    let began = std::time::Instant::now();
    for piece in [
        "*",
        "**a ",
        "_a",
        "`",
        "[",
        "[a](",
        "<",
        "```\n",
        "> ",
        "- ",
        "|a|b\n|-|-\n",
        "~~x",
        "\\",
        "https://",
        "((",
        "1. ",
    ] {
        let typed = piece.repeat(MAX_PARSED / piece.len() - 1);
        parse(&typed, &mut Plain);
    }
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read_without_a_loss(typed in "[ab *_`~>#\\[\\]()<:|\\n\\\\1.é-]{0,60}") {
        let blocks = parse(&typed, &mut Plain);
        let shown = Document::of(blocks).plain_lines(|_| None);
        let letters = |text: &str| text.chars().filter(|c| "abé".contains(*c)).collect::<String>();
        proptest::prop_assert_eq!(letters(&shown), letters(&typed));
    }
}
