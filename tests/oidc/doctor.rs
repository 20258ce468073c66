//! `campfire doctor oidc`: what it finds out without a person.

use super::provider::Provider;
use crate::support::receiver::response;
use crate::support::*;

fn doctor(provider: &Provider, more: &[(&str, &str)], arguments: &[&str]) -> (bool, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = server::campfire();
    command.args(["doctor", "oidc", "--data"]).arg(dir.path()).args(arguments);
    command.envs(provider.settings()).envs(more.iter().copied());
    let done = command.output().expect("campfire");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

const PUBLIC: (&str, &str) = ("CAMPFIRE_PUBLIC_URL", "https://chat.example.org");

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tries_the_way_and_says_what_has_to_be_registered() {
    let provider = Provider::start().await;
    let (ok, text, _) = doctor(&provider, &[PUBLIC, ("CAMPFIRE_OIDC_NAME", "Corp")], &[]);
    assert!(ok, "{text}");
    for words in [
        "Can people sign in with Corp?",
        &format!("it calls itself {}", provider.issuer()),
        "1 (P-256)",
        "chat is known there, and its secret is right",
        "https://chat.example.org/signin/oidc/main/callback",
        "register exactly this address as a redirect URI of the client chat",
        "allow https://chat.example.org/signin as an address after signing out",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (ok, json, _) = doctor(&provider, &[PUBLIC], &["--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert!(ok && report["ok"] == true && report["providers"][0]["provider"] == "main", "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_side_at_fault() {
    let provider = Provider::start().await;
    let failed = |more: &[(&str, &str)]| {
        let (ok, text, why) = doctor(&provider, more, &[]);
        assert!(!ok, "{text}");
        (text, why)
    };
    let (text, why) = failed(&[PUBLIC, ("CAMPFIRE_OIDC_SECRET", "another-secret")]);
    assert!(
        text.contains("chat is refused: invalid_client") && text.contains("another secret than oidc_secret"),
        "{text}"
    );
    assert!(why.contains("something is wrong with main in its client"), "{why}");
    assert!(!text.contains("another-secret") && !why.contains("another-secret"));
    let (text, _) = failed(&[("CAMPFIRE_PUBLIC_URL", "http://chat.example.org")]);
    assert!(text.contains("providers lead back to https:// only"), "{text}");
    provider.set(|it| drop(it.instead.insert("/jwks", response(200, "application/json", r#"{"keys": []}"#))));
    let (text, why) = failed(&[PUBLIC]);
    assert!(text.contains("it lists no key for RS256") && why.contains("in its keys"), "{text}");
    provider.set(|it| it.instead.clear());
    provider.set(|it| it.document = json!({"issuer": "https://id.example.org"}));
    let (text, _) = failed(&[PUBLIC]);
    assert!(
        text.contains("it calls itself \"https://id.example.org\", and the issuer in the settings is"),
        "{text}"
    );
    let (text, _) = failed(&[PUBLIC, ("CAMPFIRE_OIDC_ISSUER", "http://127.0.0.1:1")]);
    assert!(text.contains("not reachable right now") && text.contains("curl -i"), "{text}");
    let none = server::campfire().args(["doctor", "oidc"]).output().expect("campfire");
    let why = String::from_utf8(none.stderr).unwrap();
    assert!(!none.status.success() && why.contains("there is no identity provider in the settings"), "{why}");
}
