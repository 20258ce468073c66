//! `campfire upgrade` of an installed binary, from releases that the tests make. What is new there is a script.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::start::{run, text};
use crate::support::server::{campfire, put_binary, wait_for};
use crate::support::tls::Authority;
use crate::support::*;

const OWN: &str = env!("CARGO_PKG_VERSION");

/// Newer than any that this will ever be.
const NEW: &str = "900.0.0";

const ARCHITECTURES: [&str; 3] = ["x86_64", "aarch64", "armv7"];

/// A machine on which the binary of this build is installed, and a release directory.
struct House {
    dir: tempfile::TempDir,
}

impl House {
    fn new() -> House {
        let dir = tempfile::tempdir().unwrap();
        // Others may look into it, as into /usr/local.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let house = House { dir };
        for name in ["bin", "release", "path"] {
            fs::create_dir(house.at(name)).unwrap();
        }
        put_binary(&house.binary());
        house
    }

    /// The same with a release of this version.
    fn with(version: &str) -> House {
        let house = House::new();
        house.release(version, &house.script(version));
        house
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn binary(&self) -> PathBuf {
        self.at("bin/campfire")
    }

    fn previous(&self) -> PathBuf {
        self.at("bin/campfire.previous")
    }

    /// What serves as a later or an earlier version: well as long as nobody says that it is ill.
    fn script(&self, version: &str) -> String {
        let ill = self.at("ill");
        format!(
            "#!/bin/sh\ncase $1 in\n  --version) echo 'campfire {version}' ;;\n  healthcheck) [ ! -e '{}' ] ;;\nesac\n",
            ill.display()
        )
    }

    fn release(&self, version: &str, binary: &str) {
        let release = self.at("release");
        let mut sums = String::new();
        for architecture in ARCHITECTURES {
            let name = format!("campfire-{architecture}-linux");
            fs::write(release.join(&name), binary).unwrap();
            sums += &format!("{}  {name}\n", sha256(binary.as_bytes()));
        }
        fs::write(release.join("SHA256SUMS"), sums).unwrap();
        fs::write(release.join("VERSION"), format!("{version}\n")).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&self.binary(), arguments)
    }

    fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        // As for every other binary of a test, nothing of the caller's own settings.
        for (name, value) in campfire().get_envs() {
            assert!(value.is_none());
            command.env_remove(name);
        }
        command.arg("upgrade").args(arguments).current_dir(self.dir.path());
        command.env("CAMPFIRE_BASE_URL", self.at("release")).env("PATH", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Whoever is called by name is looked for among the stubs first.
    fn path(&self) -> String {
        let others = std::env::var("PATH").unwrap_or_default();
        format!("{}:{others}", self.at("path").display())
    }

    fn upgrade(&self, arguments: &[&str]) -> Output {
        ended(self.command(arguments))
    }

    /// The same without a service that runs it, whatever this machine has.
    fn upgrade_alone(&self, arguments: &[&str]) -> Output {
        self.stub("systemctl", "exit 1");
        self.upgrade(arguments)
    }

    fn stub(&self, name: &str, script: &str) {
        program(&self.at("path").join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    /// A `systemctl` that knows the installed binary as the service, started with these settings; `more` are lines
    /// of its own for what it is told.
    fn service(&self, settings: &str, more: &str) {
        let binary = self.binary();
        self.service_of(&binary, settings, more);
    }

    fn service_of(&self, binary: &Path, settings: &str, more: &str) {
        let (binary, calls) = (binary.display(), self.at("calls"));
        self.stub(
            "systemctl",
            &format!(
                "echo \"$*\" >>'{}'\ncase \"$*\" in\n{more}\n*--user*) exit 1 ;;\n*' show campfire.service '*)\n\
                 echo ActiveState=active\n\
                 echo 'ExecStart={{ path={binary} ; argv[]={binary} serve {settings} ; ignore_errors=no }}' ;;\nesac",
                calls.display()
            ),
        );
    }

    /// What `systemctl` was told to do, rather than asked.
    fn restarts(&self) -> usize {
        let calls = fs::read_to_string(self.at("calls")).unwrap_or_default();
        calls.lines().filter(|call| call.ends_with("restart campfire.service")).count()
    }

    /// Names and contents below `bin`.
    fn installed(&self) -> BTreeMap<String, (u64, u32, String)> {
        let entries = fs::read_dir(self.at("bin")).unwrap().map(|entry| entry.unwrap());
        let of = |entry: fs::DirEntry| {
            let meta = entry.metadata().unwrap();
            let small =
                if meta.len() < 10_000 { fs::read_to_string(entry.path()).unwrap() } else { String::new() };
            (entry.file_name().into_string().unwrap(), (meta.ino(), meta.mode(), small))
        };
        entries.map(of).collect()
    }

    #[track_caller]
    fn has(&self, version: &str, previous: Option<&str>) {
        assert_eq!(version_of(&self.binary()).as_deref(), Some(version), "{:?}", self.installed());
        assert_eq!(version_of(&self.previous()).as_deref(), previous, "{:?}", self.installed());
        assert_eq!(self.installed().len(), 1 + usize::from(previous.is_some()), "{:?}", self.installed());
    }

    /// Fails unless it refuses with these words and leaves all as it was.
    #[track_caller]
    fn refuses(&self, command: Command, words: &[&str]) {
        let before = self.installed();
        let output = ended(command);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "one sentence: {said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in {said}");
        }
        assert_eq!(self.installed(), before, "{said}");
    }
}

/// Writes a program; another process does it, as in [`put_binary`].
fn program(path: &Path, content: &str) {
    let mut command = Command::new("install");
    command.args(["-m", "755", "/dev/stdin"]).arg(path).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn ended(mut command: Command) -> Output {
    let mut child = command.spawn().expect("the installed binary");
    let status = wait_for(&mut child);
    if status.is_none() {
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("its output");
    assert!(status.is_some(), "it does not end: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn version_of(binary: &Path) -> Option<String> {
    let output = Command::new(binary).arg("--version").output().ok()?;
    text(&output.stdout).trim().strip_prefix("campfire ").map(str::to_owned)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn well(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A sentence on standard error, and status 1.
#[track_caller]
fn failed(output: &Output) -> String {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{}{said}", text(&output.stdout));
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

#[test]
fn the_new_version_takes_the_place_of_the_old_one_which_stays_beside_it() {
    let house = House::with(NEW);
    let old = fs::metadata(house.binary()).unwrap();
    let said = well(&house.upgrade_alone(&[]));
    for part in [NEW, OWN, "campfire.previous", "nothing to back up", "start it again"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    house.has(NEW, Some(OWN));
    let new = fs::metadata(house.binary()).unwrap();
    assert_eq!((new.mode(), new.uid(), new.gid()), (old.mode(), old.uid(), old.gid()));
    assert_eq!(fs::metadata(house.previous()).unwrap().ino(), old.ino(), "the very same file");
}

#[tokio::test]
async fn a_release_is_taken_over_http_and_from_where_that_sends_us() {
    let house = House::with(NEW);
    house.stub("systemctl", "exit 1");
    let release = house.at("release");
    let site = Receiver::start(move |heard, _| match heard.path.strip_prefix("/latest/") {
        Some(name) if name.starts_with("campfire-") => {
            receiver::redirect(&format!("/files/{name}?version=1"))
        }
        Some(name) => receiver::answer(200, "text/plain", fs::read(release.join(name)).unwrap()),
        None => {
            let name = heard.path.trim_start_matches("/files/").trim_end_matches("?version=1");
            receiver::answer(200, "application/octet-stream", fs::read(release.join(name)).unwrap())
        }
    })
    .await;
    let mut command = house.command(&[]);
    command.env("CAMPFIRE_BASE_URL", site.url("/latest/"));
    let said = well(&tokio::task::spawn_blocking(move || ended(command)).await.unwrap());
    assert!(said.contains(&site.url("/latest")), "{said}");
    house.has(NEW, Some(OWN));
    assert_eq!(site.heard().len(), 4, "VERSION, SHA256SUMS, the binary and where it is");
}

#[tokio::test]
async fn a_download_that_is_cut_off_or_not_there_changes_nothing() {
    let house = House::with(NEW);
    let release = house.at("release");
    let site = Receiver::start(move |heard, _| {
        let (place, name) = heard.path[1..].split_once('/').unwrap();
        let whole = receiver::answer(200, "text/plain", fs::read(release.join(name)).unwrap());
        match place {
            "cut" if name.starts_with("campfire-") => whole[..whole.len() - 9].to_vec(),
            "gone" if name.starts_with("campfire-") => receiver::answer(404, "text/plain", "no"),
            "loop" => receiver::redirect(&heard.path),
            _ => whole,
        }
    })
    .await;
    let tried = move || {
        for (place, words) in [
            ("cut", ["cannot download", "nothing was changed"]),
            ("gone", ["404", "nothing was changed"]),
            ("loop", ["redirects too often", "nothing was changed"]),
        ] {
            house.refuses(house.command(&["--from", &site.url(&format!("/{place}"))]), &words);
        }
        // Nobody listens there any more.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        house.refuses(
            house.command(&["--from", &format!("http://{closed}")]),
            &["cannot download", "VERSION"],
        );
    };
    tokio::task::spawn_blocking(tried).await.unwrap();
}

#[tokio::test]
async fn a_release_that_comes_by_https_is_not_taken_from_a_place_without() {
    let house = House::with(NEW);
    let authority = Authority::new();
    fs::write(house.at("roots.pem"), &authority.pem).unwrap();
    let (chain, key) = authority.issue(&["127.0.0.1"]);
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
        .unwrap();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let answer = if head[..read].starts_with(b"GET /VERSION ") {
                receiver::answer(200, "text/plain", NEW)
            } else {
                receiver::redirect("http://127.0.0.1:9/SHA256SUMS")
            };
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    let from = format!("https://{address}");
    let tried = move || {
        house.refuses(
            house.command(&["--from", &from]),
            &["cannot download", "VERSION", "nothing was changed"],
        );
        let mut trusting = house.command(&["--from", &from]);
        trusting.env("SSL_CERT_FILE", house.at("roots.pem"));
        house.refuses(trusting, &["SHA256SUMS", "redirects from https to http", "nothing was changed"]);
    };
    tokio::task::spawn_blocking(tried).await.unwrap();
}

#[test]
fn a_binary_that_is_not_what_the_sums_say_changes_nothing() {
    let house = House::with(NEW);
    let sums = fs::read_to_string(house.at("release/SHA256SUMS")).unwrap();
    let refuses = |sums: &str, words: &[&str]| {
        fs::write(house.at("release/SHA256SUMS"), sums).unwrap();
        house.refuses(house.command(&[]), words);
    };
    let wrong = sha256(b"something else");
    refuses(&sums.replace(&sums[..64], &wrong), &["SHA-256", &wrong, "tampered", "nothing was changed"]);
    refuses("", &["SHA256SUMS", "not one line for campfire-", "nothing was changed"]);
    refuses(&sums.replace("-linux", "-other"), &["not one line for campfire-"]);
    refuses(&format!("{sums}{sums}"), &["not one line for campfire-"]);
    fs::remove_file(house.at("release/SHA256SUMS")).unwrap();
    house.refuses(house.command(&[]), &["SHA256SUMS", "nothing was changed"]);
}

#[test]
fn a_binary_that_does_not_run_or_is_another_version_changes_nothing() {
    let house = House::new();
    house.release(NEW, "#!/bin/sh\nexit 3\n");
    house.refuses(house.command(&[]), &["does not run on this machine", "3", "nothing was changed"]);
    house.release(NEW, "no program at all");
    house.refuses(house.command(&[]), &["does not run on this machine", "nothing was changed"]);
    house.release(NEW, &house.script("800.0.0"));
    house.refuses(house.command(&[]), &["800.0.0", NEW, "nothing was changed"]);
    for wrong in ["<html>404</html>", "", "../../etc"] {
        house.release(wrong, &house.script(NEW));
        house.refuses(house.command(&[]), &["VERSION", "like 0.2.0"]);
    }
}

#[test]
fn check_only_tells_what_there_is() {
    let house = House::with(NEW);
    let before = house.installed();
    let said = well(&house.upgrade(&["--check"]));
    assert!(said.contains(&format!("{NEW} is newer")) && said.contains("campfire upgrade"), "{said}");
    house.release(OWN, &house.script(OWN));
    assert!(well(&house.upgrade(&["--check"])).contains("is the newest"));
    house.release("0.0.1", &house.script("0.0.1"));
    let said = well(&house.upgrade(&["--check"]));
    assert!(said.contains(&format!("this is {OWN}, which is newer than 0.0.1")), "{said}");
    assert_eq!(house.installed(), before);
}

#[test]
fn what_is_the_newest_or_newer_stays_unless_forced() {
    let house = House::with(OWN);
    let before = house.installed();
    assert!(well(&house.upgrade_alone(&[])).contains("is the newest"));
    house.release("0.0.1", &house.script("0.0.1"));
    assert!(well(&house.upgrade_alone(&[])).contains("--force"));
    assert_eq!(house.installed(), before);
    well(&house.upgrade_alone(&["--force"]));
    house.has("0.0.1", Some(OWN));
}

#[test]
fn rollback_changes_places_with_the_version_before_and_back() {
    let house = House::with(NEW);
    let said = failed(&house.upgrade_alone(&["--rollback"]));
    assert!(said.contains("campfire.previous") && said.contains("nothing to go back to"), "{said}");
    let (binary, previous) = (house.binary(), house.previous());
    program(&previous, &house.script("0.0.1"));
    let own = fs::metadata(&binary).unwrap().ino();
    let said = well(&house.upgrade_alone(&["--rollback"]));
    assert!(said.contains("has changed the database, 0.0.1 refuses it"), "{said}");
    house.has("0.0.1", Some(OWN));
    assert_eq!(fs::metadata(&previous).unwrap().ino(), own);
    // From there only the one before can do it.
    well(&ended(house.command_of(&previous, &["--rollback"])));
    house.has(OWN, Some("0.0.1"));
    fs::write(&previous, "broken").unwrap();
    house.refuses(house.command(&["--rollback"]), &["campfire.previous does not run", "nothing was changed"]);
}

#[test]
fn who_may_not_write_there_is_told_the_command_that_may() {
    let house = House::with(NEW);
    house.stub("systemctl", "exit 1");
    let mut command = house.command(&["--wait", "5"]);
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    } else {
        fs::set_permissions(house.at("bin"), fs::Permissions::from_mode(0o555)).unwrap();
    }
    let line = format!(
        "sudo {} upgrade --wait 5 --from {}",
        house.binary().display(),
        house.at("release").display()
    );
    house.refuses(command, &["may not write", "nothing was changed", &line]);
    fs::set_permissions(house.at("bin"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn two_upgrades_at_once_are_one_too_many() {
    let house = House::with(NEW);
    let directory = fs::File::open(house.at("bin")).unwrap();
    flock(&directory, FlockOperation::NonBlockingLockExclusive).unwrap();
    house.refuses(house.command(&[]), &["another upgrade", "is running"]);
    drop(directory);
    // What one that was killed has left behind is in nobody's way.
    fs::write(house.at("bin/.campfire.upgrade"), "half").unwrap();
    well(&house.upgrade_alone(&[]));
    house.has(NEW, Some(OWN));
}

#[test]
fn wrong_usage_is_2() {
    let house = House::with(NEW);
    for (arguments, word) in [
        (&["--wait", "soon"][..], "soon"),
        (&["--wait", "0"], "--wait"),
        (&["--from", "ftp://example.org"], "ftp://example.org"),
        (&["--rollback", "--from", "x"], "--from"),
        (&["--rollback", "--check"], "--check"),
        (&["now"], "now"),
    ] {
        let output = house.upgrade(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(word), "{}", text(&output.stderr));
    }
}

/// A set-up server on the data directory of the house, and the settings that its service has.
async fn served(house: &House) -> (Camp, String) {
    let camp = Camp::on(Server::on(&house.at("lib/data"), &[])).await;
    let settings =
        format!("--data {} --listen {}", camp.server.data().display(), camp.server.address().get());
    (camp, settings)
}

fn whole(backup: &Path) -> String {
    let output = run(&["restore", "--verify", backup.to_str().unwrap()], &[], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test]
async fn a_backup_is_made_before_and_the_service_restarted_after() {
    let house = House::with(NEW);
    let (camp, settings) = served(&house).await;
    house.service(&settings, "");
    let said = well(&house.upgrade(&[]));
    let backup = house.at(&format!("lib/campfire-before-{NEW}.tar.zst"));
    for part in [backup.to_str().unwrap(), "was restarted and is well"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    house.has(NEW, Some(OWN));
    assert_eq!(house.restarts(), 1);
    assert!(whole(&backup).contains(OWN));
    let owners = [&backup, camp.server.data()].map(|path| fs::metadata(path).unwrap().uid());
    assert_eq!(owners[0], owners[1]);
    // Who goes back is told about it.
    let old = fs::metadata(house.previous()).unwrap().ino();
    let said = well(&ended(house.command_of(&house.previous(), &["--rollback"])));
    assert!(said.contains("was restarted and is well"), "{said}");
    assert_eq!(house.restarts(), 2);
    assert_eq!(fs::metadata(house.binary()).unwrap().ino(), old);
}

#[tokio::test]
async fn backups_go_where_the_settings_say_and_an_older_one_is_never_overwritten() {
    let house = House::with(NEW);
    let (camp, _) = served(&house).await;
    let file = house.at("campfire.toml");
    let settings = format!("data = {:?}\nbackup_dir = {:?}\n", camp.server.data(), house.at("kept/here"));
    fs::write(&file, settings).unwrap();
    let again = || {
        put_binary(&house.binary());
        well(&house.upgrade_alone(&["--config", file.to_str().unwrap()]))
    };
    well(&house.upgrade_alone(&["--config", file.to_str().unwrap()]));
    let first = house.at(&format!("kept/here/campfire-before-{NEW}.tar.zst"));
    let made = fs::metadata(&first).unwrap();
    again();
    assert_eq!(fs::metadata(&first).unwrap().ino(), made.ino());
    whole(&house.at(&format!("kept/here/campfire-before-{NEW}-again-2.tar.zst")));
}

#[tokio::test]
async fn without_a_backup_nothing_is_changed_unless_that_is_wanted() {
    let house = House::with(NEW);
    let (camp, _) = served(&house).await;
    fs::write(house.at("in the way"), "").unwrap();
    let data = ["--data", camp.server.data().to_str().unwrap()];
    let mut command = house.command(&data);
    command.env("CAMPFIRE_BACKUP_DIR", house.at("in the way"));
    house.refuses(command, &["there is no backup", "in the way", "nothing was changed", "--no-backup"]);
    // A service whose data is elsewhere than its settings say has data all the same.
    house.service("--data /nowhere/at/all", "");
    house.refuses(house.command(&[]), &["/nowhere/at/all", "--data", "--no-backup"]);
    assert_eq!(house.restarts(), 0);
    well(&house.upgrade_alone(&[&data[..], &["--no-backup"]].concat()));
    house.has(NEW, Some(OWN));
    assert_eq!(fs::read_dir(house.at("lib")).unwrap().count(), 1, "the data alone");
}

#[tokio::test]
async fn a_version_that_does_not_get_well_is_taken_back_by_itself() {
    let house = House::with(NEW);
    let (_camp, settings) = served(&house).await;
    fs::write(house.at("ill"), "").unwrap();
    house.service(&settings, "");
    let said = failed(&house.upgrade(&["--wait", "1"]));
    assert!(said.contains(&format!("{NEW} did not come up, so {OWN} is back and runs")), "{said}");
    house.has(OWN, None);
    assert_eq!(house.restarts(), 2, "the new one, and the old one");
}

#[tokio::test]
async fn a_version_that_systemd_cannot_start_is_taken_back_and_a_changed_database_is_thought_of() {
    let house = House::with(NEW);
    let (_camp, settings) = served(&house).await;
    // Whatever is started there fails, the old version too: as after a migration.
    house.service(&settings, "*restart*) echo 'Job for campfire.service failed.' >&2; exit 1 ;;");
    let output = house.upgrade(&["--wait", "1"]);
    let said = failed(&output);
    let backup = house.at(&format!("lib/campfire-before-{NEW}.tar.zst"));
    let restore = format!("campfire restore {} --data {}", backup.display(), house.at("lib/data").display());
    for part in ["Job for campfire.service failed", "does not start either", &restore] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    house.has(OWN, None);
    whole(&backup);
}

#[tokio::test]
async fn a_server_that_was_ill_before_is_judged_by_systemd() {
    let house = House::with(NEW);
    let (mut camp, settings) = served(&house).await;
    camp.server.kill();
    fs::write(house.at("ill"), "").unwrap();
    house.service(&settings, "");
    let said = well(&house.upgrade(&[]));
    assert!(said.contains("does not answer now"), "{said}");
    house.has(NEW, Some(OWN));
    assert_eq!(house.restarts(), 1);
    let house = House::with(NEW);
    house.service(&settings, "*is-active*) exit 3 ;;");
    let said = failed(&house.upgrade(&["--wait", "1"]));
    assert!(said.contains("systemd does not have it as running"), "{said}");
    house.has(OWN, None);
}

#[test]
fn a_service_of_another_binary_or_one_that_is_stopped_is_left_alone() {
    let house = House::with(NEW);
    house.service_of(Path::new("/bin/sh"), "", "");
    let said = well(&house.upgrade(&[]));
    assert!(said.contains("No campfire.service"), "{said}");
    assert_eq!(house.restarts(), 0);
    let house = House::with(NEW);
    let binary = house.binary();
    let stopped = format!(
        "*--user*show*) echo ActiveState=inactive; echo 'ExecStart={{ path={0} ; argv[]={0} serve --data {1} ; }}' ;;",
        binary.display(),
        house.at("none").display()
    );
    house.service_of(Path::new("/bin/sh"), "", &stopped);
    let said = well(&house.upgrade(&[]));
    assert!(said.contains("systemctl --user start campfire"), "{said}");
    assert!(
        said.contains(house.at("none").to_str().unwrap()),
        "its settings are those of the service: {said}"
    );
    assert_eq!(house.restarts(), 0);
}
