//! Whose account an identity is: made, found by a verified address, linked, taken away.

use super::provider::{Provider, location, refused, sign_in, signed_in};
use crate::support::*;

async fn enter(team: &Team, provider: &Provider, claims: Value) -> Result<(Client, Value), String> {
    provider.is(claims);
    let reply = sign_in(&team.nobody(), provider).await;
    if location(&reply) == "/" { Ok(signed_in(&team.nobody(), &reply).await) } else { Err(refused(&reply)) }
}

fn claims(sub: &str, email: &str, verified: Value) -> Value {
    json!({"sub": sub, "email": email, "email_verified": verified, "name": sub})
}

#[tokio::test]
async fn existing_account_is_found_by_a_verified_address_only() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let bob = team.join("Bob").await;
    for verified in [json!(false), json!("false"), json!(null), json!("yes"), json!(1)] {
        provider.set(|it| it.userinfo = json!({"sub": "b"}));
        assert_eq!(
            enter(&team, &provider, claims("b", "Bob@Example.com", verified)).await.err().unwrap(),
            "unverified"
        );
    }
    let (_, user) = enter(&team, &provider, claims("b", "Bob@Example.com", json!("true"))).await.unwrap();
    assert_eq!(user["id"], bob.id);
    // From now on the identity counts, whatever the address is.
    let (_, user) = enter(&team, &provider, claims("b", "other@example.com", json!(false))).await.unwrap();
    assert_eq!((&user["id"], &user["email"]), (&json!(bob.id), &json!("bob@example.com")));
    // The password works on.
    bob.sign_in_again().await;
    // The address was given to somebody else there.
    assert_eq!(
        enter(&team, &provider, claims("c", "bob@example.com", json!(true))).await.err().unwrap(),
        "reassigned"
    );
    let team = provider.team(&[("CAMPFIRE_OIDC_TRUST_EMAIL", "on")]).await;
    let bob = team.join("Bob").await;
    provider.set(|it| it.userinfo = json!({"sub": "b"}));
    let (_, user) = enter(&team, &provider, claims("b", "bob@example.com", json!(null))).await.unwrap();
    assert_eq!(user["id"], bob.id);
}

#[tokio::test]
async fn address_that_is_not_verified_is_not_taken_from_anybody() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let (_, user) = enter(&team, &provider, claims("b", "bob@example.com", json!(false))).await.unwrap();
    assert_eq!((&user["email"], &user["name"]), (&json!(null), &json!("b")));
    // Its owner joins with it.
    let bob = team.join("Bob").await;
    assert_ne!(user["id"], bob.id);
    let (_, again) = enter(&team, &provider, claims("b", "b@example.com", json!(true))).await.unwrap();
    assert_eq!((&again["id"], &again["email"]), (&user["id"], &json!("b@example.com")), "now it is verified");
    let (_, other) = enter(&team, &provider, claims("c", "c@example.com", json!(true))).await.unwrap();
    let (_, other_again) =
        enter(&team, &provider, claims("c", "bob@example.com", json!(true))).await.unwrap();
    assert_eq!((&other["id"], &other["email"]), (&other_again["id"], &other_again["email"]));
}

#[tokio::test]
async fn without_an_address_only_those_come_in_who_are_known() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.set(|it| it.userinfo = json!({"sub": "a"}));
    assert_eq!(enter(&team, &provider, json!({"sub": "a"})).await.err().unwrap(), "no_email");
    assert_eq!(
        enter(&team, &provider, json!({"sub": "a", "email": "no address"})).await.err().unwrap(),
        "no_email"
    );
    let (_, user) = enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.unwrap();
    let (_, again) = enter(&team, &provider, json!({"sub": "a"})).await.unwrap();
    assert_eq!(user["id"], again["id"]);
}

#[tokio::test]
async fn deactivated_and_banned_people_stay_out() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let (client, user) = enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.unwrap();
    let path = format!("/api/users/{}", user["id"]);
    team.ada.post(&format!("{path}/ban"), json!({})).await.expect(204);
    client.get("/api/session").await.problem(401, "not_signed_in");
    assert_eq!(
        enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.err().unwrap(),
        "out"
    );
    assert_eq!(
        enter(&team, &provider, claims("b", "a@example.com", json!(true))).await.err().unwrap(),
        "out"
    );
    team.ada.delete(&format!("{path}/ban")).await.expect(204);
    let (_, again) = enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.unwrap();
    assert_eq!(again["id"], user["id"]);
    team.ada.delete(&path).await.expect(204);
    assert_eq!(
        enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.err().unwrap(),
        "out"
    );
    // An administrator forgets the identity: whoever comes by it next is a stranger.
    let theirs = team.ada.get(&format!("{path}/identities")).await.expect(200);
    let identity = &theirs["identities"][0];
    assert_eq!((&identity["provider"], &identity["email"]), (&json!("main"), &json!(null)));
    team.ada.delete(&format!("{path}/identities/{}", identity["id"])).await.expect(204);
    team.ada.delete(&format!("{path}/identities/{}", identity["id"])).await.problem(404, "not_found");
    let (_, stranger) = enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.unwrap();
    assert_ne!(stranger["id"], user["id"]);
}

#[tokio::test]
async fn bots_have_no_way_in() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let bot = team.ada.post("/api/bots", json!({"name": "Bot"})).await.expect(201);
    let database = rusqlite::Connection::open(team.server.database()).unwrap();
    database
        .execute(
            "insert into identities (issuer, subject, user_id, provider, created_at, last_used_at) values (?, 'a', ?, 'main', 0, 0)",
            (provider.issuer(), id(&bot)),
        )
        .unwrap();
    assert_eq!(
        enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.err().unwrap(),
        "out"
    );
}

#[tokio::test]
async fn only_allowed_domains_and_groups_come_in() {
    let provider = Provider::start().await;
    let team = provider
        .team(&[
            ("CAMPFIRE_OIDC_ALLOWED_DOMAINS", "example.org,b\u{fc}ro.example"),
            ("CAMPFIRE_OIDC_ALLOWED_GROUPS", "staff, /team/chat"),
        ])
        .await;
    let with = |sub: &str, domain: &str, groups: Value| {
        let mut claims = claims(sub, &format!("{sub}@{domain}"), json!(true));
        claims["groups"] = groups;
        claims
    };
    for (sub, domain, groups, wanted) in [
        ("a", "example.org", json!(["staff"]), None),
        ("b", "xn--bro-hoa.example", json!("/team/chat"), None),
        ("c", "EXAMPLE.org", json!(["/staff", "others"]), None),
        ("d", "example.com", json!(["staff"]), Some("domain")),
        ("e", "example.org", json!(["chat", "/team/staff", "Staff"]), Some("group")),
        ("f", "example.org", json!([]), Some("group")),
        ("g", "example.org", json!(null), Some("group")),
        // Who was let in before is sent away when the provider says so, and not when it says nothing.
        ("a", "example.org", json!(null), None),
        ("a", "example.org", json!(["others"]), Some("group")),
        ("a", "example.org", json!(["staff"]), None),
    ] {
        provider.set(|it| it.userinfo = json!({"sub": sub}));
        let entered = enter(&team, &provider, with(sub, domain, groups.clone())).await;
        assert_eq!(entered.err().as_deref(), wanted, "{sub}@{domain} {groups}");
    }
    let unverified = json!({"sub": "z", "email": "z@example.org", "groups": ["staff"], "name": "z"});
    provider.set(|it| it.userinfo = json!({"sub": "z"}));
    assert_eq!(enter(&team, &provider, unverified).await.err().unwrap(), "unverified");
}

#[tokio::test]
async fn accounts_are_made_only_if_the_settings_say_so() {
    let provider = Provider::start().await;
    let team = provider.team(&[("CAMPFIRE_OIDC_NEW_ACCOUNTS", "off")]).await;
    let bob = team.join("Bob").await;
    assert_eq!(
        enter(&team, &provider, claims("a", "a@example.com", json!(true))).await.err().unwrap(),
        "no_account"
    );
    // Administrators find out; who it was is not said.
    let audit = team.ada.get("/api/audit").await.expect(200);
    let line = &audit["entries"][0];
    assert_eq!((&line["action"], &line["subject"]), (&json!("user.sign_in_failed"), &json!("provider main")));
    assert_eq!((&line["detail"], &line["actor_id"]), (&json!("no_account"), &json!(null)));
    let (_, user) = enter(&team, &provider, claims("b", "bob@example.com", json!(true))).await.unwrap();
    assert_eq!(user["id"], bob.id);
    assert_eq!(team.ada.get("/api/users").await.expect(200)["users"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn administrators_are_who_is_in_the_group() {
    let provider = Provider::start().await;
    let team = provider
        .team(&[
            ("CAMPFIRE_OIDC_ADMIN_GROUP", "admins"),
            ("CAMPFIRE_OIDC_GROUPS_CLAIM", "realm_access.roles"),
        ])
        .await;
    let with = |sub: &str, groups: Value| {
        let mut claims = claims(sub, &format!("{sub}@example.com"), json!(true));
        claims["realm_access"] = json!({"roles": groups});
        claims
    };
    let role = async |sub: &str, claims: Value| {
        provider.set(|it| it.userinfo = json!({"sub": sub}));
        enter(&team, &provider, claims).await.unwrap().1["role"].as_str().unwrap().to_owned()
    };
    assert_eq!(role("b", with("b", json!(["/team/admins", "Admins"]))).await, "member");
    assert_eq!(role("b", with("b", json!(["/admins"]))).await, "admin");
    assert_eq!(role("b", with("b", json!(null))).await, "admin", "nothing is known");
    let mut elsewhere = claims("b", "b@example.com", json!(true));
    elsewhere["_claim_names"] = json!({"realm_access.roles": "src1"});
    assert_eq!(role("b", elsewhere).await, "admin", "they are told elsewhere");
    assert_eq!(role("b", with("b", json!([]))).await, "member");
    assert_eq!(role("c", with("c", json!("admins"))).await, "admin", "from the beginning");
    assert_eq!(
        role("c", with("c", json!({"users": {}, "admins": {"1": "x"}}))).await,
        "admin",
        "as Zitadel says it"
    );
    // The last one stays.
    team.ada.patch(&format!("/api/users/{}", team.ada.id), json!({"role": "member"})).await.expect(200);
    assert_eq!(role("c", with("c", json!([]))).await, "admin");
    team.server.logs("the last has to stay");
    assert_eq!(role("b", with("b", json!(["admins"]))).await, "admin");
    assert_eq!(role("c", with("c", json!([]))).await, "member");
}

#[tokio::test]
async fn imported_account_is_claimed_by_a_verified_address() {
    let provider = Provider::start().await;
    let mut team = provider.team(&[]).await;
    let bob = team.join("Bob").await;
    // As an import leaves it, which runs while no server does.
    team.server.terminate();
    let database = rusqlite::Connection::open(team.server.database()).unwrap();
    database.execute("update users set password_hash = null where id = ?", (bob.id,)).unwrap();
    team.server.restart();
    assert_eq!(team.ada.get(&format!("/api/users/{}", bob.id)).await.expect(200)["is_unclaimed"], true);
    assert_eq!(
        enter(&team, &provider, claims("b", "bob@example.com", json!(false))).await.err().unwrap(),
        "unverified"
    );
    let (client, user) = enter(&team, &provider, claims("b", "bob@example.com", json!(true))).await.unwrap();
    assert_eq!((&user["id"], user.get("is_unclaimed")), (&json!(bob.id), None));
    // Nobody else may still be in.
    bob.get("/api/session").await.problem(401, "not_signed_in");
    let audit = team.ada.get("/api/audit").await.expect(200);
    assert_eq!(audit["entries"][1]["action"], "user.claim");
    // Without a password, a new sign-in is the proof of who one is.
    let path = format!("/api/users/{}", bob.id);
    client.patch(&path, json!({"email": "bob@example.net"})).await.expect(200);
    database.execute("update sessions set created_at = created_at - 660000", ()).unwrap();
    client.patch(&path, json!({"email": "bob@example.com"})).await.problem(403, "forbidden");
    team.ada.patch(&path, json!({"email": "bob@example.com"})).await.expect(200);
}

#[tokio::test]
async fn accounts_are_linked_and_unlinked_by_oneself() {
    let provider = Provider::start().await;
    let team = provider.team(&[("CAMPFIRE_OIDC_NAME", "Corp")]).await;
    let bob = team.join("Bob").await;
    let link = async |person: &Client| {
        let reply = person.post("/api/identities/main", json!({})).await;
        let url = reply.expect(201)["url"].as_str().unwrap().to_owned();
        let cookie = super::provider::cookie_of(&reply, "campfire_provider");
        super::provider::Away { client: person.clone(), url, cookie }
    };
    // No address is needed for it.
    provider.is(json!({"sub": "b"}));
    provider.set(|it| it.userinfo = json!({"sub": "b"}));
    let away = link(&bob.client).await;
    let reply = away.back(&provider.authorize(&away.url)).await;
    assert_eq!(location(&reply), "/settings/profile");
    let mine = bob.get("/api/identities").await.expect(200);
    assert_eq!(
        (&mine["has_password"], &mine["providers"]),
        (&json!(true), &json!([{"id": "main", "name": "Corp"}]))
    );
    let identity = &mine["identities"][0];
    assert_keys(identity, &["id", "provider", "provider_name", "email", "created_at", "last_used_at"]);
    let (client, user) = enter(&team, &provider, json!({"sub": "b"})).await.unwrap();
    assert_eq!(user["id"], bob.id);
    // Somebody else cannot have it too.
    let eve = team.join("Eve").await;
    let away = link(&eve.client).await;
    let reply = away.back(&provider.authorize(&away.url)).await;
    assert_eq!(location(&reply), "/settings/profile?refused=taken&provider=main");
    // Nor can it be linked once the session is over.
    let away = link(&eve.client).await;
    let path = provider.authorize(&away.url);
    eve.delete("/api/session").await.expect(204);
    assert_eq!(location(&away.back(&path).await), "/settings/profile?refused=expired&provider=main");
    eve.delete("/api/session").await.problem(401, "not_signed_in");
    // Unlinking ends the sessions by it.
    let path = format!("/api/identities/{}", identity["id"]);
    team.ada.delete(&path).await.problem(404, "not_found");
    bob.delete(&path).await.expect(204);
    client.get("/api/session").await.problem(401, "not_signed_in");
    bob.get("/api/session").await.expect(200);
    // The only way in stays.
    let (only, _) = enter(&team, &provider, claims("o", "o@example.com", json!(true))).await.unwrap();
    let identity = only.get("/api/identities").await.expect(200);
    assert_eq!(identity["has_password"], false);
    only.delete(&format!("/api/identities/{}", identity["identities"][0]["id"]))
        .await
        .problem(409, "conflict");
}
