//! Starting, and refusing to start with a helpful message.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::support::server::{campfire, wait_for};
use crate::support::*;

/// Runs a command that must end by itself.
pub(crate) fn run(args: &[&str], env: &[(&str, &str)], input: &str) -> Output {
    let mut command = campfire();
    // The default of ./data must not be inside a checkout.
    command.args(args).envs(env.iter().copied()).current_dir(std::env::temp_dir());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    // A command that does not read its input may have ended.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let status = wait_for(&mut child);
    if status.is_none() {
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("its output");
    assert!(status.is_some(), "{args:?} does not end: {}", text(&output.stderr));
    output
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts this exit status and one line on standard error that contains these words.
#[track_caller]
pub(crate) fn refused(output: &Output, status: i32, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    let lines: Vec<&str> = said.lines().filter(|it| !it.trim().is_empty()).collect();
    assert_eq!(lines.len(), 1, "one sentence: {said}");
    for word in words {
        assert!(said.to_lowercase().contains(&word.to_lowercase()), "no {word:?} in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

/// Runs `serve` on a free port, with more arguments.
fn serve(data: &std::path::Path, more: &[&str], env: &[(&str, &str)]) -> Output {
    let data = data.to_str().expect("a path");
    run(&[&["serve", "--listen", "127.0.0.1:0", "--data", data], more].concat(), env, "")
}

#[test]
fn version_and_help_are_printed_for_every_command() {
    let version = run(&["--version"], &[], "");
    assert!(version.status.success());
    assert_eq!(text(&version.stdout).trim(), format!("campfire {}", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"], &[], "");
    assert!(help.status.success() && help.stderr.is_empty());
    for command in [
        "serve",
        "demo",
        "admin",
        "backup",
        "restore",
        "check",
        "export",
        "openapi",
        "healthcheck",
        "bench",
        "doctor",
        "upgrade",
    ] {
        assert!(text(&help.stdout).contains(command), "{}", text(&help.stdout));
        let help = run(&[command, "--help"], &[], "");
        assert!(help.status.success() && !help.stdout.is_empty(), "{command} --help: {}", text(&help.stderr));
    }
    for command in ["create", "list", "reset-password"] {
        let help = run(&["admin", command, "--help"], &[], "");
        assert!(help.status.success() && !help.stdout.is_empty(), "admin {command} --help");
    }
    let serve = text(&run(&["serve", "--help"], &[], "").stdout);
    assert!(serve.contains("--listen") && serve.contains("--data"), "{serve}");
}

#[test]
fn usage_errors_are_2_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    refused(&run(&["dance"], &[], ""), 2, &["dance"]);
    refused(&run(&["--dance"], &[], ""), 2, &["dance"]);
    refused(&run(&["admin", "dance"], &[], ""), 2, &["dance"]);
    refused(&serve(dir.path(), &["--dance"], &[]), 2, &["dance"]);
    refused(&serve(dir.path(), &["--listen"], &[]), 2, &["listen"]);
    refused(&serve(dir.path(), &["--listen", "nowhere"], &[]), 2, &["listen", "nowhere"]);
    refused(&serve(dir.path(), &["--listen", "127.0.0.1:99999"], &[]), 2, &["99999"]);
    for (name, value) in [
        ("CAMPFIRE_POST_LIMIT", "many"),
        ("CAMPFIRE_POST_LIMIT", "-1"),
        ("CAMPFIRE_WRITER_QUEUE", "0"),
        ("CAMPFIRE_DURABILITY", "maybe"),
        ("CAMPFIRE_HEADER_TIMEOUT", "soon"),
        ("CAMPFIRE_SEARCH_LANGUAGES", "klingon"),
    ] {
        refused(&serve(dir.path(), &[], &[(name, value)]), 2, &[value]);
    }
    let listen = run(&["serve", "--data", dir.path().to_str().unwrap()], &[("CAMPFIRE_LISTEN", "x:y:z")], "");
    refused(&listen, 2, &["x:y:z"]);
}

#[test]
fn settings_of_mail_are_refused_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let relay = ("CAMPFIRE_SMTP_URL", "smtp://mail.example.org");
    let user = ("CAMPFIRE_SMTP_URL", "smtp://ana@mail.example.org");
    let secret = ("CAMPFIRE_SMTP_URL", "smtp://ana:s3cret@mail.example.org/inbox");
    let (from, url) = (("CAMPFIRE_MAIL_FROM", "a@example.org"), ("CAMPFIRE_PUBLIC_URL", "https://a.example"));
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let file = |path: &'static str| ("CAMPFIRE_SMTP_PASSWORD_FILE", path);
    let empty = ("CAMPFIRE_SMTP_PASSWORD_FILE", empty.to_str().unwrap());
    for (settings, words) in [
        (&[relay][..], &["mail_from is not"][..]),
        (&[relay, from], &["neither public_url nor domain"]),
        (&[user, from, url], &["a user and no password"]),
        (&[relay, from, url, file("/dev/null")], &["has no user"]),
        (&[file("/dev/null")], &["smtp_url is not"]),
        (&[user, from, url, file("/no/such/file")], &["cannot read smtp_password_file /no/such/file"]),
        (&[user, from, url, empty], &["has no password in its first line"]),
        (&[relay, from, url, ("CAMPFIRE_SMTP_CA", "/no/such/file")], &["cannot read smtp_ca"]),
        (&[relay, from, url, ("CAMPFIRE_SMTP_CA", "/dev/null")], &["no certificate in it"]),
        (&[("CAMPFIRE_SMTP_URL", "mail.example.org:25")], &["CAMPFIRE_SMTP_URL", "smtp:// or smtps://"]),
        (&[("CAMPFIRE_MAIL_FROM", "nobody")], &["CAMPFIRE_MAIL_FROM", "nobody"]),
        (&[("CAMPFIRE_MAIL_PER_HOUR", "0")], &["CAMPFIRE_MAIL_PER_HOUR", "from 1 to 100000"]),
        (&[("CAMPFIRE_SMTP_TIMEOUT", "51")], &["from 1 to 50"]),
        (&[("CAMPFIRE_MAIL_AFTER", "0")], &["from 1 to 86400"]),
        (&[("CAMPFIRE_MAIL_DAILY_AT", "7:00")], &["a time of day"]),
    ] {
        refused(&serve(dir.path(), &[], settings), 2, words);
    }
    let output = serve(dir.path(), &[], &[secret]);
    refused(&output, 2, &["behind the host"]);
    assert!(!text(&output.stderr).contains("s3cret"), "{}", text(&output.stderr));
}

#[test]
fn settings_file_errors_name_the_setting_or_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campfire.toml");
    let with = |content: &str| {
        std::fs::write(&file, content).unwrap();
        serve(&dir.path().join("data"), &["--config", file.to_str().unwrap()], &[])
    };
    refused(&with("post_limit = \"many\"\n"), 2, &["post_limit"]);
    refused(&with("no_such_setting = 1\n"), 2, &["no_such_setting"]);
    refused(&with("post_limit = \n"), 2, &["campfire.toml"]);
    std::fs::remove_file(&file).unwrap();
    let missing = serve(&dir.path().join("data"), &["--config", file.to_str().unwrap()], &[]);
    assert!(matches!(missing.status.code(), Some(1 | 2)), "{}", text(&missing.stderr));
    assert!(text(&missing.stderr).contains("campfire.toml"));
}

#[test]
fn wrong_identity_provider_is_2_with_one_sentence_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campfire.toml");
    std::fs::write(&file, "[oidc.partner]\nissuer = \"id.example\"\n").unwrap();
    let file = file.to_str().unwrap();
    const ISSUER: (&str, &str) = ("CAMPFIRE_OIDC_ISSUER", "https://id.example");
    const CLIENT: (&str, &str) = ("CAMPFIRE_OIDC_CLIENT_ID", "chat");
    const SECRET: (&str, &str) = ("CAMPFIRE_OIDC_SECRET", "very\nsecret");
    for (env, words) in [
        (
            &[("CAMPFIRE_OIDC_ISSUER", "http://id.example")][..],
            "CAMPFIRE_OIDC_ISSUER has to start with https://",
        ),
        (&[ISSUER], "oidc_client_id is not"),
        (&[CLIENT], "oidc_issuer is missing"),
        (&[ISSUER, CLIENT, SECRET], "oidc_secret has to be one line"),
        (&[ISSUER, CLIENT, ("CAMPFIRE_OIDC_SECRET_FILE", "/nowhere")], "cannot be read"),
        (&[ISSUER, CLIENT, ("CAMPFIRE_OIDC_NEW_ACCOUNTS", "yes")], "has to be on or off"),
        (&[("CAMPFIRE_OIDC_ISSUER", "https://accounts.google.com"), CLIENT], "anybody can sign in"),
        (&[("CAMPFIRE_PASSWORD_SIGN_IN", "off")], "nobody could sign in"),
        (&[("CAMPFIRE_CONFIG", file)], "issuer of [oidc.partner]"),
    ] {
        let output = serve(dir.path(), &[], env);
        refused(&output, 2, &[words]);
        assert!(!text(&output.stderr).contains("very"));
    }
}

#[test]
fn port_in_use_is_1_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = dir.path().join("data");
    let output = run(&["serve", "--listen", &address, "--data", data.to_str().unwrap()], &[], "");
    refused(&output, 1, &[&address]);
    // The same for another Campfire, although its workers share the port among themselves.
    let server = Server::start();
    let address = server.address().get().to_string();
    let output = run(&["serve", "--listen", &address, "--data", data.to_str().unwrap()], &[], "");
    refused(&output, 1, &[&address]);
}

#[test]
fn data_directory_that_cannot_be_written_is_1_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "not a directory").unwrap();
    refused(&serve(&file, &[], &[]), 1, &["a-file"]);
    refused(&serve(&file.join("below"), &[], &[]), 1, &["a-file"]);
    refused(&serve(std::path::Path::new("/proc/campfire"), &[], &[]), 1, &["/proc/campfire"]);
}

#[test]
fn data_directory_in_use_is_1_with_one_sentence() {
    let server = Server::start();
    refused(&serve(server.data(), &[], &[]), 1, &[server.data().to_str().unwrap()]);
}

#[test]
fn lock_is_free_after_the_server_was_killed() {
    let mut server = Server::start();
    server.kill();
    server.restart();
    assert!(server.terminate().success());
}

#[test]
fn database_of_a_newer_version_is_refused_and_left_alone() {
    let mut server = Server::start();
    assert!(server.terminate().success());
    let database = rusqlite::Connection::open(server.database()).unwrap();
    database.pragma_update(None, "user_version", 4711).unwrap();
    drop(database);
    refused(&serve(server.data(), &[], &[]), 1, &["newer", "4711"]);
    let database = rusqlite::Connection::open(server.database()).unwrap();
    let version: i64 = database.query_row("pragma user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 4711);
}

#[test]
fn database_that_is_another_kind_of_file_is_1_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("campfire.db"), "this is a shopping list, not a database\n".repeat(200))
        .unwrap();
    refused(&serve(dir.path(), &[], &[]), 1, &["campfire.db"]);
}

#[tokio::test]
async fn settings_from_variables_override_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campfire.toml");
    std::fs::write(&file, "post_limit = 1\n").unwrap();
    let file = file.to_str().unwrap();
    let team = Team::on(Server::on(
        &dir.path().join("a"),
        &[("CAMPFIRE_CONFIG", file), ("CAMPFIRE_POST_LIMIT", "2")],
    ))
    .await;
    let mut statuses = Vec::new();
    for n in 0..3 {
        let body = json!({"room_id": team.room, "content": format!("{n}")});
        statuses.push(team.ada.post("/api/messages", body).await.status);
    }
    assert_eq!(statuses, [201, 201, 429]);
}

#[tokio::test]
async fn healthcheck_exit_status_says_whether_the_server_answers() {
    let mut server = Server::start();
    let address = server.address().get().to_string();
    let check = |address: String| {
        tokio::task::spawn_blocking(move || run(&["healthcheck"], &[("CAMPFIRE_LISTEN", &address)], ""))
    };
    let healthy = check(address.clone()).await.unwrap();
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));
    server.kill();
    let gone = check(address).await.unwrap();
    assert_eq!(gone.status.code(), Some(1), "{}", text(&gone.stderr));
}
