//! The cost as work grows: the same measurements with more messages, more people, more rooms. Nothing may grow faster
//! than the answer that it returns.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    Asked, Report,
    history::{database, fill, people, rooms},
    load::{hammer, request},
    peers::text,
    process::Process,
    runtime,
    scenarios::{SEARCHES, pages_before, post_request, search_request, set_up},
    sockets, table, talk,
};

/// What one measurement came to at one size.
#[derive(Clone, Copy)]
struct Point {
    /// What may not grow: µs of the server's CPU for each request, or what `unit` says.
    cost: f64,
    p50: f64,
    p99: f64,
    answer: usize,
}

/// One measurement over all sizes.
struct Line {
    work: String,
    unit: &'static str,
    points: Vec<Point>,
}

/// All measurements along one axis.
pub(crate) struct Curve {
    axis: &'static str,
    sizes: Vec<usize>,
    lines: Vec<Line>,
}

/// Growth below this is noise.
const NOISE: f64 = 1.5;

impl Line {
    /// How much the cost and the answer grew from the smallest size to the largest.
    fn growth(&self) -> (f64, f64) {
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        (last.cost / first.cost.max(0.1), last.answer as f64 / first.answer.max(1) as f64)
    }

    fn is_suspicious(&self) -> bool {
        let (cost, answer) = self.growth();
        let more = self.points[self.points.len() - 1].cost - self.points[0].cost;
        cost > NOISE * answer.max(1.0) && more > if self.unit == "µs" { 30.0 } else { 5.0 }
    }

    fn curve(&self) -> String {
        let most = self.points.iter().map(|point| point.cost).fold(0.1, f64::max);
        let bar = |point: &Point| "▁▂▃▄▅▆▇█".chars().nth((point.cost / most * 7.0).round() as usize);
        self.points.iter().filter_map(bar).collect()
    }
}

impl Curve {
    fn new(axis: &'static str, sizes: &[usize]) -> Self {
        Self { axis, sizes: sizes.to_vec(), lines: Vec::new() }
    }

    fn note(&mut self, work: &str, unit: &'static str, point: Point) {
        match self.lines.iter_mut().find(|line| line.work == work) {
            Some(line) => line.points.push(point),
            None => self.lines.push(Line { work: work.into(), unit, points: vec![point] }),
        }
    }

    pub(crate) fn text(&self, is_markdown: bool) -> String {
        let mut lines = vec![vec![format!("with more {}", self.axis)]];
        lines[0].extend(self.sizes.iter().map(ToString::to_string));
        lines[0].extend(["curve", "cost ×", "answer ×", "grows"].map(str::to_owned));
        for line in &self.lines {
            let mut cells = vec![line.work.clone()];
            cells.extend(line.points.iter().map(|point| match point.answer {
                0 => format!("{:.0} {}", point.cost, line.unit),
                bytes => format!(
                    "{:.0} {}, p50 {:.2}, p99 {:.2} ms, {:.1} KB",
                    point.cost,
                    line.unit,
                    point.p50,
                    point.p99,
                    bytes as f64 / 1e3
                ),
            }));
            let (cost, answer) = line.growth();
            let verdict = if line.is_suspicious() { "faster than its answer" } else { "as it may" };
            cells.extend([line.curve(), format!("{cost:.1}"), format!("{answer:.1}"), verdict.into()]);
            lines.push(cells);
        }
        let lines: Vec<Vec<&str>> =
            lines.iter().map(|line| line.iter().map(String::as_str).collect()).collect();
        table::columns(&lines, is_markdown)
    }

    pub(crate) fn json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let points = line.points.iter().zip(&self.sizes).map(|(point, size)| {
                json!({"size": size, "cost": point.cost, "p50_ms": point.p50, "p99_ms": point.p99, "answer_bytes": point.answer})
            });
            json!({
                "work": line.work,
                "unit": line.unit,
                "points": points.collect::<Vec<_>>(),
                "cost_growth": line.growth().0,
                "answer_growth": line.growth().1,
                "suspicious": line.is_suspicious(),
            })
        });
        json!({"axis": self.axis, "lines": lines.collect::<Vec<_>>()})
    }
}

pub(crate) fn grow(asked: &Asked, report: &mut Report) {
    let quick = asked.quick;
    let sizes = |short: &[usize], long: &[usize]| if quick { short.to_vec() } else { long.to_vec() };
    let time = Duration::from_millis(if quick { 300 } else { 1_500 });
    let messages = sizes(&[1_000, 10_000, 100_000], &[1_000, 100_000, 1_000_000, 5_000_000]);
    report.curves.push(along("messages", &messages, time, |dir, size| {
        people(dir, 10);
        rooms(dir, 3, 2);
        fill(dir, size, None);
    }));
    let crowd = sizes(&[10, 1_000], &[10, 1_000, 10_000]);
    report.curves.push(along("people, all in one room", &crowd, time, |dir, size| {
        people(dir, size as i64);
        rooms(dir, 3, 2);
        fill(dir, 10_000, None);
    }));
    let many = sizes(&[1, 100, 1_000], &[1, 100, 1_000, 10_000]);
    report.curves.push(along("rooms, up to 1,000 of them one's own", &many, time, |dir, size| {
        people(dir, 10);
        rooms(dir, size as i64, size.min(1_000) as i64);
        fill(dir, if quick { 20_000 } else { 200_000 }, Some(size as i64));
    }));
}

/// One directory, which grows from size to size.
fn along(axis: &'static str, sizes: &[usize], time: Duration, prepare: impl Fn(&Path, usize)) -> Curve {
    let dir = tempfile::tempdir().expect("a directory");
    let token = {
        let server = Process::campfire(dir.path());
        runtime().block_on(set_up(server.address))
    };
    let mut curve = Curve::new(axis, sizes);
    for size in sizes {
        eprintln!("  … {size} {axis}");
        prepare(dir.path(), *size);
        measure(&mut curve, dir.path(), &token, time);
    }
    curve
}

fn measure(curve: &mut Curve, dir: &Path, token: &str, time: Duration) {
    let newest: i64 = {
        let db = database(dir);
        db.query_row("select max(id) from messages", (), |row| row.get(0)).expect("a number")
    };
    let server = Process::campfire(dir);
    let alone = |cost| Point { cost, p50: 0.0, p99: 0.0, answer: 0 };
    curve.note("start", "ms", alone(server.started_in.as_secs_f64() * 1e3));
    curve.note("memory at rest", "MB", alone(server.pss() / 1024.0));
    let mut note = |work: &str, status: u16, clients: usize, make: &dyn Fn(usize, usize) -> Vec<u8>| {
        // A few requests made beforehand, so that the closure need not outlive this call.
        let requests: Vec<Vec<Vec<u8>>> =
            (0..clients).map(|client| (0..64).map(|turn| make(client, turn)).collect()).collect();
        let run =
            hammer(&server, clients, time, status, move |client, turn| requests[client][turn % 64].clone());
        let (p50, p99) = (run.percentile(0.5), run.percentile(0.99));
        curve.note(work, "µs", Point { cost: run.cpu, p50, p99, answer: run.size });
    };
    let since = newest - 20;
    for (work, path) in [
        ("session", "/api/session".to_owned()),
        ("rooms", "/api/rooms".to_owned()),
        ("people", "/api/users".to_owned()),
        ("members of a room", "/api/rooms/1/members".to_owned()),
        ("the newest page", "/api/rooms/1/messages".to_owned()),
        ("sync, the last 20", format!("/api/sync?since={since}")),
        ("sync, the first 1,000", "/api/sync?since=0".to_owned()),
    ] {
        note(work, 200, 4, &|_, _| request("GET", &path, token, "", ""));
    }
    note("a page in the middle", 200, 4, &pages_before(token, newest as usize / 2, newest as usize / 4 + 1));
    for (work, query) in SEARCHES {
        // Where there is one room, that is the small one.
        let query = if has_small_room(dir) { (*query).to_owned() } else { query.replace("SMALL", "1") };
        note(work, 200, 4, &|_, _| search_request(token, &query));
    }
    // What the searches want remembered is in the writer's queue before these.
    std::thread::sleep(Duration::from_secs(2));
    note("POST", 201, 16, &|client, turn| post_request(token, 1, &talk((client * 64 + turn) as i64)));
    let cost = fan_out(&server, token);
    curve.note("a message to 20 windows of the room", "µs", alone(cost));
}

fn has_small_room(dir: &Path) -> bool {
    let sql = "select count(*) from memberships where user_id = 1 and room_id = 2";
    database(dir).query_row(sql, (), |row| row.get::<_, i64>(0)).is_ok_and(|count| count > 0)
}

/// The server's CPU microseconds for a message over a socket that 20 others receive.
fn fan_out(server: &Process, token: &str) -> f64 {
    const MESSAGES: usize = 1_000;
    runtime().block_on(async {
        let steps = [(sockets::handshake(token, ""), &b"\"hello\""[..]), sockets::join(1)];
        let got = Arc::new(AtomicUsize::new(0));
        let _tasks = sockets::receivers(server.address, &steps, 20, &got).await;
        let (mut publisher, _) = sockets::open(server.address, &steps[..1]).await;
        let cpu = server.cpu();
        for number in 0..MESSAGES {
            sockets::send(&mut publisher, &sockets::message(number)).await;
            sockets::read_until(&mut publisher, b"\"ack\"").await;
        }
        // The answer to this comes after all that was to be sent before it.
        sockets::send(&mut publisher, &text(r#"{"type":"ping"}"#)).await;
        sockets::read_until(&mut publisher, b"\"pong\"").await;
        (server.cpu() - cpu) * 1e6 / MESSAGES as f64
    })
}
