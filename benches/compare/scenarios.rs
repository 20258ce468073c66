//! Requests: start, health, pages, posts, search.

use std::{net::SocketAddr, time::Duration};

use crate::{
    Asked, Row, floors,
    load::{Connection, hammer, request},
    median,
    process::Process,
    runtime, talk,
};

fn round(asked: &Asked) -> Duration {
    Duration::from_millis(if asked.quick { 1_000 } else { 3_000 })
}

fn rounds(asked: &Asked) -> usize {
    if asked.quick { 1 } else { 3 }
}

const CLIENTS: usize = 32;

/// Sets the account up; answers the session's token.
pub(crate) async fn set_up(address: SocketAddr) -> String {
    let body =
        r#"{"account_name":"Bench","name":"Bench","email":"bench@example.org","password":"correct horse"}"#;
    let mut connection = Connection::open(address).await;
    let (status, body) = connection.ask(&request("POST", "/api/setup", "", "", body)).await;
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    value["token"].as_str().expect("a token").to_owned()
}

pub(crate) fn post_request(token: &str, room: i64, content: &str) -> Vec<u8> {
    request("POST", "/api/messages", token, "", &format!(r#"{{"room_id":{room},"content":"{content}"}}"#))
}

fn per_second(figure: f64) -> String {
    format!("{figure:.0}/s")
}

pub(crate) fn ratio(ours: f64, floor: f64) -> String {
    format!("{:.2}", ours / floor)
}

pub(crate) fn start(asked: &Asked) -> Vec<Row> {
    let mut cold = Vec::new();
    let mut idle = Vec::new();
    for _ in 0..if asked.quick { 3 } else { 9 } {
        let dir = tempfile::tempdir().expect("a directory");
        let server = Process::campfire(dir.path());
        runtime().block_on(async {
            let (status, _) =
                Connection::open(server.address).await.ask(&request("GET", "/health", "", "", "")).await;
            assert_eq!(status, 200);
        });
        cold.push(server.started_in.as_secs_f64() * 1e3);
        idle.push(server.pss() / 1024.0);
    }
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_campfire")).expect("the binary").len() as f64 / 1e6;
    let row = |work: &str, ours: String, target| Row {
        work: work.into(),
        floor: String::new(),
        ours,
        ratio: String::new(),
        target,
    };
    vec![
        row("cold start on an empty directory", format!("{:.0} ms", median(cold)), "≤ 50 ms"),
        row("memory, idle, after start (Pss)", format!("{:.1} MB", median(idle)), "≤ 12 MB"),
        row("binary", format!("{size:.1} MB"), "≤ 15 MB"),
    ]
}

pub(crate) fn health(asked: &Asked) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, floor) = (Process::campfire(dir.path()), Process::floor(&["floor-hyper", "46"]));
    let ask = request("GET", "/health", "", "", "");
    let (ours, floors) = against(asked, floor.address, server.address, 200, &ask);
    vec![Row {
        work: "GET /health".into(),
        floor: per_second(floors),
        ours: per_second(ours),
        ratio: ratio(ours, floors),
        target: "≥ 0.90",
    }]
}

/// Medians of ours and of the floor, in turns, both asked the same.
fn against(asked: &Asked, floor: SocketAddr, server: SocketAddr, status: u16, ask: &[u8]) -> (f64, f64) {
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..rounds(asked) {
        for (address, status, figures) in [(floor, 200, &mut floors), (server, status, &mut ours)] {
            let ask = ask.to_vec();
            let run =
                runtime().block_on(hammer(address, CLIENTS, round(asked), status, move |_, _| ask.clone()));
            figures.push(run.per_second);
        }
    }
    (median(ours), median(floors))
}

pub(crate) fn page(asked: &Asked) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    let (token, size, etag) = runtime().block_on(async {
        let token = set_up(server.address).await;
        let fill = token.clone();
        hammer(server.address, 8, Duration::from_secs(1), 201, move |client, turn| {
            post_request(&fill, 1, &talk((client * 1_000_000 + turn) as i64))
        })
        .await;
        let mut connection = Connection::open(server.address).await;
        let (_, body) = connection.ask(&request("GET", "/api/rooms/1/messages", &token, "", "")).await;
        let etag = connection
            .head()
            .lines()
            .find_map(|line| line.strip_prefix("etag: ").map(str::to_owned))
            .expect("a tag");
        (token, body.len(), etag)
    });
    let same = Process::floor(&["floor-hyper", &size.to_string()]);
    let empty = Process::floor(&["floor-hyper", "0"]);
    let warm = request("GET", "/api/rooms/1/messages", &token, "", "");
    let (ours, floor) = against(asked, same.address, server.address, 200, &warm);
    let conditional =
        request("GET", "/api/rooms/1/messages", &token, &format!("if-none-match: {etag}\r\n"), "");
    let (unchanged, empty_floor) = against(asked, empty.address, server.address, 304, &conditional);
    let before =
        runtime().block_on(hammer(server.address, CLIENTS, round(asked), 200, move |client, turn| {
            let edge = 60 + (client * 7919 + turn * 104_729) % 3_000;
            request("GET", &format!("/api/rooms/1/messages?before={edge}"), &token, "", "")
        }));
    vec![
        Row {
            work: format!("a page of 50, warm ({:.1} KB)", size as f64 / 1e3),
            floor: per_second(floor),
            ours: per_second(ours),
            ratio: ratio(ours, floor),
            target: "≥ 0.80",
        },
        Row {
            work: "the same, 304".into(),
            floor: per_second(empty_floor),
            ours: per_second(unchanged),
            ratio: ratio(unchanged, empty_floor),
            target: "≥ 0.80",
        },
        Row {
            work: "a page with before=".into(),
            floor: String::new(),
            ours: per_second(before.per_second),
            ratio: String::new(),
            target: "≥ 20,000/s per core",
        },
    ]
}

pub(crate) fn post(asked: &Asked) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    let token = runtime().block_on(set_up(server.address));
    let mut rows = Vec::new();
    for clients in [1, 16, 64] {
        let before = batches(server.address);
        let ask = token.clone();
        let run =
            runtime().block_on(hammer(server.address, clients, round(asked), 201, move |client, turn| {
                post_request(&ask, 1, &talk((client * 1_000_000 + turn) as i64))
            }));
        let after = batches(server.address);
        let batch = ((after.1 - before.1) / (after.0 - before.0)).round().max(1.0);
        let floor_dir = tempfile::tempdir().expect("a directory");
        let floor = floors::group_commit(floor_dir.path(), batch as usize, round(asked));
        rows.push(Row {
            work: format!("POST, {clients} clients (batches of {batch:.0})"),
            floor: per_second(floor),
            ours: format!(
                "{}, p50 {:.2} ms, p99 {:.2} ms",
                per_second(run.per_second),
                run.percentile(0.5),
                run.percentile(0.99)
            ),
            ratio: ratio(run.per_second, floor),
            target: if clients == 64 {
                "≥ 0.6, p99 ≤ 10 ms"
            } else if clients == 1 {
                "p50 ≤ 1 ms"
            } else {
                ""
            },
        });
    }
    rows
}

/// Transactions and commands so far.
fn batches(address: SocketAddr) -> (f64, f64) {
    let body = runtime().block_on(async {
        Connection::open(address).await.ask(&request("GET", "/metrics", "", "", "")).await.1
    });
    let text = String::from_utf8(body).expect("metrics are text");
    let figure = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the metric is there");
        line.trim().parse().expect("a number")
    };
    (figure("campfire_writer_batches_total "), figure("campfire_writer_commands_total "))
}

pub(crate) fn search(asked: &Asked) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a directory");
    let token = {
        let server = Process::campfire(dir.path());
        runtime().block_on(async {
            let token = set_up(server.address).await;
            let mut connection = Connection::open(server.address).await;
            let (status, _) = connection
                .ask(&request("POST", "/api/rooms", &token, "", r#"{"name":"Small","kind":"closed"}"#))
                .await;
            assert_eq!(status, 201);
            token
        })
    };
    fill(dir.path(), asked.messages);
    let server = Process::campfire(dir.path());
    let mut rows = vec![Row {
        work: format!("start on {} messages", asked.messages),
        floor: String::new(),
        ours: format!("{:.0} ms", server.started_in.as_secs_f64() * 1e3),
        ratio: String::new(),
        target: "≤ 300 ms",
    }];
    for (work, query) in [
        ("search, a rare word", "q=needle"),
        ("search, a common word", "q=staging"),
        ("search, two words", "q=staging+lantern"),
        ("search, a common word in a small room", "q=staging&room_id=2"),
    ] {
        let ask = request("GET", &format!("/api/search?{query}"), &token, "", "");
        let run = runtime().block_on(hammer(server.address, 4, round(asked), 200, move |_, _| ask.clone()));
        rows.push(Row {
            work: work.into(),
            floor: String::new(),
            ours: format!(
                "{}, p50 {:.2} ms, p99 {:.2} ms",
                per_second(run.per_second),
                run.percentile(0.5),
                run.percentile(0.99)
            ),
            ratio: String::new(),
            target: "p99 ≤ 2 ms",
        });
    }
    rows
}

/// A long history, written straight into the database of a stopped server: the large room 1, the small room 2.
fn fill(dir: &std::path::Path, messages: usize) {
    let db = rusqlite::Connection::open(dir.join("campfire.db")).expect("the database");
    db.execute_batch("pragma synchronous = off; pragma cache_size = -400000; begin").expect("a transaction");
    let mut insert = db
        .prepare("insert into messages (id, room_id, creator_id, json, plain) values (?, ?, 1, ?, ?)")
        .expect("SQL");
    let mut index = db
        .prepare("insert into messages_fts (rowid, plain, room, creator) values (?, ?, 'r' || ?, 'u1')")
        .expect("SQL");
    let (first, last) = (1_000, 1_000 + messages as i64);
    for id in first..last {
        let room = if id % 10_000 == 0 { 2 } else { 1 };
        let mut plain = talk(id);
        if id % 50_000 == 1 {
            plain.push_str(" needle");
        }
        let json = format!(
            r#"{{"id":{id},"created_at":"2026-11-24T08:00:00.000Z","room_id":{room},"creator_id":1,"client_message_id":null,"kind":"text","content":"{plain}","html":"<p>{plain}</p>","edited_at":null,"reply_to_id":null,"mentions":[],"boosts":[],"attachment":null,"embeds":[]}}"#
        );
        insert.execute((id, room, json.as_bytes(), &plain)).expect("a row");
        index.execute((id, &plain, room)).expect("an entry");
    }
    drop((insert, index));
    db.execute_batch("commit").expect("a commit");
}
