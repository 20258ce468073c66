//! Moving a history of ONCE Campfire in.

use std::{path::Path, process::Stdio, time::Instant};

use rusqlite::Connection;

use crate::{
    Options, Report, sentence,
    table::{Row, grouped},
};

const SCHEMA: &str = include_str!("../../src/import/once/tests/schema.sql");

const PEOPLE: i64 = 300;
const ROOMS: i64 = 60;

/// A volume with so many messages: one in ten each is a reply, has a link, a list, code; one in ten has a boost.
fn volume(dir: &Path, messages: usize) {
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
    for id in 1..=messages as i64 {
        let room = id % ROOMS + 1;
        let seconds = 1_577_836_800 + id * 30;
        let at = campfire::types::Timestamp(seconds * 1_000).to_string().replace('T', " ").replace('Z', "");
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
}

pub(crate) fn import(options: &Options, report: &mut Report) {
    let messages = options.messages.min(200_000);
    let dir = tempfile::tempdir().expect("a directory");
    volume(dir.path(), messages);
    let began = Instant::now();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_campfire"))
        .args(["import", "once"])
        .arg(dir.path().join("storage"))
        .arg("--data")
        .arg(dir.path().join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let (mut most, mut indexing) = (0.0_f64, None);
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        most = most.max(peak.unwrap_or_default() / 1_024.0);
        // The index is begun once all messages are there.
        if indexing.is_none() && is_written(&dir.path().join("data/campfire.db"), messages) {
            indexing = Some(began.elapsed());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert!(status.success(), "the import fails");
    let all = began.elapsed();
    let written = indexing.unwrap_or(all);
    let rate = messages as f64 / written.as_secs_f64();
    report.rows.push(
        Row::new(
            format!("import of {} messages of ONCE Campfire", grouped(messages as f64)),
            format!(
                "{}/s, then the index in {:.1} s; {most:.0} MB",
                grouped(rate),
                (all - written).as_secs_f64()
            ),
        )
        .target("≥ 20,000/s, ≤ 100 MB", rate >= 20_000.0 && most <= 100.0),
    );
}

fn is_written(database: &Path, messages: usize) -> bool {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(database, flags)
        .and_then(|db| {
            db.query_row("select ifnull(max(id), 0) from messages", (), |row| row.get::<_, i64>(0))
        })
        .is_ok_and(|newest| newest >= messages as i64)
}
