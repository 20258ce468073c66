//! The way to the provider and back.

use super::provider::{Key, Provider, cookie_of, leave, location, refused, sign_in, signed_in};
use crate::support::*;

#[tokio::test]
async fn stranger_gets_an_account_and_is_the_same_person_the_next_time() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let nobody = team.nobody();
    let setup = nobody.get("/api/setup?with=account").await.expect(200);
    assert_eq!(
        setup["sign_in"],
        json!({"password": true, "password_of_administrators": true, "providers": [{"id": "main", "name": "main"}]})
    );
    provider.is(json!({"name": "Alice Liddell", "email": "alice@example.org", "email_verified": true}));
    let (alice, user) = signed_in(&nobody, &sign_in(&nobody, &provider).await).await;
    assert_eq!(
        (&user["name"], &user["email"], &user["role"], user.get("is_unclaimed")),
        (&json!("Alice Liddell"), &json!("alice@example.org"), &json!("member"), None)
    );
    alice.post("/api/messages", json!({"room_id": team.room, "content": "hello"})).await.expect(201);
    // Another name and address there change nothing here: the key is the subject.
    provider.is(json!({"name": "Alice L.", "email": "liddell@example.org", "email_verified": true}));
    let (_, again) = signed_in(&nobody, &sign_in(&nobody, &provider).await).await;
    assert_eq!((&again["id"], &again["name"], &again["email"]), (&user["id"], &user["name"], &user["email"]));
    provider.is(json!({"sub": "bob", "email": "bob@example.org", "email_verified": true}));
    provider.set(|it| it.userinfo = json!({"sub": "bob", "preferred_username": "bobby"}));
    let (_, bob) = signed_in(&nobody, &sign_in(&nobody, &provider).await).await;
    assert_eq!(bob["name"], "bobby");
    let audit = team.ada.get("/api/audit").await.expect(200);
    let lines: Vec<(&str, &str)> = audit["entries"]
        .as_array()
        .unwrap_or_else(|| panic!("{audit}"))
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["detail"].as_str().unwrap()))
        .collect();
    let (entered, made) =
        (("user.sign_in", "by provider main"), ("user.create", "by provider main, role member"));
    assert_eq!(lines, [entered, made, entered, entered, made]);
}

#[tokio::test]
async fn claims_that_are_not_in_the_id_token_come_from_userinfo() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.set(|it| {
        it.userinfo = json!({"email": "alice@example.org", "email_verified": "true", "name": "Alice"})
    });
    let (_, user) = signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    assert_eq!((&user["name"], &user["email"]), (&json!("Alice"), &json!("alice@example.org")));
    assert_eq!(provider.requests("/userinfo"), 1);
    provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    assert_eq!(provider.requests("/userinfo"), 1, "nothing was missing");
    assert_eq!(provider.requests("/.well-known/openid-configuration"), 1);
    assert_eq!(provider.requests("/jwks"), 1);
}

#[tokio::test]
async fn keys_of_four_kinds_are_accepted_and_a_new_one_is_found() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
    let kinds = [Key::rs256(), Key::ps256(), Key::es256(), Key::ed_dsa()];
    provider
        .set(|it| it.listed = kinds.iter().enumerate().map(|(n, key)| key.public(&n.to_string())).collect());
    for (number, key) in kinds.iter().enumerate() {
        provider.set(|it| (it.key, it.kid) = (key.clone(), number.to_string()));
        signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    }
    // The keys change at once, and the list has the new one only.
    let next = Key::es256();
    provider.set(|it| {
        it.listed = vec![next.public("next")];
        (it.key, it.kid) = (next.clone(), "next".into());
    });
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    // What was signed just before is still good.
    provider.set(|it| (it.key, it.kid) = (kinds[2].clone(), "2".into()));
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    assert_eq!(provider.requests("/jwks"), 2);
    // Within a minute the list is not fetched again for yet another one.
    provider.set(|it| (it.key, it.kid) = (Key::es256(), "unlisted".into()));
    assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), "untrusted");
    assert_eq!(provider.requests("/jwks"), 2);
}

#[tokio::test]
async fn answer_works_once_and_in_the_browser_that_asked() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
    let away = leave(&team.nobody(), "").await;
    let path = provider.authorize(&away.url);
    let other = leave(&team.nobody(), "").await;
    assert_eq!(refused(&other.back(&path).await), "expired", "another browser");
    assert_eq!(refused(&team.nobody().get(&path).await), "expired", "no cookie at all");
    // A program that looks at an address beforehand uses nothing up.
    let looked = away
        .client
        .request("HEAD", &path)
        .header("cookie", &format!("campfire_provider={}", away.cookie))
        .send()
        .await;
    assert_eq!(looked.status, 204);
    let entered = away.back(&path).await;
    signed_in(&team.nobody(), &entered).await;
    assert_eq!(cookie_of(&entered, "campfire_provider"), "");
    assert_eq!(refused(&away.back(&path).await), "expired", "a second time");
    assert_eq!(provider.requests("/token"), 1);
    assert_eq!(refused(&other.back("/signin/oidc/main/callback").await), "expired");
    assert_eq!(refused(&other.back("/signin/oidc/main/callback?state=&code=").await), "expired");
    team.nobody().get("/signin/oidc/nobody").await.problem(404, "not_found");
    team.nobody().get("/signin/oidc/nobody/callback").await.problem(404, "not_found");
}

#[tokio::test]
async fn one_lands_where_one_wanted_to_go_and_nowhere_else() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
    for (to, leads_to) in [
        ("/rooms/1?at=5", "/rooms/1?at=5"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/signin", "/"),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
        let away = leave(&team.nobody(), &format!("?{query}")).await;
        let reply = away.back(&provider.authorize(&away.url)).await;
        assert_eq!(location(&reply), leads_to, "{to}");
    }
    // It is kept when the provider refuses.
    let away = leave(&team.nobody(), "?to=/rooms/1").await;
    let state = url::Url::parse(&away.url)
        .unwrap()
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let reply = away.back(&format!("/signin/oidc/main/callback?error=access_denied&state={state}")).await;
    let to = location(&reply);
    assert_eq!(to, "/signin?refused=answered&provider=main&word=access_denied&to=%2Frooms%2F1");
}

#[tokio::test]
async fn redirect_uri_is_the_address_that_people_use() {
    let provider = Provider::start().await;
    let uri = async |team: &Team, host: &str, proxied: bool| {
        let nobody = team.nobody();
        let mut request = nobody.request("GET", "/signin/oidc/main").header("host", host);
        if proxied {
            request = request.header("x-forwarded-for", "203.0.113.9").header("x-forwarded-proto", "https");
        }
        let reply = request.send().await;
        let url = url::Url::parse(&location(&reply)).unwrap();
        let uri = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
        let line = reply.header("set-cookie").unwrap().to_owned();
        assert!(line.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{line}");
        (uri, line.contains("Secure"))
    };
    let team = provider.team(&[("CAMPFIRE_TRUSTED_PROXY", "127.0.0.1")]).await;
    let path = "/signin/oidc/main/callback";
    assert_eq!(uri(&team, "chat.example", true).await, (format!("https://chat.example{path}"), true));
    assert_eq!(uri(&team, "chat.lan:8080", false).await, (format!("http://chat.lan:8080{path}"), false));
    let team = provider.team(&[("CAMPFIRE_PUBLIC_URL", "https://chat.example.org/")]).await;
    assert_eq!(uri(&team, "evil.example", false).await, (format!("https://chat.example.org{path}"), true));
}

#[tokio::test]
async fn public_client_and_secret_in_the_body_are_as_the_provider_wants_them() {
    let provider = Provider::start().await;
    provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
    provider.set(|it| {
        it.document =
            json!({"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]})
    });
    let team = provider.team(&[]).await;
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    provider.set(|it| it.document = json!({"token_endpoint_auth_methods_supported": ["none"]}));
    let team = provider.team(&[("CAMPFIRE_OIDC_SECRET", "")]).await;
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    provider.set(|it| it.document = json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}));
    let team = provider.team(&[]).await;
    assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), "unfit");
    team.server.logs("it takes the secret neither by client_secret_basic nor by client_secret_post");
}

#[tokio::test]
async fn signing_out_leads_on_to_the_provider() {
    let provider = Provider::start().await;
    provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
    let team = provider.team(&[("CAMPFIRE_PUBLIC_URL", "https://chat.example")]).await;
    let (alice, _) = signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    let url = alice.delete("/api/session").await.expect(200)["sign_out_url"].as_str().unwrap().to_owned();
    let back = "post_logout_redirect_uri=https%3A%2F%2Fchat.example%2Fsignin";
    assert_eq!(url, format!("{}/end?client_id=chat&{back}", provider.issuer()));
    alice.get("/api/session").await.problem(401, "not_signed_in");
    team.ada.delete("/api/session").await.expect(204);
    provider.set(|it| it.document = json!({"end_session_endpoint": null}));
    let off = [("CAMPFIRE_OIDC_SIGN_OUT", "off")];
    for settings in [&[][..], &off] {
        let team = provider.team(settings).await;
        let (alice, _) = signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
        alice.delete("/api/session").await.expect(204);
        provider.set(|it| it.document = json!({}));
    }
}

#[tokio::test]
async fn so_many_sign_ins_begin_from_one_address() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    for _ in 0..100 {
        leave(&team.nobody(), "").await;
    }
    assert_eq!(refused(&team.nobody().get("/signin/oidc/main").await), "busy");
}

#[tokio::test]
async fn without_a_provider_nothing_of_it_is_there() {
    let team = Team::start().await;
    assert_eq!(team.nobody().get("/api/setup?with=account").await.expect(200).get("sign_in"), None);
    team.nobody().get("/signin/oidc/main").await.problem(404, "not_found");
    let mine = team.ada.get("/api/identities").await.expect(200);
    assert_eq!(mine, json!({"identities": [], "providers": [], "has_password": true}));
    let bearer = team.ada.bearer();
    bearer.post("/api/identities/main", json!({})).await.problem(403, "forbidden");
    team.ada.post("/api/identities/main", json!({})).await.problem(404, "not_found");
    let threads = std::fs::read_dir(format!("/proc/{}/task", team.server.pid())).unwrap();
    let names = threads.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
    assert!(names.into_iter().all(|name| name.trim() != "providers"));
}

#[tokio::test]
async fn nobody_comes_in_before_the_account_is_set_up() {
    let provider = Provider::start().await;
    let settings = provider.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Server::with(&settings);
    let nobody = Client::new(server.address(), http::Credentials::None);
    assert_eq!(refused(&nobody.get("/signin/oidc/main").await), "not_set_up");
}
