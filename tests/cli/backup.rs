//! `campfire backup` and `campfire restore`, beside a running server and without one.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::start::{refused, run, text};
use crate::support::http::Credentials;
use crate::support::receiver::response;
use crate::support::server::{campfire, wait_for};
use crate::support::*;

fn backup(file: &Path, data: &Path, more: &[&str]) -> Output {
    run(&[&["backup", path(file), "--data", path(data)], more].concat(), &[], "")
}

fn restore(file: &Path, data: &Path, more: &[&str]) -> Output {
    run(&[&["restore", path(file), "--data", path(data)], more].concat(), &[], "")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[track_caller]
pub(crate) fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every entry of an archive: its name and its bytes.
fn unpacked(file: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(zstd::Decoder::new(std::fs::File::open(file).unwrap()).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
    });
    entries.collect()
}

/// The data of a stopped server with a message and a file, and its backup.
struct BackedUp {
    dir: tempfile::TempDir,
    archive: PathBuf,
    data: PathBuf,
}

async fn backed_up() -> BackedUp {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut team = Team::on(Server::on(&data, &[])).await;
    team.ada.say(team.room, "kindling").await;
    team.ada.upload(team.room, &[], "log.txt", &vec![b'x'; 3_000]).await.expect(201);
    assert!(team.server.terminate().success());
    std::fs::create_dir_all(data.join("certificates/chat.example.org")).unwrap();
    std::fs::write(data.join("certificates/chat.example.org/key.pem"), "a key").unwrap();
    let archive = dir.path().join("campfire.tar.zst");
    assert_success(&backup(&archive, &data, &[]));
    BackedUp { dir, archive, data }
}

/// Posts until `stop` is set and counts acknowledgements; returns the acknowledged messages by id.
async fn post_until_stopped(
    person: Person,
    room: i64,
    name: usize,
    stop: Arc<AtomicBool>,
    acks: Arc<AtomicUsize>,
) -> BTreeMap<i64, String> {
    let mut acked = BTreeMap::new();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let content = format!("speaker {name} says {n}");
        let message = person.say(room, &content).await;
        acked.insert(id(&message), content);
        acks.fetch_add(1, Ordering::Relaxed);
    }
    acked
}

/// Waits until the counter has reached this value.
async fn reaches(acks: &AtomicUsize, count: usize) {
    within("messages to be acknowledged", async {
        while acks.load(Ordering::Relaxed) < count {
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn backup_under_load_has_all_that_was_acknowledged_before_it_began() {
    let team = Team::start().await;
    let dir = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..700_001_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let file = team.ada.upload(team.room, &[], "noise.bin", &bytes).await.expect(201);
    let gone = team.ada.upload(team.room, &[], "gone.txt", b"soon gone").await.expect(201);
    team.ada.delete(&format!("/api/messages/{}", id(&gone))).await.expect(204);
    let (stop, acks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut authors = Vec::new();
    for n in 0..4 {
        let person = team.join(&format!("Speaker {n}")).await;
        authors.push(tokio::spawn(post_until_stopped(
            person,
            team.room,
            n,
            Arc::clone(&stop),
            Arc::clone(&acks),
        )));
    }
    reaches(&acks, 200).await;
    // Messages up to this id were acknowledged before the backup began.
    let last = id(&team.ada.say(team.room, "the last before the backup").await);
    let archive = dir.path().join("campfire.tar.zst");
    let (data, to) = (team.server.data().to_owned(), archive.clone());
    let made = tokio::task::spawn_blocking(move || backup(&to, &data, &[])).await.unwrap();
    assert_success(&made);
    let during = acks.load(Ordering::Relaxed);
    reaches(&acks, during + 50).await;
    stop.store(true, Ordering::Relaxed);
    let mut acked = BTreeMap::new();
    for author in authors {
        acked.extend(author.await.unwrap());
    }
    assert_eq!(
        std::fs::metadata(&archive).unwrap().permissions().mode() & 0o777,
        0o600,
        "there are keys in it"
    );
    assert!(!names(team.server.data()).contains(&".backup".to_owned()), "it clears up");

    let restored = dir.path().join("restored");
    assert_success(&restore(&archive, &restored, &["--keep-sessions"]));
    assert_success(&run(&["check", "--data", path(&restored)], &[], ""));
    let server = Server::on(&restored, &[]);
    let ada = Client::new(server.address(), team.ada.credentials().clone());
    let mut found: HashSet<(i64, String)> = HashSet::new();
    let mut before = last + 1;
    loop {
        let page = ada.get(&format!("/api/rooms/{}/messages?before={before}", team.room)).await.expect(200);
        let messages = page["messages"].as_array().unwrap();
        let Some(oldest) = messages.iter().map(id).min() else { break };
        for message in messages {
            found.insert((id(message), message["content"].as_str().unwrap_or_default().to_owned()));
        }
        before = oldest;
    }
    let expected: Vec<_> = acked.into_iter().filter(|(id, _)| *id <= last).collect();
    assert!(expected.len() >= 200);
    for message in expected {
        assert!(found.contains(&message), "{message:?} is lost");
    }
    let url = file["attachment"]["url"].as_str().unwrap();
    assert_eq!(ada.get(url).await.body, bytes, "the file, byte by byte");
    let hits = ada.get("/api/search?q=speaker").await.expect(200);
    assert!(!hits["results"].as_array().unwrap().is_empty(), "and it is found: {hits}");
}

/// 32.
#[tokio::test]
async fn restore_ends_what_may_have_ended_since_the_backup() {
    let receiver = Receiver::start(|_, _| response(503, "text/plain", "")).await;
    let team = Team::start().await;
    let dir = tempfile::tempdir().unwrap();
    let token = team.ada.post("/api/tokens", json!({"name": "script", "scope": "write"})).await.expect(201);
    let token = Client::new(
        team.server.address(),
        Credentials::Bearer(token["token"].as_str().expect("a token").to_owned()),
    );
    let bot = json!({"name": "Echo", "webhook_url": receiver.url("/")});
    let bot = team.ada.post("/api/bots", bot).await.expect(201);
    team.ada.say(team.room, &format!("@[Echo](user:{}) hello", id(&bot))).await;
    let link = team.ada.post("/api/session/transfer", json!({})).await.expect(201);
    let link = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    receiver.wait_for_calls(1).await;
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let jobs = "select count(*) from jobs where kind = 'webhook'";
    assert_eq!(db.query_row(jobs, (), |row| row.get::<_, i64>(0)).unwrap(), 1, "it waits for its next try");
    let archive = dir.path().join("campfire.tar.zst");
    assert_success(&backup(&archive, team.server.data(), &[]));
    for (options, is_signed_in, is_token_good, said) in [
        (&[][..], false, true, "1 sessions, 1 links and 1 waiting jobs were ended"),
        (&["--keep-sessions"], true, true, "go on as when it was made"),
        (&["--revoke-tokens"], false, false, "API tokens and bot keys were revoked"),
    ] {
        let restored = dir.path().join(format!("restored{}", options.len() + said.len()));
        let output = restore(&archive, &restored, options);
        assert_success(&output);
        let told = text(&output.stdout);
        assert!(told.contains(said), "{told}");
        assert_eq!(told.contains("2 API tokens and bot keys work"), is_token_good, "{told}");
        let db = rusqlite::Connection::open(restored.join("campfire.db")).unwrap();
        let waiting = db.query_row(jobs, (), |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(waiting, i64::from(is_signed_in), "{options:?}");
        let server = Server::on(&restored, &[]);
        let status = |who: &Client, path: &'static str| {
            let client = Client::new(server.address(), who.credentials().clone());
            async move { client.get(path).await.status }
        };
        assert_eq!(status(&team.ada, "/api/session").await == 200, is_signed_in, "{options:?}");
        assert_eq!(status(&token, "/api/rooms").await == 200, is_token_good, "{options:?}");
        let nobody = Client::new(server.address(), Credentials::None);
        assert_eq!(nobody.post(&link, json!({})).await.status == 201, is_signed_in, "{options:?}");
        let again = json!({"email": "ada@example.com", "password": PASSWORD});
        nobody.post("/api/session", again).await.expect(201);
    }
    let both = restore(&archive, &dir.path().join("both"), &["--keep-sessions", "--revoke-tokens"]);
    refused(&both, 2, &["exclude each other"]);
}

#[tokio::test]
async fn backup_is_a_tar_zst_with_a_manifest_of_its_files() {
    let backed_up = backed_up().await;
    let entries = unpacked(&backed_up.archive);
    let (last, manifest) = entries.last().unwrap();
    assert_eq!(last, "manifest.json");
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    assert_eq!((&manifest["format"], &manifest["version"]), (&json!(1), &json!(env!("CARGO_PKG_VERSION"))));
    assert_time(&manifest["made_at"]);
    assert_eq!(manifest["missing"], json!([]));
    let listed: Vec<(&str, u64)> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["size"].as_u64().unwrap()))
        .collect();
    let there: Vec<(&str, u64)> = entries[..entries.len() - 1]
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.len() as u64))
        .collect();
    assert_eq!(listed, there);
    assert_eq!(there[0].0, "campfire.db");
    assert!(there[1].0.starts_with("files/") && there[1].1 == 3_000, "{there:?}");
    assert_eq!(there[2], ("certificates/chat.example.org/key.pem", 5));
}

#[tokio::test]
async fn backup_pipes_into_restore() {
    let BackedUp { dir, data, .. } = backed_up().await;
    let target = dir.path().join("new/place");
    let mut from =
        campfire().args(["backup", "-", "--data", path(&data)]).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = campfire()
        .args(["restore", "-", "--data", path(&target)])
        .stdin(from.stdout.take().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(wait_for(&mut from).is_some_and(|status| status.success()));
    assert!(wait_for(&mut to).is_some_and(|status| status.success()));
    assert_eq!(names(&target), ["campfire.db", "certificates", "files"]);
    assert_eq!(std::fs::read(target.join("certificates/chat.example.org/key.pem")).unwrap(), b"a key");
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn backup_and_restore_refuse_to_overwrite_and_name_wrong_paths() {
    let BackedUp { dir, archive, data } = backed_up().await;
    let before = std::fs::read(&archive).unwrap();
    refused(&backup(&archive, &data, &[]), 1, &["exists", "--force"]);
    assert_eq!(std::fs::read(&archive).unwrap(), before);
    assert_success(&backup(&archive, &data, &["--force"]));
    assert_ne!(std::fs::read(&archive).unwrap(), before, "it tells another moment");
    refused(&restore(&archive, &data, &[]), 1, &["not empty", "--data"]);
    for ending in ["campfire.tar", "campfire.tar.gz", "campfire.zip", "campfire"] {
        refused(&backup(&dir.path().join(ending), &data, &[]), 2, &[".tar.zst"]);
        refused(&restore(&dir.path().join(ending), &data, &[]), 2, &[".tar.zst"]);
    }
    refused(&run(&["backup", "--data", path(&data)], &[], ""), 2, &[".tar.zst"]);
    refused(&run(&["backup", "a.tar.zst", "b.tar.zst"], &[], ""), 2, &["b.tar.zst"]);
    let nowhere = dir.path().join("nowhere");
    refused(&backup(&dir.path().join("x.tar.zst"), &nowhere, &[]), 1, &["no campfire data", "nowhere"]);
    refused(&backup(&nowhere.join("x.tar.zst"), &data, &[]), 1, &["nowhere"]);
    refused(&restore(&nowhere.join("x.tar.zst"), &nowhere, &[]), 1, &["nowhere"]);
    assert_eq!(names(dir.path()), ["campfire.tar.zst", "data"], "nothing is left of all that");
    assert!(!names(&data).contains(&".backup".to_owned()));
}

#[tokio::test]
async fn restore_of_a_damaged_archive_leaves_nothing_behind() {
    let BackedUp { dir, archive, .. } = backed_up().await;
    let whole = std::fs::read(&archive).unwrap();
    let broken = dir.path().join("broken.tar.zst");
    let target = dir.path().join("target");
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for n in 1..8 {
        let place = whole.len() * n / 8;
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        cases.push((format!("byte {place} is another"), flipped));
        cases.push((format!("cut off at {place}"), whole[..place].to_vec()));
    }
    cases.push(("its last byte is missing".into(), whole[..whole.len() - 1].to_vec()));
    cases.push(("it goes on".into(), [whole.as_slice(), b"more"].concat()));
    cases.push(("it is empty".into(), Vec::new()));
    cases.push(("it is something else".into(), b"PK\x03\x04 and so on".to_vec()));
    for (what, bytes) in cases {
        std::fs::write(&broken, bytes).unwrap();
        refused(&restore(&broken, &target, &[]), 1, &["backup"]);
        refused(&restore(&broken, &empty, &[]), 1, &["backup"]);
        assert_eq!(names(dir.path()), ["broken.tar.zst", "campfire.tar.zst", "data", "empty"], "{what}");
        assert_eq!(names(&empty), [""; 0], "{what}");
    }
    let verified = restore(&archive, &target, &["--verify"]);
    assert_success(&verified);
    assert!(text(&verified.stdout).contains("is complete"), "{}", text(&verified.stdout));
    assert!(!target.exists(), "it only verifies");
    assert_success(&restore(&archive, &empty, &[]));
    assert_eq!(names(&empty), ["campfire.db", "certificates", "files"]);
}

/// Packs these entries without checks.
fn pack(to: &Path, entries: &[(tar::Header, Vec<u8>)]) {
    let mut tar = tar::Builder::new(zstd::Encoder::new(std::fs::File::create(to).unwrap(), 1).unwrap());
    for (header, bytes) in entries {
        tar.append(header, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

/// A header with exactly this name, which the library would refuse to set.
fn header(name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

#[tokio::test]
async fn restore_of_a_hostile_archive_writes_nothing() {
    let BackedUp { dir, archive, .. } = backed_up().await;
    let good: Vec<(tar::Header, Vec<u8>)> = unpacked(&archive)
        .into_iter()
        .map(|(name, bytes)| (header(&name, bytes.len() as u64), bytes))
        .collect();
    let hostile = dir.path().join("hostile.tar.zst");
    pack(&hostile, &good);
    assert_success(&restore(&hostile, &dir.path().join("target"), &["--verify"]));
    let (manifest, rest) = good.split_last().unwrap();
    let with = |extra: (tar::Header, Vec<u8>)| [rest, &[extra, manifest.clone()]].concat();
    let link = |kind: tar::EntryType, name: &str| {
        let mut header = header(name, 0);
        header.set_entry_type(kind);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        (header, Vec::new())
    };
    let mut cases = vec![
        ("a way up", with((header("../escaped", 4), b"evil".to_vec()))),
        ("a way up from within", with((header("files/ab/../../../escaped", 4), b"evil".to_vec()))),
        ("an absolute path", with((header("/tmp/campfire-escaped", 4), b"evil".to_vec()))),
        ("a name that no backup has", with((header("campfire.db-wal", 4), b"evil".to_vec()))),
        ("a symbolic link", with(link(tar::EntryType::Symlink, "files/ab/abcd"))),
        ("a hard link", with(link(tar::EntryType::Link, "files/ab/abcd"))),
        ("a device", with(link(tar::EntryType::Char, "files/ab/abcd"))),
        ("a directory", with(link(tar::EntryType::Directory, "files/ab/abcd"))),
        ("a pipe", with(link(tar::EntryType::Fifo, "files/ab/abcd"))),
        ("a long name", with(link(tar::EntryType::GNULongName, "files/ab/abcd"))),
        ("a pax header", with(link(tar::EntryType::XHeader, "files/ab/abcd"))),
        ("a file that is not in the manifest", with((header("files/ab/abcd", 4), b"evil".to_vec()))),
        ("the same file twice", with(rest[1].clone())),
        ("the database twice", with(rest[0].clone())),
        ("an absurd size", with((header("files/ab/abcd", 1 << 60), Vec::new()))),
        ("a file after the manifest", [&good[..], &[rest[1].clone()]].concat()),
        ("a file that is missing", [&rest[..1], &rest[2..], std::slice::from_ref(manifest)].concat()),
        ("no manifest", rest.to_vec()),
        ("nothing", Vec::new()),
        ("a manifest that is none", [rest, &[(header("manifest.json", 2), b"{}".to_vec())]].concat()),
    ];
    for (was, becomes) in [
        ("\"format\":1", "\"format\":2"),
        ("\"schema\":", "\"schema\":99"),
        ("\"sha256\":\"", "\"sha256\":\"0"),
    ] {
        let changed = text(&manifest.1).replacen(was, becomes, 1).into_bytes();
        let entry = (header("manifest.json", changed.len() as u64), changed);
        cases.push((becomes, [rest, &[entry]].concat()));
    }
    let target = dir.path().join("within/target");
    for (what, entries) in cases {
        pack(&hostile, &entries);
        let output = restore(&hostile, &target, &[]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", text(&output.stderr));
        refused(&output, 1, &[if what == "an absurd size" { "are needed" } else { "backup" }]);
        assert_eq!(names(dir.path()), ["campfire.tar.zst", "data", "hostile.tar.zst", "within"], "{what}");
        assert_eq!(names(&dir.path().join("within")), [""; 0], "{what}");
        assert!(!Path::new("/tmp/campfire-escaped").exists(), "{what}");
    }
}

#[tokio::test]
async fn backup_reports_a_missing_file_and_has_the_rest() {
    let BackedUp { dir, data, .. } = backed_up().await;
    let folder = std::fs::read_dir(data.join("files")).unwrap().map(|it| it.unwrap().path());
    let folder = folder.into_iter().find(|path| !path.ends_with("incoming")).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let archive = dir.path().join("second.tar.zst");
    let made = backup(&archive, &data, &[]);
    assert_success(&made);
    assert!(text(&made.stderr).contains("1 uploaded files are missing"), "{}", text(&made.stderr));
    let manifest: Value = serde_json::from_slice(&unpacked(&archive).last().unwrap().1).unwrap();
    assert_eq!(manifest["missing"].as_array().unwrap().len(), 1);
    let restored = restore(&archive, &dir.path().join("restored"), &[]);
    assert_success(&restored);
    assert!(text(&restored.stderr).contains("were missing already"), "{}", text(&restored.stderr));
}

#[tokio::test]
async fn backup_on_a_full_disk_fails_and_leaves_nothing() {
    let BackedUp { dir, data, .. } = backed_up().await;
    let archive = dir.path().join("full.tar.zst");
    // A full disk is simulated without root: no file may grow beyond a few KiB.
    let line = "trap '' XFSZ; ulimit -f 8; exec \"$0\" backup \"$1\" --data \"$2\"";
    let output = std::process::Command::new("bash")
        .args(["-c", line, env!("CARGO_BIN_EXE_campfire"), path(&archive), path(&data)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    assert_eq!(names(dir.path()), ["campfire.tar.zst", "data"]);
    assert!(!names(&data).contains(&".backup".to_owned()));
}

#[tokio::test]
async fn backup_that_is_stopped_leaves_nothing() {
    let BackedUp { dir, data, .. } = backed_up().await;
    let archive = dir.path().join("stopped.tar.zst");
    // This lock makes the backup wait, so that the signal always arrives before its end.
    let lock = std::fs::File::open(&data).unwrap();
    lock.lock().unwrap();
    let mut child = campfire()
        .args(["backup", path(&archive), "--data", path(&data)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stderr.as_mut().unwrap()), &mut said)
        .unwrap();
    assert!(said.contains("waiting"), "{said}");
    let killed =
        std::process::Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status();
    assert!(killed.unwrap().success());
    assert_eq!(wait_for(&mut child).and_then(|status| status.code()), Some(1));
    drop(lock);
    assert_eq!(names(dir.path()), ["campfire.tar.zst", "data"]);
    assert_success(&backup(&archive, &data, &[]));
}

/// Waits until the directory has a wanted name; returns all names.
async fn appears(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let began = Instant::now();
    loop {
        if directory.exists() {
            let there = names(directory);
            if there.iter().any(|name| wanted(name)) {
                return there;
            }
            assert!(began.elapsed() < DEADLINE, "only {there:?} in {}", directory.display());
        }
        assert!(began.elapsed() < DEADLINE, "{} is not there", directory.display());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn metric(client: &Client, name: &str) -> f64 {
    let text = client.get("/metrics").await.text();
    let line = text.lines().find(|line| line.starts_with(name) && line.as_bytes()[name.len()] == b' ');
    line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn scheduled_backup_is_made_up_for_at_start_and_old_ones_are_pruned() {
    let dir = tempfile::tempdir().unwrap();
    let backups = dir.path().join("data/backups");
    std::fs::create_dir_all(&backups).unwrap();
    for name in [
        "campfire-2020-01-05T0300Z.tar.zst", // a Sunday: the last of its week, kept
        "campfire-2020-01-04T0300Z.tar.zst", // the same week, pruned
        "campfire-2020-01-06T0300Z.tar.zst.part", // left by a killed backup, pruned
        "campfire-2020-01-03T0300Z-keep.tar.zst", // not made by the schedule, kept
        "before-the-move.tar.zst",
    ] {
        std::fs::write(backups.join(name), "old").unwrap();
    }
    let settings = [("CAMPFIRE_BACKUP_DIR", path(&backups)), ("CAMPFIRE_BACKUP_DAILY", "1")];
    let team = Team::on(Server::on(&dir.path().join("data"), &settings)).await;
    team.ada.say(team.room, "before the backup").await;
    const LAST: &str = "campfire_backup_last_success_timestamp_seconds";
    assert_eq!(metric(&team.ada, LAST).await, 1_578_193_200.0, "that of 2020");
    let new =
        |name: &str| name.starts_with("campfire-202") && !name.contains("2020-") && name.ends_with(".zst");
    appears(&backups, new).await;
    within("the success to be counted", async {
        while metric(&team.ada, LAST).await < 1_700_000_000.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let there = names(&backups);
    let made = there.iter().find(|name| new(name)).unwrap();
    assert_eq!(
        there.iter().filter(|name| *name != made).collect::<Vec<_>>(),
        [
            ".campfire-backups",
            "before-the-move.tar.zst",
            "campfire-2020-01-03T0300Z-keep.tar.zst",
            "campfire-2020-01-05T0300Z.tar.zst"
        ]
    );
    assert_eq!(metric(&team.ada, "campfire_backup_failures_total").await, 0.0);
    let archive = backups.join(made);
    assert!(unpacked(&archive).iter().all(|(name, _)| !name.contains("backups")), "not of itself");
    assert_success(&restore(&archive, &dir.path().join("restored"), &[]));
}

/// B20.
#[tokio::test]
async fn scheduled_backup_is_not_made_where_its_disk_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let usb = dir.path().join("usb");
    std::fs::create_dir(&usb).unwrap();
    let data = dir.path().join("data");
    let settings = [("CAMPFIRE_BACKUP_DIR", path(&usb))];
    let mut team = Team::on(Server::on(&data, &settings)).await;
    appears(&usb, |name| name.starts_with("campfire-2") && name.ends_with(".zst")).await;
    appears(&usb, |name| name == ".campfire-backups").await;
    team.server.terminate();
    // The disk goes, and its mount point is left.
    std::fs::rename(&usb, dir.path().join("away")).unwrap();
    std::fs::create_dir(&usb).unwrap();
    team.server.restart();
    team.server.logs("the backup failed");
    assert!(team.server.log().contains("usb is not the directory of the backups before; mount its disk"));
    assert_eq!(names(&usb), [""; 0]);
    assert!(metric(&team.ada, "campfire_backup_failures_total").await >= 1.0);
    team.server.terminate();
    // A directory that is not there is not made either.
    std::fs::remove_dir(&usb).unwrap();
    team.server.restart();
    team.server.logs("mkdir -p");
    assert!(!usb.exists());
}

#[tokio::test]
async fn scheduled_backup_failure_is_logged_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "no directory").unwrap();
    let backups = dir.path().join("file/backups");
    let team = Team::with(&[("CAMPFIRE_BACKUP_DIR", path(&backups))]).await;
    within("the failure to be counted", async {
        while metric(&team.ada, "campfire_backup_failures_total").await < 1.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    team.ada.say(team.room, "all is well").await;
    let log = team.server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("backup")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("the backup failed") && lines[0].contains("file/backups"), "{}", lines[0]);
}

#[tokio::test]
async fn backup_dir_among_the_data_and_a_malformed_time_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for place in [data.clone(), data.join("files"), data.join("files/mine"), data.join("certificates")] {
        let args = ["serve", "--listen", "127.0.0.1:0", "--data", path(&data), "--backup-dir", path(&place)];
        refused(&run(&args, &[], ""), 2, &["--backup-dir", "another directory"]);
    }
    for wrong in ["3:00", "25:00", "03:00:00", "noon"] {
        refused(&run(&["serve", "--backup-at", wrong], &[], ""), 2, &["--backup-at", "03:00"]);
    }
}

#[test]
fn backup_to_a_pipe_is_a_zstd_frame_that_restore_verifies() {
    // Tests have no terminal, so only the pipe is shown: it gets a zstd frame.
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let made = run(
        &[
            "admin",
            "create",
            "--data",
            path(&data),
            "--name",
            "R",
            "--email",
            "r@example.com",
            "--password-stdin",
        ],
        &[],
        "kindling and sparks\n",
    );
    assert_success(&made);
    let mut child =
        campfire().args(["backup", "-", "--data", path(&data)]).stdout(Stdio::piped()).spawn().unwrap();
    let mut bytes = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(wait_for(&mut child).is_some_and(|status| status.success()));
    assert_eq!(bytes[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    let mut verify = campfire()
        .args(["restore", "-", "--verify"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    verify.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert!(wait_for(&mut verify).is_some_and(|status| status.success()));
}
