//! `campfire doctor`: the tiers that this host suits. Its figures differ from host to host, so most assertions are that the
//! report is consistent with itself.

use std::os::unix::fs::PermissionsExt;

use super::start::{run, text};
use serde_json::Value;

const TIERS: [&str; 4] = ["small", "medium", "large", "enterprise"];

fn asked(tier: &str, data: &std::path::Path) -> (i32, Value, String) {
    let output = run(&["doctor", "--json", "--tier", tier, "--data", data.to_str().unwrap()], &[], "");
    let status = output.status.code().expect("a status");
    (status, serde_json::from_slice(&output.stdout).expect("JSON"), text(&output.stderr))
}

#[test]
fn doctor_exit_status_says_whether_the_host_fits_the_tier() {
    let dir = tempfile::tempdir().unwrap();
    let keep_to_us =
        |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    keep_to_us(0o700);
    for tier in TIERS {
        let (status, report, said) = asked(tier, dir.path());
        assert_eq!(report["tier"], tier);
        assert_eq!(status, if report["fit"] == true { 0 } else { 1 }, "{report:#}");
        let checks = report["checks"].as_array().unwrap();
        let held: Vec<_> = checks.iter().filter(|check| check["fit"] == false).collect();
        assert_eq!(held.is_empty(), report["fit"] == true, "{report:#}");
        assert_eq!(held.is_empty(), said.is_empty(), "{said}");
        for check in held {
            let what = check["check"].as_str().unwrap();
            assert!(said.contains(what), "{what} is not named in {said}");
            assert!(!check["enough_for"].as_array().unwrap().contains(&tier.into()), "{check:#}");
            let mend = check["mend"].as_array().unwrap();
            assert!(!mend.is_empty() && mend.iter().all(|it| it["command"].is_string()), "{check:#}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it leaves nothing behind");
    // Faults of the installation count for every tier.
    keep_to_us(0o755);
    let (status, report, said) = asked("small", dir.path());
    assert_eq!((status, &report["fit"]), (1, &Value::Bool(false)));
    let findings = report["installation"].as_array().unwrap();
    let wrong = findings.iter().find(|finding| finding["check"] == "permissions").unwrap();
    assert!(wrong["fit"] == false && !wrong["mend"].as_array().unwrap().is_empty(), "{wrong:#}");
    assert!(said.contains("something is wrong with its permissions"), "{said}");
}

#[test]
fn doctor_checks_everything_that_limits_a_tier() {
    let dir = tempfile::tempdir().unwrap();
    let (_, report, _) = asked("small", &dir.path().join("not/yet/there"));
    let checks = report["checks"].as_array().unwrap();
    let names: Vec<_> = checks.iter().map(|check| check["check"].as_str().unwrap()).collect();
    for wanted in [
        "open files",
        "somaxconn",
        "port range",
        "swappiness",
        "memory",
        "disk sync",
        "huge pages",
        "CPU governor",
    ] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    let sync = checks.iter().find(|check| check["check"] == "disk sync").unwrap();
    assert!(sync["found"].as_str().unwrap().contains(dir.path().to_str().unwrap()), "{sync:#}");
    assert!(!dir.path().join("not").exists());
}

#[test]
fn doctor_reports_too_few_open_files_with_the_commands_to_run() {
    let dir = tempfile::tempdir().unwrap();
    let doctor = |tier: &str| {
        let line = "ulimit -n 600 && exec \"$0\" doctor --data \"$1\" --tier \"$2\"";
        let output = std::process::Command::new("sh")
            .args(["-c", line, env!("CARGO_BIN_EXE_campfire"), dir.path().to_str().unwrap(), tier])
            .output()
            .unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, shown, said) = doctor("medium");
    assert_eq!(status, Some(1), "{shown}");
    assert!(said.contains("open files") && said.lines().count() == 1, "{said}");
    for part in [
        "open files      600 for a process",
        "enough for: no tier",
        "prlimit --nofile=6000:6000",
        "LimitNOFILE=6000",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
}

#[test]
fn doctor_with_an_unknown_tier_is_2_and_names_the_tiers() {
    let output = run(&["doctor", "--tier", "huge"], &[], "");
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("small, medium, large, enterprise") && said.contains("huge"), "{said}");
    assert!(output.stdout.is_empty());
}
