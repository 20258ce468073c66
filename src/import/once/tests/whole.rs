//! Whole databases: where they are found, a second import, an interrupted one, and what is refused.

use super::*;

#[test]
fn ids_names_and_settings_are_kept() {
    let it = Move::new();
    it.run("update accounts set settings = '{\"restrict_room_creation_to_administrators\": \"true\"}', custom_styles = '.x {}'");
    it.say(7, 1, 2, "First post!");
    let report = it.import();
    assert_eq!(report.of(Kind::Messages).taken, 1);
    let message = it.message(7);
    assert_eq!(
        (&message["room_id"], &message["creator_id"], &message["content"]),
        (&json!(1), &json!(2), &json!("First post!"))
    );
    assert_eq!(message["created_at"], "2026-01-02T11:00:07.000Z");
    assert_eq!((&message["edited_at"], &message["client_message_id"]), (&Value::Null, &Value::Null));
    // Traps 14 and 25.
    let account: (String, String, String, String) = it
        .here()
        .query_row("select name, join_code, settings, custom_css from account", (), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    assert_eq!(
        (account.0.as_str(), account.1.as_str(), account.3.as_str()),
        ("Blue Lamp", "AbCd-1234-xYz9", "")
    );
    for setting in ["restrict_room_creation", "members_see_join_link"] {
        assert!(account.2.contains(&format!("\"{setting}\":true")), "{}", account.2);
    }
    assert_eq!(fs::read_to_string(it.data().join("once-custom-styles.css")).unwrap(), ".x {}");
    assert_eq!(it.one::<String>("select name from users where id = 2"), "Jonas [Öz]");
    assert_eq!(it.one::<i64>("select down_to from search_index"), 0, "the index is complete");
    let found: i64 =
        it.one("select rowid from messages_fts where messages_fts match 'words : \"post\" AND room : r1'");
    assert_eq!(found, 7);
}

/// Trap 9: what is only in the log comes along, and the source is not touched.
#[test]
fn log_of_the_database_is_read() {
    let it = Move::new();
    it.run("pragma journal_mode = wal; pragma wal_autocheckpoint = 0");
    it.say(1, 1, 1, "only in the log");
    assert!(fs::metadata(it.storage().join("db/production.sqlite3-wal")).unwrap().len() > 0);
    it.import();
    assert_eq!(it.message(1)["content"], "only in the log");
}

#[test]
fn newer_one_of_database_and_backup_is_read() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    fs::create_dir_all(it.storage().join("backups")).unwrap();
    it.run(&format!("vacuum into '{}'", it.storage().join("backups/production.sqlite3").display()));
    it.say(2, 1, 1, "newer");
    let report = it.import();
    assert_eq!((report.of(Kind::Messages).taken, report.remarks().len()), (2, 0));
    let it = Move::new();
    fs::create_dir_all(it.storage().join("backups")).unwrap();
    it.say(1, 1, 1, "x");
    it.run(&format!("vacuum into '{}'", it.storage().join("backups/production.sqlite3").display()));
    fs::write(it.storage().join("db/production.sqlite3"), "no database").unwrap();
    assert!(it.import().text().contains("backups/production.sqlite3 was read"));
}

/// Trap 27.
#[test]
fn second_import_adds_what_is_new_and_none_is_made_beside_other_data() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    it.import();
    let report = it.import();
    for (kind, row) in report.rows() {
        assert_eq!(row.taken, 0, "{}: {}", kind.name(), report.text());
    }
    it.say(2, 1, 2, "new there");
    let report = it.import();
    assert_eq!((report.of(Kind::Messages).known, report.of(Kind::Messages).taken), (1, 1));
    it.here()
        .execute(
            "insert into messages (id, room_id, creator_id, json, plain) values (50, 1, 1, x'7b7d', '')",
            (),
        )
        .unwrap();
    let error = it.order(&it.storage(), false).unwrap_err().0;
    assert!(error.contains("since the first import"), "{error}");
    let other = Move::new();
    let data = crate::store::DataDir::claim(&other.data(), crate::config::Durability::Normal).unwrap();
    drop(data);
    other
        .here()
        .execute("insert into users (name, role, created_at) values ('Ada', 'admin', 0)", ())
        .unwrap();
    let error = other.order(&other.storage(), false).unwrap_err().0;
    assert!(error.contains("in use already"), "{error}");
}

#[test]
fn import_that_was_interrupted_goes_on() {
    let it = Move::new();
    for id in 1..=40 {
        it.say(id, 1, 1, &format!("message {id}"));
    }
    it.import();
    let all: Vec<Value> = (1..=40).map(|id| it.message(id)).collect();
    // As after a kill: the later messages and the index are not written yet.
    it.here()
        .execute_batch(
            "delete from messages where id > 25; update imports set finished_at = null, last_id = 0;
             update search_index set down_to = 9223372036854775807;
             insert into messages_fts (messages_fts) values ('delete-all');",
        )
        .unwrap();
    let data = crate::store::DataDir::look(&it.data()).unwrap();
    assert_eq!(crate::store::Import::unfinished(&data).unwrap().as_deref(), Some("once"));
    let report = it.import();
    assert_eq!((report.of(Kind::Messages).known, report.of(Kind::Messages).taken), (25, 15));
    assert_eq!((1..=40).map(|id| it.message(id)).collect::<Vec<_>>(), all);
    assert_eq!(
        it.one::<i64>("select count(*) from messages_fts where messages_fts match 'words : message'"),
        40
    );
    assert_eq!(crate::store::Import::unfinished(&data).unwrap(), None);
}

#[test]
fn import_that_was_interrupted_before_the_pictures_takes_them() {
    let it = Move::new();
    let mut png = Vec::new();
    image::RgbImage::new(8, 6)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    it.attach(("User", 2, "avatar"), 5, "me.png", Some(&png));
    it.import();
    // As after a kill behind the people.
    it.here()
        .execute_batch(
            "delete from images; update users set avatar_version = null;
             update imports set finished_at = null, last_id = 0;",
        )
        .unwrap();
    assert_eq!(it.import().of(Kind::Pictures).taken, 1);
    assert_eq!(it.one::<i64>("select avatar_version from users where id = 2"), 1);
    // What somebody removed here stays removed.
    it.here().execute_batch("delete from images; update users set avatar_version = null").unwrap();
    assert_eq!(it.import().of(Kind::Pictures).taken, 0);
}

#[test]
fn check_changes_nothing_and_counts_the_same() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    it.attach(("Message", 1, "attachment"), 1, "a.txt", Some(b"hello"));
    let report = it.order(&it.storage(), true).unwrap();
    assert!(!it.data().exists());
    assert_eq!(report.wrong(), [], "{}", report.text());
    let taken =
        |report: &Report| report.rows().map(|(kind, row)| (kind, row.found, row.taken)).collect::<Vec<_>>();
    assert_eq!(taken(&report), taken(&it.import()));
}

#[test]
fn volume_is_found_in_its_parent_and_in_backups() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    it.attach(("Message", 1, "attachment"), 1, "a.txt", Some(b"hello"));
    // A backup of the `once` tool, and one by the guide for self-hosting.
    for (top, name) in [("data", "lamp-20260102-100000.tar.gz"), ("storage", "storage.tar.gz")] {
        let path = it.dir.path().join(name);
        let encoder =
            flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(encoder);
        tar.append_dir_all(top, it.storage()).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        let _ = fs::remove_dir_all(it.data());
        let report = it.order(&path, false).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((report.of(Kind::Messages).taken, report.of(Kind::Files).taken), (1, 1), "{name}");
    }
    let _ = fs::remove_dir_all(it.data());
    let parent = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(it.storage(), parent.path().join("not followed")).unwrap();
    assert!(it.order(parent.path(), false).unwrap_err().0.contains("there is no db/production.sqlite3"));
    // Its parent has the archives and the data as well.
    assert_eq!(it.order(it.dir.path(), false).unwrap().of(Kind::Messages).taken, 1);
}

/// Older schemas, of the years before.
#[test]
fn older_databases_are_read_by_the_columns_that_are_there() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    it.person(3, "Owner", json!({"role": 2}));
    it.run(
        "drop table bans;
         alter table accounts drop column settings;
         alter table users add column active boolean default 1 not null;
         update users set active = 0 where id = 2;
         alter table users drop column status;
         drop index index_users_on_bot_token;
         alter table users drop column bot_token;
         delete from schema_migrations; insert into schema_migrations values ('20231220143106');",
    );
    it.import();
    assert_eq!(it.one::<String>("select status from users where id = 2"), "deactivated");
    assert_eq!(
        it.one::<String>("select role from users where id = 3"),
        "admin",
        "an owner, before there were bots"
    );
}

#[test]
fn what_is_no_database_of_once_is_refused_with_a_sentence() {
    let it = Move::new();
    it.run("drop table memberships");
    assert!(it.order(&it.storage(), false).unwrap_err().0.contains("no table memberships"));
    let empty = tempfile::tempdir().unwrap();
    assert!(it.order(empty.path(), false).unwrap_err().0.contains("there is no db/production.sqlite3"));
    let missing = empty.path().join("nothing");
    assert!(it.order(&missing, false).unwrap_err().0.contains("cannot read"));
}
