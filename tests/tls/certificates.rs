//! Certificate files and TLS handshakes.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, version};

use crate::support::server::campfire;
use crate::support::tls::{Authority, NAME, tls_handshake};
use crate::support::*;

pub(super) fn settings(certificate: &Path, key: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("CAMPFIRE_TLS_CERT", certificate.display().to_string()),
        ("CAMPFIRE_TLS_KEY", key.display().to_string()),
    ]
}

/// A server with a certificate of this authority, and the directory of the certificate.
pub(super) fn serve(authority: &Authority, more: &[(&str, &str)]) -> (Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.issue_into(dir.path());
    let own = settings(&certificate, &key);
    let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(more);
    (Server::with(&all), dir)
}

/// Sends a request and reads to the end of the connection.
async fn over_tls(address: SocketAddr, config: &Arc<ClientConfig>, request: &str) -> String {
    let mut stream = tls_handshake(address, config).await.expect("a handshake");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("an answer", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: chat.example\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn tls_1_2_and_1_3_are_served() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let address = server.address().get();
    assert!(server.log().contains("listening on https://127.0.0.1:"), "{}", server.log());
    for version in [&version::TLS12, &version::TLS13] {
        for protocols in [&["http/1.1"][..], &[]] {
            let client = authority.client_of(protocols, &[version]);
            let answer = over_tls(address, &client, HEALTH).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.contains("\r\nstrict-transport-security: max-age=15552000\r\n"), "{answer}");
        }
    }
    // A protocol that we do not support.
    assert!(tls_handshake(address, &authority.client(&["spdy/3"])).await.is_err());
    // A client that does not trust the authority.
    assert!(tls_handshake(address, &Authority::new().client(&[])).await.is_err());
}

#[tokio::test]
async fn tls_session_is_resumed_on_any_worker() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_WORKERS", "3")]);
    for version in [&version::TLS12, &version::TLS13] {
        let client = authority.client_of(&["http/1.1"], &[version]);
        over_tls(server.address().get(), &client, HEALTH).await;
        for _ in 0..8 {
            let mut stream = tls_handshake(server.address().get(), &client).await.unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
            // With TLS 1.3 the next ticket arrives after the handshake.
            stream.write_all(HEALTH.as_bytes()).await.unwrap();
            within("an answer", stream.read_to_end(&mut Vec::new())).await.unwrap();
        }
    }
}

#[tokio::test]
async fn hsts_can_be_turned_off_and_is_not_sent_over_http() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_HSTS", "0")]);
    let answer = over_tls(server.address().get(), &authority.client(&[]), HEALTH).await;
    assert!(answer.contains(" 200 ") && !answer.contains("strict-transport"), "{answer}");
    let team = Team::start().await;
    let reply = team.ada.get("/health").await;
    assert_eq!(reply.header("strict-transport-security"), None);
}

#[tokio::test]
async fn certificate_that_is_replaced_is_served_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let (server, dir) = serve(&old, &[]);
    let address = server.address().get();
    let mut kept = tls_handshake(address, &old.client(&["http/1.1"])).await.unwrap();
    // A broken file changes nothing and is logged.
    std::fs::write(
        dir.path().join("chain.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    within("a word about the broken file", async {
        while !server.log().contains("the old certificate stays") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(tls_handshake(address, &old.client(&[])).await.is_ok());
    // The key is written a moment after the certificate.
    let (certificate, key) = new.issue(&[NAME]);
    std::fs::write(dir.path().join("chain.pem"), certificate).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    within("the new certificate", async {
        while tls_handshake(address, &new.client(&[])).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(tls_handshake(address, &old.client(&[])).await.is_err());
    // Connections that exist stay open.
    kept.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", kept.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn certificate_files_that_are_wrong_stop_the_start() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.issue_into(dir.path());
    let other = dir.path().join("other.pem");
    std::fs::write(&other, authority.issue(&[NAME]).1).unwrap();
    let text = dir.path().join("text");
    std::fs::write(&text, "not PEM").unwrap();
    let missing = dir.path().join("missing");
    for (certificate, key, why) in [
        (&missing, &key, "cannot read a certificate chain in PEM from "),
        (&text, &key, "there is none in it"),
        (&certificate, &missing, "cannot read a private key in PEM from "),
        (&certificate, &text, "cannot read a private key in PEM from "),
        (&certificate, &other, "is not that of the certificate in "),
    ] {
        let output = campfire()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"))
            .envs(settings(certificate, key))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(why) && said.contains("--tls-cert"), "{said}");
    }
}

#[tokio::test]
async fn tls_handshake_that_stalls_is_closed() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_HEADER_TIMEOUT", "1")]);
    let address = server.address().get();
    for beginning in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        assert_eq!(http::read_to_close(&mut stream).await, b"");
    }
    // Plain HTTP gets no response and does no harm.
    let answer = raw_exchange(address, HEALTH.as_bytes()).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(over_tls(address, &authority.client(&[]), HEALTH).await.contains(" 200 "));
}

#[test]
fn healthcheck_uses_tls_when_the_server_does() {
    let authority = Authority::new();
    let (server, dir) = serve(&authority, &[]);
    let check = |listen: &str| {
        campfire()
            .args(["healthcheck", "--listen", listen])
            .envs(settings(&dir.path().join("chain.pem"), &dir.path().join("key.pem")))
            .output()
            .unwrap()
    };
    let output = check(&server.address().get().to_string());
    assert!(output.status.success(), "{output:?}");
    // A server without TLS is not healthy.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    });
    let output = check(&address);
    answering.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing that is well answers"), "{output:?}");
}
