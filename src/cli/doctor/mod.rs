//! `campfire doctor`: reports what of this host limits a tier and what is wrong with the installation, with the commands
//! that fix it. It changes nothing.

mod capacity;
mod host;
mod installation;
mod mail;
mod providers;

use std::{ffi::OsString, path::PathBuf};

use serde_json::json;

use super::{Failure, Given, help, say};
use capacity::{CHECKS, Check};
use host::Host;
use installation::{FINDINGS, Finding};

/// The settings that it reads.
const OWN: [&str; 13] = [
    "listen",
    "data",
    "public_url",
    "domain",
    "tls_cert",
    "tls_key",
    "name_servers",
    "backup_dir",
    "smtp_url",
    "smtp_password_file",
    "smtp_ca",
    "smtp_timeout",
    "mail_from",
];

/// Whether it reads a setting.
pub(super) fn reads(key: &str) -> bool {
    OWN.contains(&key) || key.starts_with("oidc_")
}

/// Labels a command whose effect may end with the next reboot.
const NOW: &str = "now";

/// What a host has to carry. `campfire bench` uses the same limits.
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
    match given.words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mail"] => return mail::run(&given, None),
        ["mail", address] => return mail::run(&given, Some(address)),
        ["oidc"] => return providers::run(&given.config()?, given.has("json")),
        _ => given.no_words()?,
    }
    let asked = given.option("tier").unwrap_or("small");
    let tier = TIERS.iter().find(|tier| tier.name == asked).ok_or_else(|| {
        Failure::Usage(format!(
            "--tier has to be {}, not {asked:?}",
            TIERS.each_ref().map(|it| it.name).join(", ")
        ))
    })?;
    let config = given.config()?;
    let host = Host { root: PathBuf::from("/"), data: config.data.clone() };
    let report = Report {
        tier,
        checks: CHECKS.iter().map(|check| check(&host, tier)).collect(),
        findings: FINDINGS.iter().map(|find| find(&host, &config)).collect(),
    };
    say(&if given.has("json") { report.as_json() } else { report.as_text() })?;
    let mut wrong = Vec::new();
    let limiting: Vec<&str> = report.limiting().map(|check| check.what).collect();
    if !limiting.is_empty() {
        wrong.push(format!("this host is too small for the tier {asked} in its {}", limiting.join(", ")));
    }
    let failed: Vec<&str> = report.failed().map(|finding| finding.what).collect();
    if !failed.is_empty() {
        wrong.push(format!("something is wrong with its {}", failed.join(", ")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Failed(wrong.join("; "))) }
}

struct Report<'a> {
    tier: &'a Tier,
    checks: Vec<Check>,
    findings: Vec<Finding>,
}

/// Where the second column starts.
const COLUMN: usize = 16;

impl Report<'_> {
    /// The checks that are known to fail for the tier; unknown ones do not count.
    fn limiting(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.is_enough(self.tier) == Some(false))
    }

    fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.ok == Some(false))
    }

    fn is_ok(&self) -> bool {
        self.limiting().next().is_none() && self.failed().next().is_none()
    }

    fn as_text(&self) -> String {
        let tier = self.tier;
        let mut text = format!(
            "Does this host suit the tier {}: {} people at once, {} sockets, {} MB?\n\n",
            tier.name, tier.people, tier.sockets, tier.memory_mb
        );
        for check in &self.checks {
            match &check.enough {
                None => line(&mut text, check.what, &format!("unknown: {}", check.found)),
                Some(_) => {
                    line(&mut text, check.what, &check.found);
                    line(&mut text, "", &format!("enough for: {}", check.tiers()));
                }
            }
            if check.is_enough(tier) == Some(false) {
                line(&mut text, "", &format!("too little for {}: {}", tier.name, check.needs));
                fix(&mut text, &check.fix);
            }
        }
        text += "\nIs the installation in order?\n\n";
        for finding in &self.findings {
            line(&mut text, finding.what, &finding.found);
            if finding.ok == Some(false) {
                line(&mut text, "", &format!("wrong: {}", finding.needs));
            }
            fix(&mut text, &finding.fix);
        }
        text + match self.is_ok() {
            true => "\nNo problem was found.\n",
            false => "\nNothing has been changed.\n",
        }
    }

    fn as_json(&self) -> String {
        let checks = self.checks.iter().map(|check| {
            let is_enough = check.is_enough(self.tier);
            json!({
                "check": check.what,
                "found": check.found,
                "enough_for": check.enough.map(|_| check.names()),
                "ok": is_enough,
                "needs": check.needs,
                "fix": if is_enough == Some(false) { commands(&check.fix) } else { Vec::new() },
            })
        });
        let findings = self.findings.iter().map(Finding::json);
        let report = json!({
            "tier": self.tier.name,
            "ok": self.is_ok(),
            "checks": checks.collect::<Vec<_>>(),
            "installation": findings.collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

fn line(text: &mut String, first: &str, second: &str) {
    *text += &format!("{first:<COLUMN$}{second}\n");
}

fn fix(text: &mut String, fix: &[(&str, String)]) {
    for (when, command) in fix {
        line(text, "", &format!("{when}:"));
        line(text, "", &format!("  {command}"));
    }
}

fn commands(fix: &[(&str, String)]) -> Vec<serde_json::Value> {
    fix.iter().map(|(when, command)| json!({"when": when, "command": command})).collect()
}
