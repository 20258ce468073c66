//! Which certificate is shown, and how a handshake goes.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, version};

use crate::support::server::campfire;
use crate::support::tls::{Authority, NAME, shake_hands};
use crate::support::*;

pub(super) fn settings(certificate: &Path, key: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("CAMPFIRE_TLS_CERT", certificate.display().to_string()),
        ("CAMPFIRE_TLS_KEY", key.display().to_string()),
    ]
}

/// A server with a certificate of this authority, and the directory that it lies in.
pub(super) fn serve(authority: &Authority, more: &[(&str, &str)]) -> (Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.issue_into(dir.path());
    let own = settings(&certificate, &key);
    let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(more);
    (Server::with(&all), dir)
}

/// Everything that comes back for some bytes.
async fn over_tls(address: SocketAddr, config: &Arc<ClientConfig>, request: &str) -> String {
    let mut stream = shake_hands(address, config).await.expect("a handshake");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("an answer", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: chat.example\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn https_is_served_with_tls_1_2_and_1_3() {
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
    // Nothing that we speak.
    assert!(shake_hands(address, &authority.client(&["spdy/3"])).await.is_err());
    // A stranger to the authority.
    assert!(shake_hands(address, &Authority::new().client(&[])).await.is_err());
}

#[tokio::test]
async fn who_was_here_before_resumes_the_session_whichever_worker_answers() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_WORKERS", "3")]);
    for version in [&version::TLS12, &version::TLS13] {
        let client = authority.client_of(&["http/1.1"], &[version]);
        over_tls(server.address().get(), &client, HEALTH).await;
        for _ in 0..8 {
            let mut stream = shake_hands(server.address().get(), &client).await.unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
            // With TLS 1.3 the next ticket comes after the handshake.
            stream.write_all(HEALTH.as_bytes()).await.unwrap();
            within("an answer", stream.read_to_end(&mut Vec::new())).await.unwrap();
        }
    }
}

#[tokio::test]
async fn hsts_can_be_turned_off_and_is_not_said_over_http() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_HSTS", "0")]);
    let answer = over_tls(server.address().get(), &authority.client(&[]), HEALTH).await;
    assert!(answer.contains(" 200 ") && !answer.contains("strict-transport"), "{answer}");
    let camp = Camp::start().await;
    let reply = camp.ada.get("/health").await;
    assert_eq!(reply.header("strict-transport-security"), None);
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_shown_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let (server, dir) = serve(&old, &[]);
    let address = server.address().get();
    let mut kept = shake_hands(address, &old.client(&["http/1.1"])).await.unwrap();
    // A file that is broken changes nothing, and is told of.
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
    assert!(shake_hands(address, &old.client(&[])).await.is_ok());
    // The key comes a moment after the certificate, as it may.
    let (certificate, key) = new.issue(&[NAME]);
    std::fs::write(dir.path().join("chain.pem"), certificate).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    within("the new certificate", async {
        while shake_hands(address, &new.client(&[])).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(shake_hands(address, &old.client(&[])).await.is_err());
    // Who was connected stays so.
    kept.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", kept.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn what_is_no_certificate_stops_the_start_with_a_sentence() {
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
async fn nobody_holds_a_connection_by_not_shaking_hands() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_HEADER_TIMEOUT", "1")]);
    let address = server.address().get();
    for beginning in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        assert_eq!(http::read_to_close(&mut stream).await, b"");
    }
    // Nor does plain HTTP get anywhere, or harm.
    let answer = raw_exchange(address, HEALTH.as_bytes()).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(over_tls(address, &authority.client(&[]), HEALTH).await.contains(" 200 "));
}

#[test]
fn the_healthcheck_speaks_tls_when_the_server_does() {
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
    // Somebody who does not speak TLS is not well.
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
    assert!(String::from_utf8_lossy(&output.stderr).contains("no healthy server answers"), "{output:?}");
}
