//! Scenarios over HTTP: start, health, pages, posts, search.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crate::{
    Options, Report, Row, floors,
    history::{RARE_PERSON, SMALL_ROOM, fill, people, rooms},
    load::{Connection, Outcome, ask_once, request, run_clients},
    median,
    process::Process,
    runtime, sentence, sockets,
    table::{grouped, per_second},
};

fn round(options: &Options) -> Duration {
    Duration::from_millis(if options.quick { 1_000 } else { 2_000 })
}

fn turns(options: &Options) -> usize {
    if options.quick { 1 } else { 3 }
}

const CLIENTS: usize = 32;

/// Sets up the account; returns the session's token.
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

pub(crate) fn start(options: &Options, report: &mut Report) {
    let (mut cold, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..if options.quick { 3 } else { 9 } {
        let dir = tempfile::tempdir().expect("a directory");
        let server = Process::campfire(dir.path());
        let (status, _) =
            runtime().block_on(ask_once(server.address, &request("GET", "/health", "", "", "")));
        assert_eq!(status, 200);
        cold.push(server.started_in.as_secs_f64() * 1e3);
        idle.push(server.pss() / 1024.0);
    }
    let (cold, idle) = (median(cold), median(idle));
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_campfire")).expect("the binary").len() as f64 / 1e6;
    report.rows.extend([
        Row::new("cold start on an empty directory", format!("{cold:.0} ms")).target("≤ 50 ms", cold <= 50.0),
        Row::new("memory, idle, after start (Pss)", format!("{idle:.1} MB")).target("≤ 12 MB", idle <= 12.0),
        Row::new("binary, stripped", format!("{size:.1} MB")).target("≤ 15 MB", size <= 15.0),
    ]);
}

pub(crate) fn health(options: &Options, report: &mut Report) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    let ask = request("GET", "/health", "", "", "");
    let size = runtime().block_on(ask_once(server.address, &ask)).1.len();
    let floor = Process::floor(&["floor-hyper", &size.to_string()]);
    let row = against(options, "GET /health", &floor, &server, 200, &ask);
    report.rows.push(row("≥ 0.90", 0.9));
}

/// Runs the same request against the floor and ours in turns; the target is on the rate.
fn against(
    options: &Options,
    work: &str,
    floor: &Process,
    server: &Process,
    status: u16,
    ask: &[u8],
) -> impl FnOnce(&'static str, f64) -> Row + use<> {
    let run_clients = |process, status| {
        let ask = ask.to_vec();
        run_clients(process, CLIENTS, round(options), status, move |_, _| ask.clone())
    };
    let runs: Vec<(Outcome, Outcome)> =
        (0..turns(options)).map(|_| (run_clients(floor, 200), run_clients(server, status))).collect();
    let of = |figure: &dyn Fn(&(Outcome, Outcome)) -> f64| median(runs.iter().map(figure).collect());
    let shown = |rate: f64, cpu: f64| format!("{}, {cpu:.1} µs", per_second(rate));
    let share = of(&|(floor, ours)| ours.per_second / floor.per_second);
    let row = Row::new(work, shown(of(&|it| it.1.per_second), of(&|it| it.1.cpu)))
        .floor(shown(of(&|it| it.0.per_second), of(&|it| it.0.cpu)))
        .ratio(share)
        .cpu(of(&|(floor, ours)| ours.cpu / floor.cpu));
    move |target, least| row.target(target, share >= least)
}

pub(crate) fn page(options: &Options, report: &mut Report) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    let token = runtime().block_on(set_up(server.address));
    let fill = token.clone();
    run_clients(&server, 8, Duration::from_secs(1), 201, move |client, turn| {
        post_request(&fill, 1, &sentence((client * 1_000_000 + turn) as i64))
    });
    let warm = request("GET", "/api/rooms/1/messages", &token, "", "");
    let (size, etag) = runtime().block_on(async {
        let mut connection = Connection::open(server.address).await;
        let (_, body) = connection.ask(&warm).await;
        let head = connection.head();
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: ").map(str::to_owned));
        (body.len(), etag.expect("a tag"))
    });
    let same = Process::floor(&["floor-hyper", &size.to_string()]);
    let work = format!("a page of 50, warm ({:.1} KB)", size as f64 / 1e3);
    report.rows.push(against(options, &work, &same, &server, 200, &warm)("≥ 0.80", 0.8));
    let empty = Process::floor(&["floor-hyper", "0"]);
    let more = format!("if-none-match: {etag}\r\n");
    let conditional = request("GET", "/api/rooms/1/messages", &token, &more, "");
    report.rows.push(against(options, "the same, 304", &empty, &server, 304, &conditional)("≥ 0.80", 0.8));
    let before = run_clients(&server, CLIENTS, round(options), 200, pages_before(&token, 60, 3_000));
    report.rows.push(Row::new("a page with before=", before.rate()).target("≤ 50 µs", before.cpu <= 50.0));
}

/// Requests for pages of room 1 that end in a range of the history.
pub(crate) fn pages_before(
    token: &str,
    first: usize,
    count: usize,
) -> impl Fn(usize, usize) -> Vec<u8> + Clone + 'static {
    let token = token.to_owned();
    move |client, turn| {
        let edge = first + (client * 7919 + turn * 104_729) % count;
        request("GET", &format!("/api/rooms/1/messages?before={edge}"), &token, "", "")
    }
}

/// Each client is a bot for which the room is invisible, so that posts are delivered to nobody, over HTTP and over
/// sockets.
pub(crate) fn post(options: &Options, report: &mut Report) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Process::campfire(dir.path());
    let tokens = runtime().block_on(bots(server.address, 64));
    // Warm-up: the first few thousand posts are cheaper, because the index is small.
    sockets::posts(&server, &tokens, Duration::from_secs(1));
    for clients in [1, 16, 64] {
        let (mut runs, mut over_sockets, mut floors, mut batch) = (Vec::new(), Vec::new(), Vec::new(), 1.0);
        for _ in 0..turns(options) {
            let (before, tokens) = (batches(server.address), tokens.clone());
            let some = tokens[..clients].to_vec();
            runs.push(run_clients(&server, clients, round(options), 201, move |client, turn| {
                post_request(&tokens[client], 1, &sentence((client * 1_000_000 + turn) as i64))
            }));
            let after = batches(server.address);
            batch = ((after.1 - before.1) / (after.0 - before.0)).round().max(1.0);
            over_sockets.push(sockets::posts(&server, &some, round(options)));
            let floor_dir = tempfile::tempdir().expect("a directory");
            floors.push(floors::group_commit(floor_dir.path(), batch as usize, round(options)));
        }
        let of_turns = |figure: &dyn Fn(usize) -> f64| median((0..turns(options)).map(figure).collect());
        let share = of_turns(&|turn| runs[turn].per_second / floors[turn]);
        let faster = of_turns(&|turn| over_sockets[turn].0 / runs[turn].per_second);
        let cheaper = of_turns(&|turn| over_sockets[turn].1 / runs[turn].cpu);
        let (rate, cpu) = (of_turns(&|turn| over_sockets[turn].0), of_turns(&|turn| over_sockets[turn].1));
        runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let run = &runs[runs.len() / 2];
        let row = Row::new(format!("POST, clients: {clients}"), format!("{}, {}", run.rate(), run.times()))
            .floor(format!("{} by {batch:.0}", per_second(median(floors))))
            .ratio(share);
        report.rows.push(match clients {
            1 => row.target("p50 ≤ 1 ms", run.percentile(0.5) <= 1.0),
            64 => row.target("≥ 0.6, p99 ≤ 10 ms", share >= 0.6 && run.percentile(0.99) <= 10.0),
            _ => row,
        });
        report.rows.push(
            Row::new(
                "the same over sockets",
                format!("{}, {cpu:.1} µs ({:+.0} %)", per_second(rate), (cheaper - 1.0) * 100.0),
            )
            .floor(format!("{} (HTTP)", run.rate()))
            .ratio(faster)
            .cpu(cheaper)
            .target("CPU < 1", cheaper < 1.0),
        );
    }
}

/// The keys of so many bots, for all of which room 1 is invisible.
async fn bots(address: SocketAddr, count: usize) -> Vec<String> {
    let token = set_up(address).await;
    let mut connection = Connection::open(address).await;
    let mut keys = Vec::new();
    for number in 0..count {
        let body = format!(r#"{{"name":"Bot {number}"}}"#);
        let (status, body) = connection.ask(&request("POST", "/api/bots", &token, "", &body)).await;
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        let bot: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let key = bot["key"].as_str().expect("a key").to_owned();
        let unseen = request("PUT", "/api/rooms/1/involvement", &key, "", r#"{"involvement":"invisible"}"#);
        let (status, body) = connection.ask(&unseen).await;
        assert!(status < 300, "{}", String::from_utf8_lossy(&body));
        keys.push(key);
    }
    keys
}

/// The writer's transactions and commands so far.
fn batches(address: SocketAddr) -> (f64, f64) {
    let body = runtime().block_on(ask_once(address, &request("GET", "/metrics", "", "", ""))).1;
    let text = String::from_utf8(body).expect("metrics are text");
    let figure = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the metric is there");
        line.trim().parse().expect("a number")
    };
    (figure("campfire_writer_batches_total "), figure("campfire_writer_commands_total "))
}

pub(crate) fn search(options: &Options, report: &mut Report) {
    let dir = tempfile::tempdir().expect("a directory");
    let token = {
        let server = Process::campfire(dir.path());
        runtime().block_on(set_up(server.address))
    };
    // Person 1 is in two of three rooms, so that the search has to filter by room.
    people(dir.path(), 10);
    rooms(dir.path(), 3, 2);
    fill(dir.path(), options.messages, None);
    let server = Process::campfire(dir.path());
    let started = server.started_in.as_secs_f64() * 1e3;
    report.rows.push(
        Row::new(
            format!("start on {} messages", grouped(options.messages as f64)),
            format!("{started:.0} ms"),
        )
        .target("≤ 300 ms", started <= 300.0),
    );
    let page =
        run_clients(&server, 4, round(options), 200, pages_before(&token, 1_000, options.messages / 2));
    for (work, query) in SEARCHES {
        let run = run_clients(&server, 4, round(options), 200, searches(&token, query));
        let share = run.per_second / page.per_second;
        report.rows.push(
            Row::new(*work, searched(&run))
                .floor(format!("{} (a page)", page.rate()))
                .ratio(share)
                .cpu(run.cpu / page.cpu)
                .target("≥ 0.5, p99 ≤ 2 ms", run.percentile(0.99) <= 2.0 && share >= 0.5),
        );
    }
    let ask = search_request(&token, "q=staging");
    let run = run_clients(&server, 4, round(options), 200, move |_, _| ask.clone());
    report.rows.push(Row::new("search, repeated (from the cache)", searched(&run)));
    drop(server);
    rooms(dir.path(), 1_000, 1_000);
    let server = Process::campfire(dir.path());
    let run = run_clients(&server, 4, round(options), 200, searches(&token, "q=staging"));
    report.rows.push(
        Row::new("search, a common word, by somebody in 1,000 rooms", searched(&run))
            .target("p99 ≤ 2 ms", run.percentile(0.99) <= 2.0),
    );
}

fn searched(run: &Outcome) -> String {
    format!("{}, p99 {:.2} ms", run.rate(), run.percentile(0.99))
}

/// Searches with equal results but different queries, so that none is answered from the cache: each is before another
/// message id that does not exist yet.
pub(crate) fn searches(token: &str, query: &str) -> impl Fn(usize, usize) -> Vec<u8> + Clone + use<> {
    static BEFORE: AtomicUsize = AtomicUsize::new(1_000_000_000);
    let (token, query) = (token.to_owned(), query.to_owned());
    move |_, _| {
        let before = BEFORE.fetch_add(1, Ordering::Relaxed);
        search_request(&token, &format!("{query}&before={before}"))
    }
}

pub(crate) fn search_request(token: &str, query: &str) -> Vec<u8> {
    let query = query.replace("SMALL", &SMALL_ROOM.to_string()).replace("PERSON", &RARE_PERSON.to_string());
    request("GET", &format!("/api/search?{query}"), token, "", "")
}

pub(crate) const SEARCHES: &[(&str, &str)] = &[
    ("search, a rare word", "q=needle"),
    ("search, a common word", "q=staging"),
    ("search, two words", "q=staging+lantern"),
    ("search, a phrase", "q=%22staging+lantern%22"),
    ("search, a prefix", "q=stag*"),
    ("search, a common word in a small room", "q=staging&room_id=SMALL"),
    ("search, a common word of one person", "q=staging&creator_id=PERSON"),
];
