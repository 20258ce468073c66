//! `campfire doctor`: what of this host would hold a tier back, and the command to mend it. It changes nothing.

mod checks;
mod host;

use std::{ffi::OsString, path::PathBuf};

use serde_json::json;

use super::{Failure, Given, help, say};
use checks::{CHECKS, Check};
use host::Host;

/// What a host is asked to carry. `campfire bench` judges against the same.
struct Tier {
    name: &'static str,
    people: u64,
    sockets: u64,
    memory_mb: u64,
    cores: u64,
    /// The 95th percentile of response times, in milliseconds.
    p95_ms: u64,
}

static TIERS: [Tier; 4] = [
    Tier { name: "small", people: 100, sockets: 500, memory_mb: 512, cores: 1, p95_ms: 200 },
    Tier { name: "medium", people: 1_000, sockets: 5_000, memory_mb: 2_048, cores: 1, p95_ms: 150 },
    Tier { name: "large", people: 10_000, sockets: 50_000, memory_mb: 8_192, cores: 2, p95_ms: 100 },
    Tier { name: "enterprise", people: 100_000, sockets: 500_000, memory_mb: 32_768, cores: 4, p95_ms: 50 },
];

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::doctor(), &[("tier", true), ("json", false)])? else {
        return Ok(());
    };
    given.no_words()?;
    let asked = given.option("tier").unwrap_or("small");
    let tier = TIERS.iter().find(|tier| tier.name == asked).ok_or_else(|| {
        Failure::Usage(format!(
            "--tier has to be {}, not {asked:?}",
            TIERS.each_ref().map(|it| it.name).join(", ")
        ))
    })?;
    let host = Host { root: PathBuf::from("/"), data: given.config()?.data };
    let checks: Vec<Check> = CHECKS.iter().map(|check| check(&host, tier)).collect();
    say(&if given.has("json") { as_json(tier, &checks) } else { as_text(tier, &checks) })?;
    let held: Vec<&str> = held_back(tier, &checks).map(|check| check.what).collect();
    match held.as_slice() {
        [] => Ok(()),
        held => {
            Err(Failure::Failed(format!("this host holds the tier {asked} back by its {}", held.join(", "))))
        }
    }
}

/// Those that are known not to be enough. What cannot be told here holds nothing back.
fn held_back<'a>(tier: &Tier, checks: &'a [Check]) -> impl Iterator<Item = &'a Check> {
    checks.iter().filter(|check| check.is_enough(tier) == Some(false))
}

/// Where the second column starts.
const COLUMN: usize = 16;

fn as_text(tier: &Tier, checks: &[Check]) -> String {
    let mut text = format!(
        "Is this host fit for the tier {}: {} people at once, {} sockets, {} MB?\n\n",
        tier.name, tier.people, tier.sockets, tier.memory_mb
    );
    let mut line = |first: &str, second: &str| text += format!("{first:<COLUMN$}{second}\n").as_str();
    for check in checks {
        match &check.enough {
            None => line(check.what, &format!("cannot be told here: {}", check.found)),
            Some(_) => {
                line(check.what, &check.found);
                line("", &format!("enough for: {}", check.tiers()));
            }
        }
        if check.is_enough(tier) == Some(false) {
            line("", &format!("too little for {}: {}", tier.name, check.needs));
            for (when, command) in &check.mend {
                line("", &format!("{when}:"));
                line("", &format!("  {command}"));
            }
        }
    }
    text + match held_back(tier, checks).count() {
        0 => "\nNothing that could be read holds this tier back.\n",
        _ => "\nNothing has been changed.\n",
    }
}

fn as_json(tier: &Tier, checks: &[Check]) -> String {
    let shown = checks.iter().map(|check| {
        let mend = check.mend.iter().map(|(when, command)| json!({"when": when, "command": command}));
        json!({
            "check": check.what,
            "found": check.found,
            "enough_for": check.enough.map(|_| check.names()),
            "fit": check.is_enough(tier),
            "needs": check.needs,
            "mend": if check.is_enough(tier) == Some(false) { mend.collect() } else { Vec::new() },
        })
    });
    let fit = held_back(tier, checks).next().is_none();
    format!("{:#}\n", json!({"tier": tier.name, "fit": fit, "checks": shown.collect::<Vec<_>>()}))
}
