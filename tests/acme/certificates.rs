//! Getting, storing and renewing certificates.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pebble::*;
use crate::support::tls::NAME;
use crate::support::*;

const OTHER: &str = "camp.example";

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn tls_alpn_01_gets_a_certificate_and_stores_it_for_the_owner_alone() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let more = [("CAMPFIRE_ACME_CHALLENGE", "tls-alpn-01"), ("CAMPFIRE_ACME_EMAIL", "ada@chat.example")];
    let mut server = pebble.serve(dir.path(), NAME, &more);
    until_logged(&server, "got a certificate for chat.example, good until ").await;
    let mut stream = connect(&server, NAME).await.expect("a handshake with a certificate that is right");
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: chat.example\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(connect(&server, OTHER).await.is_err(), "it is for one name");
    assert!(pebble.https.connections() > 0 && pebble.http.connections() == 0);
    let certificates = dir.path().join("certificates");
    assert_eq!(mode(&certificates), 0o700);
    let files: Vec<_> = std::fs::read_dir(&certificates).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    assert!(server.terminate().success());
}

#[tokio::test]
async fn http_01_gets_a_certificate_for_two_names() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let server =
        pebble.serve(dir.path(), "Chat.Example, camp.example", &[("CAMPFIRE_ACME_CHALLENGE", "http-01")]);
    until_logged(&server, "got a certificate for chat.example, camp.example, good until ").await;
    for name in [NAME, OTHER] {
        assert!(connect(&server, name).await.is_ok(), "{name}");
    }
    assert!(pebble.http.connections() >= 2 && pebble.https.connections() == 0);
    assert_eq!(pebble.refused_nonces(), 0);
    // The response to the challenge is no longer served.
    let request = b"GET /.well-known/acme-challenge/x HTTP/1.1\r\nhost: chat.example\r\n\r\n";
    assert_eq!(http::raw_status(&raw_exchange(plain_address(&server), request).await), 404);
}

#[tokio::test]
async fn http_01_is_tried_after_tls_alpn_01_has_failed() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    pebble.https.close();
    let server = pebble.serve_on(dir.path(), NAME, &[]);
    pebble.http.forward_to(plain_address(&server));
    until_logged(&server, "got a certificate for chat.example").await;
    let said = server.log();
    assert!(said.contains("trying HTTP-01 next, for the authority could not verify chat.example"), "{said}");
    assert!(connect(&server, NAME).await.is_ok());
}

#[tokio::test]
async fn certificate_survives_a_restart_and_is_ordered_again_for_other_names() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let mut server = pebble.serve(dir.path(), NAME, &[]);
    until_logged(&server, "got a certificate").await;
    let first = served_certificate(&server, NAME).await.expect("a certificate");
    let account = std::fs::read(dir.path().join("certificates/account.json")).unwrap();
    assert!(server.terminate().success());
    server.restart();
    assert_eq!(served_certificate(&server, NAME).await.as_ref(), Some(&first), "it is there at once");
    assert!(server.terminate().success());
    assert_eq!(pebble.issued(), 1);
    drop(server);
    // While the challenge is pending, the old name is still served.
    pebble.https.hold();
    let server = pebble.serve_on(dir.path(), "chat.example,camp.example", &[]);
    until("pebble to look for a proof", async || pebble.https.connections() >= 2).await;
    assert_eq!(served_certificate(&server, NAME).await.as_ref(), Some(&first));
    pebble.forward_all_to(&server);
    until("a certificate for both names", async || served_certificate(&server, OTHER).await.is_some()).await;
    assert_ne!(served_certificate(&server, NAME).await.expect("the same for the old name"), first);
    assert_eq!(pebble.issued(), 2);
    assert_eq!(std::fs::read(dir.path().join("certificates/account.json")).unwrap(), account);
}

#[tokio::test]
async fn certificate_is_renewed_in_time_and_served_without_a_restart() {
    let pebble = Pebble::with(Behaviour { validity: 12, ..Behaviour::default() });
    let dir = tempfile::tempdir().unwrap();
    let server = pebble.serve(dir.path(), NAME, &[]);
    until_logged(&server, "got a certificate").await;
    let first = served_certificate(&server, NAME).await.expect("a certificate");
    until("the next certificate", async || {
        served_certificate(&server, NAME).await.is_some_and(|it| it != first)
    })
    .await;
    assert!(pebble.issued() >= 2);
    assert!(!server.log().contains("no new certificate"), "{}", server.log());
}

#[tokio::test]
async fn nonces_that_are_refused_are_replaced() {
    // This many names make enough requests for some nonces to be refused.
    let pebble = Pebble::with(Behaviour { validity: 12, refuse_nonces: 12 });
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10).map(|n| format!("n{n}.example")).collect();
    let server = pebble.serve(dir.path(), &format!("{NAME},{}", names.join(",")), &[]);
    until("pebble to refuse a nonce", async || pebble.refused_nonces() > 0).await;
    until("a certificate after it", async || served_certificate(&server, &names[9]).await.is_some()).await;
}
