//! How a certificate is got, kept and renewed.

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
async fn a_certificate_is_got_by_tls_alpn_01_and_kept_for_the_owner_alone() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let more = [("CAMPFIRE_ACME_CHALLENGE", "tls-alpn-01"), ("CAMPFIRE_ACME_EMAIL", "ada@chat.example")];
    let mut server = pebble.serve(dir.path(), NAME, &more);
    until_said(&server, "got a certificate for chat.example, valid until ").await;
    let mut stream = connect(&server, NAME).await.expect("a handshake with a certificate that is right");
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: chat.example\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(connect(&server, OTHER).await.is_err(), "it is for one name");
    assert!(pebble.https.knocks() > 0 && pebble.http.knocks() == 0);
    let certificates = dir.path().join("certificates");
    assert_eq!(mode(&certificates), 0o700);
    let files: Vec<_> = std::fs::read_dir(&certificates).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_certificate_for_two_names_is_got_by_http_01() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let server =
        pebble.serve(dir.path(), "Chat.Example, camp.example", &[("CAMPFIRE_ACME_CHALLENGE", "http-01")]);
    until_said(&server, "got a certificate for chat.example, camp.example, valid until ").await;
    for name in [NAME, OTHER] {
        assert!(connect(&server, name).await.is_ok(), "{name}");
    }
    assert!(pebble.http.knocks() >= 2 && pebble.https.knocks() == 0);
    assert_eq!(pebble.refused_nonces(), 0);
    // What was shown for the proof is gone again.
    let request = b"GET /.well-known/acme-challenge/x HTTP/1.1\r\nhost: chat.example\r\n\r\n";
    assert_eq!(http::raw_status(&raw_exchange(plain_address(&server), request).await), 404);
}

#[tokio::test]
async fn where_port_443_is_not_reached_the_name_is_proved_on_port_80() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    pebble.https.shut();
    let server = pebble.serve_on(dir.path(), NAME, &[]);
    pebble.http.leads_to(plain_address(&server));
    until_said(&server, "got a certificate for chat.example").await;
    let said = server.log();
    assert!(said.contains("trying HTTP-01 next: the authority could not verify chat.example"), "{said}");
    assert!(connect(&server, NAME).await.is_ok());
}

#[tokio::test]
async fn it_is_kept_over_a_restart_and_ordered_anew_for_other_names() {
    let pebble = Pebble::start();
    let dir = tempfile::tempdir().unwrap();
    let mut server = pebble.serve(dir.path(), NAME, &[]);
    until_said(&server, "got a certificate").await;
    let first = shown(&server, NAME).await.expect("a certificate");
    let account = std::fs::read(dir.path().join("certificates/account.json")).unwrap();
    assert!(server.terminate().success());
    server.restart();
    assert_eq!(shown(&server, NAME).await.as_ref(), Some(&first), "it is there at once");
    assert!(server.terminate().success());
    assert_eq!(pebble.issued(), 1);
    drop(server);
    // The doors lead nowhere yet: who comes by the old name is served meanwhile.
    pebble.https.hold();
    let server = pebble.serve_on(dir.path(), "chat.example,camp.example", &[]);
    until("pebble to look for a proof", async || pebble.https.knocks() >= 2).await;
    assert_eq!(shown(&server, NAME).await.as_ref(), Some(&first));
    pebble.open_to(&server);
    until("a certificate for both names", async || shown(&server, OTHER).await.is_some()).await;
    assert_ne!(shown(&server, NAME).await.expect("the same for the old name"), first);
    assert_eq!(pebble.issued(), 2);
    assert_eq!(std::fs::read(dir.path().join("certificates/account.json")).unwrap(), account);
}

#[tokio::test]
async fn it_is_renewed_in_time_and_shown_without_a_restart() {
    let pebble = Pebble::with(Manner { validity: 12, ..Manner::default() });
    let dir = tempfile::tempdir().unwrap();
    let server = pebble.serve(dir.path(), NAME, &[]);
    until_said(&server, "got a certificate").await;
    let first = shown(&server, NAME).await.expect("a certificate");
    until("the next certificate", async || shown(&server, NAME).await.is_some_and(|it| it != first)).await;
    assert!(pebble.issued() >= 2);
    assert!(!server.log().contains("no new certificate"), "{}", server.log());
}

#[tokio::test]
async fn nonces_that_are_refused_are_replaced() {
    // With so many names there are so many requests that some are refused.
    let pebble = Pebble::with(Manner { validity: 12, refuse_nonces: 12 });
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10).map(|n| format!("n{n}.example")).collect();
    let server = pebble.serve(dir.path(), &format!("{NAME},{}", names.join(",")), &[]);
    until("pebble to refuse a nonce", async || pebble.refused_nonces() > 0).await;
    until("a certificate after it", async || shown(&server, &names[9]).await.is_some()).await;
}
