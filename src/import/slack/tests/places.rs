//! Where things stand in exports: folders, workspaces of a grid, files.

use super::*;
use crate::import::{Order, Secrets, run};

const HI: &[u8] = br#"[{"type":"message","user":"U1","text":"hi","ts":"1770000000.000100"}]"#;

#[test]
fn zip_of_slack_has_the_same_as_one_that_was_made_again() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let name = "s\u{fc}d/2026-02-01.json";
    let zipped = |file: &str, folder: &str| {
        let path = dir.path().join(file);
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (name, bytes) in
            [("users.json", USERS.as_bytes()), ("channels.json", CHANNELS.as_bytes()), (name, HI)]
        {
            zip.start_file(format!("{folder}{name}"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        path
    };
    let flagged = zipped("again.zip", "Our Slack export/");
    // Slack writes UTF-8 and does not set the flag that says so: bit 11, in the header of each file and in the directory.
    let plain = zipped("slack.zip", "");
    let mut bytes = std::fs::read(&plain).unwrap();
    for (mark, place) in [(b"PK\x03\x04", 7), (b"PK\x01\x02", 9)] {
        let found: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, it)| it == mark).map(|it| it.0).collect();
        found.into_iter().for_each(|at| bytes[at + place] &= !8);
    }
    std::fs::write(&plain, bytes).unwrap();
    for path in [flagged, plain] {
        let data = tempfile::tempdir().unwrap();
        let order = Order {
            chat: Chat::Slack,
            path: &path,
            data: data.path(),
            is_check: false,
            secrets: Secrets::default(),
        };
        let report = run(&order, &mut |_| {}).unwrap();
        let db = rusqlite::Connection::open(data.path().join("campfire.db")).unwrap();
        let room: String = db
            .query_row("select name from rooms join messages on room_id = rooms.id", (), |row| row.get(0))
            .unwrap();
        assert_eq!((room.as_str(), report.of(Kind::Messages).taken), ("s\u{fc}d", 1), "{}", path.display());
    }
}

#[test]
fn grid_has_the_rooms_of_all_its_workspaces() {
    let of_team = |id: &str| {
        format!(
            r#"[{{"id":"{id}","name":"general","members":["U1"]}},{{"id":"CS","name":"shared","members":["U1"]}}]"#
        )
    };
    let (blue, red) = (of_team("CB"), of_team("CR"));
    let imported = Imported::of(
        Chat::Slack,
        &[
            ("org_users.json", USERS.as_bytes()),
            ("channels.json", br#"[{"id":"CS","name":"shared","members":["U1"]}]"#),
            ("shared/2026-02-01.json", HI),
            ("teams/blue/users.json", USERS.as_bytes()),
            ("teams/blue/channels.json", blue.as_bytes()),
            ("teams/blue/general/2026-02-01.json", HI),
            ("teams/blue/shared/2026-02-01.json", HI),
            ("teams/red/channels.json", red.as_bytes()),
            ("teams/red/general/2026-02-01.json", HI),
        ],
    );
    assert_eq!(
        imported.rooms(),
        ["shared|open|Noor Haddad", "general (blue)|open|Noor Haddad", "general (red)|open|Noor Haddad"]
    );
    let messages =
        imported.rows("select rooms.name from messages join rooms on rooms.id = room_id order by rooms.id");
    assert_eq!(messages, ["shared", "general (blue)", "general (red)"]);
    assert_eq!(imported.left_out(Kind::Messages, "twice"), 1);
    assert_eq!(imported.report.of(Kind::People).found, 4);
}

#[test]
fn files_beside_the_export_are_taken() {
    let file = |id: &str, name: &str, size: usize| json!({ "id": id, "name": name, "mimetype": "image/png", "size": size });
    let files =
        [file("FA", "a.png", 5), file("FB", "b.txt", 3), file("FC", "c.txt", 2), file("FD", "d.png", 999)];
    let day = json!([message(json!({ "text": "", "files": files }))]).to_string();
    let imported = Imported::of(
        Chat::Slack,
        &[
            ("users.json", USERS.as_bytes()),
            ("channels.json", CHANNELS.as_bytes()),
            ("plaza/2026-02-01.json", day.as_bytes()),
            ("__uploads/FA/a.png", b"bytes"),
            ("attachments/FB-b.txt", b"abc"),
            ("plaza/attachments/FC-c.txt", b"de"),
            // What Slack answers with when a token is good no more.
            ("__uploads/FD/d.png", b"<!DOCTYPE html><html>sign in</html>"),
        ],
    );
    let names = imported.rows("select json ->> '$.attachment.filename' from messages order by id");
    assert_eq!(names, ["a.png", "b.txt", "c.txt"]);
    assert_eq!(imported.text(KEY), "📎 `d.png` *(not in the export)*");
    assert_eq!((imported.report.of(Kind::Files).taken, imported.report.of(Kind::Files).found), (3, 4));
}

#[test]
fn folders_are_found_by_names_in_another_width_or_by_ids() {
    let imported = Imported::of(
        Chat::Slack,
        &[
            ("users.json", USERS.as_bytes()),
            (
                "channels.json",
                r#"[{"id":"C1","name":"ガイド","members":["U1"]},{"id":"C2","name":"b","members":["U1"]}]"#
                    .as_bytes(),
            ),
            ("ｶﾞｲﾄﾞ/2026-02-01.json", HI),
            ("C2/2026-02-01.json", HI),
            ("nowhere/2026-02-01.json", HI),
            ("FC:F1:notes/2026-02-01.json", HI),
            ("C2/2026-2-1.json", HI),
        ],
    );
    assert_eq!(imported.rows("select room_id from messages order by room_id"), ["1", "2"]);
    assert_eq!(imported.left_out(Kind::Others, "in no list"), 2);
    assert_eq!(imported.left_out(Kind::Others, "not read"), 1);
}

#[test]
fn damaged_file_gives_what_stands_before_the_damage() {
    let day = &HI[..HI.len() - 1];
    let imported = Imported::of(
        Chat::Slack,
        &[
            ("users.json", USERS.as_bytes()),
            ("channels.json", CHANNELS.as_bytes()),
            ("plaza/2026-02-01.json", day),
            ("plaza/2026-02-02.json", b""),
            ("plaza/2026-02-03.json", br#"{"messages":[]}"#),
            ("groups.json", b"null"),
            ("dms.json", b"[{\"id\":"),
        ],
    );
    assert_eq!(imported.texts().len(), 1);
    assert_eq!(imported.left_out(Kind::Others, "damaged"), 3);
}

#[test]
fn something_else_is_refused_in_a_sentence() {
    let refused =
        Imported::tried(Chat::Slack, &[("result.json", b"{}")]).err().map(|error| error.to_string());
    assert!(refused.unwrap().contains("neither a channels.json nor a users.json"));
}
