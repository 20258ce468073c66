//! `campfire bench`: puts load on a server, checks all responses and deliveries, and reports.

mod chart;
mod delivery;
mod figures;
mod http;
mod pace;
mod people;
mod report;
mod run;
mod scenario;
mod server;
mod socket;
mod tally;
mod target;
mod terminal;
mod user;
mod verdict;

use std::{ffi::OsString, path::PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use self::{
    figures::Figures,
    pace::Plan,
    people::{Needs, People},
    run::Run,
    scenario::Scenario,
    target::{Given as GivenTarget, Target},
    terminal::Terminal,
    verdict::{TIERS, Tier, number},
};
use super::{Failure, Given, help, say};

/// The options, and whether each takes a value.
const OWN: [(&str, bool); 13] = [
    ("scenario", true),
    ("users", true),
    ("rate", true),
    ("rooms", true),
    ("ramp", true),
    ("duration", true),
    ("tier", true),
    ("token", true),
    ("tokens", true),
    ("report", true),
    ("json", true),
    ("server-cores", true),
    ("i-own-this-server", false),
];

const MAX_USERS: usize = 100_000;
const MAX_RATE: f64 = 1e6;
/// Open files besides the connections of users: standard streams, the timer, the connection for /metrics, and those of tokio.
const OTHER_FILES: u64 = 32;

/// The parsed options.
struct Options {
    scenario: Scenario,
    users: usize,
    plan: Plan,
    rooms: Option<usize>,
    tier: Option<Tier>,
    tokens: Vec<String>,
    metrics_token: String,
    server_cores: Option<usize>,
    report: Option<PathBuf>,
    json: Option<PathBuf>,
}

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::bench(), &OWN)? else { return Ok(()) };
    let (target, options) = Options::read(&given)?;
    options.fits(&target)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start ({error})")))?;
    let figures = tokio::task::LocalSet::new().block_on(&runtime, measure(target, &options))?;
    let Some(figures) = figures else { return Err(Failure::Failed("interrupted before it began".into())) };
    say(&terminal::summary(&figures))?;
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(&figures).expect("figures are JSON");
        write(path, &json)?;
    }
    if let Some(path) = &options.report {
        write(path, report::page(&figures).as_bytes())?;
    }
    if figures.passed { Ok(()) } else { Err(Failure::Failed(figures.verdict)) }
}

fn write(path: &PathBuf, content: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, content)
        .map_err(|error| Failure::Failed(format!("cannot write {} ({error})", path.display())))
}

/// Runs the bench. None if it was interrupted while users were created; they are removed then.
async fn measure(target: GivenTarget, options: &Options) -> Result<Option<Figures>, Failure> {
    let mut terminal = Terminal::new();
    // From now on, Ctrl+C removes what was created.
    let mut interrupts = signal(SignalKind::interrupt())
        .map_err(|error| Failure::Failed(format!("cannot listen for Ctrl+C ({error})")))?;
    let target = Target::find(target).await?;
    let mut people = People::default();
    let posts = options.scenario.posts();
    let needs = Needs {
        users: options.users,
        posts: options.plan.rate.map(|rate| rate * posts).or((posts == 0.0).then_some(0.0)),
        reads: options.scenario.reads(),
        rooms: options.rooms,
    };
    if options.scenario != Scenario::Health {
        terminal.say(&format!("Creating users and rooms on {} …", target.url));
        let made = tokio::select! {
            made = people.make(&target, &options.tokens, needs) => Some(made),
            _ = interrupts.recv() => None,
        };
        if !matches!(made, Some(Ok(()))) {
            people.remove(&target).await.iter().for_each(|left| terminal.say(left));
            return made.transpose().map(|_| None);
        }
    }
    let started_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let aim = options.plan.rate.map_or("as fast as possible".into(), |rate| format!("{}/s", number(rate)));
    terminal.say(&format!(
        "{}: {} users, {aim}; {} s of ramp, then {} s. Ctrl+C ends it early.",
        options.scenario.name(),
        number(options.users as f64),
        number(options.plan.ramp),
        number(options.plan.duration)
    ));
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot make a timer ({error})"));
    let run = Run::new(options.scenario, options.users, options.plan, target, people).map_err(failed)?;
    let ran = run.drive(interrupts, &options.metrics_token, &mut terminal).await;
    terminal.end();
    let mut figures = Figures::of(&run, &ran, options, started_at);
    figures.left_behind = run.clear_away().await;
    Ok(Some(figures))
}

impl Options {
    fn read(given: &Given) -> Result<(GivenTarget, Self), Failure> {
        let usage = |why: String| Failure::Usage(why);
        if let Some((key, _)) = given.settings.iter().find(|(key, _)| key != "metrics_token") {
            return Err(usage(format!(
                "--{} is a setting of the server, not of bench",
                key.replace('_', "-")
            )));
        }
        if given.file.is_some() {
            return Err(usage("bench reads no settings file, so --config is not allowed".into()));
        }
        let [url] = given.words.as_slice() else {
            let count = given.words.len();
            return Err(usage(format!("bench takes one address, like http://127.0.0.1:3000, not {count}")));
        };
        let target = GivenTarget::parse(url, given.has("i-own-this-server"))?;
        let name = given.required("scenario")?;
        let scenario = Scenario::ALL.iter().find(|(known, _)| *known == name).map(|(_, scenario)| *scenario);
        let scenario = scenario.ok_or_else(|| {
            let known: Vec<_> = Scenario::ALL.iter().map(|(name, _)| *name).collect();
            usage(format!("there is no scenario {name:?}; there are {}", known.join(", ")))
        })?;
        let tier = match given.option("tier") {
            None => None,
            Some(name) => Some(Tier::named(name).ok_or_else(|| {
                usage(format!(
                    "there is no tier {name:?}; there are {}",
                    TIERS.map(|tier| tier.name).join(", ")
                ))
            })?),
        };
        let default_users = match tier {
            Some(tier) if scenario == Scenario::Sockets => tier.sockets.min(MAX_USERS),
            Some(tier) => tier.people,
            None => 10,
        };
        let users = whole(given, "users", 1, MAX_USERS)?.unwrap_or(default_users);
        let rate = match given.option("rate") {
            Some("max") => None,
            // By default, each user sends one request per second.
            None => Some(tier.map_or(users as f64, |tier| tier.rate)),
            Some(_) => between(given, "rate", 0.1, MAX_RATE)?,
        };
        let plan = Plan {
            ramp: between(given, "ramp", 0.0, 3_600.0)?.unwrap_or(5.0),
            duration: between(given, "duration", 1.0, 86_400.0)?.unwrap_or(30.0),
            rate,
        };
        let mut tokens: Vec<String> = given
            .options
            .iter()
            .filter(|(name, _)| name == "token")
            .map(|(_, token)| token.clone())
            .collect();
        if let Some(path) = given.option("tokens") {
            let text = std::fs::read_to_string(path)
                .map_err(|error| usage(format!("--tokens: cannot read {path:?} ({error})")))?;
            tokens.extend(text.split_whitespace().map(str::to_owned));
        }
        if tokens.iter().any(|token| token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(usage("--token: a token consists of visible ASCII characters".into()));
        }
        let metrics_token = given.settings.last().map_or_else(String::new, |(_, token)| token.clone());
        let path = |name| given.option(name).map(PathBuf::from);
        let options = Self {
            scenario,
            users,
            plan,
            rooms: whole(given, "rooms", 1, 1_000)?,
            tier,
            tokens,
            metrics_token,
            server_cores: whole(given, "server-cores", 1, 4_096)?,
            report: path("report"),
            json: path("json"),
        };
        Ok((target, options))
    }

    /// Checks that this process may open as many connections as it needs.
    fn fits(&self, target: &GivenTarget) -> Result<(), Failure> {
        let each = u64::from(self.scenario.has_http()) + u64::from(self.scenario.has_sockets());
        let needed = self.users as u64 * each;
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        if needed + OTHER_FILES > files {
            return Err(Failure::Failed(format!(
                "{} users need {needed} connections, but this process may have {files} open files: use fewer --users, or \
                 raise the hard limit (ulimit -Hn, LimitNOFILE=)",
                self.users
            )));
        }
        let ports = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok().and_then(|text| {
            let mut parts = text.split_whitespace().map(str::parse::<u64>);
            let (first, last) = (parts.next()?.ok()?, parts.next()?.ok()?);
            Some(last.saturating_sub(first) + 1)
        });
        match ports {
            Some(ports) if needed > ports => Err(Failure::Failed(format!(
                "{} users need {needed} connections, but there are {ports} ports to connect to {} \
                 (net.ipv4.ip_local_port_range): use fewer --users",
                self.users,
                if target.is_loopback { "this machine" } else { "one address" },
            ))),
            _ => Ok(()),
        }
    }
}

/// The value of an option, within bounds.
fn between(given: &Given, name: &str, least: f64, most: f64) -> Result<Option<f64>, Failure> {
    let Some(text) = given.option(name) else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(value) if (least..=most).contains(&value) => Ok(Some(value)),
        _ => Err(Failure::Usage(format!("--{name} takes a number from {least} to {most}, not {text:?}"))),
    }
}

/// The value of an option, a whole number within bounds.
fn whole(given: &Given, name: &str, least: usize, most: usize) -> Result<Option<usize>, Failure> {
    let Some(text) = given.option(name) else { return Ok(None) };
    match text.parse::<usize>() {
        Ok(value) if (least..=most).contains(&value) => Ok(Some(value)),
        _ => {
            Err(Failure::Usage(format!("--{name} takes a whole number from {least} to {most}, not {text:?}")))
        }
    }
}
