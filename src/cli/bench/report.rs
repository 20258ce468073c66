//! The HTML report: one file without external resources.

use std::fmt::Write;

use super::{
    chart::{Chart, Line, seconds},
    figures::Figures,
    tally::{Percentiles, Second},
    verdict::{MIB, Outcome, number},
};
use crate::cli::template::{escaped, fill};

const PAGE: &str = include_str!("report.html");

pub(super) fn page(figures: &Figures) -> String {
    let outcome = if figures.passed { "passed" } else { "failed" };
    let parts = [
        ("{{scenario}}", escaped(figures.scenario)),
        ("{{target}}", escaped(&figures.target)),
        ("{{outcome}}", outcome.into()),
        ("{{verdict}}", escaped(&figures.verdict)),
        ("{{setup}}", escaped(&setup(figures))),
        ("{{notes}}", list(figures.notes.iter().chain(&figures.left_behind))),
        ("{{tiles}}", tiles(figures)),
        ("{{tier}}", tier(figures)),
        ("{{latencies}}", latencies(figures)),
        ("{{deliveries}}", deliveries(figures)),
        ("{{failures}}", failures(figures)),
        ("{{charts}}", charts(figures)),
    ];
    fill(PAGE, &parts)
}

fn list<'a>(items: impl Iterator<Item = &'a String>) -> String {
    let items: String = items.map(|item| format!("<li>{}</li>", escaped(item))).collect();
    if items.is_empty() { items } else { format!("<ul class=\"notes\">{items}</ul>") }
}

fn setup(figures: &Figures) -> String {
    let rate =
        figures.rate.map_or("as fast as possible".into(), |rate| format!("{} requests/s", number(rate)));
    format!(
        "{} {} users, {rate}; {} s of ramp, then {} s that are judged. Campfire {}, {}.",
        figures.what,
        number(figures.users as f64),
        number(figures.ramp_s),
        number(figures.duration_s),
        figures.campfire_version,
        figures.started_at
    )
}

fn tiles(figures: &Figures) -> String {
    let requests = &figures.requests;
    let mut tiles = vec![
        (
            "Requests",
            format!("{}/s", number(requests.per_second)),
            format!("{} ok", number(requests.done as f64)),
        ),
        (
            "Response, p95",
            format!("{} ms", number(requests.latency_ms.p95)),
            format!("half within {} ms", number(requests.latency_ms.p50)),
        ),
    ];
    if let Some(heard) = &figures.deliveries {
        tiles.push((
            "Send → heard, p95",
            format!("{} ms", number(heard.latency_ms.p95)),
            format!("{} deliveries/s", number(heard.per_second)),
        ));
        tiles.push((
            "Wrong deliveries",
            number(heard.counts.wrong() as f64),
            format!("of {}", number(heard.counts.expected as f64)),
        ));
    }
    tiles.push((
        "Failed",
        number(requests.failed as f64),
        format!("{} never sent", number(requests.unsent as f64)),
    ));
    if let (Some(cpu), Some(memory)) = (figures.server.cpu_cores, figures.server.memory_peak_bytes) {
        let share = figures
            .server
            .cpu_percent
            .map_or(String::new(), |share| format!("{} % of the machine", number(share)));
        tiles.push(("Server CPU", format!("{} cores", number(cpu)), share));
        tiles.push(("Server memory", format!("{} MB", number(memory / MIB)), "at most".into()));
    }
    let late = figures.bench.late_ms.p95;
    tiles.push((
        "The bench itself",
        format!("{} %", number(figures.bench.cpu_percent)),
        format!("of a core; {} ms late in p95", number(late)),
    ));
    let tile = |(name, value, more): &(&str, String, String)| {
        format!("<div class=\"tile\"><h3>{name}</h3><p>{value}</p><small>{more}</small></div>")
    };
    tiles.iter().map(tile).collect()
}

fn tier(figures: &Figures) -> String {
    let Some(tier) = figures.tier else { return String::new() };
    let mut rows = String::new();
    for row in &figures.tier_rows {
        let (class, word) = match row.outcome {
            Outcome::Met => ("met", "met"),
            Outcome::Missed => ("missed", "missed"),
            Outcome::NotExercised => ("open", "not exercised"),
        };
        let _ = write!(
            rows,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td><span class=\"{class}\">{word}</span></td></tr>",
            row.name, row.needed, row.measured
        );
    }
    format!(
        "<section><h2>Tier {tier}</h2><div class=\"scroll\"><table><thead><tr><th></th><th>needed</th><th>measured</th><th></th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}

const HEADS: &str = "<th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th><th>longest</th>";

fn cells(found: &Percentiles) -> String {
    [found.p50, found.p90, found.p95, found.p99, found.p999, found.max]
        .map(|value| format!("<td>{}</td>", number(value)))
        .concat()
}

fn latencies(figures: &Figures) -> String {
    let mut rows = String::new();
    let mut row = |name: &str, ok: u64, found: &Percentiles| {
        let _ = write!(rows, "<tr><th>{name}</th><td>{}</td>{}</tr>", number(ok as f64), cells(found));
    };
    for kind in &figures.requests.kinds {
        row(kind.kind, kind.done, &kind.latency_ms);
    }
    if figures.requests.kinds.len() > 1 {
        row("all", figures.requests.done, &figures.requests.latency_ms);
    }
    if let Some(heard) = &figures.deliveries {
        row("send → heard", heard.counts.received, &heard.latency_ms);
    }
    let how = match figures.rate {
        Some(_) => "From the moment that a request was due: waiting for a free user counts.",
        None => "From the moment that a request was sent.",
    };
    format!(
        "<section><h2>Latency <span>ms</span></h2><p>{how}</p><div class=\"scroll\"><table><thead><tr><th></th><th>ok</th>{HEADS}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}

fn deliveries(figures: &Figures) -> String {
    let Some(heard) = &figures.deliveries else { return String::new() };
    let counts = &heard.counts;
    let rows: String = [
        ("messages", counts.messages, false),
        ("expected deliveries", counts.expected, false),
        ("delivered", counts.received, false),
        ("missing", counts.missing, true),
        ("doubled", counts.doubled, true),
        ("out of order", counts.out_of_order, true),
        ("in a wrong room", counts.wrong_room, true),
        ("unreadable", counts.unreadable, true),
        ("sockets lost", counts.lost_sockets, true),
        ("told to resync", counts.resyncs, true),
    ]
    .iter()
    .map(|(name, count, is_bad)| {
        let class = if *is_bad && *count > 0 { " class=\"bad\"" } else { "" };
        format!("<tr{class}><th>{name}</th><td>{}</td></tr>", number(*count as f64))
    })
    .collect();
    format!("<section><h2>Deliveries</h2><table><tbody>{rows}</tbody></table></section>")
}

fn failures(figures: &Figures) -> String {
    if figures.requests.failures.is_empty() {
        return String::new();
    }
    let rows: String = figures
        .requests
        .failures
        .iter()
        .map(|(class, failure)| {
            format!(
                "<tr class=\"bad\"><th>{}</th><td>{}</td><td class=\"text\">{}</td></tr>",
                escaped(class),
                number(failure.count as f64),
                escaped(&failure.example)
            )
        })
        .collect();
    format!("<section><h2>Failures</h2><table><tbody>{rows}</tbody></table></section>")
}

fn charts(figures: &Figures) -> String {
    let all = &figures.seconds;
    let last = all.last().map_or(0.0, |second| second.at);
    let line = |name, class, value: &dyn Fn(&Second) -> Option<f64>| Line {
        name,
        class,
        points: all.iter().map(|second| (second.at, value(second))).collect(),
    };
    let over_time = |title, unit, logarithmic, lines| Chart {
        title,
        unit,
        lines,
        marks: seconds(last),
        ramp: figures.ramp_s,
        logarithmic,
    };
    let some = |found: &Percentiles, value: f64| (found.count > 0).then_some(value);
    let mut charts = vec![
        over_time(
            "Requests",
            "per second",
            false,
            vec![
                line("wanted", "quiet", &|second| second.wanted_per_second),
                line("answered", "one", &|second| Some(second.requests_per_second)),
                line("failed", "bad", &|second| {
                    Some(second.failed as f64).filter(|_| figures.requests.failed > 0)
                }),
            ],
        ),
        over_time(
            "Response",
            "ms, from when it was due",
            true,
            vec![
                line("p50", "three", &|second| some(&second.latency_ms, second.latency_ms.p50)),
                line("p95", "two", &|second| some(&second.latency_ms, second.latency_ms.p95)),
                line("p99", "one", &|second| some(&second.latency_ms, second.latency_ms.p99)),
            ],
        ),
    ];
    if figures.deliveries.is_some() {
        charts.push(over_time(
            "Send → heard",
            "ms, from when it was due",
            true,
            vec![
                line("p50", "three", &|second| some(&second.delivery_ms, second.delivery_ms.p50)),
                line("p95", "two", &|second| some(&second.delivery_ms, second.delivery_ms.p95)),
                line("p99", "one", &|second| some(&second.delivery_ms, second.delivery_ms.p99)),
            ],
        ));
        charts.push(over_time(
            "Deliveries",
            "per second",
            false,
            vec![line("heard", "one", &|second| Some(second.deliveries_per_second))],
        ));
    }
    charts.push(curve(figures));
    charts.push(over_time(
        "CPU",
        "cores",
        false,
        vec![
            line("server", "one", &|second| second.server.as_ref().map(|sample| sample.cpu)),
            line("the bench", "quiet", &|second| Some(second.own_cpu)),
        ],
    ));
    charts.push(over_time(
        "Server memory",
        "MB",
        false,
        vec![line("resident", "one", &|second| {
            second.server.as_ref().map(|sample| sample.memory_bytes / MIB)
        })],
    ));
    charts.push(over_time(
        "Users and sockets",
        "connected",
        false,
        vec![
            line("users", "two", &|second| Some(second.users as f64)),
            line("sockets, as the server counts", "one", &|second| {
                second.server.as_ref().map(|sample| sample.sockets)
            }),
        ],
    ));
    charts.push(over_time(
        "Server's queue of writes",
        "waiting",
        false,
        vec![line("commands", "one", &|second| second.server.as_ref().map(|sample| sample.queue))],
    ));
    charts.iter().filter_map(Chart::draw).collect()
}

/// The latency by percentile, on a logarithmic x axis: each label is ten times as rare as the one before.
fn curve(figures: &Figures) -> Chart<'_> {
    let rarity = |percent: f64| -(1.0 - percent / 100.0).log10();
    let points = |curve: &[(f64, f64)], count: u64| {
        // Percentiles that need more requests than there are do not exist.
        let shown = curve.iter().filter(|(percent, _)| (1.0 - percent / 100.0) * count as f64 >= 1.0);
        shown.map(|(percent, value)| (rarity(*percent), Some(*value))).collect()
    };
    let requests = &figures.requests;
    let mut lines = vec![Line {
        name: "response",
        class: "one",
        points: points(&requests.curve_ms, requests.latency_ms.count),
    }];
    if let Some(heard) = &figures.deliveries {
        lines.push(Line {
            name: "send → heard",
            class: "two",
            points: points(&heard.curve_ms, heard.latency_ms.count),
        });
    }
    let last = lines.iter().flat_map(|line| &line.points).map(|(at, _)| *at).fold(0.0, f64::max);
    let marks = [50.0, 90.0, 99.0, 99.9, 99.99, 99.999];
    let marks = marks.iter().filter(|percent| rarity(**percent) <= last + 1e-9);
    Chart {
        title: "Latency by percentile",
        unit: "ms",
        lines,
        marks: marks.map(|percent| (rarity(*percent), format!("{percent} %"))).collect(),
        ramp: 0.0,
        logarithmic: true,
    }
}
