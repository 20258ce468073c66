//! `campfire bench`, against a real server and behind a proxy that tampers with its messages.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::thread;

use super::start::{run, text};
use crate::support::http::Credentials;
use crate::support::server::{campfire, wait_for};
use crate::support::*;

struct Bench {
    output: Output,
    json: Value,
    html: String,
}

/// A short run that writes both reports.
fn bench(address: SocketAddr, scenario: &str, more: &[&str]) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let (json, html) = (dir.path().join("bench.json"), dir.path().join("bench.html"));
    let url = format!("http://{address}");
    let mut args =
        vec!["bench", &url, "--scenario", scenario, "--users", "4", "--ramp", "0.2", "--duration", "1"];
    args.extend(["--json", json.to_str().unwrap(), "--report", html.to_str().unwrap()]);
    args.extend(more);
    let output = run(&args, &[], "");
    let json = std::fs::read(&json).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    let html = std::fs::read_to_string(&html).unwrap();
    Bench { output, json: serde_json::from_slice(&json).unwrap(), html }
}

async fn in_background(address: SocketAddr, scenario: &'static str, more: &'static [&'static str]) -> Bench {
    tokio::task::spawn_blocking(move || bench(address, scenario, more)).await.unwrap()
}

#[track_caller]
fn assert_passed(bench: &Bench) {
    let said = text(&bench.output.stderr) + &text(&bench.output.stdout);
    assert_eq!(bench.output.status.code(), Some(0), "{said}");
    let json = &bench.json;
    assert_eq!(json["passed"], true, "{json}");
    assert_eq!(json["requests"]["failed"], 0, "{json}");
    assert!(json["requests"]["done"].as_u64() > Some(0), "{json}");
    assert!(json["requests"]["latency_ms"]["p95"].as_f64() > Some(0.0), "{json}");
    if let Some(deliveries) = json["deliveries"].as_object() {
        assert!(
            deliveries["messages"].as_u64() > Some(0) && deliveries["expected"] == deliveries["received"],
            "{deliveries:?}"
        );
        for wrong in ["missing", "doubled", "out_of_order", "wrong_room", "unreadable", "lost_sockets"] {
            assert_eq!(deliveries[wrong], 0, "{wrong}: {deliveries:?}");
        }
    }
}

#[tokio::test]
async fn bench_scenarios_find_no_fault_and_leave_no_rooms_behind() {
    let team = Team::start().await;
    let made = team.ada.post("/api/tokens", json!({"name": "bench"})).await.expect(201);
    let token: &'static str = made["token"].as_str().unwrap().to_owned().leak();
    let more: &'static [&'static str] = vec!["--token", token, "--rate", "40"].leak();
    for scenario in ["health", "list", "search", "send", "sockets", "mixed"] {
        let bench = in_background(team.server.address().get(), scenario, more).await;
        assert_passed(&bench);
        assert_eq!(bench.json["scenario"], scenario);
        assert_eq!(bench.json["deliveries"].is_object(), ["send", "sockets", "mixed"].contains(&scenario));
        is_self_contained(&bench.html);
        assert!(bench.html.contains("Every answer and every delivery was right."), "the verdict");
    }
    let rooms = team.ada.get("/api/rooms").await.expect(200);
    assert_eq!(ids(&rooms["rooms"]), [team.room], "only All Talk is left");
    assert_eq!(team.ada.get("/api/bots").await.expect(200)["bots"], json!([]));
}

/// Asserts that the page loads nothing from outside and has no placeholder left.
fn is_self_contained(html: &str) {
    assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
    for outside in ["src=", "href=", "url(", "@import", "<script", "<link", "{{", "}}"] {
        assert!(!html.contains(outside), "{outside} in the page");
    }
    assert!(html.contains("<svg "), "charts");
}

#[tokio::test]
async fn bench_sets_a_new_server_up_and_reports_what_it_leaves() {
    let server = Server::start();
    let bench = in_background(server.address().get(), "send", &["--tier", "small", "--rate", "20"]).await;
    assert_eq!(bench.json["requests"]["failed"], 0, "{}", bench.json);
    let left = bench.json["left_behind"].to_string();
    assert!(left.contains("bench@example.org") && left.contains("deactivated"), "{left}");
    let nobody = Client::new(server.address(), Credentials::None);
    assert_eq!(nobody.get("/api/setup").await.expect(200), json!({"needed": false}));
    // Rows of the tier that so short a run cannot show are marked.
    assert_eq!(bench.json["tier"], "small");
    let rows = bench.json["tier_rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["p95 response", "requests/s", "people at once", "sockets", "memory", "CPU"]);
    for row in &rows[1..4] {
        assert_eq!(row["outcome"], "not_exercised", "{row}");
    }
    assert!(bench.html.contains("Tier small") && bench.html.contains("not exercised"));
}

#[tokio::test]
async fn bench_takes_tokens_from_a_file() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    std::fs::write(&file, format!("{}\n{}\n", team.ada.token, grace.token)).unwrap();
    let more: &'static [&'static str] =
        vec!["--tokens", file.to_str().unwrap().to_owned().leak() as &str].leak();
    let bench = in_background(team.server.address().get(), "sockets", more).await;
    assert_passed(&bench);
    assert_eq!((&bench.json["accounts"], &bench.json["sockets_peak"]), (&json!(2), &json!(4)));
    assert_eq!(ids(&team.ada.get("/api/rooms").await.expect(200)["rooms"]), [team.room]);
}

#[test]
fn bench_that_is_interrupted_still_reports() {
    let server = Server::start();
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("bench.json");
    let mut command = campfire();
    command.args(["bench", &server.address().get().to_string(), "--scenario", "health", "--duration", "600"]);
    let mut child =
        command.arg("--json").arg(&json).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("Ctrl+C ends it early"), "{said}");
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
    assert!(kill.unwrap().success());
    let status = wait_for(&mut child).expect("it ends");
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    let json: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(json["interrupted"], true);
}

#[tokio::test]
async fn bench_names_the_post_limit_when_it_is_met() {
    let server = Server::with(&[("CAMPFIRE_POST_LIMIT", "1")]);
    // One message each is allowed: a second one is sent however slow the machine is.
    let more = &["--rate", "50", "--users", "1", "--duration", "5"];
    let bench = in_background(server.address().get(), "send", more).await;
    assert_eq!(bench.output.status.code(), Some(1));
    assert!(bench.json["requests"]["failures"]["status 429"]["count"].as_u64() > Some(0), "{}", bench.json);
    assert!(bench.json["notes"].to_string().contains("CAMPFIRE_POST_LIMIT=0"), "{}", bench.json["notes"]);
    let deliveries = &bench.json["deliveries"];
    assert_eq!(
        (&deliveries["missing"], &deliveries["expected"]),
        (&json!(0), &deliveries["received"]),
        "refused is not lost"
    );
}

#[test]
fn bench_usage_errors_are_2_with_one_sentence() {
    let url = "http://127.0.0.1:9";
    for (args, word) in [
        (vec!["--scenario", "health"], "address"),
        (vec![url], "scenario"),
        (vec![url, url, "--scenario", "health"], "one address"),
        (vec![url, "--scenario", "dance"], "dance"),
        (vec![url, "--scenario", "health", "--tier", "huge"], "huge"),
        (vec![url, "--scenario", "health", "--users", "0"], "--users"),
        (vec![url, "--scenario", "health", "--users", "100001"], "100000"),
        (vec![url, "--scenario", "health", "--rate", "fast"], "--rate"),
        (vec![url, "--scenario", "health", "--duration", "0"], "--duration"),
        (vec![url, "--scenario", "health", "--ramp", "-1"], "--ramp"),
        (vec![url, "--scenario", "health", "--duration", "NaN"], "--duration"),
        (vec![url, "--scenario", "health", "--tokens", "/no/such/file"], "/no/such/file"),
        (vec![url, "--scenario", "health", "--listen", "127.0.0.1:1"], "--listen"),
        (vec!["ftp://127.0.0.1", "--scenario", "health"], "http"),
        (vec!["http://192.0.2.1", "--scenario", "health"], "--i-own-this-server"),
        (vec!["https://chat.example.org", "--scenario", "mixed"], "--i-own-this-server"),
    ] {
        let output = run(&[&["bench"], &*args].concat(), &[], "");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(word) && said.trim().lines().count() == 1, "{args:?}: {said}");
    }
}

#[test]
fn bench_without_a_server_is_1_with_one_sentence() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&["bench", &free.to_string(), "--scenario", "list"], &[], "");
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), said.trim().lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("nothing answers"), "{said}");
}

#[test]
fn bench_counts_wrong_answers_by_kind() {
    for (answer, class) in [
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}", "status 500"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"status\":\"?\"", "wrong answer"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", "connection"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "wrong answer"),
    ] {
        let address = server_that_says(answer);
        let bench = bench(address, "health", &["--rate", "20"]);
        assert_eq!(bench.output.status.code(), Some(1), "{class}");
        let failures = bench.json["requests"]["failures"].as_object().unwrap();
        assert!(failures.contains_key(class), "{class}: {failures:?}");
        assert_eq!((&bench.json["passed"], &bench.json["requests"]["done"]), (&json!(false), &json!(0)));
        assert!(bench.html.contains("Failed: ") && bench.html.contains(class));
    }
}

/// A server that answers every connection with these bytes and closes.
fn server_that_says(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn bench_counts_wrong_deliveries_by_kind() {
    let server = Server::start();
    let team = Team::on(server).await;
    let token: &'static str = team.ada.token.clone().leak();
    let more: &'static [&'static str] = vec!["--token", token, "--rate", "40"].leak();
    for (fault, count) in [
        (Fault::Drop, "missing"),
        (Fault::Double, "doubled"),
        (Fault::Reorder, "out_of_order"),
        (Fault::Garble, "unreadable"),
    ] {
        let address = proxy(team.server.address().get(), fault);
        let bench = in_background(address, "sockets", more).await;
        assert_eq!(bench.output.status.code(), Some(1), "{count}: {}", text(&bench.output.stdout));
        let deliveries = &bench.json["deliveries"];
        assert!(deliveries[count].as_u64() > Some(0), "{count}: {deliveries}");
        assert!(bench.json["verdict"].as_str().unwrap().contains("deliveries were wrong"), "{}", bench.json);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Drop,
    Double,
    /// Holds a message back until after the next one of the same sender.
    Reorder,
    Garble,
}

/// A proxy that tampers with `message.created` events on sockets, and passes everything else on.
fn proxy(server: SocketAddr, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut upstream = TcpStream::connect(server).unwrap();
            let (mut from_client, mut to_server) =
                (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(std::net::Shutdown::Write);
            });
            thread::spawn(move || {
                let _ = tamper(&mut upstream, &mut client, fault);
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    address
}

fn tamper(upstream: &mut TcpStream, client: &mut TcpStream, fault: Fault) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        upstream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    client.write_all(&head)?;
    if !head.starts_with(b"HTTP/1.1 101 ") {
        std::io::copy(upstream, client)?;
        return Ok(());
    }
    let mut held: Vec<(String, Vec<u8>)> = Vec::new();
    let mut count = 0;
    loop {
        let frame = frame(upstream)?;
        let text = String::from_utf8_lossy(&frame).into_owned();
        let Some((_, marker)) =
            text.split_once("\"content\":\"bench:").filter(|_| text.contains("message.created"))
        else {
            client.write_all(&frame)?;
            continue;
        };
        count += 1;
        match fault {
            Fault::Drop if count % 3 == 1 => {}
            Fault::Double if count % 3 == 1 => client.write_all(&[&*frame, &*frame].concat())?,
            Fault::Garble if count % 3 == 1 => {
                client.write_all(&[&[0x81, 8], b"nonsense".as_slice()].concat())?;
            }
            Fault::Reorder => {
                // The marker has run, room, number, sender, due time.
                let sender = marker.split(':').nth(3).unwrap_or_default().to_owned();
                client.write_all(&frame_order(&mut held, sender, frame))?;
            }
            _ => client.write_all(&frame)?,
        }
    }
}

/// The bytes to pass on now: none, or this frame followed by the one held back.
fn frame_order(held: &mut Vec<(String, Vec<u8>)>, sender: String, frame: Vec<u8>) -> Vec<u8> {
    match held.iter().position(|(other, _)| *other == sender) {
        Some(place) => [frame, held.remove(place).1].concat(),
        None => {
            held.push((sender, frame));
            Vec::new()
        }
    }
}

/// Reads one frame of the server, with its header.
fn frame(upstream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut frame = vec![0; 2];
    upstream.read_exact(&mut frame)?;
    let length = match frame[1] {
        126 => {
            let mut length = [0; 2];
            upstream.read_exact(&mut length)?;
            frame.extend(length);
            u16::from_be_bytes(length).into()
        }
        length => usize::from(length),
    };
    let start = frame.len();
    frame.resize(start + length, 0);
    upstream.read_exact(&mut frame[start..])?;
    Ok(frame)
}
