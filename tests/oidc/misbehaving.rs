//! A provider whose answers must not be believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest, Sha256};

use super::provider::{Key, MakeToken, Provider, leave, location, refused, sign_in, signed_in};
use crate::support::receiver::response;
use crate::support::*;

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
}

/// HMAC (RFC 2104) with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    let short = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..short.len()].copy_from_slice(&short);
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5C)[..], &inner].concat()).to_vec()
}

const ALICE: fn() -> Value =
    || json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"});

/// Each is refused, with a line in the log that says why and has no secret in it.
#[tokio::test]
async fn claims_that_are_not_for_this_sign_in_are_refused() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let mut alice = ALICE();
    for (changes, why) in [
        (json!({"nonce": "another"}), "belongs to another sign-in (nonce)"),
        (json!({"nonce": null}), "belongs to another sign-in (nonce)"),
        (json!({"iss": "https://evil.example"}), "names another issuer (iss)"),
        (json!({"iss": format!("{}/", provider.issuer())}), "names another issuer (iss)"),
        (json!({"iss": null}), "names another issuer (iss)"),
        (json!({"aud": "another"}), "is for another client (aud)"),
        (json!({"aud": ["another"]}), "is for another client (aud)"),
        (json!({"aud": null}), "is for another client (aud)"),
        (json!({"aud": ["api", "chat"], "azp": "api"}), "was given to another client (azp)"),
        (json!({"exp": now() - 120}), "has expired (exp)"),
        (json!({"exp": null}), "does not say when it ends (exp)"),
        (json!({"exp": "soon"}), "does not say when it ends (exp)"),
        (json!({"iat": now() + 600}), "is from the future (iat)"),
        (json!({"iat": null}), "does not say when it was made (iat)"),
        (json!({"nbf": now() + 600}), "is not valid yet (nbf)"),
        (json!({"sub": null}), "does not say who signed in (sub)"),
        (json!({"sub": ""}), "does not say who signed in (sub)"),
        (json!({"sub": 5}), "does not say who signed in (sub)"),
        (json!({"sub": "a".repeat(256)}), "does not say who signed in (sub)"),
    ] {
        for (name, value) in changes.as_object().unwrap() {
            alice[name] = value.clone();
        }
        provider.is(alice.clone());
        assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), "untrusted", "{changes}");
        team.server.logs(why);
        alice = ALICE();
    }
    // What may differ a little.
    for (number, fine) in [
        json!({"exp": now() - 30, "iat": now() + 30, "nbf": now() + 30}),
        json!({"aud": ["chat"]}),
        json!({"aud": ["api", "chat"], "azp": "chat"}),
        json!({"exp": now() as f64 + 100.5}),
        json!({"auth_time": 0, "at_hash": "x", "nbf": now() - 10}),
    ]
    .into_iter()
    .enumerate()
    {
        for (name, value) in fine.as_object().unwrap() {
            alice[name] = value.clone();
        }
        provider.is(alice.clone());
        let reply = sign_in(&team.nobody(), &provider).await;
        assert_eq!(location(&reply), "/", "{number}");
        alice = ALICE();
    }
    let log = team.server.log();
    assert!(!log.contains("alice@example.org") && !log.contains("code-") && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn tokens_that_the_provider_has_not_signed_are_refused() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.is(ALICE());
    let rsa = Key::rs256();
    let public = rsa.public("rsa");
    provider.set(|it| {
        it.listed.push(rsa.public("rsa"));
        it.listed.push(Key::ed_dsa().public("ed"));
    });
    let unsigned = |alg: &'static str| -> MakeToken {
        Box::new(move |_, mut header, claims| {
            header["alg"] = alg.into();
            format!("{}.{}.", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
        })
    };
    let with_public_key = |kid: &'static str, secret: Vec<u8>| -> MakeToken {
        Box::new(move |_, mut header, claims| {
            (header["alg"], header["kid"]) = ("HS256".into(), kid.into());
            let message =
                format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
            format!("{message}.{}", BASE64.encode(hmac(&secret, message.as_bytes())))
        })
    };
    let header = |name: &'static str, value: Value| -> MakeToken {
        Box::new(move |key, mut header, claims| {
            header[name] = value.clone();
            key.token(&header, &claims)
        })
    };
    let signed_by = |other: Key, kid: &'static str| -> MakeToken {
        Box::new(move |_, mut header, claims| {
            (header["alg"], header["kid"]) = (other.algorithm().into(), kid.into());
            other.token(&header, &claims)
        })
    };
    let n = BASE64.decode(public["n"].as_str().unwrap()).unwrap();
    let altered: MakeToken = Box::new(|key, header, claims| {
        let token = key.token(&header, &claims);
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = claims;
        claims["sub"] = "somebody else".into();
        format!("{}.{}.{}", parts[0], BASE64.encode(claims.to_string()), parts[2])
    });
    let encrypted: MakeToken = Box::new(|_, _, _| "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d".into());
    let empty: MakeToken = Box::new(|_, _, _| String::new());
    for (make, code, why) in [
        (unsigned("none"), "untrusted", "signed by none, and only RS256"),
        (unsigned("None"), "untrusted", "signed by None, and only RS256"),
        (unsigned("ES256"), "untrusted", "the signature of its ID token is wrong"),
        (with_public_key("rsa", n.clone()), "untrusted", "signed by HS256, and only RS256"),
        (with_public_key("rsa", public.to_string().into_bytes()), "untrusted", "signed by HS256"),
        // A key signs by its own algorithm, whatever the header says.
        (header("alg", "RS256".into()), "untrusted", "the signature of its ID token is wrong"),
        (header("alg", "EdDSA".into()), "untrusted", "the signature of its ID token is wrong"),
        (header("kid", "rsa".into()), "untrusted", "the signature of its ID token is wrong"),
        (header("crit", json!(["exp"])), "untrusted", "demands extensions"),
        (signed_by(Key::es256(), "one"), "untrusted", "the signature of its ID token is wrong"),
        (signed_by(Key::ed_dsa(), "ed"), "untrusted", "the signature of its ID token is wrong"),
        (signed_by(Key::es256(), "unknown"), "untrusted", "signed by a key that it does not list"),
        (altered, "untrusted", "the signature of its ID token is wrong"),
        (encrypted, "unfit", "its ID token is encrypted"),
        (empty, "untrusted", "is no signed token"),
    ] {
        provider.set(|it| it.make_token = Some(make));
        assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), code, "{why}");
        team.server.logs(why);
    }
    // A provider with a single key may leave its name out.
    provider.set(|it| {
        it.make_token = Some(Box::new(|key, mut header, claims| {
            header.as_object_mut().unwrap().remove("kid");
            key.token(&header, &claims)
        }));
    });
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    assert_eq!(team.ada.get("/api/users").await.expect(200)["users"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn answers_of_another_provider_or_person_are_refused() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    for (iss, why) in [
        ("&iss=https%3A%2F%2Fevil.example", "another provider has answered (iss)"),
        ("", "does not name itself"),
    ] {
        provider.is(ALICE());
        let away = leave(&team.nobody(), "").await;
        let path = provider.authorize(&away.url);
        let (path, _) = path.split_once("&iss=").unwrap();
        assert_eq!(refused(&away.back(&format!("{path}{iss}")).await), "untrusted");
        team.server.logs(why);
    }
    assert_eq!(provider.requests("/token"), 0, "the code is not sent on");
    for userinfo in
        [json!({"sub": "bob", "email": "bob@example.org", "email_verified": true}), json!({"sub": null})]
    {
        provider.is(json!({}));
        provider.set(|it| it.userinfo = userinfo);
        assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), "untrusted");
        team.server.logs("its userinfo endpoint speaks of another person (sub)");
    }
    // That one address is verified says nothing about another.
    provider.is(json!({"email": "alice@example.org", "email_verified": true}));
    provider.set(|it| it.userinfo = json!({"email": "ada@example.com", "name": "Alice"}));
    assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), "unverified");
}

#[tokio::test]
async fn errors_of_the_provider_are_told_by_its_word() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    let json = |status, body: &str| response(status, "application/json", body);
    let page = || response(502, "text/html", "<html>bad gateway</html>");
    for (path, answer, wanted) in [
        ("/token", json(403, r#"{"error": "invalid_code"}"#), "answered&provider=main&word=invalid_code"),
        ("/token", json(400, r#"{"error": "<b>\n"}"#), "answered&provider=main&word=b"),
        ("/token", json(400, r#"{"error": 5}"#), "answered&provider=main&word=an+error+without+a+name"),
        ("/token", page(), "unreachable&provider=main"),
        ("/token", response(200, "text/html", "<html>sign in first</html>"), "unreachable&provider=main"),
        ("/token", json(200, "not json"), "unreachable&provider=main"),
        ("/token", json(200, "[]"), "unreachable&provider=main"),
        ("/token", json(500, r#"{"id_token": "x"}"#), "unreachable&provider=main"),
        ("/token", json(200, r#"{"access_token": "x"}"#), "unfit&provider=main"),
        ("/token", response(200, "application/json", vec![b' '; 600 << 10]), "unreachable&provider=main"),
        (
            "/token",
            b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "unreachable&provider=main",
        ),
        ("/userinfo", page(), "unreachable&provider=main"),
        ("/userinfo", json(401, r#"{"error": "invalid_token"}"#), "unreachable&provider=main"),
        ("/userinfo", response(200, "application/jwt", "eyJ"), "unfit&provider=main"),
    ] {
        provider.set(|it| drop(it.instead.insert(path, answer)));
        let reply = sign_in(&team.nobody(), &provider).await;
        assert_eq!(location(&reply), format!("/signin?refused={wanted}"), "{path}");
        provider.set(|it| it.instead.clear());
    }
    assert_eq!(provider.requests("/token"), 14, "nothing is tried again");
    let log = team.server.log();
    assert!(!log.contains("bad gateway") && !log.contains("sign in first"), "{log}");
}

#[tokio::test]
async fn provider_that_is_away_is_left_alone_for_a_while_and_found_again() {
    let provider = Provider::start().await;
    let team = provider.team(&[]).await;
    provider.is(ALICE());
    const DOCUMENT: &str = "/.well-known/openid-configuration";
    for answer in [response(503, "text/html", "<html>"), response(200, "application/json", "[]")] {
        provider.set(|it| drop(it.instead.insert(DOCUMENT, answer)));
        let before = provider.requests(DOCUMENT);
        for _ in 0..20 {
            assert_eq!(refused(&team.nobody().get("/signin/oidc/main").await), "unreachable");
        }
        // It is asked again after a second, then after three.
        assert!(provider.requests(DOCUMENT) - before <= 3, "{}", provider.requests(DOCUMENT));
    }
    provider.set(|it| it.instead.clear());
    within("the provider to be found", async {
        while !location(&team.nobody().get("/signin/oidc/main").await).starts_with("http") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    signed_in(&team.nobody(), &sign_in(&team.nobody(), &provider).await).await;
    // People who are signed in do not need it.
    team.ada.get("/api/session").await.expect(200);
    team.server.logs("a sign-in by an identity provider did not begin");
}

#[tokio::test]
async fn documents_of_another_issuer_or_without_endpoints_are_refused() {
    for (change, code, why) in [
        (json!({"issuer": "https://evil.example"}), "unfit", "it calls itself"),
        (json!({"issuer": null}), "untrusted", "its discovery document has no issuer"),
        (json!({"token_endpoint": null}), "untrusted", "its discovery document has no token_endpoint"),
        (
            json!({"jwks_uri": "file:///etc/passwd"}),
            "untrusted",
            "the jwks_uri in its discovery document is no https address",
        ),
        (
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            "untrusted",
            "the authorization_endpoint in its",
        ),
    ] {
        let provider = Provider::start().await;
        provider.set(|it| it.document = change);
        let team = provider.team(&[]).await;
        assert_eq!(refused(&team.nobody().get("/signin/oidc/main").await), code);
        team.server.logs(why);
    }
    // Keys on a host in a private network that nobody has allowed.
    let provider = Provider::start().await;
    provider.is(ALICE());
    let keys = provider.issuer().replace("127.0.0.1", "127.0.0.2");
    provider.set(|it| it.document = json!({"jwks_uri": format!("{keys}/jwks")}));
    let team = provider.team(&[]).await;
    assert_eq!(refused(&sign_in(&team.nobody(), &provider).await), "unreachable");
    team.server.logs("the address is not a public one");
    // The slash at the end is often left out.
    let provider = Provider::start().await;
    provider.is(ALICE());
    let with_slash = format!("{}/", provider.issuer());
    provider.set(|it| {
        it.document = json!({"issuer": with_slash});
        it.claims["iss"] = with_slash.clone().into();
    });
    let team = provider.team(&[]).await;
    let away = leave(&team.nobody(), "").await;
    let path = provider.authorize(&away.url);
    let (path, _) = path.split_once("&iss=").unwrap();
    let iss: String = url::form_urlencoded::byte_serialize(with_slash.as_bytes()).collect();
    signed_in(&team.nobody(), &away.back(&format!("{path}&iss={iss}")).await).await;
}
