//! Data of an import that was begun and not ended: no server starts on it.

use std::path::Path;

use super::start::{refused, run, text};
use crate::support::*;

/// A stopped team in whose data an import from Slack was begun.
async fn half_imported() -> Team {
    let mut team = Team::start().await;
    team.server.terminate();
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.execute("insert into imports (source, started_at, last_id) values ('slack', 1, 0)", ()).unwrap();
    team
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn server_does_not_start_on_a_half_done_import() {
    let mut team = half_imported().await;
    let data = team.server.data().to_owned();
    let data = path(&data);
    let serve = || run(&["serve", "--listen", "127.0.0.1:0", "--data", data], &[], "");
    refused(&serve(), 1, &["not finished", &format!("campfire import slack PATH --data {data}")]);
    // What restores it restores the mark too.
    let dir = tempfile::tempdir().unwrap();
    let (archive, restored) = (dir.path().join("half.tar.zst"), dir.path().join("restored"));
    for command in [
        &["backup", path(&archive), "--data", data][..],
        &["restore", path(&archive), "--data", path(&restored)],
    ] {
        let output = run(command, &[], "");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let again = run(&["serve", "--listen", "127.0.0.1:0", "--data", path(&restored)], &[], "");
    refused(&again, 1, &["campfire import slack PATH --data", path(&restored)]);
    rusqlite::Connection::open(team.server.database())
        .unwrap()
        .execute("update imports set finished_at = 2", ())
        .unwrap();
    team.server.restart();
    team.ada.say(team.room, "All is here").await;
}

#[tokio::test]
async fn half_done_import_is_told_by_check_and_doctor() {
    let team = half_imported().await;
    let data = path(team.server.data());
    let doctor = || {
        let output = run(&["doctor", "--json", "--data", data], &[], "");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["installation"].as_array().unwrap().iter().find(|it| it["check"] == "import").unwrap().clone()
    };
    let finding = doctor();
    assert_eq!(finding["ok"], false);
    let command = finding["fix"][0]["command"].as_str().unwrap();
    assert_eq!(command, format!("campfire import slack PATH --data {data}"));
    let beside: Vec<_> = std::fs::read_dir(team.server.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("campfire.db-"))
        .collect();
    assert_eq!(beside, [""; 0], "nothing is left that another user could not open");
    let check = run(&["check", "--data", data], &[], "");
    let said = text(&check.stdout);
    assert_eq!(check.status.code(), Some(1), "{said}");
    let line = said.lines().find(|line| line.contains("import")).unwrap_or_else(|| panic!("{said}"));
    assert!(
        line.starts_with("FAILED") && line.contains("slack") && line.contains("campfire import CHAT PATH"),
        "{line}"
    );
    rusqlite::Connection::open(team.server.database()).unwrap().execute("delete from imports", ()).unwrap();
    assert_eq!(doctor()["ok"], true);
}
