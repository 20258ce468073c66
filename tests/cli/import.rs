//! `campfire import`: from the command to a server on which old passwords, addresses and bots work.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::start::text;
use crate::support::http::Credentials;
use crate::support::server::campfire;
use crate::support::*;

const SCHEMA: &str = include_str!("../../src/import/once/tests/schema.sql");

/// `sesame sesame`, by bcrypt with a low cost.
fn digest() -> String {
    bcrypt::hash("sesame sesame", 4).unwrap()
}

/// A volume of ONCE Campfire: two people, a bot, a room and so many messages.
fn volume(dir: &Path, messages: i64) {
    std::fs::create_dir_all(dir.join("storage/db")).unwrap();
    let db = Connection::open(dir.join("storage/db/production.sqlite3")).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    db.execute_batch(&format!(
        "begin;
         insert into schema_migrations values ('20251212154340');
         insert into accounts (name, join_code, created_at, updated_at) values ('Lamp', 'AbCd-1234-xYz9', '2026-01-01', '2026-01-01');
         insert into users (id, name, email_address, password_digest, role, bot_token, created_at, updated_at) values
           (1, 'Mira', 'mira@lamp.example', '{}', 1, null, '2026-01-01', '2026-01-01'),
           (2, 'Jonas', 'jonas@lamp.example', '{}', 0, null, '2026-01-01', '2026-01-01'),
           (3, 'Deploys', null, '', 2, 'a1B2c3D4e5F6', '2026-01-01', '2026-01-01');
         insert into rooms (id, name, type, creator_id, created_at, updated_at) values (4, 'All', 'Rooms::Open', 1, '2026-01-01', '2026-01-01');
         insert into memberships (room_id, user_id, created_at, updated_at) values
           (4, 1, '2026-01-01', '2026-01-01'), (4, 2, '2026-01-01', '2026-01-01'), (4, 3, '2026-01-01', '2026-01-01');
         with recursive n (id) as (select 1 union all select id + 1 from n where id < {messages})
         insert into messages (id, room_id, creator_id, client_message_id, created_at, updated_at)
           select id, 4, 1 + id % 2, 'x', datetime(1767225600 + id, 'unixepoch'), '2026-01-01' from n;
         insert into action_text_rich_texts (record_type, record_id, name, body, created_at, updated_at)
           select 'Message', id, 'body', '<div>number ' || id || ' of <strong>many</strong></div>', created_at, created_at from messages;
         commit",
        digest(),
        digest(),
    ))
    .unwrap();
}

fn import(dir: &Path, more: &[&str]) -> Output {
    command(dir, more).output().unwrap()
}

fn command(dir: &Path, more: &[&str]) -> Command {
    let mut command = campfire();
    command.args(["import", "once"]).arg(dir.join("storage")).arg("--data").arg(dir.join("data")).args(more);
    command
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stderr), text(&output.stdout));
    text(&output.stdout)
}

#[tokio::test]
async fn team_that_moved_in_signs_in_and_finds_everything_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    volume(dir.path(), 30);
    let page = dir.path().join("report.html");
    let said = succeeds(&import(dir.path(), &["--report", page.to_str().unwrap()]));
    assert!(
        said.contains("messages") && said.contains("30") && !said.contains("Nobody can sign in"),
        "{said}"
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("Every record of the export is accounted for.") && page.contains("<td>30</td>"),
        "{page}"
    );
    assert!(!page.contains("{{") && !page.contains("<script"), "{page}");
    let server = Server::on(&dir.path().join("data"), &[]);
    let nobody = Client::new(server.address(), Credentials::None);
    let signed_in = nobody
        .post("/api/session", json!({"email": "jonas@lamp.example", "password": "sesame sesame"}))
        .await;
    let jonas = nobody.with(Credentials::Cookie(signed_in.cookie()));
    let messages = jonas.get("/api/rooms/4/messages?limit=100").await.expect(200);
    let ids = messages["messages"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    assert_eq!(ids, (1..=30).collect::<Vec<i64>>());
    assert_eq!(messages["messages"][6]["content"], "number 7 of **many**");
    let found = jonas.get("/api/search?q=%22number+7%22").await.expect(200);
    assert_eq!(id(&found["results"][0]["message"]), 7);
    assert_eq!(jonas.get("/messages/7").await.header("location"), Some("/rooms/4/@7"));
    // A bot of theirs goes on with its key, and the next message is behind the last one.
    let posted = nobody
        .request("POST", "/rooms/4/3-a1B2c3D4e5F6/messages")
        .body("text/plain", "<strong>deployed</strong>")
        .send()
        .await
        .expect(201);
    assert_eq!(id(&posted), 31);
    // Moving in once more would mix what was written on both.
    drop(server);
    let again = import(dir.path(), &[]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("since the first import"), "{}", text(&again.stderr));
}

#[test]
fn import_that_is_killed_goes_on_and_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    const MESSAGES: i64 = 30_000;
    volume(dir.path(), MESSAGES);
    let mut child = command(dir.path(), &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let database = dir.path().join("data/campfire.db");
    let count = || -> i64 {
        let counted = Connection::open(&database)
            .and_then(|db| db.query_row("select count(*) from messages", (), |row| row.get(0)));
        counted.unwrap_or(0)
    };
    // Killed between two of its commits, whenever that is.
    let began = Instant::now();
    while count() == 0 && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(120), "it writes nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let written = count();
    assert!((1..MESSAGES).contains(&written), "{written} were written");
    let said = succeeds(&import(dir.path(), &[]));
    assert!(said.contains("messages") && count() == MESSAGES, "{said}");
    let db = Connection::open(&database).unwrap();
    let ids: (i64, i64, i64) = db
        .query_row("select min(id), max(id), count(distinct id) from messages", (), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(ids, (1, MESSAGES, MESSAGES));
    drop(db);
    let check = campfire().args(["check", "--data"]).arg(dir.path().join("data")).output().unwrap();
    succeeds(&check);
    let again = succeeds(&import(dir.path(), &[]));
    let row = again.lines().find(|line| line.starts_with("messages")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["messages", "30,000", "0", "30,000", "0"]);
}

#[test]
fn check_reports_and_makes_no_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    volume(dir.path(), 3);
    let said = succeeds(&import(dir.path(), &["--check"]));
    assert!(said.starts_with("What an import from ONCE Campfire would do"), "{said}");
    assert!(!dir.path().join("data").exists());
}

#[test]
fn import_usage_errors_are_2_with_one_sentence() {
    for (args, word) in [
        (vec!["import"], "the chat is missing"),
        (vec!["import", "once"], "the export is missing"),
        (vec!["import", "icq", "x"], "\"icq\""),
        (vec!["import", "once", "x", "y"], "\"y\""),
        (vec!["import", "once", "x", "--listen", "127.0.0.1:1"], "--listen"),
        (vec!["import", "once", "x", "--fast"], "--fast"),
    ] {
        let output = campfire().args(&args).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(word) && said.trim().lines().count() == 1, "{args:?}: {said}");
    }
    let missing = campfire().args(["import", "once", "/no/such/export", "--check"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("/no/such/export"), "{}", text(&missing.stderr));
}
