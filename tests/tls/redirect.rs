//! The redirect from HTTP to HTTPS.

use std::net::TcpListener;

use super::certificates::serve;
use crate::support::tls::Authority;
use crate::support::*;

#[tokio::test]
async fn http_is_redirected_to_https() {
    let authority = Authority::new();
    let (mut server, _dir) = serve(&authority, &[("CAMPFIRE_HTTP_LISTEN", "127.0.0.1:0")]);
    let said = server.log();
    let place = said.split("http://").nth(1).expect("it says where").split(' ').next().unwrap();
    let address = place.parse().unwrap();
    let port = server.address().get().port();
    let answer = raw_exchange(address, b"GET /rooms/1?a=b HTTP/1.1\r\nhost: chat.example:80\r\n\r\n").await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    let location = format!("\r\nlocation: https://chat.example:{port}/rooms/1?a=b\r\n");
    assert!(answer.contains(&location), "{answer}");
    // A POST is redirected too; an unknown ACME challenge is not found.
    let post = b"POST /api/session HTTP/1.1\r\nhost: chat.example\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(http::raw_status(&raw_exchange(address, post).await), 308);
    let challenge = b"GET /.well-known/acme-challenge/abc HTTP/1.1\r\nhost: chat.example\r\n\r\n";
    assert_eq!(http::raw_status(&raw_exchange(address, challenge).await), 404);
    let nobody = b"GET / HTTP/1.0\r\n\r\n";
    assert_eq!(http::raw_status(&raw_exchange(address, nobody).await), 400);
    assert!(server.terminate().success());
}

#[test]
fn http_listen_address_in_use_stops_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.issue_into(dir.path());
    let output = server::campfire()
        .args(["serve", "--listen", "127.0.0.1:0", "--http-listen"])
        .arg(taken.local_addr().unwrap().to_string())
        .arg("--data")
        .arg(dir.path().join("data"))
        .envs(super::certificates::settings(&certificate, &key))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("something listens on") && said.contains("already"), "{said}");
}
