//! Campfire and the floors (programs that do only the unavoidable part of the same work), measured in the same run.
//! `cargo bench` runs everything, `cargo bench -- page post` some scenarios; `--quick` has short rounds and a small
//! history, `--messages=5000000` a long one; `--markdown` prints tables to paste, `--markdown=FILE` and `--json=FILE`
//! write files.

#[path = "compare/fanout.rs"]
mod fanout;
#[path = "compare/floors.rs"]
mod floors;
#[path = "compare/grow.rs"]
mod grow;
#[path = "compare/history.rs"]
mod history;
#[path = "compare/import.rs"]
mod import;
#[path = "compare/load.rs"]
mod load;
#[path = "compare/peers.rs"]
mod peers;
#[path = "compare/process.rs"]
mod process;
#[path = "compare/render.rs"]
mod render;
#[path = "compare/scenarios.rs"]
mod scenarios;
#[path = "compare/sockets.rs"]
mod sockets;
#[path = "compare/table.rs"]
mod table;

use grow::Curve;
use table::Row;

/// The options of a run.
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) messages: usize,
}

/// The results of a run.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// Rows of the fan-out table.
    pub(crate) fans: Vec<Vec<String>>,
    pub(crate) curves: Vec<Curve>,
}

type Scenario = fn(&Options, &mut Report);

const SCENARIOS: &[(&str, Scenario)] = &[
    ("start", scenarios::start),
    ("render", render::render),
    ("health", scenarios::health),
    ("page", scenarios::page),
    ("post", scenarios::post),
    ("search", scenarios::search),
    ("import", import::import),
    ("fanout", fanout::fanout),
    ("idle", sockets::idle),
    ("grow", grow::grow),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["floor-hyper", size] => floors::hyper(size.parse().expect("a size")),
        ["floor-send", sockets, size] => {
            floors::send_loop(sockets.parse().expect("a number"), size.parse().expect("a size"));
        }
        ["bound-to-parent", program, arguments @ ..] => process::exec_bound_to_parent(program, arguments),
        _ => {}
    }
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let quick = flag("--quick");
    let messages = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--messages="))
        .map(|number| number.parse().expect("a number"));
    let options = Options { quick, messages: messages.unwrap_or(if quick { 100_000 } else { 1_000_000 }) };
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = names.iter().find(|name| SCENARIOS.iter().all(|(known, _)| known != *name)) {
        eprintln!(
            "there is no scenario {unknown}; there are {}",
            SCENARIOS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        );
        std::process::exit(2);
    }
    raise_open_files();
    let mut report = Report::default();
    for (name, run) in SCENARIOS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            eprintln!("… {name}");
            run(&options, &mut report);
        }
    }
    let file = |option: &str| arguments.iter().find_map(|argument| argument.strip_prefix(option));
    println!("{}", report.text(flag("--markdown")));
    if let Some(file) = file("--markdown=") {
        std::fs::write(file, report.text(true)).expect("the file can be written");
    }
    if let Some(file) = file("--json=") {
        std::fs::write(file, report.json()).expect("the file can be written");
    }
}

impl Report {
    fn text(&self, is_markdown: bool) -> String {
        let mut text = table::table(&self.rows, is_markdown);
        if !self.fans.is_empty() {
            let head = fanout::FANS.map(str::to_owned).to_vec();
            let lines: Vec<_> = std::iter::once(head).chain(self.fans.iter().cloned()).collect();
            text += &format!("\n{}", table::columns(&lines, is_markdown));
        }
        for curve in &self.curves {
            text += &format!("\n{}", curve.text(is_markdown));
        }
        text + FOOT
    }

    fn json(&self) -> String {
        let rows: Vec<_> = self.rows.iter().map(Row::json).collect();
        let curves: Vec<_> = self.curves.iter().map(Curve::json).collect();
        format!("{:#}\n", serde_json::json!({"rows": rows, "fans": self.fans, "growth": curves}))
    }
}

const FOOT: &str = "
- Client and server share the machine. A floor is run in turns with ours, and a ratio is the median of the turns.
- µs is CPU time of the server for each request or delivery; CPU ÷ is ours by the floor's, so less is better.
- The floor of requests is hyper answering a constant, unread. Ours also routes, finds out who asks and whether they
  may, looks whether anything has happened since, counts, and sends the headers that caches go by.
- The floor of posts is SQLite taking as many rows to a transaction as ours did in that run, `synchronous=FULL`.
- In fan-out ours also checks, renders, stores and indexes each message first; the others keep nothing. At most 64
  messages are under way. One at a time nothing can go together; the first figure is the time until the last socket has it.
- No two searches are the same but in the row that says so, so none of the others comes from the cache.
- The binary is the one measured here, which has a few features of its libraries more than `cargo build --release` gives.
- Growth is suspicious beyond 1.5 times the answer's and 30 µs (of a start 30 ms, of memory 5 MB).
- The first view of a page is not here: a browser has to draw it (tests/browser).
";

/// Ten thousand sockets need as many descriptors; the server raises its own limit.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
}

/// A sentence of about a hundred characters, different for each number.
pub(crate) fn sentence(number: i64) -> String {
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
