//! Databases as ONCE Campfire has them, imported. The numbers of the traps are those of its facts page.

mod beside;
mod rows;
mod whole;

use std::{fs, path::Path};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    import::{self, Chat, Error, Kind, Order, Report, Secrets},
    types::TokenHash,
};

/// The tables, by what the migrations make.
const SCHEMA: &str = include_str!("tests/schema.sql");

/// A volume of ONCE Campfire, and a data directory.
struct Move {
    dir: tempfile::TempDir,
    db: Connection,
}

impl Move {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("storage/db")).unwrap();
        let db = Connection::open(dir.path().join("storage/db/production.sqlite3")).unwrap();
        db.execute_batch(SCHEMA).unwrap();
        let it = Self { dir, db };
        it.run(
            "insert into accounts values (1, 'Blue Lamp', 'AbCd-1234-xYz9', null, null, 0, '2024-01-01 00:00:00', '2024-01-01 00:00:00');
             insert into schema_migrations values ('20251212154340');",
        );
        it.person(1, "Mira Okafor", json!({"role": 1, "email_address": "mira@lamp.example", "password_digest": "$2a$04$abcdefghijklmnopqrstuu"}));
        it.person(2, "Jonas [Öz]", json!({"email_address": "jonas@lamp.example"}));
        it.room(1, "Rooms::Open", Some("All"), &[1, 2]);
        it
    }

    fn run(&self, sql: &str) {
        self.db.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    fn insert(&self, table: &str, columns: &Value) {
        let columns = columns.as_object().unwrap();
        let names: Vec<&str> = columns.keys().map(String::as_str).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let values = columns.values().map(|value| -> Box<dyn rusqlite::ToSql> {
            match value {
                Value::Null => Box::new(rusqlite::types::Null),
                Value::Number(number) => Box::new(number.as_i64()),
                other => Box::new(other.as_str().unwrap().to_owned()),
            }
        });
        let sql = format!("insert into {table} ({}) values ({marks})", names.join(", "));
        self.db
            .execute(&sql, rusqlite::params_from_iter(values))
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Inserts a row with both times, but for what is given.
    fn row(&self, table: &str, given: &[(&str, Value)]) {
        let at = "2026-01-02 10:00:00.000000";
        let mut columns = json!({"created_at": at, "updated_at": at});
        for (name, value) in given {
            columns[*name] = value.clone();
        }
        self.insert(table, &columns);
    }

    fn person(&self, id: i64, name: &str, more: Value) {
        let mut given = vec![("id", json!(id)), ("name", json!(name))];
        given.extend(more.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.clone())));
        self.row("users", &given);
    }

    fn room(&self, id: i64, kind: &str, name: Option<&str>, members: &[i64]) {
        self.row(
            "rooms",
            &[("id", json!(id)), ("type", json!(kind)), ("name", json!(name)), ("creator_id", json!(1))],
        );
        for member in members {
            let involvement = if kind == "Rooms::Direct" { "everything" } else { "mentions" };
            self.row(
                "memberships",
                &[("room_id", json!(id)), ("user_id", json!(member)), ("involvement", json!(involvement))],
            );
        }
    }

    fn say(&self, id: i64, room: i64, creator: i64, body: &str) {
        self.say_at(id, room, creator, body, &format!("2026-01-02 11:00:{:02}.{id:06}", id % 60));
    }

    fn say_at(&self, id: i64, room: i64, creator: i64, body: &str, at: &str) {
        let id = json!(id);
        self.row(
            "messages",
            &[
                ("id", id.clone()),
                ("room_id", json!(room)),
                ("creator_id", json!(creator)),
                ("client_message_id", json!("x")),
                ("created_at", json!(at)),
            ],
        );
        self.row(
            "action_text_rich_texts",
            &[
                ("record_type", json!("Message")),
                ("record_id", id),
                ("name", json!("body")),
                ("body", json!(body)),
                ("created_at", json!(at)),
                ("updated_at", json!(at)),
            ],
        );
    }

    /// Attaches a file; without bytes it is not on the disk.
    fn attach(&self, record: (&str, i64, &str), blob: i64, filename: &str, bytes: Option<&[u8]>) {
        let key = format!("{blob:0>28}").replace('0', "k");
        self.insert(
            "active_storage_blobs",
            &json!({
                "id": blob, "key": key, "filename": filename, "service_name": "local",
                "byte_size": bytes.map_or(5, |it| it.len() as i64), "created_at": "2026-01-02 10:00:00",
            }),
        );
        self.insert(
            "active_storage_attachments",
            &json!({
                "name": record.2, "record_type": record.0, "record_id": record.1, "blob_id": blob,
                "created_at": "2026-01-02 10:00:00",
            }),
        );
        if let Some(bytes) = bytes {
            let folder = self.storage().join(format!("files/{}/{}", &key[..2], &key[2..4]));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(key), bytes).unwrap();
        }
    }

    fn storage(&self) -> std::path::PathBuf {
        self.dir.path().join("storage")
    }

    fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    fn order(&self, path: &Path, is_check: bool) -> Result<Report, Error> {
        let secrets = Secrets::default();
        let data = self.data();
        import::run(&Order { chat: Chat::Once, path, data: &data, is_check, secrets }, &mut |_| ())
    }

    /// Imports, and holds that the counts add up and that nothing of the source changed.
    fn import(&self) -> Report {
        let before = files(&self.storage());
        let report = self.order(&self.storage(), false).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.wrong(), [], "{}", report.text());
        assert_eq!(files(&self.storage()), before, "the source is only read");
        assert!(!self.data().join("import").exists());
        report
    }

    fn here(&self) -> Connection {
        Connection::open(self.data().join("campfire.db")).unwrap()
    }

    fn message(&self, id: i64) -> Value {
        let json: Vec<u8> =
            self.here().query_row("select json from messages where id = ?", (id,), |row| row.get(0)).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.here().query_row(sql, (), |row| row.get(0)).unwrap_or_else(|error| panic!("{error}: {sql}"))
    }
}

/// All files below a folder, with their contents.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            // The test's own connection holds the index of the log open.
            false if path.to_string_lossy().ends_with("-shm") => {}
            false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}
