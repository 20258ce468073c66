//! Passwords switched off, and the administrators who keep theirs until the provider works.

use super::provider::{Provider, sign_in, signed_in};
use crate::support::*;

#[tokio::test]
async fn passwords_that_are_switched_off_are_refused_and_administrators_are_not_locked_out() {
    let provider = Provider::start().await;
    let mut team = provider.team(&[("CAMPFIRE_OIDC_NAME", "Corp")]).await;
    let bob = team.join("Bob").await;
    team.server.set("CAMPFIRE_PASSWORD_SIGN_IN", "off");
    team.server.terminate();
    team.server.restart();
    let nobody = team.nobody();
    let setup = nobody.get("/api/setup?with=account").await.expect(200);
    let ways = |setup: &Value| {
        (setup["sign_in"]["password"] == true, setup["sign_in"]["password_of_administrators"] == true)
    };
    assert_eq!(ways(&setup), (false, true));
    let says = |reply: Reply| {
        let problem = reply.problem(403, "forbidden");
        assert_eq!(problem["detail"], "Passwords are switched off here: sign in with Corp.");
    };
    // Who is signed in stays so.
    bob.get("/api/session").await.expect(200);
    let credentials = |email: &str, password: &str| json!({"email": email, "password": password});
    says(nobody.post("/api/session", credentials("bob@example.com", PASSWORD)).await);
    nobody.post("/api/session", credentials("bob@example.com", "wrong")).await.problem(401, "not_signed_in");
    nobody.post("/api/session", credentials("ada@example.com", "wrong")).await.problem(401, "not_signed_in");
    // Until an administrator has come by the provider, the password of one works.
    team.ada.sign_in_again().await;
    let form = json!({"name": "Eve", "email": "eve@example.com", "password": PASSWORD});
    says(nobody.post(&format!("/api/join/{}", team.join_code), form).await);
    let new = json!({"password": "another good one", "current_password": PASSWORD});
    says(bob.patch(&format!("/api/users/{}", bob.id), new.clone()).await);
    says(team.ada.patch(&format!("/api/users/{}", bob.id), json!({"password": "another good one"})).await);
    team.ada
        .patch(
            &format!("/api/users/{}", team.ada.id),
            json!({"password": PASSWORD, "current_password": PASSWORD}),
        )
        .await
        .expect(200);
    let reset = async |team: &Team, email: &str| {
        let printed = server::campfire()
            .args(["admin", "reset-password", email, "--data"])
            .arg(team.server.data())
            .output()
            .expect("campfire");
        let text = String::from_utf8(printed.stdout).unwrap();
        let token = text
            .split("/reset/")
            .nth(1)
            .unwrap_or_else(|| panic!("{text}"))
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned();
        team.nobody().post(&format!("/api/session/reset/{token}"), json!({"password": PASSWORD})).await
    };
    says(reset(&team, "bob@example.com").await);
    reset(&team, "ada@example.com").await.expect(201);
    // A member by the provider changes nothing.
    provider.is(json!({"sub": "b", "email": "bob@example.com", "email_verified": true, "name": "Bob"}));
    let (bob, _) = signed_in(&nobody, &sign_in(&nobody, &provider).await).await;
    team.ada.sign_in_again().await;
    let identity = bob.get("/api/identities").await.expect(200)["identities"][0]["id"].clone();
    bob.delete(&format!("/api/identities/{identity}")).await.problem(409, "conflict");
    // Now an administrator comes by it.
    provider.is(json!({"sub": "a", "email": "ada@example.com", "email_verified": true, "name": "Ada"}));
    signed_in(&nobody, &sign_in(&nobody, &provider).await).await;
    says(nobody.post("/api/session", credentials("ada@example.com", PASSWORD)).await);
    says(nobody.post("/api/session", credentials("ada@example.com", "wrong")).await);
    says(nobody.post("/api/session", credentials("nobody@example.com", "wrong")).await);
    assert_eq!(ways(&nobody.get("/api/setup?with=account").await.expect(200)), (false, false));
    // With a shell on the server there is still a way in.
    reset(&team, "ada@example.com").await.expect(201);
}
