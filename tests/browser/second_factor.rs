//! The second step: turning it on, signing in by it, and where it is required.

use std::path::PathBuf;

use crate::{
    driver::{DESK, Driver, ENTER, PHONE, Screen, Window, with_browser},
    support::{
        PASSWORD, Team, json,
        totp::{code, wrong_code},
    },
    windows::signed_in,
};

/// The codes of the present count as new again.
fn forget_steps(team: &Team) {
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.busy_timeout(crate::support::DEADLINE).unwrap();
    db.execute("update second_factors set last_step = 0", ()).unwrap();
}

/// Looks at a screen, and takes its picture if that is wanted.
async fn look(window: &Window, name: &str) {
    window.assert_fits(name).await;
    window.assert_accessible(name).await;
    if let Some(dir) = std::env::var_os("CAMPFIRE_SCREENSHOTS").map(PathBuf::from) {
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("{name}.png")), window.screenshot().await).unwrap();
    }
}

async fn text(window: &Window, css: &str) -> String {
    window.find(css).await;
    let script = format!("return document.querySelector({}).textContent", json!(css));
    window.eval(&script).await.as_str().unwrap().to_owned()
}

async fn give_password(driver: &Driver, screen: Screen, team: &Team) -> Window {
    let window = driver.window_with(screen).await;
    window.goto(&format!("{}/signin", team.nobody().origin())).await;
    window.type_into("#field-email", &team.ada.email).await;
    window.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
    window.find("#field-code").await;
    window
}

#[tokio::test]
async fn second_factor_is_turned_on_and_asked_for() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let host = signed_in(driver, &origin, &team.ada.email).await;
        host.goto(&format!("{origin}/settings/devices")).await;
        host.click(".settings-devices .settings-block .button:not(.button-small)").await;
        host.expect_complaint("422");
        host.type_into("#factor-password", &format!("wrong{ENTER}")).await;
        host.until("it is refused", "return document.querySelector('#factor-password-error').textContent !== ''").await;
        host.eval("document.querySelector('#factor-password').select()").await;
        host.type_into("#factor-password", &format!("{PASSWORD}{ENTER}")).await;
        let key = text(&host, ".second-step-key code").await;
        look(&host, "second-factor-new-desk-light").await;
        host.type_into("#factor-first", &format!("{}{ENTER}", code(&key))).await;
        let codes = host
            .eval("return new Promise((done) => { const look = () => { const found = [...document.querySelectorAll('.recovery-codes code')].map((it) => it.textContent); found.length ? done(found) : setTimeout(look, 20) }; look() })")
            .await;
        let codes: Vec<String> = codes.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        assert_eq!(codes.len(), 10);
        let file = host.eval("return decodeURIComponent(document.querySelector('a[download]').href)").await;
        assert!(codes.iter().all(|code| file.as_str().unwrap().contains(code)), "{file}");
        look(&host, "second-factor-codes-desk-light").await;
        host.click("dialog .row .button-primary").await;
        host.find("[data-key=second-factor]").await;
        look(&host, "second-factor-on-desk-light").await;
        forget_steps(&team);

        // On a phone, in the dark: first a wrong code, then the right one.
        let phone = give_password(driver, Screen { dark: true, language: "de-DE", ..PHONE }, &team).await;
        assert_eq!(
            phone.eval("const it = document.activeElement; return [it.name, it.autocomplete, it.inputMode]").await,
            json!(["code", "one-time-code", "numeric"])
        );
        look(&phone, "second-factor-sign-in-phone-dark").await;
        phone.expect_complaint("422");
        phone.type_into("#field-code", &format!("{}{ENTER}", wrong_code(&key))).await;
        phone.until("it is refused", "return document.querySelector('#field-code-error').textContent.includes('stimmt nicht')").await;
        phone.eval("document.querySelector('#field-code').value = ''").await;
        phone.type_into("#field-code", &format!("{}{ENTER}", code(&key))).await;
        phone.find(".side-me").await;

        // By a recovery code.
        let other = give_password(driver, DESK, &team).await;
        other.click(".entry-more .link").await;
        assert_eq!(other.eval("return document.activeElement.inputMode").await, json!("text"));
        look(&other, "second-factor-recovery-desk-light").await;
        other.type_into("#field-code", &format!("{}{ENTER}", codes[3].to_uppercase())).await;
        other.find(".side-me").await;

        // Off again.
        other.goto(&format!("{origin}/settings/devices")).await;
        other.click("[data-key=second-factor] .is-danger").await;
        other.type_into("#factor-password", PASSWORD).await;
        other.type_into("#factor-code", &format!("{}{ENTER}", codes[4])).await;
        other.until("it is off", "return document.querySelector('[data-key=second-factor]') === null && document.querySelector('dialog') === null").await;
        team
    })
    .await;
}

#[tokio::test]
async fn required_second_factor_is_set_up_while_signing_in() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let host = signed_in(driver, &origin, &team.ada.email).await;
        host.goto(&format!("{origin}/settings/account")).await;
        host.find("select[name=second_factor]").await;
        host.eval("const it = document.querySelector('select[name=second_factor]'); it.value = 'everybody'; it.dispatchEvent(new Event('change'))").await;
        host.find(".toast").await;
        look(&host, "second-factor-setting-desk-light").await;
        let phone = give_password(driver, Screen { dark: true, ..PHONE }, &team).await;
        let key = text(&phone, ".second-step-key code").await;
        look(&phone, "second-factor-required-phone-dark").await;
        phone.type_into("#field-code", &format!("{}{ENTER}", code(&key))).await;
        phone.find(".recovery-codes").await;
        look(&phone, "second-factor-required-codes-phone-dark").await;
        phone.click(".entry .form .button").await;
        phone.find(".side-me").await;
        // Administrators see it, and remove it.
        host.goto(&format!("{origin}/settings/signins")).await;
        let shown = text(&host, &format!("[data-key='signin-{}']", team.ada.id)).await;
        assert!(shown.contains("Second step"), "{shown}");
        look(&host, "second-factor-sign-ins-desk-light").await;
        let late = give_password(driver, DESK, &team).await;
        late.expect_complaint("422");
        late.expect_complaint("410");
        for _ in 0..5 {
            late.until("it can be typed", "return document.querySelector('#field-code')?.value === '' || (document.querySelector('#field-code').value = '') === ''").await;
            late.type_into("#field-code", &format!("{}{ENTER}", wrong_code(&key))).await;
            late.until("it is answered", "return !document.querySelector('#field-code') || document.querySelector('#field-code-error').textContent !== ''").await;
            late.until("the button is free", "return !document.querySelector('form [type=submit]')?.disabled").await;
        }
        late.find(".entry a.button[href='/signin']").await;
        team
    })
    .await;
}
