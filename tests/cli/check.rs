//! `campfire check`: it finds damage and says what to do.

use std::path::{Path, PathBuf};

use super::start::{run, text};
use crate::support::*;

/// The exit status, the report, and standard error.
fn checked(data: &Path) -> (i32, Value, String) {
    let output = run(&["check", "--json", "--data", data.to_str().unwrap()], &[], "");
    let status = output.status.code().expect("a status");
    (status, serde_json::from_slice(&output.stdout).unwrap_or_default(), text(&output.stderr))
}

/// The names of the failed checks.
fn failing(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap_or_else(|| panic!("no report: {report}"));
    let wrong = checks.iter().filter(|check| check["right"] == false);
    wrong.map(|check| check["check"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_finds(data: &Path, check: &str, words: &[&str]) {
    let (status, report, said) = checked(data);
    assert_eq!(status, 1, "{report:#}");
    assert_eq!(failing(&report), [check], "{report:#}");
    assert!(said.contains(check) && said.lines().count() == 1, "{said}");
    let found = report["checks"].as_array().unwrap().iter().find(|it| it["check"] == check).unwrap();
    assert!(found["mend"].is_string(), "{found:#}");
    for word in words {
        assert!(found["faults"].to_string().contains(word), "no {word:?} in {found:#}");
    }
}

/// The data of a stopped server with messages and two files, and the paths of these, the larger first.
async fn stopped() -> (tempfile::TempDir, PathBuf, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut team = Team::on(Server::on(&data, &[])).await;
    for n in 0..300 {
        team.ada.say(team.room, &format!("message {n} about kindling and sparks")).await;
    }
    team.ada.upload(team.room, &[], "long.txt", &vec![b'x'; 3_000]).await.expect(201);
    team.ada.upload(team.room, &[], "short.txt", &vec![b'y'; 1_000]).await.expect(201);
    assert!(team.server.terminate().success());
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in std::fs::read_dir(data.join("files")).unwrap() {
        files.extend(std::fs::read_dir(folder.unwrap().path()).unwrap().map(|it| it.unwrap().path()));
    }
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    assert_eq!(files.len(), 2);
    (dir, data, files)
}

fn sql(data: &Path, statements: &str) {
    let db = rusqlite::Connection::open(data.join("campfire.db")).unwrap();
    db.pragma_update(None, "foreign_keys", false).unwrap();
    db.execute_batch(statements).unwrap();
}

#[tokio::test]
async fn check_passes_beside_a_running_server_and_on_a_stopped_one() {
    let team = Team::start().await;
    team.ada.say(team.room, "kindling").await;
    team.ada.upload(team.room, &[], "log.txt", b"a log").await.expect(201);
    let (status, report, said) = checked(team.server.data());
    assert_eq!((status, said.as_str()), (0, ""), "{report:#}");
    assert_eq!(report["right"], true);
    let names: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["schema", "database", "references", "messages", "numbers", "search index", "files", "stray files"]
    );
    let files = report["checks"][6]["found"].as_str().unwrap();
    assert!(files.starts_with("1 uploaded files and thumbnails, 1 of them held"), "{files}");
    team.ada.say(team.room, "and it still serves").await;
    let (dir, data, _) = stopped().await;
    assert_eq!(checked(&data).0, 0);
    let shown = run(&["check", "--data", data.to_str().unwrap()], &[], "");
    assert_eq!(text(&shown.stdout).lines().count(), 8, "a line each: {}", text(&shown.stdout));
    drop(dir);
}

#[tokio::test]
async fn check_finds_an_overwritten_page() {
    let (_dir, data, _) = stopped().await;
    let path = data.join("campfire.db");
    let page = {
        let db = rusqlite::Connection::open(&path).unwrap();
        let root = "select rootpage from sqlite_schema where name = 'messages_by_creator'";
        db.query_row(root, (), |row| row.get::<_, u64>(0)).unwrap()
    };
    let mut bytes = std::fs::read(&path).unwrap();
    let begin = (page as usize - 1) * 4096;
    bytes[begin + 8..begin + 300].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    assert_finds(&data, "database", &[]);
    std::fs::write(
        &path,
        b"this is no database at all, but long enough to look like a file with something in it",
    )
    .unwrap();
    let (status, report, _) = checked(&data);
    assert_eq!((status, failing(&report)), (1, vec!["database"]), "{report:#}");
}

#[tokio::test]
async fn check_finds_a_file_that_is_shorter_altered_or_missing() {
    let (_dir, data, files) = stopped().await;
    let long = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], &long[..2_999]).unwrap();
    assert_finds(&data, "files", &["long.txt", "2999 bytes instead of 3000"]);
    let mut other = long.clone();
    other[1_000] = b'z';
    std::fs::write(&files[0], other).unwrap();
    assert_finds(&data, "files", &["long.txt", "another checksum"]);
    std::fs::write(&files[0], long).unwrap();
    assert_eq!(checked(&data).0, 0);
    std::fs::remove_file(&files[1]).unwrap();
    assert_finds(&data, "files", &["short.txt", "is not there"]);
}

#[tokio::test]
async fn check_finds_a_wrong_index_and_rebuilds_it() {
    let (_dir, data, _) = stopped().await;
    // A change that the index does not see.
    sql(
        &data,
        "update messages set plain = 'something else entirely' where id = (select max(id) from messages)",
    );
    assert_finds(&data, "search index", &[]);
    let rebuilt = run(&["check", "--rebuild-index", "--data", data.to_str().unwrap()], &[], "");
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    assert_eq!(checked(&data).0, 0);
    let server = Server::on(&data, &[]);
    let refused = run(&["check", "--rebuild-index", "--data", data.to_str().unwrap()], &[], "");
    assert_eq!(refused.status.code(), Some(1), "not beside a server");
    assert!(text(&refused.stderr).contains("another campfire"), "{}", text(&refused.stderr));
    drop(server);
}

#[tokio::test]
async fn check_finds_rows_that_refer_to_nothing() {
    for (statement, words) in [
        ("insert into memberships (room_id, user_id, involvement) values (999, 1, 'everything')", "rooms"),
        (
            "insert into boosts (message_id, user_id, content, created_at) values (999999, 1, '👍', 0)",
            "boosts",
        ),
    ] {
        let (_dir, data, _) = stopped().await;
        sql(&data, statement);
        assert_finds(&data, "references", &[words]);
    }
}

#[tokio::test]
async fn check_finds_a_message_that_is_not_json_and_a_number_used_twice() {
    let (_dir, data, _) = stopped().await;
    sql(
        &data,
        "create table kept as select max(id) as id, json from messages where plain like '%kindling%';
        update messages set json = cast('{\"id\":' as blob) where id = (select id from kept)",
    );
    assert_finds(&data, "messages", &["is not JSON"]);
    sql(&data, "update messages set json = (select json from kept) where id = (select id from kept)");
    assert_eq!(checked(&data).0, 0);
    sql(&data, "insert into events (seq, at, kind) values ((select id from kept), 0, 'room_updated')");
    assert_finds(&data, "numbers", &["both a message and an event"]);
}

#[tokio::test]
async fn check_reports_an_orphaned_file_as_a_note() {
    let (_dir, data, files) = stopped().await;
    std::fs::write(files[0].with_file_name("stray-and-nobodys"), "x").unwrap();
    let (status, report, _) = checked(&data);
    assert_eq!(status, 0, "{report:#}");
    let note = report["checks"].as_array().unwrap().last().unwrap();
    assert!(
        note["right"].is_null() && note["found"].to_string().contains("1 files belong to no"),
        "{note:#}"
    );
}

#[test]
fn check_of_an_empty_directory_and_a_wrong_option_fail() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&["check", "--data", dir.path().to_str().unwrap()], &[], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no campfire data"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it makes nothing");
    assert_eq!(run(&["check", "--deeply"], &[], "").status.code(), Some(2));
}
