//! Search, and the history of searches.

use std::collections::HashMap;

use crate::support::*;

/// What is found. The few messages of a small room are read instead of the index, which has to say the same: it is asked
/// where there is a time.
async fn find_ids(who: &Client, query: &str) -> Vec<i64> {
    let found = who.get(&format!("/api/search?{query}")).await.expect(200);
    assert_keys(&found, &["results", "has_before"]);
    let indexed = who.get(&format!("/api/search?{query}&from=1970-01-01T00:00:00.000Z")).await.expect(200);
    // Without words, a time alone finds everything.
    let has_words = percent_encoding::percent_decode_str(query.trim_start_matches("q="))
        .decode_utf8_lossy()
        .contains(char::is_alphanumeric);
    assert!(found == indexed || !has_words, "{query}: {found} and {indexed}");
    found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect()
}

/// Percent-encodes everything but letters and digits.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

#[tokio::test]
async fn search_finds_stems_prefixes_and_phrases() {
    let team = Team::start().await;
    let say = async |text: &str| id(&team.ada.say(team.room, text).await);
    let running = say("Running towards the **Campfire** with marshmallows").await;
    let other = say("The fire ran out of wood, towards midnight").await;
    let cafe = say("Café crème at ten, naïve façade").await;
    let search = async |q: &str| find_ids(&team.ada, &format!("q={}", escaped(q))).await;
    assert_eq!(search("campfire").await, [running]);
    assert_eq!(search("CAMPFIRE").await, [running]);
    assert_eq!(search("run").await, [running], "stemmed");
    assert_eq!(search("marsh").await, [running], "a prefix");
    assert_eq!(search("towards").await, [other, running], "newest first");
    assert_eq!(search("towards midnight").await, [other], "all words");
    assert_eq!(search("midnight towards").await, [other], "in any order");
    assert_eq!(search("\"towards the\"").await, [running], "a phrase");
    assert_eq!(search("\"the towards\"").await, [0i64; 0]);
    assert_eq!(search("cafe creme").await, [cafe], "without accents");
    assert_eq!(search("wombat").await, [0i64; 0]);
    let found = team.ada.get("/api/search?q=campfire").await.expect(200);
    let snippet = found["results"][0]["snippet"].as_str().unwrap();
    assert!(snippet.contains("<mark>Campfire</mark>"), "{snippet}");
}

#[tokio::test]
async fn search_snippet_is_safe_to_show() {
    let team = Team::start().await;
    team.ada.say(team.room, "needle <img src=x onerror=alert(1)> & `<b>needle</b>` <mark>no</mark>").await;
    let found = team.ada.get("/api/search?q=needle").await.expect(200);
    let snippet = found["results"][0]["snippet"].as_str().unwrap();
    assert!(snippet.contains("<mark>needle</mark>"), "{snippet}");
    let bare = snippet.replace("<mark>", "").replace("</mark>", "");
    assert!(!bare.contains('<') && !bare.contains('>'), "{snippet}");
    let marks = snippet.matches("<mark>").count();
    assert_eq!(marks, snippet.matches("</mark>").count());
    assert!(!snippet.contains("<mark>no"), "{snippet}");
}

#[tokio::test]
async fn search_ignores_query_syntax() {
    let team = Team::start().await;
    team.ada.say(team.room, "or near and not content room c++ a-b o'clock 100% x:y").await;
    for query in [
        "\" OR * NEAR( ) ^ : - \"",
        "\"",
        "\"\"",
        "\"\"\"",
        "*",
        "a*",
        "^a",
        "-a",
        "NOT",
        "AND",
        "OR",
        "NEAR",
        "NEAR(a b, 2)",
        "a AND",
        "(",
        ")",
        "content:or",
        "room:r1",
        "{content} : x",
        "c++",
        "a-b",
        "o'clock",
        "100%",
        "x:y",
        "\\",
        "';--",
        "\u{0}",
        "a\u{0}b",
        "🔥",
        "中文",
        "\u{301}",
        "+",
        ".",
        ",",
        "!!!",
        "a + b",
        "column:\"x\" *",
        "\"unclosed phrase",
        "\" \" \"",
        "\u{feff}",
    ] {
        let reply = team.ada.get(&format!("/api/search?q={}", escaped(query))).await;
        assert_eq!(reply.status, 200, "{query:?}: {}", reply.text());
    }
    assert_eq!(find_ids(&team.ada, "q=near").await.len(), 1, "a word is a word");
    assert_eq!(find_ids(&team.ada, "q=NOT+OR").await.len(), 1);
    let long = "word ".repeat(1000);
    let reply = team.ada.get(&format!("/api/search?q={}", escaped(&long[..4000]))).await;
    assert!(matches!(reply.status, 200 | 422), "{}", reply.text());
    assert_eq!(find_ids(&team.ada, "q=%20%20").await, [0i64; 0]);
}

#[tokio::test]
async fn search_covers_only_rooms_of_the_user() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Closed", &[&grace]).await;
    let secret = id(&grace.say(room, "the treasure is under the oak").await);
    let public = id(&grace.say(team.room, "what treasure?").await);
    assert_eq!(find_ids(&grace, "q=treasure").await, [public, secret]);
    assert_eq!(find_ids(&team.ada, "q=treasure").await, [public]);
    assert_eq!(find_ids(&grace, &format!("q=treasure&room_id={room}")).await, [secret]);
    assert_eq!(find_ids(&grace, &format!("q=treasure&room_id={}", team.room)).await, [public]);
    let foreign = team.ada.get(&format!("/api/search?q=treasure&room_id={room}")).await;
    assert!(foreign.status == 404 || foreign.expect(200)["results"] == json!([]), "{}", foreign.text());
    // Nor by terms of the index's own syntax.
    for sneaky in [format!("r{room} treasure"), format!("room:r{room}"), format!("\" OR room:r{room} OR \"")]
    {
        assert!(!find_ids(&team.ada, &format!("q={}", escaped(&sneaky))).await.contains(&secret), "{sneaky}");
    }
    team.nobody().get("/api/search?q=treasure").await.problem(401, "not_signed_in");
    grace
        .put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [grace.id, team.ada.id]}))
        .await
        .expect(200);
    assert_eq!(find_ids(&team.ada, "q=treasure").await, [public, secret]);
}

#[tokio::test]
async fn search_narrows_by_author_and_pages_backwards() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut all = Vec::new();
    for n in 0..12 {
        let who = if n % 3 == 0 { &grace } else { &team.ada };
        all.push((who.id, id(&who.say(team.room, &format!("apple number {n}")).await)));
    }
    let of_grace: Vec<i64> = all.iter().rev().filter(|it| it.0 == grace.id).map(|it| it.1).collect();
    assert_eq!(find_ids(&team.ada, &format!("q=apple&creator_id={}", grace.id)).await, of_grace);
    let newest: Vec<i64> = all.iter().rev().map(|it| it.1).collect();
    let first = team.ada.get("/api/search?q=apple&limit=5").await.expect(200);
    assert_eq!(first["has_before"], true);
    assert_eq!(find_ids(&team.ada, "q=apple&limit=5").await, newest[..5]);
    let mut walked: Vec<i64> = newest[..5].to_vec();
    loop {
        let path = format!("/api/search?q=apple&limit=5&before={}", walked.last().unwrap());
        let page = team.ada.get(&path).await.expect(200);
        walked.extend(page["results"].as_array().unwrap().iter().map(|it| id(&it["message"])));
        if page["has_before"] == false {
            break;
        }
    }
    assert_eq!(walked, newest);
    for bad in ["limit=0", "limit=201", "limit=x", "before=x", "room_id=x", "creator_id=x"] {
        team.ada.get(&format!("/api/search?q=apple&{bad}")).await.refused(400);
    }
    let none = team.ada.get("/api/search").await;
    assert!(matches!(none.status, 200 | 400 | 422), "{}", none.text());
}

#[tokio::test]
async fn search_index_follows_edits_and_deletes() {
    let team = Team::start().await;
    let said = id(&team.ada.say(team.room, "We meet at the lighthouse").await);
    assert_eq!(find_ids(&team.ada, "q=lighthouse").await, [said]);
    let path = format!("/api/messages/{said}");
    team.ada.patch(&path, json!({"content": "We meet at the windmill"})).await.expect(200);
    assert_eq!(find_ids(&team.ada, "q=lighthouse").await, [0i64; 0]);
    assert_eq!(find_ids(&team.ada, "q=windmill").await, [said]);
    team.ada.delete(&path).await.expect(204);
    assert_eq!(find_ids(&team.ada, "q=windmill").await, [0i64; 0]);
    assert_eq!(find_ids(&team.ada, "q=meet").await, [0i64; 0]);
}

#[tokio::test]
async fn search_matches_visible_text_not_markup() {
    let team = Team::start().await;
    let said = id(&team
        .ada
        .say(team.room, "A [map](https://example.com/hidden) with ```rust\nlet ferris = 1;\n```")
        .await);
    assert_eq!(find_ids(&team.ada, "q=map").await, [said]);
    assert_eq!(find_ids(&team.ada, "q=ferris").await, [said]);
    assert_eq!(find_ids(&team.ada, "q=strong").await, [0i64; 0]);
}

#[tokio::test]
async fn search_history_keeps_the_last_ten_until_it_is_cleared() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    for n in 0..12 {
        team.ada.get(&format!("/api/search?q=topic{n}")).await.expect(200);
    }
    team.ada.get("/api/search?q=topic5").await.expect(200);
    let queries = async |who: &Client| -> Vec<String> {
        let list = who.get("/api/searches").await.expect(200)["searches"].clone();
        for search in list.as_array().unwrap() {
            assert_keys(search, &["id", "query", "created_at"]);
            assert_time(&search["created_at"]);
        }
        list.as_array().unwrap().iter().map(|it| it["query"].as_str().unwrap().to_owned()).collect()
    };
    // Searches are stored in the background: wait for the last one.
    let wanted = [
        "topic5", "topic11", "topic10", "topic9", "topic8", "topic7", "topic6", "topic4", "topic3", "topic2",
    ];
    within("the searches to be remembered", async {
        while queries(&team.ada).await != wanted {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(queries(&grace).await, [""; 0], "they are mine alone");
    team.ada.delete("/api/searches").await.expect(204);
    assert_eq!(queries(&team.ada).await, [""; 0]);
}

#[tokio::test]
async fn search_filters_narrow_the_results() {
    let team = Team::start().await;
    let grace = team.join("Grace Hopper").await;
    let kitchen = team.closed_room("The Kitchen", &[&team.ada, &grace]).await;
    let in_talk = id(&team.ada.say(team.room, "a plan").await);
    let in_kitchen = id(&grace.say(kitchen, "another plan <https://a.example/>").await);
    let file = id(&grace
        .upload(kitchen, &[("content", "the plan itself")], "plan.pdf", b"%PDF-1.7")
        .await
        .expect(201));
    let played = id(&team.ada.say(team.room, "/play tada").await);
    let find = async |q: &str| {
        let found = team
            .ada
            .get(&format!("/api/search?q={}", q.replace(' ', "%20").replace('"', "%22")))
            .await
            .expect(200);
        found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect::<Vec<_>>()
    };
    assert_eq!(find("plan").await, [file, in_kitchen, in_talk]);
    assert_eq!(find("plan in:kitchen").await, [file, in_kitchen]);
    assert_eq!(find("plan in:\"the kitchen\"").await, [file, in_kitchen]);
    assert_eq!(find("plan from:ada").await, [in_talk]);
    assert_eq!(find("from:hopper has:link").await, [in_kitchen]);
    assert_eq!(find("has:file").await, [file]);
    assert_eq!(find("has:sound").await, [played]);
    assert_eq!(find("in:talk").await, [played, in_talk], "a filter alone is a search");
    assert_eq!(find("plan from:nobody").await, [0; 0]);
    assert_eq!(find("plan in:nowhere").await, [0; 0]);
    let today = &team.ada.get(&format!("/api/messages/{in_talk}")).await.expect(200)["created_at"]
        .as_str()
        .unwrap()[..10]
        .to_owned();
    assert_eq!(find(&format!("plan on:{today}")).await.len(), 3);
    assert_eq!(find(&format!("plan before:{today}")).await, [0; 0]);
    assert_eq!(find(&format!("plan after:{today}")).await, [0; 0]);
    assert_eq!(find("plan after:2020-01-01 before:2999-01-01").await.len(), 3);
    team.ada.delete(&format!("/api/messages/{file}")).await.expect(204);
    assert_eq!(find("has:file").await, [0; 0], "the index follows deletions");
    let eve = team.join("Eve").await;
    let hers = eve.get("/api/search?q=in:kitchen").await.expect(200);
    assert_eq!(hers["results"], json!([]), "another's room is not searched");
}

#[tokio::test]
async fn search_pages_are_complete_however_the_rooms_are_mixed() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let theirs = team.closed_room("Theirs", &[&team.ada]).await;
    let hers = team.closed_room("Hers", &[&team.ada, &grace]).await;
    let mut said = Vec::new();
    // Long runs of one room, then of the other, then both in turns.
    for number in 0..460 {
        let room = match number {
            0..150 => hers,
            150..300 => theirs,
            300..360 => hers,
            360..400 => theirs,
            _ if number % 5 == 0 => hers,
            _ => theirs,
        };
        let message = id(&team.ada.say(room, &format!("tea number {number}")).await);
        if room == hers {
            said.insert(0, message);
        }
    }
    for more_rooms in [0, 5] {
        for number in 0..more_rooms {
            team.closed_room(&format!("More {number}"), &[&grace]).await;
        }
        for limit in [1, 8, 20, 50, 100, 200] {
            for query in ["q=tea", "q=tea%20from:ada", &format!("q=tea&room_id={hers}"), "q=te"] {
                let found = find_ids(&grace, &format!("{query}&limit={limit}")).await;
                assert_eq!(found, said[..limit], "{query}, {limit}, {more_rooms} more rooms");
                let older = find_ids(&grace, &format!("{query}&limit={limit}&before={}", said[9])).await;
                assert_eq!(older, said[10..(10 + limit).min(said.len())], "{query}, {limit}, older");
            }
        }
    }
}

/// 29.
#[tokio::test]
async fn search_by_date_goes_by_time_also_where_the_clock_was_wrong() {
    let mut team = Team::start().await;
    let mut posted = Vec::new();
    for n in 0..4 {
        posted.push(id(&team.ada.say(team.room, &format!("plan {n}")).await));
    }
    let [first, past, future, last] = posted[..] else { unreachable!("four were posted") };
    team.server.terminate();
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    for (message, at) in [(past, "2020-05-05T12:00:00Z"), (future, "2080-05-05T12:00:00Z")] {
        let sql = "update messages set created_at = unixepoch(?) * 1000 where id = ?";
        db.execute(sql, (at, message)).unwrap();
    }
    drop(db);
    team.server.restart();
    let find = async |dates: &str| {
        let found = team.ada.get(&format!("/api/search?q=plan%20{dates}")).await.expect(200);
        found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect::<Vec<_>>()
    };
    assert_eq!(find("on:2020-05-05").await, [past]);
    assert_eq!(find("on:2080-05-05").await, [future]);
    assert_eq!(find("before:2021-01-01").await, [past]);
    assert_eq!(find("after:2079-01-01").await, [future]);
    assert_eq!(find("after:2021-01-01").await, [last, future, first]);
    assert_eq!(find("before:2079-01-01").await, [last, past, first]);
    assert_eq!(find("after:2021-01-01%20before:2079-01-01").await, [last, first]);
    assert_eq!(find("on:2022-01-01").await, [0; 0]);
}

/// B19: the time that snippets take is no square of the length of a text.
#[tokio::test]
async fn search_in_long_texts_of_one_word_is_quick() {
    let team = Team::start().await;
    for _ in 0..30 {
        team.ada.say(team.room, &format!("at first {}", "spam ".repeat(12_000))).await;
    }
    let found = team.ada.get("/api/search?q=spam&limit=200").await.expect(200);
    let hit = &found["results"][0];
    assert!(found["results"].as_array().unwrap().len() > 10);
    let snippet = hit["snippet_html"].as_str().or(hit["snippet"].as_str()).expect("a snippet");
    assert!(snippet.starts_with("at first <mark>spam</mark> <mark>spam</mark>"), "{snippet}");
    assert!(snippet.ends_with('…') && snippet.matches("<mark>").count() == 22, "{snippet}");
}

/// 28: a day of the page begins and ends by the clock of whoever asks.
#[tokio::test]
async fn search_by_moments_goes_by_them_instead_of_the_days_in_utc() {
    let mut team = Team::start().await;
    let mut posted = Vec::new();
    for n in 0..3 {
        posted.push(id(&team.ada.say(team.room, &format!("plan {n}")).await));
    }
    let [evening, night, noon] = posted[..] else { unreachable!("three were posted") };
    team.server.terminate();
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let times = ["2026-11-23T22:59:59Z", "2026-11-23T23:00:00Z", "2026-11-24T12:00:00Z"];
    for (message, at) in posted.iter().zip(times) {
        let sql = "update messages set created_at = unixepoch(?) * 1000 where id = ?";
        db.execute(sql, (at, message)).unwrap();
    }
    drop(db);
    team.server.restart();
    let find = async |query: &str| {
        let found = team.ada.get(&format!("/api/search?q=plan%20{query}")).await.expect(200);
        found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect::<Vec<_>>()
    };
    assert_eq!(find("on:2026-11-24").await, [noon]);
    assert_eq!(
        find("on:2026-11-24&from=2026-11-23T23:00:00.000Z&until=2026-11-24T23:00:00.000Z").await,
        [noon, night]
    );
    assert_eq!(find("before:2026-11-24&until=2026-11-23T23:00:00.000Z").await, [evening]);
    for wrong in ["from=2026-11-24", "until=yesterday"] {
        team.ada.get(&format!("/api/search?q=plan&{wrong}")).await.problem(400, "malformed");
    }
}

/// Questions that are asked of messages in many languages, and those that have no right answer: the letters of a Thai word
/// are a part of another one.
const QUESTIONS: &str = include_str!("search/questions.txt");
const UNANSWERED: [&str; 1] = ["ดี"];

#[tokio::test]
async fn search_finds_what_people_look_for_in_their_languages() {
    let team = Team::start().await;
    let (mut room, mut messages) = (0, HashMap::new());
    let (mut count, mut wrong) = (0, Vec::new());
    for line in QUESTIONS.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        if let Some(language) = line.strip_prefix('[') {
            room = team.closed_room(language.trim_end_matches(']'), &[&team.ada]).await;
            messages.clear();
        } else if let Some(question) = line.strip_prefix("? ") {
            count += 1;
            let (asked, numbers) = question.split_once(" =").expect("a question has an answer");
            let (wanted, unwanted) = numbers.split_once('!').unwrap_or((numbers, ""));
            let found = find_ids(&team.ada, &format!("q={}&room_id={room}", escaped(asked))).await;
            let has = |number: &str| found.contains(&messages[number]);
            let misses = wanted.split_whitespace().any(|number| !has(number));
            if misses || unwanted.split_whitespace().any(has) {
                wrong.push(asked);
            }
        } else {
            let (number, words) = line.split_once(": ").expect("a message has a number");
            messages.insert(number, id(&team.ada.say(room, words).await));
        }
    }
    assert!(count >= 216, "{count} questions");
    assert_eq!(wrong, UNANSWERED, "of {count} questions");
}

#[tokio::test]
async fn search_shows_exact_hits_first_and_leaves_nothing_out_on_any_page() {
    let team = Team::start().await;
    let (mut exact, mut similar) = (Vec::new(), Vec::new());
    for n in 0..24 {
        match n % 3 {
            0 => exact.insert(0, id(&team.ada.say(team.room, &format!("eine Liste {n}")).await)),
            1 => similar.insert(0, id(&team.ada.say(team.room, &format!("zwei Listen {n}")).await)),
            _ => drop(team.ada.say(team.room, &format!("nichts {n}")).await),
        }
    }
    let all = [exact.clone(), similar.clone()].concat();
    assert_eq!(find_ids(&team.ada, "q=liste&limit=200").await, all);
    for limit in [1, 2, 3, 7, 8, 9, 16] {
        let mut walked: Vec<i64> = Vec::new();
        loop {
            let before = walked.last().map_or(String::new(), |last| format!("&before={last}"));
            let page = team.ada.get(&format!("/api/search?q=liste&limit={limit}{before}")).await.expect(200);
            walked.extend(page["results"].as_array().unwrap().iter().map(|it| id(&it["message"])));
            if page["has_before"] == false {
                break;
            }
            assert!(walked.len() < 40, "it goes round in a circle: {walked:?}");
        }
        assert_eq!(walked, all, "limit {limit}");
    }
    // Before a message that does not exist yet is everything.
    assert_eq!(find_ids(&team.ada, "q=liste&limit=200&before=999999999").await, all);
    // From a message that is no hit, all that is older.
    let no_hit = exact[2] - 1;
    let older = find_ids(&team.ada, &format!("q=liste&before={no_hit}")).await;
    let is_older = |it: &&i64| **it < no_hit;
    assert_eq!(older, all.iter().filter(is_older).copied().collect::<Vec<_>>());
    // A hit that was deleted between two pages hides none: what was shown before it may come again.
    for deleted in [exact[3], similar[3]] {
        team.ada.delete(&format!("/api/messages/{deleted}")).await.expect(204);
        let rest = find_ids(&team.ada, &format!("q=liste&before={deleted}")).await;
        let unseen = all[all.iter().position(|it| *it == deleted).unwrap() + 1..].iter();
        for hit in unseen {
            assert!(rest.contains(hit), "{hit} after {deleted}: {rest:?}");
        }
    }
}

#[tokio::test]
async fn search_finds_addresses_of_links_and_names_of_files() {
    let team = Team::start().await;
    let linked =
        id(&team.ada.say(team.room, "see [the manual](https://docs.example.org/setup/disk-quota)").await);
    let file = team.ada.upload(team.room, &[], "IMG_2026-Quarterly_Report.final.pdf", b"%PDF-1.7").await;
    let file = id(&file.expect(201));
    let find = async |q: &str| find_ids(&team.ada, &format!("q={}", escaped(q))).await;
    for q in
        ["docs.example.org", "quota", "disk-quota", "manual", "https://docs.example.org/setup/disk-quota"]
    {
        assert_eq!(find(q).await, [linked], "{q}");
    }
    for q in ["quarterly", "Quarterly_Report", "report.final.pdf", "pdf", "img 2026", "report"] {
        assert_eq!(find(q).await, [file], "{q}");
    }
    let found = team.ada.get("/api/search?q=quota").await.expect(200);
    assert_eq!(found["results"][0]["snippet"], "https://docs.example.org/setup/disk-<mark>quota</mark>");
    let path = format!("/api/messages/{linked}");
    team.ada.patch(&path, json!({"content": "see [it](https://other.example.org/)"})).await.expect(200);
    assert_eq!(find("quota").await, [0i64; 0], "the index follows edits");
    assert_eq!(find("other.example.org").await, [linked]);
    team.ada.delete(&path).await.expect(204);
    assert_eq!(find("example").await, [0i64; 0], "and deletions");
}

/// As after an upgrade: the index is made anew while the server serves.
#[tokio::test]
async fn search_index_is_made_in_the_background_from_the_newest_message_on() {
    let mut team = Team::start().await;
    let mut posted = Vec::new();
    // More than are read instead of the index.
    for n in 0..140 {
        posted.push(id(&team.ada.say(team.room, &format!("a walrus, number {n}")).await));
    }
    let linked = id(&team.ada.say(team.room, "[here](https://walrus.example.org/)").await);
    team.server.terminate();
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    // What an earlier version left; and nothing can be indexed for a while.
    db.execute_batch(
        "insert into messages_fts (messages_fts) values ('delete-all');
         update search_index set analysis = '0 en';
         update messages set addresses = '';
         create trigger hold before update on search_index begin select raise(abort, 'not now'); end",
    )
    .unwrap();
    team.server.restart();
    let search = async || team.ada.get("/api/search?q=walrus&limit=200").await.expect(200);
    let found = search().await;
    assert_eq!((&found["results"], &found["is_indexing"]), (&json!([]), &json!(true)));
    // What is posted meanwhile is found at once, and what is edited or deleted is not found later.
    let new = id(&team.ada.say(team.room, "another walrus").await);
    let ids = |found: &Value| -> Vec<i64> {
        found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect()
    };
    assert_eq!(ids(&search().await), [new]);
    team.ada.delete(&format!("/api/messages/{}", posted[7])).await.expect(204);
    team.ada.patch(&format!("/api/messages/{}", posted[8]), json!({"content": "a seal"})).await.expect(200);
    team.ada.patch(&format!("/api/messages/{new}"), json!({"content": "a walrus again"})).await.expect(200);
    db.execute_batch("drop trigger hold").unwrap();
    let complete = within("the index to be complete", async {
        loop {
            let found = search().await;
            if found["is_indexing"].is_null() {
                break found;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_keys(&complete, &["results", "has_before"]);
    let wanted = posted.iter().rev().filter(|it| **it != posted[7] && **it != posted[8]);
    let wanted: Vec<i64> = [new, linked].iter().chain(wanted).copied().collect();
    assert_eq!(ids(&complete), wanted);
    team.server.terminate();
    let check = crate::support::server::campfire()
        .args(["check", "--data"])
        .arg(team.server.data())
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

#[tokio::test]
async fn search_languages_can_be_chosen() {
    let mut team = Team::with(&[("CAMPFIRE_SEARCH_LANGUAGES", "en")]).await;
    let (studies, houses) = (
        id(&team.ada.say(team.room, "she studies here").await),
        id(&team.ada.say(team.room, "die Häuser stehen").await),
    );
    let find = async |q: &str| find_ids(&team.ada, &format!("q={}", escaped(q))).await;
    assert_eq!(find("study here").await, [studies]);
    assert_eq!(find("haus stehen").await, [0i64; 0]);
    team.server.terminate();
    team.server.set("CAMPFIRE_SEARCH_LANGUAGES", "de");
    team.server.restart();
    let find = async |q: &str| {
        within("the index to be complete", async {
            loop {
                let found = team.ada.get(&format!("/api/search?q={}", escaped(q))).await.expect(200);
                if found["is_indexing"].is_null() {
                    break found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect();
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    };
    let found: Vec<i64> = find("haus stehen").await;
    assert_eq!(found, [houses]);
    let found: Vec<i64> = find("study here").await;
    assert_eq!(found, [0i64; 0]);
}
