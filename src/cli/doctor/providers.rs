//! `campfire doctor oidc`: tries the way to each identity provider, as far as it goes without a person.

use std::sync::Arc;

use serde_json::json;
use url::{Host, Url};

use super::{Failure, fix, line, say};
use crate::{
    cli::doctor::installation::Finding,
    config::Config,
    outbound::{
        Outside, Policy,
        oidc::{Client, Document, Fault, Provider},
    },
};

pub(super) fn run(config: &Config, as_json: bool) -> Result<(), Failure> {
    if config.oidc.is_empty() {
        return Err(Failure::Failed(
            "there is no identity provider in the settings; oidc_issuer and oidc_client_id name one".into(),
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("the network cannot be used ({error})")))?;
    let policy = Policy { name_servers: config.name_servers.clone(), allowed: config.outgoing_allow.clone() };
    let outside = Arc::new(Outside::new(policy));
    let mut wrong = Vec::new();
    let (mut text, mut reports) = (String::new(), Vec::new());
    for provider in &config.oidc {
        let client = Client::new(provider.clone(), Arc::clone(&outside));
        let findings = runtime.block_on(findings(&client, config));
        let failed: Vec<&str> =
            findings.iter().filter(|it| it.ok == Some(false)).map(|finding| finding.what).collect();
        if !failed.is_empty() {
            wrong.push(format!("{} in its {}", provider.label(), failed.join(", ")));
        }
        text += &format!("Can people sign in with {}?\n\n", provider.label());
        for finding in &findings {
            line(&mut text, finding.what, &finding.found);
            if finding.ok == Some(false) {
                line(&mut text, "", &format!("wrong: {}", finding.needs));
            }
            fix(&mut text, &finding.fix);
        }
        text.push('\n');
        let findings = findings.iter().map(Finding::json);
        reports.push(json!({ "provider": provider.id, "ok": failed.is_empty(), "checks": findings.collect::<Vec<_>>() }));
    }
    match as_json {
        true => say(&format!("{:#}\n", json!({ "ok": wrong.is_empty(), "providers": reports })))?,
        false => say(&text)?,
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("something is wrong with {}", wrong.join("; "))))
}

async fn findings(client: &Client, config: &Config) -> Vec<Finding> {
    let provider = client.provider();
    let document = match client.document().await {
        Ok(document) => document,
        Err(fault) => return vec![failed("discovery", &provider.issuer, &fault), redirect(provider, config)],
    };
    let mut all = vec![Finding::ok("discovery", format!("it calls itself {}", document.issuer))];
    all.push(match client.describe_keys().await {
        Ok(keys) => Finding::ok("keys", keys),
        Err(fault) => failed("keys", &document.jwks_uri, &fault),
    });
    let redirect_uri = provider.redirect_uri(&config.base_url());
    all.push(secret(provider, client.try_secret(&redirect_uri).await));
    all.push(redirect(provider, config));
    all.extend(offered(provider, &document));
    if provider.sign_out && document.end_session_endpoint.is_some() {
        let found = format!("leads on to the provider, and back to {}/signin", config.base_url());
        all.push(Finding::unknown("signing out", found).fix(
            "there, for this client",
            format!("allow {}/signin as an address after signing out", config.base_url()),
        ));
    }
    all
}

/// A check that failed, and at whose side.
fn failed(what: &'static str, found: &str, fault: &Fault) -> Finding {
    let finding = Finding::failed(what, found, fault.to_string());
    match fault {
        Fault::Unreachable(_) => finding.fix("from this machine", format!("curl -i {found}")),
        _ => finding,
    }
}

/// A made-up code was redeemed. Who is refused for the code has come past the check of the secret.
fn secret(provider: &Provider, tried: Result<String, Fault>) -> Finding {
    let what = "client";
    let (id, setting) = (&provider.client_id, provider.setting("secret"));
    let has_secret = provider.secret.0.is_some();
    match tried {
        // The second is glewlwyd's word.
        Ok(word) if ["invalid_grant", "invalid_code"].contains(&word.as_str()) => match has_secret {
            true => Finding::ok(what, format!("{id} is known there, and its secret is right")),
            false => Finding::ok(what, format!("{id} is known there, without a secret")),
        },
        Ok(word) if ["invalid_client", "unauthorized_client"].contains(&word.as_str()) => {
            let needs = match has_secret {
                true => format!("it knows no such client, or another secret than {setting}"),
                false => format!("it knows no such client, or wants a secret, and there is no {setting}"),
            };
            // glewlwyd's word for an address that is not registered, too.
            let more = if word == "unauthorized_client" { "; or not the address below" } else { "" };
            let needs = format!("{needs}{more}");
            Finding::failed(what, format!("{id} is refused: {word}"), needs)
                .fix("there", format!("look the client {id} up, and its secret, which may have ended"))
        }
        Ok(word) => {
            Finding::unknown(what, format!("it answers {word} to a made-up code; that tells nothing"))
        }
        Err(fault) => failed(what, id, &fault),
    }
}

/// Where the provider has to lead back to.
fn redirect(provider: &Provider, config: &Config) -> Finding {
    let (what, base) = ("leads back to", config.base_url());
    let uri = provider.redirect_uri(&base);
    let register =
        format!("register exactly this address as a redirect URI of the client {}", provider.client_id);
    if config.public_url.is_none() && config.domain.is_empty() {
        return Finding::unknown(what, format!("{uri}, where people come by {base}; by others to those"))
            .fix("in the settings", "public_url = \"https://chat.example.org\", the address that people use")
            .fix("there", register);
    }
    let is_here = Url::parse(&base).is_ok_and(|url| match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    });
    let finding = match base.starts_with("https://") || is_here {
        true => Finding::unknown(what, uri),
        false => {
            Finding::failed(what, uri, "providers lead back to https:// only, but to the machine itself")
        }
    };
    finding.fix("there", register)
}

/// What the document says it offers. It is a hint only: some providers list less than they have.
fn offered(provider: &Provider, document: &Document) -> Vec<Finding> {
    let mut all = Vec::new();
    let lacks = |list: &Option<Vec<String>>, word: &str| {
        list.as_ref().is_some_and(|list| !list.iter().any(|listed| listed == word))
    };
    if lacks(&document.code_challenge_methods_supported, "S256") {
        all.push(Finding::unknown("PKCE", "it does not list S256, which is sent to it all the same"));
    }
    let missing: Vec<&str> = provider
        .scopes
        .iter()
        .filter(|scope| lacks(&document.scopes_supported, scope))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        all.push(Finding::unknown(
            "scopes",
            format!("it does not list {}; it may know them", missing.join(", ")),
        ));
    }
    if lacks(&document.claims_supported, "email_verified") && !provider.trust_email {
        let found =
            "it does not list email_verified; without it nobody finds the account that they have here";
        all.push(Finding::unknown("addresses", found).fix(
            "if it lets nobody write another's address into their profile",
            format!("{} = \"on\"", provider.setting("trust_email")),
        ));
    }
    if provider.uses_groups() && lacks(&document.claims_supported, &provider.groups_claim) {
        let found = format!("it does not list {}; it may send it", provider.groups_claim);
        all.push(Finding::unknown("groups", found));
    }
    all
}
