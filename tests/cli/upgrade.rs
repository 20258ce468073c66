//! `campfire upgrade` of an installed binary, from releases that the tests make. The new version is a shell script.

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

/// A version newer than any real one.
const NEW: &str = "900.0.0";

const ARCHITECTURES: [&str; 3] = ["x86_64", "aarch64", "armv7"];

/// A directory with this build's binary installed, a release directory, and stubs.
struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    fn new() -> Host {
        let dir = tempfile::tempdir().unwrap();
        // Readable for other users, as /usr/local is.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let host = Host { dir };
        for name in ["bin", "release", "path"] {
            fs::create_dir(host.at(name)).unwrap();
        }
        put_binary(&host.binary());
        host
    }

    /// The same, with a release of this version.
    fn with(version: &str) -> Host {
        let host = Host::new();
        host.release(version, &host.script(version));
        host
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

    /// A script that stands for another version. Its healthcheck fails if the file `unhealthy` exists.
    fn script(&self, version: &str) -> String {
        let unhealthy = self.at("unhealthy");
        format!(
            "#!/bin/sh\ncase $1 in\n  --version) echo 'campfire {version}' ;;\n  healthcheck) [ ! -e '{}' ] ;;\nesac\n",
            unhealthy.display()
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
        // Without the caller's settings, as for every binary under test.
        for (name, value) in campfire().get_envs() {
            assert!(value.is_none());
            command.env_remove(name);
        }
        command.arg("upgrade").args(arguments).current_dir(self.dir.path());
        command.env("CAMPFIRE_BASE_URL", self.at("release")).env("PATH", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A PATH on which the stubs come first.
    fn path(&self) -> String {
        let others = std::env::var("PATH").unwrap_or_default();
        format!("{}:{others}", self.at("path").display())
    }

    fn upgrade(&self, arguments: &[&str]) -> Output {
        ended(self.command(arguments))
    }

    /// The same, with a `systemctl` that knows no service.
    fn upgrade_alone(&self, arguments: &[&str]) -> Output {
        self.stub("systemctl", "exit 1");
        self.upgrade(arguments)
    }

    fn stub(&self, name: &str, script: &str) {
        program(&self.at("path").join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    /// A `systemctl` that knows the installed binary as a service with these settings; `more` are further cases of
    /// the script.
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

    /// How often `systemctl` was told to restart the service.
    fn restarts(&self) -> usize {
        let calls = fs::read_to_string(self.at("calls")).unwrap_or_default();
        calls.lines().filter(|call| call.ends_with("restart campfire.service")).count()
    }

    /// The files below `bin`: inode, mode, and content if it is small.
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
    fn assert_versions(&self, version: &str, previous: Option<&str>) {
        assert_eq!(version_of(&self.binary()).as_deref(), Some(version), "{:?}", self.installed());
        assert_eq!(version_of(&self.previous()).as_deref(), previous, "{:?}", self.installed());
        assert_eq!(self.installed().len(), 1 + usize::from(previous.is_some()), "{:?}", self.installed());
    }

    /// Asserts that the command fails with one line of these words and changes nothing.
    #[track_caller]
    fn assert_refused(&self, command: Command, words: &[&str]) {
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

/// Writes an executable by way of another process, for the reason given at [`put_binary`].
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
fn succeeded(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Asserts exit status 1 and one line on standard error, and returns that.
#[track_caller]
fn failed(output: &Output) -> String {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{}{said}", text(&output.stdout));
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

#[test]
fn upgrade_replaces_the_binary_and_keeps_the_previous_one() {
    let host = Host::with(NEW);
    let old = fs::metadata(host.binary()).unwrap();
    let said = succeeded(&host.upgrade_alone(&[]));
    for part in [NEW, OWN, "campfire.previous", "nothing to back up", "start it again"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    host.assert_versions(NEW, Some(OWN));
    let new = fs::metadata(host.binary()).unwrap();
    assert_eq!((new.mode(), new.uid(), new.gid()), (old.mode(), old.uid(), old.gid()));
    assert_eq!(fs::metadata(host.previous()).unwrap().ino(), old.ino(), "the very same file");
}

#[tokio::test]
async fn upgrade_downloads_over_http_and_follows_redirects() {
    let host = Host::with(NEW);
    host.stub("systemctl", "exit 1");
    let release = host.at("release");
    let site = Receiver::start(move |call, _| match call.path.strip_prefix("/latest/") {
        Some(name) if name.starts_with("campfire-") => {
            receiver::redirect(&format!("/files/{name}?version=1"))
        }
        Some(name) => receiver::response(200, "text/plain", fs::read(release.join(name)).unwrap()),
        None => {
            let name = call.path.trim_start_matches("/files/").trim_end_matches("?version=1");
            receiver::response(200, "application/octet-stream", fs::read(release.join(name)).unwrap())
        }
    })
    .await;
    let mut command = host.command(&[]);
    command.env("CAMPFIRE_BASE_URL", site.url("/latest/"));
    let said = succeeded(&tokio::task::spawn_blocking(move || ended(command)).await.unwrap());
    assert!(said.contains(&site.url("/latest")), "{said}");
    host.assert_versions(NEW, Some(OWN));
    assert_eq!(site.calls().len(), 4, "VERSION, SHA256SUMS, the binary and where it is");
}

#[tokio::test]
async fn upgrade_with_a_failed_download_changes_nothing() {
    let host = Host::with(NEW);
    let release = host.at("release");
    let site = Receiver::start(move |call, _| {
        let (place, name) = call.path[1..].split_once('/').unwrap();
        let whole = receiver::response(200, "text/plain", fs::read(release.join(name)).unwrap());
        match place {
            "cut" if name.starts_with("campfire-") => whole[..whole.len() - 9].to_vec(),
            "gone" if name.starts_with("campfire-") => receiver::response(404, "text/plain", "no"),
            "loop" => receiver::redirect(&call.path),
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
            host.assert_refused(host.command(&["--from", &site.url(&format!("/{place}"))]), &words);
        }
        // A port on which nothing listens.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        host.assert_refused(
            host.command(&["--from", &format!("http://{closed}")]),
            &["cannot download", "VERSION"],
        );
    };
    tokio::task::spawn_blocking(tried).await.unwrap();
}

#[tokio::test]
async fn upgrade_refuses_a_redirect_from_https_to_http() {
    let host = Host::with(NEW);
    let authority = Authority::new();
    fs::write(host.at("roots.pem"), &authority.pem).unwrap();
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
                receiver::response(200, "text/plain", NEW)
            } else {
                receiver::redirect("http://127.0.0.1:9/SHA256SUMS")
            };
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    let from = format!("https://{address}");
    let tried = move || {
        host.assert_refused(
            host.command(&["--from", &from]),
            &["cannot download", "VERSION", "nothing was changed"],
        );
        let mut trusting = host.command(&["--from", &from]);
        trusting.env("SSL_CERT_FILE", host.at("roots.pem"));
        host.assert_refused(trusting, &["SHA256SUMS", "redirects from https to http", "nothing was changed"]);
    };
    tokio::task::spawn_blocking(tried).await.unwrap();
}

#[test]
fn upgrade_refuses_a_binary_with_another_checksum() {
    let host = Host::with(NEW);
    let sums = fs::read_to_string(host.at("release/SHA256SUMS")).unwrap();
    let refuses = |sums: &str, words: &[&str]| {
        fs::write(host.at("release/SHA256SUMS"), sums).unwrap();
        host.assert_refused(host.command(&[]), words);
    };
    let wrong = sha256(b"something else");
    refuses(&sums.replace(&sums[..64], &wrong), &["SHA-256", &wrong, "tampered", "nothing was changed"]);
    refuses("", &["SHA256SUMS", "not one line for campfire-", "nothing was changed"]);
    refuses(&sums.replace("-linux", "-other"), &["not one line for campfire-"]);
    refuses(&format!("{sums}{sums}"), &["not one line for campfire-"]);
    fs::remove_file(host.at("release/SHA256SUMS")).unwrap();
    host.assert_refused(host.command(&[]), &["SHA256SUMS", "nothing was changed"]);
}

#[test]
fn upgrade_refuses_a_binary_that_does_not_run_or_is_another_version() {
    let host = Host::new();
    host.release(NEW, "#!/bin/sh\nexit 3\n");
    host.assert_refused(host.command(&[]), &["does not run on this machine", "3", "nothing was changed"]);
    host.release(NEW, "no program at all");
    host.assert_refused(host.command(&[]), &["does not run on this machine", "nothing was changed"]);
    host.release(NEW, &host.script("800.0.0"));
    host.assert_refused(host.command(&[]), &["800.0.0", NEW, "nothing was changed"]);
    for wrong in ["<html>404</html>", "", "../../etc"] {
        host.release(wrong, &host.script(NEW));
        host.assert_refused(host.command(&[]), &["VERSION", "like 0.2.0"]);
    }
}

#[test]
fn upgrade_check_reports_and_changes_nothing() {
    let host = Host::with(NEW);
    let before = host.installed();
    let said = succeeded(&host.upgrade(&["--check"]));
    assert!(said.contains(&format!("{NEW} is newer")) && said.contains("campfire upgrade"), "{said}");
    host.release(OWN, &host.script(OWN));
    assert!(succeeded(&host.upgrade(&["--check"])).contains("is the newest"));
    host.release("0.0.1", &host.script("0.0.1"));
    let said = succeeded(&host.upgrade(&["--check"]));
    assert!(said.contains(&format!("this is {OWN}, which is newer than 0.0.1")), "{said}");
    assert_eq!(host.installed(), before);
}

#[test]
fn upgrade_to_the_same_or_an_older_version_needs_force() {
    let host = Host::with(OWN);
    let before = host.installed();
    assert!(succeeded(&host.upgrade_alone(&[])).contains("is the newest"));
    host.release("0.0.1", &host.script("0.0.1"));
    assert!(succeeded(&host.upgrade_alone(&[])).contains("--force"));
    assert_eq!(host.installed(), before);
    succeeded(&host.upgrade_alone(&["--force"]));
    host.assert_versions("0.0.1", Some(OWN));
}

#[test]
fn rollback_swaps_with_the_previous_version_and_back() {
    let host = Host::with(NEW);
    let said = failed(&host.upgrade_alone(&["--rollback"]));
    assert!(said.contains("campfire.previous") && said.contains("nothing to go back to"), "{said}");
    let (binary, previous) = (host.binary(), host.previous());
    program(&previous, &host.script("0.0.1"));
    let own = fs::metadata(&binary).unwrap().ino();
    let said = succeeded(&host.upgrade_alone(&["--rollback"]));
    assert!(said.contains("has changed the database, 0.0.1 refuses it"), "{said}");
    host.assert_versions("0.0.1", Some(OWN));
    assert_eq!(fs::metadata(&previous).unwrap().ino(), own);
    // The old script has no rollback, so the previous binary does it.
    succeeded(&ended(host.command_of(&previous, &["--rollback"])));
    host.assert_versions(OWN, Some("0.0.1"));
    fs::write(&previous, "broken").unwrap();
    host.assert_refused(
        host.command(&["--rollback"]),
        &["campfire.previous does not run", "nothing was changed"],
    );
}

#[test]
fn upgrade_without_permission_names_the_command_that_has_it() {
    let host = Host::with(NEW);
    host.stub("systemctl", "exit 1");
    let mut command = host.command(&["--wait", "5"]);
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    } else {
        fs::set_permissions(host.at("bin"), fs::Permissions::from_mode(0o555)).unwrap();
    }
    let line =
        format!("sudo {} upgrade --wait 5 --from {}", host.binary().display(), host.at("release").display());
    host.assert_refused(command, &["may not write", "nothing was changed", &line]);
    fs::set_permissions(host.at("bin"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn upgrade_is_refused_while_another_is_under_way() {
    let host = Host::with(NEW);
    let directory = fs::File::open(host.at("bin")).unwrap();
    flock(&directory, FlockOperation::NonBlockingLockExclusive).unwrap();
    host.assert_refused(host.command(&[]), &["another upgrade", "is running"]);
    drop(directory);
    // The leftover of a killed upgrade does no harm.
    fs::write(host.at("bin/.campfire.upgrade"), "half").unwrap();
    succeeded(&host.upgrade_alone(&[]));
    host.assert_versions(NEW, Some(OWN));
}

#[test]
fn upgrade_usage_errors_are_2() {
    let host = Host::with(NEW);
    for (arguments, word) in [
        (&["--wait", "soon"][..], "soon"),
        (&["--wait", "0"], "--wait"),
        (&["--from", "ftp://example.org"], "ftp://example.org"),
        (&["--rollback", "--from", "x"], "--from"),
        (&["--rollback", "--check"], "--check"),
        (&["now"], "now"),
    ] {
        let output = host.upgrade(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(word), "{}", text(&output.stderr));
    }
}

/// A server that is set up on this host's data directory, and the settings of its service.
async fn served(host: &Host) -> (Team, String) {
    let team = Team::on(Server::on(&host.at("lib/data"), &[])).await;
    let settings =
        format!("--data {} --listen {}", team.server.data().display(), team.server.address().get());
    (team, settings)
}

fn verified(backup: &Path) -> String {
    let output = run(&["restore", "--verify", backup.to_str().unwrap()], &[], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test]
async fn upgrade_makes_a_backup_and_restarts_the_service() {
    let host = Host::with(NEW);
    let (team, settings) = served(&host).await;
    host.service(&settings, "");
    let said = succeeded(&host.upgrade(&[]));
    let backup = host.at(&format!("lib/campfire-before-{NEW}.tar.zst"));
    for part in [backup.to_str().unwrap(), "was restarted and is well"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    host.assert_versions(NEW, Some(OWN));
    assert_eq!(host.restarts(), 1);
    assert!(verified(&backup).contains(OWN));
    let owners = [&backup, team.server.data()].map(|path| fs::metadata(path).unwrap().uid());
    assert_eq!(owners[0], owners[1]);
    // A rollback restarts the service too.
    let old = fs::metadata(host.previous()).unwrap().ino();
    let said = succeeded(&ended(host.command_of(&host.previous(), &["--rollback"])));
    assert!(said.contains("was restarted and is well"), "{said}");
    assert_eq!(host.restarts(), 2);
    assert_eq!(fs::metadata(host.binary()).unwrap().ino(), old);
}

#[tokio::test]
async fn upgrade_backup_goes_to_backup_dir_and_overwrites_none() {
    let host = Host::with(NEW);
    let (team, _) = served(&host).await;
    let file = host.at("campfire.toml");
    let settings = format!("data = {:?}\nbackup_dir = {:?}\n", team.server.data(), host.at("kept/here"));
    fs::write(&file, settings).unwrap();
    fs::create_dir_all(host.at("kept/here")).unwrap();
    let again = || {
        put_binary(&host.binary());
        succeeded(&host.upgrade_alone(&["--config", file.to_str().unwrap()]))
    };
    succeeded(&host.upgrade_alone(&["--config", file.to_str().unwrap()]));
    let first = host.at(&format!("kept/here/campfire-before-{NEW}.tar.zst"));
    let made = fs::metadata(&first).unwrap();
    again();
    assert_eq!(fs::metadata(&first).unwrap().ino(), made.ino());
    verified(&host.at(&format!("kept/here/campfire-before-{NEW}-again-2.tar.zst")));
}

#[tokio::test]
async fn upgrade_without_a_backup_needs_no_backup_option() {
    let host = Host::with(NEW);
    let (team, _) = served(&host).await;
    fs::write(host.at("in the way"), "").unwrap();
    let data = ["--data", team.server.data().to_str().unwrap()];
    let mut command = host.command(&data);
    command.env("CAMPFIRE_BACKUP_DIR", host.at("in the way"));
    host.assert_refused(command, &["there is no backup", "in the way", "nothing was changed", "--no-backup"]);
    // If the data directory of the service does not exist, its data must be somewhere else.
    host.service("--data /nowhere/at/all", "");
    host.assert_refused(host.command(&[]), &["/nowhere/at/all", "--data", "--no-backup"]);
    assert_eq!(host.restarts(), 0);
    succeeded(&host.upgrade_alone(&[&data[..], &["--no-backup"]].concat()));
    host.assert_versions(NEW, Some(OWN));
    assert_eq!(fs::read_dir(host.at("lib")).unwrap().count(), 1, "the data alone");
}

#[tokio::test]
async fn upgrade_is_undone_if_the_new_version_does_not_become_healthy() {
    let host = Host::with(NEW);
    let (_team, settings) = served(&host).await;
    fs::write(host.at("unhealthy"), "").unwrap();
    host.service(&settings, "");
    let said = failed(&host.upgrade(&["--wait", "1"]));
    assert!(said.contains(&format!("{NEW} did not come up, so {OWN} is back and runs")), "{said}");
    host.assert_versions(OWN, None);
    assert_eq!(host.restarts(), 2, "the new one, and the old one");
}

#[tokio::test]
async fn upgrade_is_undone_if_systemd_cannot_start_the_new_version() {
    let host = Host::with(NEW);
    let (_team, settings) = served(&host).await;
    // Both versions fail to start, as after a migration of the database.
    host.service(&settings, "*restart*) echo 'Job for campfire.service failed.' >&2; exit 1 ;;");
    let output = host.upgrade(&["--wait", "1"]);
    let said = failed(&output);
    let backup = host.at(&format!("lib/campfire-before-{NEW}.tar.zst"));
    let restore = format!("campfire restore {} --data {}", backup.display(), host.at("lib/data").display());
    for part in ["Job for campfire.service failed", "does not start either", &restore] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    host.assert_versions(OWN, None);
    verified(&backup);
}

#[tokio::test]
async fn upgrade_of_an_unhealthy_server_is_judged_by_systemd() {
    let host = Host::with(NEW);
    let (mut team, settings) = served(&host).await;
    team.server.kill();
    fs::write(host.at("unhealthy"), "").unwrap();
    host.service(&settings, "");
    let said = succeeded(&host.upgrade(&[]));
    assert!(said.contains("does not answer now"), "{said}");
    host.assert_versions(NEW, Some(OWN));
    assert_eq!(host.restarts(), 1);
    let host = Host::with(NEW);
    host.service(&settings, "*is-active*) exit 3 ;;");
    let said = failed(&host.upgrade(&["--wait", "1"]));
    assert!(said.contains("systemd does not have it as running"), "{said}");
    host.assert_versions(OWN, None);
}

#[test]
fn upgrade_leaves_services_of_other_binaries_and_stopped_ones_alone() {
    let host = Host::with(NEW);
    host.service_of(Path::new("/bin/sh"), "", "");
    let said = succeeded(&host.upgrade(&[]));
    assert!(said.contains("No campfire.service"), "{said}");
    assert_eq!(host.restarts(), 0);
    let host = Host::with(NEW);
    let binary = host.binary();
    let stopped = format!(
        "*--user*show*) echo ActiveState=inactive; echo 'ExecStart={{ path={0} ; argv[]={0} serve --data {1} ; }}' ;;",
        binary.display(),
        host.at("none").display()
    );
    host.service_of(Path::new("/bin/sh"), "", &stopped);
    let said = succeeded(&host.upgrade(&[]));
    assert!(said.contains("systemctl --user start campfire"), "{said}");
    assert!(
        said.contains(host.at("none").to_str().unwrap()),
        "its settings are those of the service: {said}"
    );
    assert_eq!(host.restarts(), 0);
}
