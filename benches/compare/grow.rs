//! How costs grow with more messages, people and rooms. No cost may grow faster than the response.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    Options, Report,
    history::{database, fill, people, rooms},
    load::{Outcome, request, run_clients},
    median,
    peers::text,
    process::Process,
    runtime,
    scenarios::{SEARCHES, pages_before, post_request, searches, set_up},
    sentence, sockets, table,
};

/// One measurement at one size.
#[derive(Clone, Copy)]
struct Point {
    /// The cost: CPU time of the server for each request in µs, or what `unit` says.
    cost: f64,
    p50: f64,
    p99: f64,
    answer: usize,
}

/// The points of one measurement over all sizes.
struct Series {
    work: String,
    unit: &'static str,
    points: Vec<Point>,
}

/// All measurements along one axis.
pub(crate) struct Curve {
    axis: &'static str,
    sizes: Vec<usize>,
    series: Vec<Series>,
}

/// Growth below this, divided by the growth of the response, is noise.
const NOISE: f64 = 1.5;

/// Each figure is the median of this many rounds.
const ROUNDS: usize = 3;

impl Point {
    fn alone(cost: f64) -> Self {
        Self { cost, p50: 0.0, p99: 0.0, answer: 0 }
    }
}

impl Series {
    /// Growth of the cost and of the response from the smallest size to the largest.
    fn growth(&self) -> (f64, f64) {
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        (last.cost / first.cost.max(0.1), last.answer as f64 / first.answer.max(1) as f64)
    }

    fn is_suspicious(&self) -> bool {
        let (cost, answer) = self.growth();
        let more = self.points[self.points.len() - 1].cost - self.points[0].cost;
        cost > NOISE * answer.max(1.0) && more > if self.unit == "MB" { 5.0 } else { 30.0 }
    }

    fn curve(&self) -> String {
        let most = self.points.iter().map(|point| point.cost).fold(0.1, f64::max);
        let bar = |point: &Point| "▁▂▃▄▅▆▇█".chars().nth((point.cost / most * 7.0).round() as usize);
        self.points.iter().filter_map(bar).collect()
    }
}

impl Curve {
    fn new(axis: &'static str, sizes: &[usize]) -> Self {
        Self { axis, sizes: sizes.to_vec(), series: Vec::new() }
    }

    fn note(&mut self, work: &str, unit: &'static str, point: Point) {
        match self.series.iter_mut().find(|series| series.work == work) {
            Some(series) => series.points.push(point),
            None => self.series.push(Series { work: work.into(), unit, points: vec![point] }),
        }
    }

    pub(crate) fn text(&self, is_markdown: bool) -> String {
        let mut lines = vec![vec![format!("with more {}", self.axis)]];
        lines[0].extend(self.sizes.iter().map(|size| table::grouped(*size as f64)));
        lines[0].extend(["curve", "cost ×", "answer ×", "grows"].map(str::to_owned));
        for series in &self.series {
            let mut cells = vec![series.work.clone()];
            cells.extend(series.points.iter().map(|point| match point.answer {
                0 => format!("{} {}", table::grouped(point.cost), series.unit),
                _ => format!("{} {}, p99 {:.1} ms", table::grouped(point.cost), series.unit, point.p99),
            }));
            let (cost, answer) = series.growth();
            let verdict = if series.is_suspicious() { "suspiciously" } else { "as it may" };
            let answer = if series.points[0].answer == 0 { String::new() } else { format!("{answer:.1}") };
            cells.extend([series.curve(), format!("{cost:.1}"), answer, verdict.into()]);
            lines.push(cells);
        }
        table::columns(&lines, is_markdown)
    }

    pub(crate) fn json(&self) -> Value {
        let lines = self.series.iter().map(|series| {
            let points = series.points.iter().zip(&self.sizes).map(|(point, size)| {
                json!({"size": size, "cost": point.cost, "p50_ms": point.p50, "p99_ms": point.p99, "answer_bytes": point.answer})
            });
            json!({
                "work": series.work,
                "unit": series.unit,
                "points": points.collect::<Vec<_>>(),
                "cost_growth": series.growth().0,
                "answer_growth": series.growth().1,
                "suspicious": series.is_suspicious(),
            })
        });
        json!({"axis": self.axis, "lines": lines.collect::<Vec<_>>()})
    }
}

pub(crate) fn grow(options: &Options, report: &mut Report) {
    let quick = options.quick;
    let sizes = |short: &[usize], long: &[usize]| if quick { short.to_vec() } else { long.to_vec() };
    let time = Duration::from_millis(if quick { 100 } else { 250 });
    let mut messages = sizes(&[1_000, 10_000, 100_000], &[1_000, 100_000, 1_000_000]);
    messages.extend(Some(options.messages).filter(|count| *count > 1_000_000));
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

/// Measures along one axis, on one directory that grows from size to size.
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
    let starts = (0..ROUNDS).map(|_| Process::campfire(dir).started_in.as_secs_f64() * 1e3).collect();
    let server = Process::campfire(dir);
    curve.note("start", "ms", Point::alone(median(starts)));
    curve.note("memory at rest", "MB", Point::alone(server.pss() / 1024.0));
    let mut on = Measuring { curve, server: &server, time };
    let since = newest - 20;
    for (work, path) in [
        ("session", "/api/session".to_owned()),
        ("rooms", "/api/rooms".to_owned()),
        ("people", "/api/users".to_owned()),
        ("members of a room", "/api/rooms/1/members".to_owned()),
        ("the newest page", "/api/rooms/1/messages".to_owned()),
        ("sync, the last 20", format!("/api/sync?since={since}")),
        ("sync, the first 1,000", "/api/sync?since=0".to_owned()),
        ("search, repeated (from the cache)", "/api/search?q=staging".to_owned()),
    ] {
        let ask = request("GET", &path, token, "", "");
        on.note(work, 200, 4, move |_, _| ask.clone());
    }
    on.note(
        "a page in the middle",
        200,
        4,
        pages_before(token, newest as usize / 2, newest as usize / 4 + 1),
    );
    for (work, query) in SEARCHES {
        // If there is only one room, that is used.
        let query = if has_small_room(dir) { (*query).to_owned() } else { query.replace("SMALL", "1") };
        on.note(work, 200, 4, searches(token, &query));
    }
    let token_of_all = token.to_owned();
    on.note("POST", 201, 16, move |client, turn| {
        post_request(&token_of_all, 1, &sentence((client * 1_000_000 + turn) as i64))
    });
    let cost = fan_out(&server, token);
    curve.note("a message to 20 windows of the room", "µs", Point::alone(cost));
}

/// The server that is measured, and the curve that takes the figures.
struct Measuring<'a> {
    curve: &'a mut Curve,
    server: &'a Process,
    time: Duration,
}

impl Measuring<'_> {
    fn note(
        &mut self,
        work: &str,
        status: u16,
        clients: usize,
        make: impl Fn(usize, usize) -> Vec<u8> + Clone + 'static,
    ) {
        let runs: Vec<Outcome> =
            (0..ROUNDS).map(|_| run_clients(self.server, clients, self.time, status, make.clone())).collect();
        let of = |figure: fn(&Outcome) -> f64| median(runs.iter().map(figure).collect());
        let point = Point {
            cost: of(|run| run.cpu),
            p50: of(|run| run.percentile(0.5)),
            p99: of(|run| run.percentile(0.99)),
            answer: runs[0].size,
        };
        self.curve.note(work, "µs", point);
    }
}

fn has_small_room(dir: &Path) -> bool {
    let sql = "select count(*) from memberships where user_id = 1 and room_id = 2";
    database(dir).query_row(sql, (), |row| row.get::<_, i64>(0)).is_ok_and(|count| count > 0)
}

/// CPU time of the server in µs for a message over a socket that 20 others receive.
fn fan_out(server: &Process, token: &str) -> f64 {
    const MESSAGES: usize = 300;
    runtime().block_on(async {
        let steps = [(sockets::handshake(token, ""), &b"\"hello\""[..]), sockets::join(1)];
        let got = Arc::new(AtomicUsize::new(0));
        let _tasks = sockets::receivers(server.address, &steps, 20, &got).await;
        let (mut publisher, _) = sockets::open(server.address, &steps[..1]).await;
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            let cpu = server.cpu();
            for number in 0..MESSAGES {
                sockets::send(&mut publisher, &sockets::message(number)).await;
                sockets::read_until(&mut publisher, b"\"ack\"").await;
            }
            // The pong arrives after everything that was queued before it.
            sockets::send(&mut publisher, &text(r#"{"type":"ping"}"#)).await;
            sockets::read_until(&mut publisher, b"\"pong\"").await;
            costs.push((server.cpu() - cpu) * 1e6 / MESSAGES as f64);
        }
        median(costs)
    })
}
