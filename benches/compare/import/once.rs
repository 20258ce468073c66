//! A volume of ONCE Campfire.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{second, sentence};

const SCHEMA: &str = include_str!("../../../src/import/once/tests/schema.sql");

const PEOPLE: i64 = super::PEOPLE as i64;
const ROOMS: i64 = super::ROOMS as i64;

/// A volume with so many messages: one in ten each is a reply, has a link, a list, code; one in ten has a boost.
pub(super) fn volume(dir: &Path, messages: usize) -> PathBuf {
    std::fs::create_dir_all(dir.join("storage/db")).expect("a directory");
    let db = Connection::open(dir.join("storage/db/production.sqlite3")).expect("a database");
    db.execute_batch("pragma journal_mode = off; pragma synchronous = off").expect("settings");
    db.execute_batch(SCHEMA).expect("the tables");
    db.execute_batch(&format!(
        "begin;
         insert into schema_migrations values ('20251212154340');
         insert into accounts (name, join_code, created_at, updated_at) values ('Lamp', 'AbCd-1234-xYz9', '2020-01-01', '2020-01-01');
         with recursive n (id) as (select 1 union all select id + 1 from n where id < {PEOPLE})
         insert into users (id, name, email_address, created_at, updated_at)
           select id, 'Person ' || id, 'p' || id || '@lamp.example', '2020-01-01', '2020-01-01' from n;
         with recursive n (id) as (select 1 union all select id + 1 from n where id < {ROOMS})
         insert into rooms (id, name, type, creator_id, created_at, updated_at)
           select id, 'Room ' || id, 'Rooms::Open', 1, '2020-01-01', '2020-01-01' from n;
         insert into memberships (room_id, user_id, created_at, updated_at)
           select rooms.id, users.id, '2020-01-01', '2020-01-01' from rooms, users;"
    ))
    .expect("people and rooms");
    let mut message = db
        .prepare("insert into messages (id, room_id, creator_id, client_message_id, created_at, updated_at) values (?1, ?2, ?3, 'x', ?4, ?4)")
        .expect("SQL");
    let mut text = db
        .prepare("insert into action_text_rich_texts (record_type, record_id, name, body, created_at, updated_at) values ('Message', ?1, 'body', ?2, ?3, ?3)")
        .expect("SQL");
    let mut boost = db
        .prepare("insert into boosts (message_id, booster_id, content, created_at, updated_at) values (?1, ?2, '👍', ?3, ?3)")
        .expect("SQL");
    for n in 1..=messages {
        let (id, room) = (n as i64, n as i64 % ROOMS + 1);
        let at = campfire::types::Timestamp(second(n) * 1_000).to_string().replace('T', " ").replace('Z', "");
        let words = sentence(id);
        let body = match id % 10 {
            0 if id > ROOMS => format!(
                "<blockquote>{words}</blockquote><cite>P <a href=\"https://old.example/rooms/{room}/@{}\">#</a></cite><br>{words}",
                id - ROOMS
            ),
            1 => format!(
                "<div>{words} <a href=\"https://example.org/{id}\">https://example.org/{id}</a></div>"
            ),
            2 => {
                format!("<div><strong>{words}</strong><br>and *this*</div><ul><li>one</li><li>two</li></ul>")
            }
            3 => format!("<p>{words}</p><pre data-language=\"ruby\">a<br>b</pre>"),
            _ => format!("<div>{words}</div>"),
        };
        message.execute((id, room, id % PEOPLE + 1, &at)).expect("a row");
        text.execute((id, body, &at)).expect("a row");
        if id % 10 == 5 {
            boost.execute((id, 1, &at)).expect("a row");
        }
    }
    drop((message, text, boost));
    db.execute_batch("commit").expect("a commit");
    dir.join("storage")
}
