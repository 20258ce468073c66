use std::collections::HashMap;

use proptest::prelude::*;
use rusqlite::Connection;

use super::{Analyzer, Languages, Query, Rank, beginning};
use crate::text::render;

/// An index as the server has it, with texts by their numbers.
struct Index {
    db: Connection,
    analyzer: Analyzer,
    texts: HashMap<i64, String>,
}

impl Index {
    fn of(texts: &[&str]) -> Self {
        let db = Connection::open_in_memory().expect("a database in memory");
        let migration = include_str!("../../../sql/migrations/0008_search_tokens.sql");
        let (begin, end) = ("create virtual table messages_fts", "-- How the tokens");
        let tables = &migration[migration.find(begin).unwrap()..migration.find(end).unwrap()];
        db.execute_batch(tables).expect("an index");
        let index = Self { db, analyzer: Analyzer::new(&Languages::default()), texts: HashMap::new() };
        texts.iter().zip(1..).fold(index, |mut index, (text, id)| {
            index.add(id, text);
            index
        })
    }

    fn add(&mut self, id: i64, text: &str) {
        let tokens = self.analyzer.tokens(text);
        let insert =
            "insert into messages_fts (rowid, words, more, room, creator) values (?, ?, ?, 'r7', 'u7')";
        self.db.execute(insert, (id, tokens.words, tokens.more)).expect("a row");
        self.texts.insert(id, text.to_owned());
    }

    /// The hits of a rank, with FTS5's prefix query, or with `follow` by the index's tokens with the prefix.
    fn find(&self, query: &Query, rank: Rank, follow: bool) -> rusqlite::Result<Vec<i64>> {
        let expression = query.expression(rank, |beginning| -> rusqlite::Result<_> {
            let mut tokens = self.db.prepare_cached(
                "select distinct term from messages_words where substr(term, 1, length(?1)) = ?1",
            )?;
            let found = tokens.query_map([beginning], |row| row.get(0))?;
            follow.then(|| found.collect()).transpose()
        })?;
        let mut statement = self
            .db
            .prepare_cached("select rowid from messages_fts where messages_fts match ? order by rowid")?;
        statement.query_map([expression], |row| row.get(0))?.collect()
    }

    /// The exact and the similar hits.
    fn ranked(&self, typed: &str) -> (Vec<i64>, Vec<i64>) {
        let Some(query) = Query::parse(typed, &self.analyzer) else { return Default::default() };
        let exact = self.find(&query, Rank::Exact, true).expect("an answer");
        assert_eq!(self.find(&query, Rank::Exact, false).expect("an answer"), exact, "{typed}");
        let mut similar = self.find(&query, Rank::Any, true).expect("an answer");
        assert_eq!(self.find(&query, Rank::Any, false).expect("an answer"), similar, "{typed}");
        similar.retain(|id| !exact.contains(id));
        assert!(query.has_similar() || similar.is_empty(), "{typed}");
        for (id, text) in &self.texts {
            let rank = match (exact.contains(id), similar.contains(id)) {
                (true, _) => Some(Rank::Exact),
                (_, true) => Some(Rank::Any),
                _ => None,
            };
            let found = query.snippets(&self.analyzer).ranked(text, "");
            assert_eq!(found.as_ref().map(|(_, rank)| *rank), rank, "{typed} in {text}");
            if let Some((snippet, _)) = found {
                assert!(snippet.contains("<mark>"), "{typed}: no snippet of {text}");
                assert_eq!(snippet, query.snippets(&self.analyzer).of(text, ""));
            }
        }
        (exact, similar)
    }

    fn all(&self, typed: &str) -> Vec<i64> {
        let (exact, similar) = self.ranked(typed);
        let mut all = [exact, similar].concat();
        all.sort_unstable();
        all
    }

    fn snippet(&self, typed: &str, id: i64) -> String {
        let query = Query::parse(typed, &self.analyzer).expect("a query");
        query.snippets(&self.analyzer).of(&self.texts[&id], "")
    }
}

#[test]
fn words_are_found_and_quotes_make_a_phrase() {
    let index = Index::of(&[
        "The quick brown fox",
        "quickly, brown-ish and running",
        "NOT a OR b AND c NEAR d",
        "r7",
    ]);
    let found = |typed: &str| index.all(typed);
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
    assert_eq!(found("brownish"), [2]);
}

#[test]
fn exact_hits_are_told_from_similar_ones() {
    let index = Index::of(&[
        "Die Listen sind da",
        "eine Liste",
        "Kinder",
        "ein Kind",
        "runs",
        "running",
        "run",
        "see room 123",
        "fixed in #123",
        "I like C",
        "I like C++",
        "v1.2.3",
        "1.2.3",
        "getUserName",
        "username",
    ]);
    let found = |typed: &str| index.ranked(typed);
    assert_eq!(found("liste"), (vec![2], vec![1]));
    assert_eq!(found("LISTEN"), (vec![1], vec![2]));
    assert_eq!(found("kind"), (vec![4], vec![3]));
    assert_eq!(found("running"), (vec![6], vec![5, 7]));
    assert_eq!(found("#123"), (vec![9], vec![8]));
    assert_eq!(found("123"), (vec![8, 9], vec![]));
    assert_eq!(found("C++"), (vec![11], vec![10]));
    assert_eq!(found("\"C++\""), (vec![11], vec![]), "in quotes as it is");
    assert_eq!(found("v1.2.3"), (vec![12], vec![13]));
    assert_eq!(found("1.2.3"), (vec![12, 13], vec![]));
    assert_eq!(found("username"), (vec![15], vec![14]));
    assert_eq!(found("\"liste\""), (vec![2], vec![]), "in quotes as it is");
}

#[test]
fn all_kinds_of_quotes_make_phrases_and_apostrophes_do_not() {
    let index =
        Index::of(&["one two three", "two one three", "the boys’ rock ’n’ roll", "צה״ל הודיע", "5' 6\""]);
    for typed in [
        "\"one two\"",
        "“one two”",
        "„one two“",
        "”one two”",
        "«one two»",
        "»one two«",
        "‹one two›",
        "‚one two‘",
        "‘one two’",
        "「one two」",
        "『one two』",
        "＂one two＂",
        "〝one two〟",
        "“one two",
        "《one two》",
    ] {
        assert_eq!(index.all(typed), [1], "{typed}");
        assert_eq!(index.all(&format!("three {typed}")), [1], "{typed}");
    }
    assert_eq!(index.all("boys’ rock"), [3]);
    assert_eq!(index.all("rock ’n’ roll"), [3]);
    assert_eq!(index.all("צה\"ל"), [4]);
    assert_eq!(index.all("two ‘"), [1, 2]);
}

#[test]
fn punctuation_around_a_word_is_no_part_of_its_spellings() {
    let index = Index::of(&["Moeller kommt", "❝quoted❞ text", "Mo\u{308}ller geht"]);
    for typed in ["Möller", "Möller(", "(Möller,", "Möller\0", "Mo\u{308}l\u{AD}ler"] {
        assert_eq!(index.all(typed), [1, 3], "{typed:?}");
    }
    assert_eq!(index.all("❝quoted text❞"), [2]);
}

#[test]
fn query_without_a_word_is_none() {
    let analyzer = Analyzer::new(&Languages::default());
    for typed in ["", "   ", "\"\"", "* - ( )", "\"", "^ :", "+", "…", "\u{AD}", "“”", "。"] {
        assert_eq!(Query::parse(typed, &analyzer), None, "{typed}");
    }
    for typed in ["🎉", "€", "C", "字", "\u{E000}"] {
        assert!(Query::parse(typed, &analyzer).is_some(), "{typed}");
    }
}

#[test]
fn hits_are_marked_whole_and_the_rest_is_escaped() {
    let index = Index::of(&[
        "a <b> run & runs, b",
        "आज का दिन अच्छा",
        "私は東京に住んでいます",
        "get the getUserName & src/user_name.rs",
        "e\u{301}te\u{301} naïve",
        "ship it 👍🏽 now",
        "주간회의는 취소",
    ]);
    assert_eq!(index.snippet("run", 1), "a &lt;b&gt; <mark>run</mark> &amp; <mark>runs</mark>, b");
    assert_eq!(index.snippet("दिन", 2), "आज का <mark>दिन</mark> अच्छा");
    assert_eq!(index.snippet("住んで", 3), "私は東京に<mark>住んで</mark>います");
    assert_eq!(index.snippet("海 東", 3), "私は<mark>東</mark>京に住んでいます");
    assert_eq!(
        index.snippet("username", 4),
        "get the get<mark>UserName</mark> &amp; src/<mark>user_name</mark>.rs"
    );
    assert_eq!(index.snippet("ete naive", 5), "<mark>e\u{301}te\u{301}</mark> <mark>naïve</mark>");
    assert_eq!(index.snippet("👍", 6), "ship it <mark>👍🏽</mark> now");
    assert_eq!(index.snippet("회의", 7), "주간<mark>회의</mark>는 취소");
    assert_eq!(beginning("a <mark>b</mark>"), "a &lt;mark&gt;b&lt;/mark&gt;");
    assert_eq!(render("a\u{E000}b\0", |_| None).plain, "a\u{E000}b", "only NUL is taken out of messages");
}

#[test]
fn tokens_are_bounded_whatever_the_text() {
    let analyzer = Analyzer::new(&Languages::default());
    for text in [
        "a".repeat(60_000),
        "a-".repeat(30_000),
        "aB1".repeat(20_000),
        "字".repeat(20_000),
        "ก\u{E33}\u{E48}".repeat(6_000),
        "x\u{301}".repeat(20_000),
        "👨\u{200D}".repeat(8_000),
        "/a.b".repeat(15_000),
        "\u{FDFA}".repeat(20_000),
        "가".repeat(20_000),
        "ä ".repeat(20_000),
    ] {
        let tokens = analyzer.tokens(&text);
        let start: String = text.chars().take(5).collect();
        assert!(tokens.words.len() < 3 * text.len() + 100, "{start}: {}", tokens.words.len());
        assert!(tokens.more.len() < 3 * text.len() + 100, "{start}: {}", tokens.more.len());
        let longest = [tokens.words, tokens.more].concat().split(' ').map(str::len).max();
        assert!(longest < Some(200), "{start}: {longest:?}");
    }
}

#[test]
fn languages_are_codes() {
    assert_eq!(Languages::parse("de, en").unwrap().to_string(), "de,en");
    assert_eq!(Languages::parse("EN de en").unwrap().to_string(), "de,en");
    assert_eq!(Languages::parse("none").unwrap().to_string(), "none");
    assert_eq!(Languages::parse(&Languages::default().to_string()), Ok(Languages::default()));
    for wrong in ["", "xx", "en,klingon"] {
        assert!(Languages::parse(wrong).is_err(), "{wrong}");
    }
    let none = Analyzer::new(&Languages::parse("none").unwrap());
    assert_eq!(none.tokens("running dogs").more, "");
}

#[test]
fn vowel_that_begins_a_word_belongs_to_it() {
    for text in ["ᥐ𐨙ຳ", "aຳ", "ก a ำ", "ຳ"] {
        let index = Index::of(&[text]);
        let query = Query::parse(text, &index.analyzer).unwrap();
        assert_eq!(index.find(&query, Rank::Exact, true).unwrap(), [1], "{text}");
    }
}

#[test]
fn prefix_of_nothing_finds_nothing() {
    let index = Index::of(&["The quick brown fox"]);
    for typed in ["0*\"", "zzz*", "𞄀*", "fox 0*"] {
        let Some(query) = Query::parse(typed, &index.analyzer) else { continue };
        for (rank, many) in [(Rank::Exact, true), (Rank::Any, true), (Rank::Exact, false)] {
            assert_eq!(index.find(&query, rank, many).unwrap(), [0; 0], "{typed}");
        }
    }
}

proptest! {
    #[test]
    fn queries_of_any_text_are_valid_fts5(typed in "(\\PC|[\"'*()^:+ \u{0}\u{301}\u{E000}-]|AND |NEAR\\(|words:){0,40}") {
        thread_local!(static INDEX: Index = Index::of(&["The quick brown fox", "東京 C++ r7"]));
        INDEX.with(|index| -> rusqlite::Result<()> {
            let Some(query) = Query::parse(&typed, &index.analyzer) else { return Ok(()) };
            for rank in [Rank::Exact, Rank::Any] {
                let followed = index.find(&query, rank, true)?;
                assert_eq!(index.find(&query, rank, false)?, followed);
            }
            Ok(())
        }).map_err(|error| TestCaseError::fail(format!("{error} for {typed:?}")))?;
    }

    /// What somebody copies out of a message is found, and marked.
    #[test]
    fn any_text_is_found_by_itself(text in "(\\PC|[a-z _#.-]|[ёøßกाが한]){1,30}") {
        let mut index = Index::of(&[]);
        index.add(1, &text);
        if let Some(query) = Query::parse(&text.replace('"', " "), &index.analyzer) {
            let found = index.find(&query, Rank::Any, true).unwrap();
            prop_assert_eq!(found, [1], "{:?}: {:?}", &text, index.analyzer.tokens(&text));
        }
    }

    /// A message's text says the same as the index, whatever is in it and what in the addresses behind it.
    #[test]
    fn text_tells_hits_as_the_index_does(
        text in "[ab Ä字본กา.#_+1'-]{1,12}", addresses in "[ab 字.#_-]{0,6}", typed in "[ab ä字본กา.#_+1\"*-]{1,6}",
    ) {
        let mut index = Index::of(&[]);
        index.add(1, &[&text, "\n", &addresses].concat());
        if let Some(query) = Query::parse(&typed, &index.analyzer) {
            let is = |rank| !index.find(&query, rank, true).unwrap().is_empty();
            let wanted = if is(Rank::Exact) { Some(Rank::Exact) } else { is(Rank::Any).then_some(Rank::Any) };
            let found = query.snippets(&index.analyzer).ranked(&text, &addresses);
            let rank = found.as_ref().map(|(_, rank)| *rank);
            prop_assert_eq!(rank, wanted, "{:?} in {:?} and {:?}", &typed, &text, &addresses);
            if let Some((snippet, _)) = found {
                prop_assert!(snippet.contains("<mark>"));
                prop_assert_eq!(snippet, query.snippets(&index.analyzer).of(&text, &addresses));
            }
        }
    }

    #[test]
    fn snippets_contain_no_tags_but_marks(text in "(\\PC|[<>&\" a]){0,60}", typed in "(\\PC|a){1,3}") {
        let analyzer = Analyzer::new(&Languages::default());
        let query = Query::parse(&typed, &analyzer);
        let html = query.map(|query| query.snippets(&analyzer).of(&text, "")).unwrap_or_default();
        prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
        let has_more = html.replace("<mark>", "").replace("</mark>", "").contains(['<', '>']);
        prop_assert!(!has_more);
    }
}
