//! Sign-in by a provider on the page, in a real browser.

use super::provider::Provider;
use crate::driver::{DESK, PHONE, Screen, Window, with_browser};
use crate::support::*;

/// Writes a picture of what is shown, if pictures are wanted.
async fn picture(window: &Window, name: &str) {
    if let Some(dir) = std::env::var_os("CAMPFIRE_SCREENSHOTS") {
        std::fs::create_dir_all(&dir).unwrap();
        let path = std::path::Path::new(&dir).join(format!("{name}.png"));
        std::fs::write(path, window.screenshot().await).unwrap();
    }
}

async fn is_good(window: &Window, name: &str) {
    window.assert_accessible(name).await;
    window.assert_fits(name).await;
    picture(window, name).await;
}

#[tokio::test]
async fn button_leads_to_the_provider_and_back_to_where_one_wanted_to_go() {
    with_browser(async |driver| {
        let provider = Provider::start().await;
        provider.is(json!({"email": "alice@example.org", "email_verified": true, "name": "Alice"}));
        let team = provider.team(&[("CAMPFIRE_OIDC_NAME", "Example ID")]).await;
        team.ada.say(team.room, "welcome").await;
        let window = driver.window().await;
        let room = format!("/rooms/{}", team.room);
        window.goto(&format!("{}{room}", team.ada.origin())).await;
        window.find("#field-password").await;
        window.click(".entry-providers a").await;
        window.wait_for_message("welcome").await;
        assert_eq!(window.eval("return location.pathname + location.search").await, room);
        // Her account there is in the profile.
        window.goto(&format!("{}/settings/profile", team.ada.origin())).await;
        window
            .until("the account is listed", "return document.querySelector('.settings-providers')?.innerText.includes('Example ID')")
            .await;
        assert_eq!(window.eval("return [...document.querySelectorAll('.settings-profile .password-box')].filter((it) => it.offsetWidth > 0).length").await, 0);
        window.eval("document.querySelector('.settings-providers').scrollIntoView({ block: 'end' })").await;
        is_good(&window, "profile-by-provider").await;
        // Signing out ends at the provider.
        window.click(".settings-leave").await;
        window.until("the provider is shown", "return location.pathname === '/end'").await;
        (team, provider)
    })
    .await;
}

#[tokio::test]
async fn reason_of_a_refusal_is_told_in_the_readers_language() {
    with_browser(async |driver| {
        let provider = Provider::start().await;
        provider.is(json!({"email": "ada@example.com", "name": "Ada"}));
        let team = provider.team(&[("CAMPFIRE_OIDC_NAME", "Example ID")]).await;
        let german = Screen { language: "de-DE", dark: true, ..PHONE };
        for (screen, name, words) in [
            (DESK, "refused-desk", "does not say that it has been verified"),
            (german, "refused-phone-dark", "sagt nicht, dass sie gepr\u{fc}ft ist"),
        ] {
            let window = driver.window_with(screen).await;
            window.goto(&format!("{}/rooms/{}", team.ada.origin(), team.room)).await;
            window.click(".entry-providers a").await;
            window
                .until("the reason is shown", "return document.querySelector('.entry-notice') !== null")
                .await;
            let said = window.eval("return document.querySelector('.entry-notice').innerText").await;
            let said = said.as_str().unwrap();
            assert!(
                said.contains(words) && said.contains("Example ID") && said.contains("oidc_trust_email"),
                "{said}"
            );
            is_good(&window, name).await;
            // The way leads on to where one wanted to go.
            let next =
                window.eval("return document.querySelector('.entry-providers a').getAttribute('href')").await;
            assert_eq!(next, format!("/signin/oidc/main?to=%2Frooms%2F{}", team.room));
        }
        // Words in a link are not shown.
        let window = driver.window().await;
        let link = "/signin?refused=answered&provider=main&word=call%20%3Cb%3E0900%3C/b%3E";
        window.goto(&format!("{}{link}", team.ada.origin())).await;
        window.find(".entry-notice").await;
        let said = window.eval("return document.querySelector('.entry-notice').innerText").await;
        assert!(!said.as_str().unwrap().contains('<'), "{said}");
        (team, provider)
    })
    .await;
}

#[tokio::test]
async fn without_passwords_there_are_buttons_and_a_way_for_administrators() {
    with_browser(async |driver| {
        let provider = Provider::start().await;
        let team = provider.team(&[("CAMPFIRE_OIDC_NAME", "Example ID"), ("CAMPFIRE_PASSWORD_SIGN_IN", "off")]).await;
        let window = driver.window_with(PHONE).await;
        window.goto(&format!("{}/signin", team.ada.origin())).await;
        window.find(".entry-providers a").await;
        assert_eq!(window.eval("return document.querySelectorAll('.password-box').length").await, 0);
        is_good(&window, "no-passwords-phone").await;
        window.goto(&format!("{}/join/{}", team.ada.origin(), team.join_code)).await;
        window.find(".entry-providers a").await;
        window.goto(&format!("{}/signin", team.ada.origin())).await;
        window.click(".entry-more a").await;
        window.type_into("#field-email", &team.ada.email).await;
        window.type_into("#field-password", PASSWORD).await;
        window.click(".entry form button[type=submit]").await;
        window.find(".side-me").await;
        // How somebody signs in is shown to administrators.
        provider.is(json!({"sub": "b", "email": "bob@example.org", "email_verified": true, "name": "Bob"}));
        let reply = super::provider::sign_in(&team.nobody(), &provider).await;
        assert_eq!(super::provider::location(&reply), "/");
        window.goto(&format!("{}/settings/people", team.ada.origin())).await;
        window.until("Bob is listed", "return [...document.querySelectorAll('.settings-line')].some((it) => it.innerText.includes('Bob'))").await;
        window.eval("[...document.querySelectorAll('.settings-line')].find((it) => it.innerText.includes('Bob')).querySelector('[aria-haspopup=menu]').click()").await;
        window.until("the menu is open", "return document.querySelectorAll('[role=menuitem]').length > 1").await;
        window.eval("document.querySelectorAll('[role=menuitem]')[1].click()").await;
        window.until("his account is shown", "return document.querySelector('dialog')?.innerText.includes('bob@example.org')").await;
        is_good(&window, "identities-phone").await;
        (team, provider)
    })
    .await;
}
