//! `campfire doctor mail`.

use std::process::Output;

use super::relay::*;
use crate::support::{server::campfire, tls::Authority, *};

fn doctor(settings: &[(&str, String)], words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = campfire();
    command.args(["doctor", "mail"]).args(words).envs(settings.iter().map(|(name, value)| (name, value)));
    let Output { status, stdout, stderr } =
        command.current_dir(std::env::temp_dir()).output().expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn doctor_goes_all_the_way_and_sends_a_mail() {
    let relay = Relay::start();
    let (status, said, wrong) = doctor(&relay.settings(), &[]);
    assert_eq!((status, wrong.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("not tried") && relay.mails().is_empty(), "{said}");
    let (status, said, _) = doctor(&relay.settings(), &["ana@example.com"]);
    assert_eq!(status, Some(0), "{said}");
    for part in [
        "links       lead to https://chat.example",
        "it offers SMTPUTF8",
        "ana@example.com is taken",
        "Mail works",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let mails = relay.mails();
    assert_eq!((mails.len(), to(&mails[0])), (1, "ana@example.com"));
    assert_eq!(mails[0]["headers"]["subject"], "Mails from Campfire arrive");
}

#[test]
fn doctor_says_what_is_missing_and_on_whose_side() {
    let relay = Relay::start();
    let refused = |settings: &[(&str, String)], words: &[&str], parts: &[&str]| {
        let (status, said, wrong) = doctor(settings, words);
        assert_eq!((status, wrong.lines().count()), (Some(1), 1), "{said}{wrong}");
        for part in parts {
            assert!(said.contains(part) || wrong.contains(part), "no {part:?} in {said}{wrong}");
        }
    };
    refused(&[], &[], &["smtp_url is not set"]);
    let with = |name: &'static str, value: String| {
        let mut settings = relay.settings();
        settings.retain(|(known, _)| *known != name);
        settings.push((name, value));
        settings
    };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let url = |url: String| with("CAMPFIRE_SMTP_URL", url);
    refused(
        &url(format!("smtp://127.0.0.1:{port}")),
        &[],
        &["cannot be reached", "On this side: is 127.0.0.1 right"],
    );
    refused(
        &url(format!("smtp://127.0.0.1:{}?tls=required", relay.port)),
        &[],
        &["it does not offer STARTTLS", "On the mail server's side"],
    );
    refused(
        &url(format!("smtps://127.0.0.1:{}", relay.port)),
        &[],
        &["cannot be encrypted", "smtps:// is for port 465"],
    );
    refused(
        &url(format!("smtp://ana:secret@127.0.0.1:{}", relay.port)),
        &[],
        &["it offers no way to sign in", "On this side"],
    );
    relay.rules(json!({"recipients": {
        "gone@example.com": "550 5.1.1 gone",
        "foreign@example.com": "554 5.7.1 Relay access denied",
        "later@example.com": "450 4.2.0 Greylisted",
    }}));
    refused(&relay.settings(), &["gone@example.com"], &["550 5.1.1 gone", "On the recipient's side"]);
    refused(
        &relay.settings(),
        &["foreign@example.com"],
        &["Relay access denied", "passes on nothing for us"],
    );
    refused(&relay.settings(), &["later@example.com"], &["Greylisted", "For now only"]);
    relay.rules(json!({"data": "554 5.7.1 spam"}));
    refused(&relay.settings(), &["ana@example.com"], &["554 5.7.1 spam", "SPF and DKIM"]);
    let (status, _, wrong) = doctor(&relay.settings(), &["nobody"]);
    assert!(status == Some(2) && wrong.contains("\"nobody\" is no address"), "{wrong}");
}

#[test]
fn doctor_never_prints_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (certificate, key) = authority.issue_into(dir.path());
    let roots = dir.path().join("roots.pem");
    std::fs::write(&roots, &authority.pem).unwrap();
    let relay = Relay::with(json!({"certificate": certificate, "key": key, "auth": true}));
    let with = |password: &str| {
        let mut settings = relay.settings();
        settings.retain(|(name, _)| *name != "CAMPFIRE_SMTP_URL");
        let url = format!("smtp://ana%40relay.example:{password}@127.0.0.1:{}?tls=required", relay.port);
        settings.push(("CAMPFIRE_SMTP_URL", url));
        settings.push(("CAMPFIRE_SMTP_CA", roots.to_str().unwrap().to_owned()));
        settings
    };
    let (status, said, wrong) = doctor(&with("s3cret%20word"), &["ana@example.com"]);
    assert_eq!((status, wrong.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("encrypted   yes") && said.contains("signed in   yes"), "{said}");
    assert!(!said.contains("s3cret"));
    let (status, said, wrong) = doctor(&with("wr0ng"), &[]);
    assert_eq!(status, Some(1));
    assert!(said.contains("user or password in the settings are wrong"), "{said}");
    assert!(!said.contains("wr0ng") && !wrong.contains("wr0ng"), "{said}{wrong}");
}
