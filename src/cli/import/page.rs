//! The report of an import as one HTML file without external resources.

use std::{fmt::Write, time::Duration};

use super::progress::duration;
use crate::{
    cli::template::{escaped, fill},
    import::{Report, grouped},
};

const PAGE: &str = include_str!("page.html");

pub(super) fn write(title: &str, source: &str, took: Duration, report: &Report) -> String {
    let verdict = match report.wrong()[..] {
        [] => "Every record of the export is accounted for.".to_owned(),
        ref wrong => format!(
            "The counts of {} do not add up: please report this.",
            wrong.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
        ),
    };
    let parts = [
        ("{{title}}", escaped(title)),
        ("{{source}}", escaped(source)),
        ("{{took}}", duration(took)),
        ("{{verdict}}", escaped(&verdict)),
        ("{{rows}}", rows(report)),
        ("{{left_out}}", left_out(report)),
        ("{{changes}}", changes(report)),
        ("{{remarks}}", remarks(report)),
    ];
    fill(PAGE, &parts)
}

fn rows(report: &Report) -> String {
    report.rows().fold(String::new(), |mut html, (kind, row)| {
        let out: u64 = row.left_out.values().map(|cases| cases.count).sum();
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            kind.name(),
            grouped(row.found),
            grouped(row.taken),
            grouped(row.known),
            grouped(out)
        );
        html
    })
}

/// A heading with a list, or nothing.
fn section(heading: &str, items: &str) -> String {
    match items {
        "" => String::new(),
        _ => format!("<h2>{heading}</h2><ul>{items}</ul>"),
    }
}

fn item(line: &str, examples: &[String]) -> String {
    let examples: String =
        examples.iter().map(|example| format!("<li><bdi>{}</bdi></li>", escaped(example))).collect();
    match examples.is_empty() {
        true => format!("<li>{}</li>", escaped(line)),
        false => format!("<li>{}<ul>{examples}</ul></li>", escaped(line)),
    }
}

fn left_out(report: &Report) -> String {
    let items: String = report
        .rows()
        .flat_map(|(kind, row)| row.left_out.iter().map(move |(reason, cases)| (kind, reason, cases)))
        .map(|(kind, reason, cases)| {
            item(&format!("{} {}, {reason}", grouped(cases.count), kind.name()), &cases.examples)
        })
        .collect();
    section("Left out", &items)
}

fn changes(report: &Report) -> String {
    let items: String = report
        .changes()
        .iter()
        .map(|(reason, cases)| item(&format!("{} × {reason}", grouped(cases.count)), &cases.examples))
        .collect();
    section("Taken in another form", &items)
}

fn remarks(report: &Report) -> String {
    let items: String = report.remarks().iter().map(|remark| item(remark, &[])).collect();
    section("What to know and to do next", &items)
}
