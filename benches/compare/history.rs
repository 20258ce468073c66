//! A long history, written directly into the database of a stopped server.

use std::path::Path;

use rusqlite::Connection;

use campfire::text::{Analyzer, Languages};

use crate::sentence;

/// The author of one message in 1,000; the others are by person 1.
pub(crate) const RARE_PERSON: i64 = 2;
/// The room with few of the messages.
pub(crate) const SMALL_ROOM: i64 = 2;

pub(crate) fn database(dir: &Path) -> Connection {
    let db = Connection::open(dir.join("campfire.db")).expect("the database");
    db.execute_batch("pragma synchronous = off; pragma cache_size = -400000").expect("settings");
    db
}

/// Adds messages until there are so many. One in 10,000 is in room 2, the others in room 1; one in 50,000 contains
/// "needle"; one in 1,000 is by person 2. With `spread`, they go to that many rooms in turns.
pub(crate) fn fill(dir: &Path, messages: usize, spread: Option<i64>) {
    let db = database(dir);
    let figure = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0)).expect("a number");
    let (there, newest) = (
        figure("select count(*) from messages"),
        figure(
            "select max(ifnull((select max(id) from messages), 0), ifnull((select max(seq) from events), 0))",
        ),
    );
    // The server merges segments of the index step by step; here FTS5 does it automatically.
    let automerge = |segments| {
        let set = "insert into messages_fts (messages_fts, rank) values ('automerge', ?)";
        db.execute(set, (segments,)).expect("a setting");
    };
    db.execute_batch("begin").expect("a transaction");
    automerge(4);
    let mut insert = db
        .prepare("insert into messages (id, room_id, creator_id, json, plain) values (?, ?, ?, ?, ?)")
        .expect("SQL");
    let mut index = db
        .prepare("insert into messages_fts (rowid, words, more, room, creator) values (?, ?, ?, 'r' || ?, 'u' || ?)")
        .expect("SQL");
    let analyzer = Analyzer::new(&Languages::default());
    for number in there..messages as i64 {
        let id = newest + 1 + number - there;
        let room = match spread {
            Some(rooms) => number % rooms + 1,
            None if number % 10_000 == 500 => SMALL_ROOM,
            None => 1,
        };
        let creator = if number % 1_000 == 1 { RARE_PERSON } else { 1 };
        let mut plain = sentence(number);
        if number % 50_000 == 1 {
            plain.push_str(" needle");
        }
        let json = format!(
            r#"{{"id":{id},"created_at":"2026-11-24T08:00:00.000Z","room_id":{room},"creator_id":{creator},"client_message_id":null,"kind":"text","content":"{plain}","html":"<p>{plain}</p>","edited_at":null,"reply_to_id":null,"mentions":[],"boosts":[],"attachment":null,"embeds":[]}}"#
        );
        insert.execute((id, room, creator, json.as_bytes(), &plain)).expect("a row");
        let tokens = analyzer.tokens(&plain);
        index.execute((id, tokens.words, tokens.more, room, creator)).expect("an entry");
    }
    drop((insert, index));
    automerge(0);
    db.execute_batch("commit").expect("a commit");
}

/// Adds people up to this number, all in room 1.
pub(crate) fn people(dir: &Path, count: i64) {
    let db = database(dir);
    db.execute_batch(&format!(
        "begin;
         with recursive n(i) as (select 2 union all select i + 1 from n where i < {count})
         insert or ignore into users (id, name, email, role, created_at)
           select i, 'Person ' || i, 'p' || i || '@example.org', 'member', 1764000000000 from n;
         insert or ignore into memberships (room_id, user_id, involvement) select 1, id, 'mentions' from users;
         commit"
    ))
    .expect("people");
}

/// Adds rooms up to this number; person 1 is in the first `mine` of them.
pub(crate) fn rooms(dir: &Path, count: i64, mine: i64) {
    let db = database(dir);
    db.execute_batch(&format!(
        "begin;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
         insert or ignore into rooms (id, name, kind, creator_id, created_at, updated_at)
           select i, 'Room ' || i, 'closed', 1, 1764000000000, 1764000000000 from n;
         insert or ignore into memberships (room_id, user_id, involvement)
           select id, 1, 'mentions' from rooms where id <= {mine};
         commit"
    ))
    .expect("rooms");
}
