//! A small export that is imported into a new data directory, for the tests of each chat.

use std::{fs, path::PathBuf};

use rusqlite::{Connection, types::ValueRef};

use crate::import::{Chat, Error, Order, Report, Secrets, report::Kind, run};

pub(in crate::import) struct Imported {
    dir: tempfile::TempDir,
    chat: Chat,
    export: PathBuf,
    pub(in crate::import) report: Report,
}

impl Imported {
    /// Imports a folder of files.
    pub(in crate::import) fn of(chat: Chat, files: &[(&str, &[u8])]) -> Self {
        Self::tried(chat, files).unwrap()
    }

    pub(in crate::import) fn tried(chat: Chat, files: &[(&str, &[u8])]) -> Result<Self, Error> {
        let mut imported = Self::of_export(chat, files);
        imported.report = imported.run(false)?;
        Ok(imported)
    }

    fn of_export(chat: Chat, files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let export = dir.path().join("export");
        for (name, bytes) in files {
            let path = export.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::create_dir_all(&export).unwrap();
        Self { dir, chat, export, report: Report::default() }
    }

    fn run(&self, is_check: bool) -> Result<Report, Error> {
        let data = self.dir.path().join("data");
        let order =
            Order { chat: self.chat, path: &self.export, data: &data, is_check, secrets: Secrets::default() };
        let report = run(&order, &mut |_| {})?;
        assert_eq!(report.wrong(), [], "{}", report.text());
        Ok(report)
    }

    /// Imports it once more.
    pub(in crate::import) fn again(&self) -> Report {
        self.run(false).unwrap()
    }

    pub(in crate::import) fn check(&self) -> Report {
        self.run(true).unwrap()
    }

    /// The rows of a query, with `|` between columns.
    pub(in crate::import) fn rows(&self, query: &str) -> Vec<String> {
        let db = Connection::open(self.dir.path().join("data/campfire.db")).unwrap();
        let mut select = db.prepare(query).unwrap();
        let columns = select.column_count();
        let rows = select.query_map((), |row| {
            let shown = |column| match row.get_ref(column).unwrap() {
                ValueRef::Null => "-".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            };
            Ok((0..columns).map(shown).collect::<Vec<_>>().join("|"))
        });
        rows.unwrap().map(|row| row.unwrap()).collect()
    }

    pub(in crate::import) fn people(&self) -> Vec<String> {
        self.rows("select name, role, status from users where id > 0 order by name")
    }

    /// Rooms with their members.
    pub(in crate::import) fn rooms(&self) -> Vec<String> {
        self.rows(
            "select ifnull(rooms.name, ''), kind, ifnull((
               select group_concat(name, ',') from (
                 select users.name from memberships join users on users.id = user_id
                 where room_id = rooms.id and involvement <> 'invisible' order by users.name)), '')
             from rooms order by rooms.id",
        )
    }

    /// Messages by their keys, with their authors and texts.
    pub(in crate::import) fn texts(&self) -> Vec<(String, String, String)> {
        let rows = self.rows(
            "select substr(client_message_id, 8) || '\u{1}' || users.name || '\u{1}' || (json ->> '$.content')
             from messages join users on users.id = creator_id order by messages.id",
        );
        let split = |row: String| {
            let mut parts = row.splitn(3, '\u{1}').map(str::to_owned);
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
        };
        rows.into_iter().map(split).collect()
    }

    pub(in crate::import) fn text(&self, key: &str) -> String {
        self.texts().into_iter().find(|(found, ..)| found == key).unwrap_or_else(|| panic!("no {key}")).2
    }

    /// What stands in the JSON of a message.
    pub(in crate::import) fn member(&self, key: &str, path: &str) -> String {
        self.rows(&format!("select json ->> '{path}' from messages where client_message_id = 'import:{key}'"))
            .remove(0)
    }

    /// The key of the message that one answers.
    pub(in crate::import) fn reply(&self, key: &str) -> String {
        let answered = "(select substr(client_message_id, 8) from messages as other where other.id = messages.json ->> '$.reply_to_id')";
        self.rows(&format!("select {answered} from messages where client_message_id = 'import:{key}'"))
            .remove(0)
    }

    /// How many of a kind were left out for a reason.
    pub(in crate::import) fn left_out(&self, kind: Kind, reason: &str) -> u64 {
        let row = self.report.of(kind);
        row.left_out.iter().filter(|(why, _)| why.contains(reason)).map(|(_, cases)| cases.count).sum()
    }
}

/// Imports many wrong variants of a JSON: each of its members missing, null, of another type. None panics, and counts add up.
pub(in crate::import) fn try_variants(chat: Chat, name: &str, json: &str, others: &[(&str, &[u8])]) {
    let whole: serde_json::Value = serde_json::from_str(json).unwrap();
    let mut pointers = Vec::new();
    collect(&whole, String::new(), &mut pointers);
    let wrong = [
        serde_json::json!(null),
        serde_json::json!("ßtext \u{1F600}"),
        serde_json::json!(-1),
        serde_json::json!(1e300),
        serde_json::json!([]),
        serde_json::json!({"a": [null]}),
        serde_json::json!(["x", null, 5, {"type": 7}]),
    ];
    for (place, pointer) in pointers.iter().enumerate() {
        let mut variant = whole.clone();
        *variant.pointer_mut(pointer).unwrap() = wrong[place % wrong.len()].clone();
        let bytes = serde_json::to_vec(&variant).unwrap();
        let mut files = vec![(name, bytes.as_slice())];
        files.extend(others);
        // It may be refused as a whole, in a sentence. Writing takes much longer than reading.
        let _ = Imported::of_export(chat, &files).run(place % 6 > 0);
    }
    let bytes = json.as_bytes();
    for length in (0..bytes.len()).step_by(bytes.len() / 8 + 1) {
        let mut files = vec![(name, &bytes[..length])];
        files.extend(others);
        let _ = Imported::of_export(chat, &files).run(true);
    }
}

fn collect(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    found.push(at.clone());
    match value {
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(name, value)| {
                collect(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            });
        }
        serde_json::Value::Array(entries) => {
            entries
                .iter()
                .enumerate()
                .for_each(|(place, value)| collect(value, format!("{at}/{place}"), found));
        }
        _ => {}
    }
}
