//! The cost of rendering a message.

use std::{hint::black_box, time::Instant};

use campfire::text;

use crate::{Options, Report, Row, median, sentence};

pub(crate) fn render(options: &Options, report: &mut Report) {
    let plain = sentence(1);
    let link = format!("**{plain}**, see https://example.org/a?b=c&d=e and `code` for @[Ana](user:5)");
    let flood = "&".repeat(64 << 10);
    let works = [
        ("render 100 characters of text", &plain, 20_000),
        ("render a mention, a link, bold and code", &link, 500),
        ("render 64 KiB of &", &flood, 2),
    ];
    report.rows.extend(works.map(|(work, source, times)| {
        let rounds = if options.quick { 5 } else { 25 };
        let each = median((0..rounds).map(|_| micros_each(source, times)).collect());
        Row::new(work, format!("{each:.2} µs"))
    }));
}

fn micros_each(source: &str, times: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        black_box(text::render(black_box(source), |_| Some("Ana")));
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}
