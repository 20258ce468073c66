//! Mail on the page: a forgotten password, and when one is told of what is unread. Whether mails arrive is tested in tests/mail.

use crate::{
    driver::{DESK, Driver, PHONE, Screen, Window, with_browser},
    support::{Team, json},
    windows::signed_in_on,
};

/// A server that hands its mails to nobody: the port is closed.
async fn team() -> Team {
    Team::with(&[
        ("CAMPFIRE_SMTP_URL", "smtp://127.0.0.1:9"),
        ("CAMPFIRE_MAIL_FROM", "chat@example.org"),
        ("CAMPFIRE_PUBLIC_URL", "http://chat.example"),
    ])
    .await
}

async fn take(window: &Window, screen: Screen, name: &str) {
    window.assert_fits(name).await;
    window.assert_accessible(name).await;
    if let Some(dir) = std::env::var_os("CAMPFIRE_SCREENSHOTS") {
        let place = if screen.width < 500 { "phone" } else { "desk" };
        let theme = if screen.dark { "dark" } else { "light" };
        let file = std::path::PathBuf::from(dir).join(format!("{name}-{place}-{theme}.png"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, window.screenshot().await).unwrap();
    }
}

const SCREENS: [Screen; 2] = [DESK, Screen { dark: true, ..PHONE }];

#[tokio::test]
async fn link_for_a_forgotten_password_is_asked_for_at_the_door() {
    with_browser(async |driver: &Driver| {
        let team = team().await;
        for screen in SCREENS {
            let window = driver.window_with(screen).await;
            window.goto(&format!("{}/signin", team.nobody().origin())).await;
            window.type_into("#field-email", "ada@example.com").await;
            window.click(".entry-more a").await;
            window.until("the address is kept", "return document.querySelector('#field-email').value === 'ada@example.com' && !document.querySelector('#field-password')").await;
            take(&window, screen, "forgot").await;
            window.click(".entry .button-primary").await;
            window.until("it is said", "return /./.test(document.querySelector('.form-good')?.textContent)").await;
            take(&window, screen, "forgot-done").await;
            window.click(".entry-more a").await;
            window.until("the password is asked for again", "return document.querySelector('#field-email').value === 'ada@example.com' && document.querySelector('#field-password') !== null").await;
        }
        team
    })
    .await;
}

#[tokio::test]
async fn without_mail_the_door_says_whom_to_ask() {
    with_browser(async |driver: &Driver| {
        let team = Team::start().await;
        let window = driver.window_with(DESK).await;
        window.goto(&format!("{}/signin", team.nobody().origin())).await;
        window.find("#field-password").await;
        let more = window.eval("return document.querySelector('.entry-more').outerHTML").await;
        assert!(!more.as_str().unwrap().contains("<a"), "{more}");
        team
    })
    .await;
}

#[tokio::test]
async fn when_to_be_told_is_chosen_and_a_refused_address_is_shown() {
    with_browser(async |driver: &Driver| {
        let team = team().await;
        let origin = team.nobody().origin();
        for screen in SCREENS {
            team.ada.put("/api/mail", json!({"wish": "away"})).await.expect(200);
            let db = rusqlite::Connection::open(team.server.database()).unwrap();
            db.execute("update mail set refused_address = null", []).unwrap();
            let window = signed_in_on(driver, screen, &origin, &team.ada.email).await;
            window.goto(&format!("{origin}/settings/notifications")).await;
            window.find("select[name=mail]").await;
            window.until("it is the usual one", "return document.querySelector('select[name=mail]').value === 'away'").await;
            window.eval("const select = document.querySelector('select[name=mail]'); select.value = 'daily'; select.dispatchEvent(new Event('change')); select.scrollIntoView({ block: 'center' }); return true").await;
            window.find(".toast").await;
            take(&window, screen, "mail").await;
            assert_eq!(team.ada.get("/api/mail").await.expect(200)["wish"], "daily");
            db.execute(
                "update mail set refused_address = 'ada@example.com', refused_reason = '550 5.1.1 <ada@example.com>: no such mailbox here', refused_at = 1",
                [],
            )
            .unwrap();
            window.goto(&format!("{origin}/settings/notifications")).await;
            window.find(".settings-mail-refused .button").await;
            window.eval("document.querySelector('.settings-mail-refused').scrollIntoView({ block: 'center' }); return true").await;
            take(&window, screen, "mail-refused").await;
            window.click(".settings-mail-refused .button").await;
            window.until("it is trusted again", "return document.querySelector('.settings-mail-refused') === null").await;
        }
        team
    })
    .await;
}

#[tokio::test]
async fn somebody_who_was_imported_is_invited_by_mail_from_the_list() {
    with_browser(async |driver: &Driver| {
        let mut team = team().await;
        team.server.terminate();
        let db = rusqlite::Connection::open(team.server.database()).unwrap();
        db.execute(
            "insert into users (name, email, role, status, created_at) values ('Imre Kovács', 'imre@old.example', 'member', 'active', 0)",
            [],
        )
        .unwrap();
        let imre = db.last_insert_rowid();
        drop(db);
        team.server.restart();
        let origin = team.nobody().origin();
        for screen in SCREENS {
            let window = signed_in_on(driver, screen, &origin, &team.ada.email).await;
            window.goto(&format!("{origin}/settings/people")).await;
            window.click(&format!("[data-key=user-{imre}] .settings-action .button")).await;
            window.find("dialog .row .settings-action .button").await;
            take(&window, screen, "invite-by-mail").await;
            window.click("dialog .row .settings-action .button").await;
            window.until("it is said", "return document.querySelector('.toast')?.textContent.includes('imre@old.example')").await;
            window.until("the dialog is closed", "return document.querySelector('dialog[open]') === null").await;
        }
        let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200);
        assert!(jobs["jobs"].as_array().unwrap().iter().any(|job| job["kind"] == "mail"), "{jobs}");
        team
    })
    .await;
}
