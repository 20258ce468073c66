//! Databases as ONCE Campfire has them, imported. The numbers of the traps are those of its facts page.

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
    assert!(account.2.contains("\"restrict_room_creation\":true"), "{}", account.2);
    assert_eq!(fs::read_to_string(it.data().join("once-custom-styles.css")).unwrap(), ".x {}");
    assert_eq!(it.one::<String>("select name from users where id = 2"), "Jonas [Öz]");
    assert_eq!(it.one::<i64>("select down_to from search_index"), 0, "the index is complete");
    let found: i64 =
        it.one("select rowid from messages_fts where messages_fts match 'words : \"post\" AND room : r1'");
    assert_eq!(found, 7);
}

/// Traps 4, 5 and 18.
#[test]
fn only_a_changed_text_is_an_edit_and_a_missing_text_is_none() {
    let it = Move::new();
    it.say(1, 1, 1, "as it was");
    it.say(2, 1, 1, "corrected");
    it.run(
        "update messages set updated_at = '2026-03-01 00:00:00' where id = 1;
         update action_text_rich_texts set created_at = '2026-01-02 11:00:02', updated_at = '2026-01-02 11:05:00.5' where record_id = 2;",
    );
    it.row(
        "messages",
        &[
            ("id", json!(3)),
            ("room_id", json!(1)),
            ("creator_id", json!(2)),
            ("client_message_id", json!("x")),
        ],
    );
    it.import();
    assert_eq!(it.message(1)["edited_at"], Value::Null);
    assert_eq!(it.message(2)["edited_at"], "2026-01-02T11:05:00.500Z");
    assert_eq!(it.message(3)["content"], "");
}

/// Trap 3.
#[test]
fn unread_begins_with_the_newest_message_that_was_told() {
    let it = Move::new();
    for id in 1..=4 {
        it.say_at(id, 1, 1, "x", &format!("2026-01-02 11:00:0{id}.{id}00000"));
    }
    it.run("update memberships set unread_at = '2026-01-02 11:00:03.3' where user_id = 2");
    it.room(2, "Rooms::Closed", Some("Quiet"), &[1]);
    it.import();
    let read = |user: i64, room: i64| -> i64 {
        it.one(&format!(
            "select last_read_message_id from memberships where user_id = {user} and room_id = {room}"
        ))
    };
    assert_eq!((read(1, 1), read(2, 1), read(1, 2)), (4, 2, 0));
}

/// Trap 7.
#[test]
fn bots_keys_and_webhooks_go_on() {
    let it = Move::new();
    it.person(5, "Deploys", json!({"role": 2, "bot_token": "a1B2c3D4e5F6", "password_digest": ""}));
    it.row("webhooks", &[("user_id", json!(5)), ("url", json!("http://10.0.0.9/hook"))]);
    it.import();
    let bot: (String, String) = it
        .here()
        .query_row("select key, webhook_url from bots where user_id = 5", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((bot.0.as_str(), bot.1.as_str()), ("a1B2c3D4e5F6", "http://10.0.0.9/hook"));
    let hash: TokenHash = it.one("select token_hash from sessions where user_id = 5 and kind = 'bot'");
    assert_eq!(hash.0, TokenHash::of("5-a1B2c3D4e5F6").0);
}

/// Trap 8: a mention in each encoding, of somebody in the room, of one outside, of nobody.
#[test]
fn mentions_become_ours() {
    use base64::Engine;
    let it = Move::new();
    it.person(12, "Twelve", json!({}));
    it.person(123, "Lena", json!({}));
    it.run("insert into memberships (room_id, user_id, created_at, updated_at) values (1, 123, '2026-01-01', '2026-01-01')");
    let of = |user: i64| {
        let json = json!({"_rails": {"data": format!("gid://campfire/User/{user}?expires_in"), "pur": "attachable"}});
        let sgid = base64::engine::general_purpose::URL_SAFE.encode(json.to_string());
        format!(
            "<div>Hi <action-text-attachment sgid=\"{sgid}--00\" content-type=\"application/vnd.campfire.mention\" content=\"&lt;div&gt;Old name&lt;/div&gt;\"></action-text-attachment>&nbsp;ok</div>"
        )
    };
    for (id, user) in [(1, 123), (2, 12), (3, 999)] {
        it.say(id, 1, 1, &of(user));
    }
    it.import();
    let mentions = |id: i64| it.message(id)["mentions"].clone();
    assert_eq!((mentions(1), mentions(2), mentions(3)), (json!([123]), json!([]), json!([])));
    assert!(
        it.message(1)["html"].as_str().unwrap().contains("data-user-id=\"123\">@Lena</span>"),
        "{}",
        it.message(1)
    );
    assert_eq!(it.one::<i64>("select count(*) from mentions"), 1);
    assert!(it.message(3)["html"].as_str().unwrap().contains("@Old name"), "{}", it.message(3));
}

#[test]
fn replies_links_and_previews_lead_here() {
    let it = Move::new();
    it.say(1, 1, 1, "What?");
    it.say(2, 1, 2, "<div><blockquote>What?</blockquote><cite>Mira <a href=\"http://localhost/rooms/1/@1\">#</a></cite><br>That. See <a href=\"https://old.example/rooms/1/@1\">this</a></div>");
    it.import();
    let message = it.message(2);
    assert_eq!(
        (&message["reply_to_id"], &message["content"]),
        (&json!(1), &json!("That. See [this](</rooms/1/@1>)"))
    );
    assert_eq!(message["html"], "<p>That. See <a href=\"/rooms/1/@1\">this</a></p>");
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

/// Traps 10, 11 and 12.
#[test]
fn rows_of_people_and_rooms_that_are_gone_do_not_stop_it() {
    let it = Move::new();
    it.say(1, 1, 999_999, "from nobody");
    it.person(3, "Lena", json!({"status": 1, "email_address": "lena-deactivated-1@lamp.example", "password_digest": "$2a$04$x"}));
    it.person(4, "Bad", json!({"status": 2, "email_address": "bad@lamp.example"}));
    it.room(2, "Rooms::Direct", None, &[1, 3]);
    it.room(3, "Rooms::Direct", None, &[1, 777]);
    it.room(4, "Rooms::Closed", Some("Old"), &[3, 4]);
    it.run(
        "update rooms set creator_id = 888 where id = 4;
         insert into memberships (room_id, user_id, created_at, updated_at) values (99, 1, '2026-01-01', '2026-01-01');
         insert into action_text_rich_texts (record_type, record_id, name, body, created_at, updated_at)
           values ('Message', 4444, 'body', 'left over', '2026-01-01', '2026-01-01');
         insert into boosts (message_id, booster_id, content, created_at, updated_at) values (4444, 1, 'x', '2026-01-01', '2026-01-01');",
    );
    let report = it.import();
    let gone: i64 = it.one("select creator_id from messages where id = 1");
    let name: String = it.one(&format!("select name || ' ' || status from users where id = {gone}"));
    assert_eq!(name, "Somebody who left deactivated");
    let members = |room: i64| -> String {
        it.one(&format!("select group_concat(user_id) from (select user_id from memberships where room_id = {room} order by user_id)"))
    };
    assert_eq!((members(2).as_str(), members(4).as_str()), ("1,3", "4"));
    assert_eq!(members(3), format!("1,{gone}"), "no notes to oneself");
    let lena: (Option<String>, Option<String>) = it
        .here()
        .query_row("select email, password_hash from users where id = 3", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(lena, (None, None));
    assert_eq!(it.one::<String>("select email from users where id = 4"), "bad@lamp.example");
    assert_eq!(report.of(Kind::Boosts).left_out.len(), 1);
}

/// Trap 11.
#[test]
fn second_direct_room_of_the_same_people_stands_beside_the_first() {
    let it = Move::new();
    it.room(2, "Rooms::Direct", None, &[1, 2]);
    it.room(3, "Rooms::Direct", None, &[1, 2]);
    it.say(1, 3, 1, "in the second");
    let report = it.import();
    assert!(report.text().contains("direct rooms of the same people"));
    assert_eq!(it.one::<i64>("select count(*) from rooms where kind = 'direct'"), 2);
    assert_eq!(it.one::<String>("select members_key from rooms where id = 2"), "1,2");
    assert_eq!(it.message(1)["room_id"], 3);
}

/// Traps 15 and 16.
#[test]
fn names_and_addresses_are_made_to_fit() {
    let it = Move::new();
    it.person(3, " ", json!({"email_address": "MIRA@lamp.example"}));
    it.person(4, &"n".repeat(150), json!({"email_address": " lena@lamp.example ", "bio": "b".repeat(600)}));
    it.person(5, "Ok", json!({"email_address": "no address"}));
    it.room(2, "Rooms::Closed", Some(&"r".repeat(150)), &[1]);
    let report = it.import();
    assert_eq!(it.one::<String>("select name from users where id = 3"), "Somebody");
    assert_eq!(it.one::<Option<String>>("select email from users where id = 3"), None);
    assert_eq!(it.one::<String>("select email from users where id = 4"), "lena@lamp.example");
    assert_eq!(it.one::<i64>("select length(name) + length(bio) from users where id = 4"), 600);
    assert_eq!(it.one::<Option<String>>("select email from users where id = 5"), None);
    assert_eq!(it.one::<i64>("select length(name) from rooms where id = 2"), 100);
    assert!(report.text().contains("MIRA@lamp.example, of user 1 and of Somebody"), "{}", report.text());
}

/// Trap 16.
#[test]
fn text_that_is_too_long_becomes_a_file() {
    let it = Move::new();
    it.say(1, 1, 1, &format!("begin {}", "line of a log<br>".repeat(6_000)));
    it.import();
    let message = it.message(1);
    assert_eq!(
        (&message["kind"], &message["attachment"]["filename"]),
        (&json!("attachment"), &json!("message.txt"))
    );
    let content = message["content"].as_str().unwrap();
    assert!(
        content.contains("begin line of a log") && content.ends_with('…') && content.len() < 5_000,
        "{content}"
    );
    let key: String = it.one("select key from attachments");
    let file = fs::read_to_string(crate::store::Folder::of(&it.data()).place(&key)).unwrap();
    assert_eq!(file.matches("line of a log").count(), 6_000);
}

/// Trap 17.
#[test]
fn boosts_are_short_and_each_once_of_a_person() {
    let it = Move::new();
    it.say(1, 1, 1, "x");
    for (booster, content) in [(1, "👍"), (1, "👍"), (2, "Hello"), (2, "a much longer content"), (777, "🎉")]
    {
        it.row(
            "boosts",
            &[("message_id", json!(1)), ("booster_id", json!(booster)), ("content", json!(content))],
        );
    }
    let report = it.import();
    let boosts = it.message(1)["boosts"].clone();
    let contents: Vec<&str> =
        boosts.as_array().unwrap().iter().map(|it| it["content"].as_str().unwrap()).collect();
    assert_eq!(contents, ["👍", "Hello", "a much longer co", "🎉"]);
    assert_eq!((report.of(Kind::Boosts).found, report.of(Kind::Boosts).taken), (5, 4));
    assert_eq!(it.one::<i64>("select count(*) from boosts where id in (select value ->> 'id' from messages, json_each(cast(messages.json as text), '$.boosts'))"), 4);
}

/// Traps 18, 19 and 20.
#[test]
fn files_come_along_and_lost_ones_are_named() {
    let it = Move::new();
    let mut png = Vec::new();
    image::RgbImage::new(8, 6)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    it.say(1, 1, 1, "");
    it.attach(("Message", 1, "attachment"), 1, "skizze.png", Some(&png));
    it.say(2, 1, 1, "<div>see this</div>");
    it.attach(("Message", 2, "attachment"), 2, "lost `x`.pdf", None);
    it.say(3, 1, 1, "");
    it.attach(("Message", 3, "attachment"), 3, "film.heic", Some(b"not read here"));
    it.attach(("ActiveStorage::Blob", 3, "preview_image"), 4, "preview.png", Some(&png));
    it.attach(("User", 2, "avatar"), 5, "me.tiff", Some(b"II*\0 no picture that is read"));
    it.run("insert into active_storage_variant_records (id, blob_id, variation_digest) values (9, 5, 'x')");
    it.attach(("ActiveStorage::VariantRecord", 9, "image"), 6, "me.png", Some(&png));
    let report = it.import();
    let files = report.of(Kind::Files);
    assert_eq!((files.found, files.taken), (3, 2), "{}", report.text());
    let file = it.message(1)["attachment"].clone();
    assert_eq!(
        (&file["filename"], &file["content_type"], &file["width"]),
        (&json!("skizze.png"), &json!("image/png"), &json!(8))
    );
    assert_eq!(it.message(2)["content"], "see this\n\n📎 `lost x.pdf` *(not in the export)*");
    assert!(it.message(3)["attachment"]["thumbnail_url"].is_string(), "{}", it.message(3));
    assert_eq!(it.one::<i64>("select avatar_version from users where id = 2"), 1);
    assert_eq!(it.one::<i64>("select count(*) from images where key = 'user-2'"), 1);
    // Found by its name.
    assert_eq!(
        it.one::<i64>("select rowid from messages_fts where messages_fts match 'words : \"skizze\"'"),
        1
    );
}

/// Traps 21 and 26, searches and sessions.
#[test]
fn bans_searches_and_sessions_come_along() {
    let it = Move::new();
    let (recent, old) = ("2126-01-01 00:00:00", "2020-01-01 00:00:00");
    for address in ["203.0.113.9", "10.0.0.1", "2001:db8::1", "2a00:1450::7", "nonsense"] {
        it.row("bans", &[("user_id", json!(2)), ("ip_address", json!(address))]);
    }
    for (query, at) in [("budget", recent), ("budget", old), ("plan", old)] {
        it.row("searches", &[("user_id", json!(1)), ("query", json!(query)), ("updated_at", json!(at))]);
    }
    for (user, token, at) in [
        (1, "abcdefghijkABCDEFGHIJK12", recent),
        (1, "abcdefghijkABCDEFGHIJK13", old),
        (777, "abcdefghijkABCDEFGHIJK14", recent),
    ] {
        it.row(
            "sessions",
            &[
                ("user_id", json!(user)),
                ("token", json!(token)),
                ("last_active_at", json!(at)),
                ("user_agent", json!("Firefox")),
            ],
        );
    }
    it.row(
        "push_subscriptions",
        &[
            ("user_id", json!(1)),
            ("endpoint", json!("https://push.example/1")),
            ("p256dh_key", json!("k")),
            ("auth_key", json!("a")),
        ],
    );
    let report = it.import();
    assert!(it.one::<String>("select group_concat(address) from blocked_addresses").contains("2a00:1450::"));
    assert_eq!(it.one::<i64>("select count(*) from searches"), 2);
    let hash: TokenHash = it.one("select token_hash from sessions where kind = 'device'");
    assert_eq!(hash.0, TokenHash::of("abcdefghijkABCDEFGHIJK12").0);
    assert_eq!(report.of(Kind::PushSubscriptions).left_out.len(), 1, "without the key");
}

#[test]
fn push_subscriptions_go_on_with_the_key_of_the_volume() {
    use base64::Engine;
    let it = Move::new();
    let key = crate::outbound::push::VapidKey::generate().to_bytes();
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&key);
    fs::write(
        it.dir.path().join("storage/once.volume.json"),
        json!({"vapidPrivateKey": encoded}).to_string(),
    )
    .unwrap();
    it.row(
        "sessions",
        &[
            ("user_id", json!(1)),
            ("token", json!("abcdefghijkABCDEFGHIJK12")),
            ("last_active_at", json!("2126-01-01 00:00:00")),
        ],
    );
    for user in [1, 2] {
        it.row(
            "push_subscriptions",
            &[
                ("user_id", json!(user)),
                ("endpoint", json!(format!("https://push.example/{user}"))),
                ("p256dh_key", json!("k")),
                ("auth_key", json!("a")),
            ],
        );
    }
    let report = it.import();
    assert_eq!(it.one::<Vec<u8>>("select value from secrets where name = 'vapid'"), key);
    let pushes = report.of(Kind::PushSubscriptions);
    assert_eq!((pushes.found, pushes.taken), (2, 1), "one has no session that could end it");
}

/// Trap 6.
#[test]
fn ids_that_do_not_rise_with_time_are_told() {
    let it = Move::new();
    it.say_at(1, 1, 1, "later", "2026-02-01 00:00:00");
    it.say_at(2, 1, 1, "earlier", "2025-02-01 00:00:00");
    let report = it.import();
    assert!(report.text().contains("older than one with a smaller id"), "{}", report.text());
    assert_eq!(it.message(2)["created_at"], "2025-02-01T00:00:00.000Z");
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
