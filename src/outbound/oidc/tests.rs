//! Answers of providers in the forms that real ones send, each with the right decision.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Client, Email, Fault, Provider, Start,
    claims::{are_incomplete, overlaid, person, same_group},
    id_token::{Claims, Expected, Token, check},
};
use crate::outbound::{Outside, Policy};

fn object(value: Value) -> Claims {
    value.as_object().cloned().expect("an object")
}

/// The claims of an ID token for the client `chat` at a moment, with these besides.
fn checked(claims: Value) -> Result<String, String> {
    let mut all = object(
        json!({"iss": "https://op.example", "sub": "a", "aud": "chat", "exp": 1_300, "iat": 1_000, "nonce": "n"}),
    );
    all.extend(object(claims));
    let expected = Expected { issuer: "https://op.example", client_id: "chat", nonce: "n", now: 1_010.0 };
    check(&all, &expected).map_err(|fault| fault.to_string())
}

#[test]
fn audiences_are_texts_or_lists_and_the_party_is_us() {
    for fine in [
        json!({}),
        json!({"aud": ["chat"]}),
        json!({"aud": ["api", "chat"], "azp": "chat"}),
        json!({"aud": ["api", "chat"]}),
        json!({"azp": "chat"}),
    ] {
        assert_eq!(checked(fine.clone()), Ok("a".into()), "{fine}");
    }
    for wrong in [
        json!({"aud": ["api", "chat"], "azp": "api"}),
        json!({"aud": ["api"]}),
        json!({"aud": "chat "}),
        json!({"aud": {"chat": true}}),
        json!({"azp": null}),
    ] {
        assert!(checked(wrong.clone()).unwrap_err().contains("another client"), "{wrong}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    for (claims, is_fine) in [
        (json!({"exp": 951}), true),
        (json!({"exp": 950}), false),
        (json!({"iat": 1_070}), true),
        (json!({"iat": 1_071}), false),
        (json!({"nbf": 1_070}), true),
        (json!({"nbf": 1_071}), false),
        (json!({"nbf": 990, "iat": 1_000.7}), true),
        (json!({"nbf": "now"}), false),
    ] {
        assert_eq!(checked(claims.clone()).is_ok(), is_fine, "{claims}");
    }
}

#[test]
fn token_is_taken_apart_only_if_its_algorithm_is_known() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    let token =
        |header: &str| format!("{}.{}.{}", BASE64.encode(header), BASE64.encode("{}"), BASE64.encode("s"));
    let parsed = token(r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#);
    let parsed = Token::parse(&parsed).unwrap();
    assert_eq!((parsed.kid.as_deref(), &*parsed.signature), (Some("k"), &b"s"[..]));
    assert!(parsed.message.ends_with(BASE64.encode("{}").as_bytes()));
    for alg in ["none", "None", "HS256", "HS512", "RS1", "RS512", "ES384", "", "<script>"] {
        let refused = Token::parse(&token(&json!({"alg": alg}).to_string())).unwrap_err();
        assert!(
            matches!(&refused, Fault::Untrusted(why) if why.contains("only RS256") && !why.contains('<')),
            "{alg}"
        );
    }
    for wrong in ["", "a", "a.b", "a.b.c", "..", "a.b.c.d", &token("[]"), &token(r#"{"alg":5}"#)] {
        assert!(matches!(Token::parse(wrong), Err(Fault::Untrusted(_))), "{wrong}");
    }
    assert!(matches!(Token::parse("a.b.c.d.e"), Err(Fault::Unfit(_))));
}

fn of(claims: Value) -> super::Person {
    person(&Provider::new("main"), "https://op.example", "s".into(), &object(claims))
}

#[test]
fn address_is_verified_if_the_provider_says_true_in_either_form() {
    for (said, wanted) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!("True"), false),
        (json!("1"), false),
        (json!(1), false),
        (json!(null), false),
        (json!(["true"]), false),
    ] {
        let email = of(json!({"email": "a@example.org", "email_verified": said})).email;
        assert_eq!(email, Some(Email { address: "a@example.org".into(), is_verified: wanted }), "{said}");
    }
    assert!(!of(json!({"email": "a@example.org"})).email.unwrap().is_verified, "missing is not true");
    assert_eq!(of(json!({"email_verified": true})).email, None);
    assert_eq!(of(json!({"email": "", "email_verified": true})).email, None);
    let trusting = Provider { trust_email: true, ..Provider::new("main") };
    let claims = object(json!({"email": "a@example.org", "email_verified": false}));
    assert!(person(&trusting, "i", "s".into(), &claims).email.unwrap().is_verified);
}

#[test]
fn groups_are_lists_texts_objects_or_unknown() {
    let groups = |claims: Value| of(claims).groups;
    let list = |groups: &[&str]| Some(groups.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
    assert_eq!(groups(json!({"groups": ["a", "/b", 5, null]})), list(&["a", "/b"]));
    assert_eq!(groups(json!({"groups": "admins"})), list(&["admins"]));
    assert_eq!(groups(json!({"groups": []})), list(&[]));
    assert_eq!(groups(json!({"groups": {"admin": {"1": "x"}}})), list(&["admin"]));
    assert_eq!(groups(json!({})), None);
    assert_eq!(groups(json!({"groups": null})), None);
    assert_eq!(groups(json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {}})), None);
    assert_eq!(groups(json!({"groups": ["a"], "_claim_names": {"groups": "src1"}})), None);
    let by_name = |name: &str, claims: Value| {
        let provider = Provider { groups_claim: name.into(), ..Provider::new("main") };
        person(&provider, "i", "s".into(), &object(claims)).groups
    };
    assert_eq!(
        by_name("member_of", json!({"member_of": ["admins"], "groups": ["others"]})),
        list(&["admins"])
    );
    assert_eq!(by_name("realm_access.roles", json!({"realm_access": {"roles": ["r"]}})), list(&["r"]));
    let with_dots = "urn:zitadel:iam:org:project:roles";
    assert_eq!(by_name(with_dots, json!({with_dots: {"admin": {}}})), list(&["admin"]));
    assert_eq!(by_name("https://x.example/groups", json!({"https://x.example/groups": ["g"]})), list(&["g"]));
}

#[test]
fn groups_are_compared_whole_and_the_first_slash_of_one_at_the_top_is_optional() {
    for (one, other) in
        [("admins", "admins"), ("admins", "/admins"), ("/admins", "admins"), ("/team/admins", "/team/admins")]
    {
        assert!(same_group(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("/team/admins", "admins"),
        ("/team/admins", "/admins"),
        ("team/admins", "/team/admins"),
        ("Admins", "admins"),
        ("admins ", "admins"),
        ("", "/"),
        ("admins", "admin"),
    ] {
        assert!(!same_group(one, other), "{one} {other}");
    }
}

#[test]
fn userinfo_is_asked_for_what_is_missing_and_believed_about_the_same_person() {
    let provider = Provider { admin_group: Some("admins".into()), ..Provider::new("main") };
    let whole =
        json!({"sub": "a", "email": "a@example.org", "email_verified": false, "name": "A", "groups": []});
    assert!(!are_incomplete(&object(whole.clone()), &provider));
    for missing in ["email", "email_verified", "name", "groups"] {
        let mut claims = object(whole.clone());
        claims.remove(missing);
        assert!(are_incomplete(&claims, &provider), "{missing}");
        let without_groups = are_incomplete(&claims, &Provider::new("main"));
        assert_eq!(without_groups, missing != "groups", "{missing}");
    }
    let claims = || object(json!({"sub": "a", "email": "a@example.org", "email_verified": true}));
    let both =
        overlaid(claims(), object(json!({"sub": "a", "name": "A", "email": "a@example.org"}))).unwrap();
    assert_eq!((&both["name"], &both["email_verified"]), (&json!("A"), &json!(true)));
    let other = overlaid(claims(), object(json!({"sub": "a", "email": "b@example.org"}))).unwrap();
    assert_eq!(other.get("email_verified"), None, "it was said about another address");
    for userinfo in [json!({"sub": "b"}), json!({}), json!({"sub": null})] {
        assert!(matches!(overlaid(claims(), object(userinfo)), Err(Fault::Untrusted(_))));
    }
}

#[test]
fn names_are_the_best_first() {
    let names = of(
        json!({"name": " Ada L. ", "given_name": "Ada", "family_name": "Lovelace", "email": "ada@x.example"}),
    )
    .names;
    assert_eq!(names, ["Ada L.", "Ada Lovelace", "ada", "s"]);
    assert_eq!(of(json!({"family_name": "Lovelace", "name": ""})).names, ["Lovelace", "s"]);
}

/// A server that answers each connection with these bytes, again and again if it is to be endless, and then waits.
fn server(answer: &'static [u8], is_endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                while stream.write_all(answer).is_ok() && is_endless {}
                // Until the client has had enough.
                let _ = stream.read(&mut head);
            });
        }
    });
    address
}

#[tokio::test]
async fn slow_and_endless_providers_are_given_up() {
    const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"issuer\": \"";
    for (answer, is_endless, wanted) in [
        (&b""[..], false, "it took too long"),
        (b"HTTP/1.1 200 OK\r\n", false, "it took too long"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{", false, "it took too long"),
        (ENDLESS, true, "it answers more than 512 KB"),
    ] {
        let provider = Provider {
            issuer: server(answer, is_endless),
            client_id: "chat".into(),
            ..Provider::new("main")
        };
        let patience = Duration::from_millis(if is_endless { 20_000 } else { 200 });
        let client = Client::new(provider, Arc::new(Outside::new(Policy::default()))).patient_for(patience);
        let start = Start { redirect_uri: "https://chat.example/x", state: "s", nonce: "n", verifier: "v" };
        let refused = client.start(&start).await.unwrap_err();
        assert!(matches!(&refused, Fault::Unreachable(why) if why.contains(wanted)), "{refused:?}");
        // It is left alone for a second, and nobody waits for it meanwhile.
        let before = Instant::now();
        assert_eq!(client.start(&start).await.unwrap_err(), refused);
        assert!(before.elapsed() < Duration::from_millis(150));
    }
}
