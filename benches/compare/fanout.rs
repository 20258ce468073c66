//! Fan-out at full rate and one message at a time: ours, the send loop, and other servers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Options, Report, Row, median,
    peers::{PEERS, Peer, Start},
    process::Process,
    runtime,
    sockets::{frames, idle_beside_others, open, ours, receivers},
    table::{grouped, per_second},
};

/// Messages under way to each receiver, the same for all servers: 30 KB, which none of them drops.
const WINDOW: usize = 64;

/// The server that sets the target of fan-out.
const JUDGED: &str = "nats-server";

/// The figures of a fan-out to a number of receivers.
#[derive(Clone, Copy)]
struct Fan {
    /// CPU time of the server for each delivery at full rate, in microseconds.
    cpu: f64,
    per_second: f64,
    /// CPU time for each delivery of one message at a time, so that none can be batched, in microseconds.
    cpu_alone: f64,
    /// Time until the last receiver has a message on an idle server, in milliseconds.
    once: f64,
}

impl Fan {
    fn median(rounds: &[Fan]) -> Fan {
        let of = |figure: fn(&Fan) -> f64| median(rounds.iter().map(figure).collect());
        Fan {
            cpu: of(|it| it.cpu),
            per_second: of(|it| it.per_second),
            cpu_alone: of(|it| it.cpu_alone),
            once: of(|it| it.once),
        }
    }

    fn rate(&self) -> String {
        format!("{}, {:.2} µs", per_second(self.per_second), self.cpu)
    }

    fn alone(&self) -> String {
        format!("{:.2} ms, {:.2} µs", self.once, self.cpu_alone)
    }

    /// The cells of a row after the name and the number of sockets; `between` are our two shares.
    fn cells(&self, between: [String; 2], target: [&str; 2]) -> Vec<String> {
        let [share, share_alone] = between;
        let [target, met] = target.map(str::to_owned);
        vec![self.rate(), share, target, met, self.alone(), share_alone]
    }
}

/// How many messages are sent one at a time, to this many receivers.
fn alone(count: usize) -> usize {
    (20_000 / count).clamp(10, 100)
}

/// The head of the fan-out table.
pub(crate) const FANS: [&str; 8] =
    ["fan-out by", "sockets", "as fast as it goes", "CPU ÷", "target", "met", "one at a time", "its CPU ÷"];

pub(crate) fn fanout(options: &Options, report: &mut Report) {
    let (frame, packed) = frames();
    report.rows.extend([
        Row::new("message frame of 100 characters, JSON", format!("{} bytes", frame.len()))
            .target("≤ 450 bytes", frame.len() <= 450),
        Row::new("the same, MessagePack", format!("{packed} bytes")).target("≤ 350 bytes", packed <= 350),
    ]);
    let counts: &[usize] = if options.quick { &[100, 1_000] } else { &[100, 1_000, 5_000, 10_000] };
    for count in counts {
        fan_out_to(*count, &frame, options, report);
    }
    idle_beside_others(&frame, options, report);
}

/// Another server, and the figures of its rounds or why there are none.
struct Other {
    name: &'static str,
    start: Start,
    fans: Result<Vec<Fan>, String>,
}

impl Other {
    /// Runs another round; servers that set no target have only one.
    fn run(&mut self, payload: &str, count: usize, messages: usize) {
        let is_judged = self.name == JUDGED;
        let Ok(fans) = &mut self.fans else { return };
        if fans.is_empty() || is_judged {
            let patience = Duration::from_secs(if is_judged { 20 } else { 5 });
            match (self.start)(payload).and_then(|peer| fan_out(&peer, count, messages, patience)) {
                Ok(fan) => fans.push(fan),
                Err(why) => self.fans = Err(why),
            }
        }
    }
}

/// Runs all servers in turns, for several rounds.
fn fan_out_to(count: usize, payload: &str, options: &Options, report: &mut Report) {
    let messages = if options.quick { 1_000_000 } else { 5_000_000 } / count;
    let (mut own, mut loops) = (Vec::new(), Vec::new());
    let mut others = PEERS.map(|(name, start)| Other { name, start, fans: Ok(Vec::new()) });
    for _ in 0..if options.quick { 1 } else { 3 } {
        loops.push(send_floor(count, payload.len()));
        let fan = ours("").and_then(|peer| fan_out(&peer, count, messages, Duration::from_secs(20)));
        own.push(fan.expect("all of it comes"));
        for other in &mut others {
            other.run(payload, count, messages);
        }
    }
    let sockets = grouped(count as f64);
    let mut show =
        |name: &str, cells| report.fans.push([vec![name.to_owned(), sockets.clone()], cells].concat());
    show("ours", Fan::median(&own).cells(Default::default(), [""; 2]));
    show("send loop", beside(&own, &loops, Some(("≤ 0.5", 0.5))));
    for Other { name, fans, .. } in &others {
        match fans {
            Ok(fans) => show(name, beside(&own, fans, Some(("≤ 1.0", 1.0)).filter(|_| *name == JUDGED))),
            Err(why) => show(name, [why, "", "", "", "", ""].map(str::to_owned).to_vec()),
        }
    }
    let share = shares(&own, &loops, |it| it.once);
    let row = Row::new(format!("one message to {sockets} sockets"), Fan::median(&own).alone())
        .floor(format!("{} (send loop)", Fan::median(&loops).alone()))
        .ratio(share)
        .cpu(shares(&own, &loops, |it| it.cpu_alone));
    let has_target = count == 1_000 || count == 10_000;
    report.rows.push(if has_target { row.target("≤ 1.5", share <= 1.5) } else { row });
}

/// The cells of another server; the target is on CPU time at full rate.
fn beside(own: &[Fan], fans: &[Fan], target: Option<(&str, f64)>) -> Vec<String> {
    let [cpu, cpu_alone] = [shares(own, fans, |it| it.cpu), shares(own, fans, |it| it.cpu_alone)];
    let target = target.map_or([""; 2], |(target, most)| [target, if cpu <= most { "yes" } else { "no" }]);
    Fan::median(fans).cells([cpu, cpu_alone].map(|share| format!("{share:.2}")), target)
}

/// The median over the rounds of our figure divided by theirs.
fn shares(own: &[Fan], fans: &[Fan], figure: fn(&Fan) -> f64) -> f64 {
    median(own.iter().zip(fans).map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
}

/// Sends for `patience` at most, and gives up 15 s later if not everything was delivered.
fn fan_out(peer: &Peer, count: usize, messages: usize, patience: Duration) -> Result<Fan, String> {
    let limit = patience + Duration::from_secs(15);
    runtime().block_on(async {
        let all = fan_out_now(peer, count, messages, patience);
        let too_slow = |_| Err(format!("takes more than {} s", limit.as_secs()));
        tokio::time::timeout(limit, all).await.unwrap_or_else(too_slow)
    })
}

async fn fan_out_now(peer: &Peer, count: usize, messages: usize, patience: Duration) -> Result<Fan, String> {
    let server = &peer.process;
    let got = Arc::new(AtomicUsize::new(0));
    let _tasks = receivers(server.address, &peer.receive, count, &got).await;
    let (publisher, _) = open(server.address, &peer.publish).await;
    let (mut reader, mut writer) = publisher.into_split();
    tokio::task::spawn_local(async move {
        let mut sink = vec![0; 64 << 10];
        while reader.read(&mut sink).await.is_ok_and(|count| count > 0) {}
    });
    // One message at a time on an idle server: from the post until the last socket has it.
    let (cpu, mut once) = (server.cpu(), Vec::new());
    for number in 0..alone(count) {
        let (before, posted) = (got.load(Ordering::Relaxed), Instant::now());
        writer.write_all(&(peer.message)(number)).await.expect("the server reads");
        wait_for(&got, before + count).await?;
        once.push(posted.elapsed().as_secs_f64() * 1e3);
    }
    let cpu_alone = (server.cpu() - cpu) * 1e6 / (count * alone(count)) as f64;
    // At full rate, with `WINDOW` messages under way.
    let (before, cpu, started) = (got.load(Ordering::Relaxed), server.cpu(), Instant::now());
    let mut sent = 0;
    // A slow server is measured by what it delivered.
    while sent < messages && started.elapsed() < patience {
        if sent >= WINDOW {
            wait_for(&got, before + count * (sent - WINDOW + 1)).await?;
        }
        writer.write_all(&(peer.message)(sent)).await.expect("the server reads");
        sent += 1;
    }
    wait_for(&got, before + count * sent).await?;
    let deliveries = (count * sent) as f64;
    let cpu = (server.cpu() - cpu) * 1e6 / deliveries;
    let per_second = deliveries / started.elapsed().as_secs_f64();
    let more = got.load(Ordering::Relaxed) - before - count * sent;
    if more > 0 {
        return Err(format!("delivers {more} too many"));
    }
    Ok(Fan { cpu, per_second, cpu_alone, once: median(once) })
}

async fn wait_for(got: &AtomicUsize, wanted: usize) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let so_far = got.load(Ordering::Relaxed);
        if so_far >= wanted {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(30) {
            return Err(format!("lost {} of {wanted} messages", wanted - so_far));
        }
        tokio::task::yield_now().await;
    }
}

/// The floor: one thread sends one buffer to each socket.
fn send_floor(count: usize, size: usize) -> Fan {
    let floor = Process::floor(&["floor-send", &count.to_string(), &size.to_string()]);
    let connect = || TcpStream::connect(floor.address).expect("the floor accepts");
    let mut control = connect();
    control.set_nodelay(true).expect("a socket takes options");
    let mut streams: Vec<TcpStream> = (0..count).map(|_| connect()).collect();
    let mut lines = BufReader::new(control.try_clone().expect("a socket"));
    lines.read_line(&mut String::new()).expect("it is ready");
    let mut ask = |rounds: usize| {
        let started = Instant::now();
        writeln!(control, "{rounds}").expect("the floor reads");
        lines.read_line(&mut String::new()).expect("it is done");
        let took = started.elapsed();
        let mut buffer = vec![0; size * rounds];
        for stream in &mut streams {
            stream.read_exact(&mut buffer).expect("all of it came");
        }
        took.as_secs_f64()
    };
    let cpu = floor.cpu();
    let once = median((0..alone(count)).map(|_| ask(1) * 1e3).collect());
    let cpu_alone = (floor.cpu() - cpu) * 1e6 / (count * alone(count)) as f64;
    let (cpu, rounds, turns) = (floor.cpu(), 20, (200_000 / count / 20).max(1));
    let sending: f64 = (0..turns).map(|_| ask(rounds)).sum();
    let deliveries = (count * rounds * turns) as f64;
    Fan { cpu: (floor.cpu() - cpu) * 1e6 / deliveries, per_second: deliveries / sending, cpu_alone, once }
}
