//! Ours beside the floors, in the same run: `cargo bench` for all of it, `cargo bench -- page post` for some,
//! `--quick` for short rounds and a small history, `--markdown` for a table to paste.

#[path = "compare/floors.rs"]
mod floors;
#[path = "compare/load.rs"]
mod load;
#[path = "compare/process.rs"]
mod process;
#[path = "compare/render.rs"]
mod render;
#[path = "compare/scenarios.rs"]
mod scenarios;
#[path = "compare/sockets.rs"]
mod sockets;

/// What a run is asked for.
pub(crate) struct Asked {
    pub(crate) quick: bool,
    pub(crate) messages: usize,
}

/// A line of the table.
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) floor: String,
    pub(crate) ours: String,
    pub(crate) ratio: String,
    pub(crate) target: &'static str,
}

type Scenario = fn(&Asked) -> Vec<Row>;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("start", scenarios::start),
    ("render", render::render),
    ("health", scenarios::health),
    ("page", scenarios::page),
    ("post", scenarios::post),
    ("search", scenarios::search),
    ("fanout", sockets::fanout),
    ("idle", sockets::idle),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["floor-hyper", size] => floors::hyper(size.parse().expect("a size")),
        ["floor-send", sockets] => floors::send_loop(sockets.parse().expect("a number")),
        _ => {}
    }
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let quick = flag("--quick");
    let messages = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--messages="))
        .map(|number| number.parse().expect("a number"));
    let asked = Asked { quick, messages: messages.unwrap_or(if quick { 100_000 } else { 1_000_000 }) };
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = names.iter().find(|name| SCENARIOS.iter().all(|(known, _)| known != *name)) {
        eprintln!(
            "there is no scenario {unknown}; there are {}",
            SCENARIOS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        );
        std::process::exit(2);
    }
    raise_open_files();
    let mut rows = Vec::new();
    for (name, run) in SCENARIOS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            eprintln!("… {name}");
            rows.extend(run(&asked));
        }
    }
    print(&rows, flag("--markdown"));
}

fn print(rows: &[Row], markdown: bool) {
    let head = Row {
        work: "work".into(),
        floor: "floor".into(),
        ours: "ours".into(),
        ratio: "ours ÷ floor".into(),
        target: "target",
    };
    let cells = |row: &Row| {
        [row.work.clone(), row.floor.clone(), row.ours.clone(), row.ratio.clone(), row.target.to_owned()]
    };
    let mut widths = [0; 5];
    for row in std::iter::once(&head).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(cells(row)) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for (place, row) in std::iter::once(&head).chain(rows).enumerate() {
        let padded: Vec<String> =
            cells(row).iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        if markdown {
            println!("| {} |", padded.join(" | "));
            if place == 0 {
                println!("| {} |", widths.map(|width| "-".repeat(width)).join(" | "));
            }
        } else {
            println!("{}", padded.join("  "));
        }
    }
}

/// Ten thousand sockets need as many descriptors; the server raises its own.
fn raise_open_files() {
    let _ = std::process::Command::new("prlimit")
        .args([&format!("--pid={}", std::process::id()), "--nofile=20000:20000"])
        .status();
}

/// A sentence of about a hundred characters, different for each number.
pub(crate) fn talk(number: i64) -> String {
    const WORDS: [&str; 40] = [
        "staging", "coffee", "release", "window", "meeting", "draft", "invoice", "kitchen", "ticket",
        "branch", "river", "garden", "monday", "printer", "budget", "lunch", "design", "server", "backup",
        "puzzle", "museum", "harbour", "lantern", "recipe", "bicycle", "thunder", "pepper", "velvet",
        "canyon", "mirror", "pencil", "orchard", "saddle", "tunnel", "violin", "walnut", "copper", "meadow",
        "ribbon", "summit",
    ];
    let mut seed = number as u64;
    let mut text = String::from("the");
    while text.len() < 94 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(' ');
        text.push_str(WORDS[(seed >> 33) as usize % WORDS.len()]);
    }
    text
}

pub(crate) fn runtime() -> tokio::runtime::LocalRuntime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .expect("a runtime")
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
