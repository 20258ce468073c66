//! Failures on the way to a certificate: the server keeps running, logs what to check, and tries again.

use super::pebble::*;
use crate::support::server::campfire;
use crate::support::tls::NAME;

#[tokio::test]
async fn challenge_failure_is_logged_and_retried() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    pebble.https.close();
    let mut server = pebble.serve_on(dir.path(), NAME, &[("CAMPFIRE_ACME_CHALLENGE", "tls-alpn-01")]);
    until_logged(&server, "trying again in ").await;
    let said = server.log();
    for words in [
        "no certificate for chat.example yet, so nobody can connect",
        "the authority could not verify chat.example by TLS-ALPN-01 (",
        "check that the name's A and AAAA records point to this machine",
        "port 443 can be reached from the internet",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(connect(&server, NAME).await.is_err(), "there is nothing to show");
    assert!(server.runs());
    pebble.forward_all_to(&server);
    until("a certificate", async || served_certificate(&server, NAME).await.is_some()).await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn authority_that_is_unreachable_is_retried() {
    let mut pebble = Pebble::start();
    pebble.stop();
    let dir = tempfile::tempdir().unwrap();
    let mut server = pebble.serve(dir.path(), NAME, &[]);
    until_logged(&server, "yet, so nobody can connect: cannot reach https://127.0.0.1:").await;
    assert!(server.runs());
    pebble.restart();
    until("a certificate", async || served_certificate(&server, NAME).await.is_some()).await;
}

#[tokio::test]
async fn authority_with_an_unknown_root_or_a_wrong_directory_is_not_used() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let server = pebble.serve(dir.path(), NAME, &[("CAMPFIRE_ACME_CA", "")]);
    until_logged(&server, "if it is your own, name its roots with --acme-ca; trying again in ").await;
    // A URL that is no ACME directory is not used either.
    let directory = pebble.directory().replace("/dir", "/nonce-plz");
    let server = pebble.serve(&dir.path().join("other"), NAME, &[("CAMPFIRE_ACME_DIRECTORY", &directory)]);
    until_logged(&server, "trying again in ").await;
    assert!(server.log().contains("--acme-directory") || server.log().contains("it answers with"));
    assert_eq!(pebble.issued(), 0);
}

#[tokio::test]
async fn account_unknown_to_the_authority_is_registered_again() {
    let mut pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let mut server = pebble.serve(dir.path(), NAME, &[]);
    until_logged(&server, "got a certificate").await;
    assert!(server.terminate().success());
    drop(server);
    pebble.restart();
    let server = pebble.serve(dir.path(), "chat.example,camp.example", &[]);
    until("a certificate for both names", async || {
        served_certificate(&server, "camp.example").await.is_some()
    })
    .await;
    assert!(server.log().contains("no longer knows the account"), "{}", server.log());
}

#[tokio::test]
async fn stop_does_not_wait_for_the_authority() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    // The authority's connections are held, so that the challenge stays pending.
    let mut server = pebble.serve_on(dir.path(), NAME, &[]);
    until("pebble to look for a proof", async || pebble.https.connections() > 0).await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn certificate_file_that_is_broken_is_replaced() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("certificates")).unwrap();
    let path = dir.path().join("certificates/chat.example.pem");
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let server = pebble.serve(dir.path(), NAME, &[]);
    assert!(server.log().contains("ordering a new certificate: cannot read"), "{}", server.log());
    until("a certificate", async || served_certificate(&server, NAME).await.is_some()).await;
}

/// B13.
#[tokio::test]
async fn certificate_that_cannot_be_stored_is_used_and_not_ordered_again() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let certificates = dir.path().join("certificates");
    std::fs::create_dir(&certificates).unwrap();
    // What is to be written first cannot be, as on a full disk.
    let hurdles = ["chat.example.new", "account.new"].map(|name| certificates.join(name));
    hurdles.iter().for_each(|path| std::fs::create_dir(path).unwrap());
    let server = pebble.serve(dir.path(), NAME, &[]);
    until_logged(&server, "got a certificate").await;
    // It is shown; whom to trust stands in the file that is not there.
    let refused = connect(&server, NAME).await.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    until_logged(&server, "chat.example.pem cannot be stored (").await;
    until_logged(&server, "account.json cannot be stored (").await;
    assert!(server.log().contains("it is used, but lost if the server restarts"), "{}", server.log());
    let (data, settings) = (dir.path().display().to_string(), [("CAMPFIRE_DOMAIN", NAME)]);
    let doctor = || {
        let output = campfire().args(["doctor", "--data", &data]).envs(settings).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(doctor().contains("the server cannot store it"), "{}", doctor());
    hurdles.iter().for_each(|path| std::fs::remove_dir(path).unwrap());
    until_logged(&server, "chat.example.pem is stored now").await;
    assert!(served_certificate(&server, NAME).await.is_some());
    assert!(certificates.join("chat.example.pem").is_file() && certificates.join("account.json").is_file());
    assert_eq!(pebble.issued(), 1, "it was ordered once");
    assert!(!doctor().contains("the server cannot store it"), "{}", doctor());
}

#[test]
fn acme_settings_that_cannot_work_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.pem").display().to_string();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.display().to_string();
    for (more, status, why) in [
        ([("CAMPFIRE_ACME_CA", &*missing)], 1, "name another with --acme-ca"),
        ([("CAMPFIRE_ACME_CA", &*empty)], 1, "there is none in it"),
        ([("CAMPFIRE_ACME_DIRECTORY", "http://ca.example/")], 2, "start with https://"),
        ([("CAMPFIRE_ACME_CHALLENGE", "http-01")], 1, "say where with --http-listen"),
        ([("CAMPFIRE_DOMAIN", "*.example")], 2, "wildcards are not offered"),
    ] {
        let output = campfire()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"))
            .env("CAMPFIRE_DOMAIN", NAME)
            .envs(more)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
