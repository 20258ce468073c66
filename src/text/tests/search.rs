use proptest::prelude::*;
use rusqlite::Connection;

use crate::text::{HIT_END, HIT_START, Query, render, snippet_html};

fn index() -> Connection {
    let index = Connection::open_in_memory().expect("a database in memory");
    index
        .execute_batch(
            "create virtual table t using fts5 (plain, room, tokenize = 'porter unicode61');
             create virtual table words using fts5vocab (t, instance)",
        )
        .expect("an index");
    for (id, text) in [
        (1, "The quick brown fox"),
        (2, "quickly, brown-ish and running"),
        (3, "NOT a OR b AND c NEAR d"),
        (4, "r7"),
    ] {
        index.execute("insert into t (rowid, plain, room) values (?, ?, 'r7')", (id, text)).expect("a row");
    }
    index
}

/// Searches the index, with FTS5's prefix query, or with `follow` by the index's words with the prefix.
fn find(index: &Connection, typed: &str, follow: bool) -> rusqlite::Result<Vec<i64>> {
    let Some(query) = Query::parse(typed) else { return Ok(Vec::new()) };
    let expression = query.expression(query.may_go_on(), |beginning| -> rusqlite::Result<_> {
        if !follow {
            return Ok(None);
        }
        let mut words = index.prepare_cached("select distinct term from words where term glob ? || '*'")?;
        words.query_map([beginning], |row| row.get(0))?.collect::<rusqlite::Result<_>>().map(Some)
    })?;
    let mut statement = index.prepare_cached("select rowid from t where t match ? order by rowid")?;
    statement.query_map([format!("plain : ({expression})")], |row| row.get(0))?.collect()
}

#[test]
fn words_are_found_and_quotes_make_a_phrase() {
    let index = index();
    let found = |typed: &str| {
        let found = find(&index, typed, false).expect("an answer");
        assert_eq!(find(&index, typed, true).expect("an answer"), found, "{typed}");
        found
    };
    assert_eq!(found("quick"), [1, 2], "the last word finds longer ones");
    assert_eq!(found("quick fox"), [1]);
    assert_eq!(found("\"brown fox\""), [1]);
    assert_eq!(found("\"fox brown\""), [0; 0]);
    assert_eq!(found("run* brow*"), [2]);
    assert_eq!(found("NOT"), [3], "no word is an operator");
    assert_eq!(found("b OR fox"), [0; 0]);
    assert_eq!(found("r7"), [4], "other columns are not searched");
    assert_eq!(found("\"running"), [2], "an open quote is closed by the end");
    assert_eq!(found("brown-ish"), [2]);
}

#[test]
fn query_without_a_word_is_none() {
    for typed in ["", "   ", "\"\"", "* - ( )", "🎉", "\"", "^ :", "\u{E000}"] {
        assert_eq!(Query::parse(typed), None, "{typed}");
    }
}

#[test]
fn hits_are_marked_and_the_rest_is_escaped() {
    assert_eq!(
        snippet_html(&format!("a <b> {HIT_START}c & d{HIT_END} e")),
        "a &lt;b&gt; <mark>c &amp; d</mark> e"
    );
    assert_eq!(snippet_html(&format!("{HIT_END}a{HIT_START}{HIT_START}b")), "a<mark>b</mark>");
    assert_eq!(render("a\u{E000}b\u{E001}c", |_| None).plain, "abc", "nobody can make a hit");
}

proptest! {
    #[test]
    fn queries_of_any_text_are_valid_fts5(typed in "(\\PC|[\"*()^:+ \u{0}\u{301}\u{E000}-]|AND |NEAR\\(|plain:){0,40}") {
        thread_local!(static INDEX: Connection = index());
        INDEX.with(|index| find(index, &typed, false).and_then(|_| find(index, &typed, true))).map_err(|error| TestCaseError::fail(format!("{error} for {:?}", Query::parse(&typed))))?;
    }

    #[test]
    fn snippets_contain_no_tags_but_marks(snippet in "(\\PC|[<>&\"\u{E000}\u{E001}]){0,40}") {
        let html = snippet_html(&snippet);
        prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
        let has_more = html.replace("<mark>", "").replace("</mark>", "").contains(['<', '>', '\u{E000}', '\u{E001}']);
        prop_assert!(!has_more);
    }
}
