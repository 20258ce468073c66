//! systemd: notifications, watchdog, socket activation, limits.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use crate::support::server::{campfire, spawn_until_ready, wait_for};
use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_notified_of_ready_watchdog_and_stopping() {
    let mut server = Server::under(Systemd::new("http", Some(Duration::from_millis(200))), &[]);
    let address = server.address().get();
    {
        let systemd = server.systemd.as_ref().expect("systemd");
        assert_eq!(address, systemd.address(), "it answers where the socket is");
        systemd.wait_for_notice("READY=1", 1);
        systemd.wait_for_notice(&format!("STATUS=Serving on {address}"), 1);
    }
    let client = Client::new(server.address(), http::Credentials::None);
    client.get("/health").await.expect(200);
    server.systemd.as_ref().expect("systemd").wait_for_notice("WATCHDOG=1", 3);
    assert!(!server.systemd.as_ref().expect("systemd").notices().contains(&"STOPPING=1".to_owned()));
    assert!(server.terminate().success());
    let systemd = server.systemd.as_ref().expect("systemd");
    systemd.wait_for_notice("STOPPING=1", 1);
    assert_eq!(systemd.notices().iter().filter(|it| *it == "READY=1").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn watchdog_is_not_notified_unless_it_is_asked_for() {
    let mut server = Server::under(Systemd::new("http", None), &[]);
    let client = Client::new(server.address(), http::Credentials::None);
    client.get("/health").await.expect(200);
    assert!(server.terminate().success());
    let systemd = server.systemd.as_ref().expect("systemd");
    systemd.wait_for_notice("STOPPING=1", 1);
    assert!(!systemd.notices().iter().any(|it| it.starts_with("WATCHDOG")), "{:?}", systemd.notices());
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_activation_overrides_listen_whatever_the_socket_is_called() {
    for name in ["http", "https", "campfire.socket", ""] {
        let server = Server::under(Systemd::new(name, None), &[("CAMPFIRE_WORKERS", "3")]);
        let address = server.systemd.as_ref().expect("systemd").address();
        assert_eq!(server.address().get(), address, "{name:?}");
        // More connections than workers, concurrently and repeatedly.
        for _ in 0..3 {
            let asked: Vec<_> = (0..12)
                .map(|_| {
                    let client = Client::new(server.address(), http::Credentials::None);
                    tokio::spawn(async move { client.get("/health").await.expect(200) })
                })
                .collect();
            for asked in asked {
                within("an answer", asked).await.expect("an answer");
            }
        }
    }
}

#[test]
fn listen_fds_of_another_process_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = campfire();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    command.env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    let (mut child, address) = spawn_until_ready(command, &Default::default());
    assert_ne!(address.port(), 0);
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn socket_activation_with_a_udp_socket_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let systemd = Systemd::new("post", None);
    let (mut command, input) = systemd.passing(UdpSocket::bind("127.0.0.1:0").unwrap().into());
    command.args(["serve", "--data"]).arg(dir.path()).stdin(input);
    command.stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = wait_for(&mut child).expect("it ends");
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(said.contains("\"post\"") && said.contains("ListenStream="), "{said}");
}

#[test]
fn open_files_limit_is_raised_to_the_hard_limit() {
    let dir = tempfile::tempdir().unwrap();
    let binary = campfire();
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -S -n 256; exec "$0" "$@""#]).arg(binary.get_program());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    let (mut child, _) = spawn_until_ready(command, &Default::default());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_ne!(words[3], "256", "{line}");
    assert_eq!(words[3], words[4], "the soft limit is the hard one: {line}");
}
