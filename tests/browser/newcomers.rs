//! What somebody meets who is new, or has come back: invitations, the first room, who joined.

use crate::{
    driver::{ENTER, ESCAPE, PHONE, with_browser},
    support::{PASSWORD, Team, json},
    windows::{signed_in, signed_in_on},
};

/// Rough edges 6 and 12
#[tokio::test]
async fn newcomer_on_a_phone_lands_in_a_room_with_the_list_behind_it() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "welcome").await;
        let window = driver.window_with(PHONE).await;
        window.goto(&format!("{}/join/{}", team.nobody().origin(), team.join_code)).await;
        window.type_into("#field-name", "Nia New").await;
        window.type_into("#field-email", "nia@example.org").await;
        window.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
        window.wait_for_message("welcome").await;
        window.client.back().await.unwrap();
        window
            .until(
                "the list is shown",
                "return location.pathname === '/' && document.querySelector('.side').offsetWidth > 0",
            )
            .await;
        team
    })
    .await;
}

/// Rough edge 6
#[tokio::test]
async fn invitation_that_does_not_work_is_told_before_anything_is_typed() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = driver.window().await;
        window.expect_complaint("404");
        team.ada.post("/api/account/join_code", json!({})).await.expect(201);
        window.goto(&format!("{}/join/{}", team.nobody().origin(), team.join_code)).await;
        window.find(".entry a.button[href='/signin']").await;
        assert_eq!(window.eval("return document.querySelector('form')").await, json!(null));
        window.assert_accessible("a dead invitation").await;
        team
    })
    .await;
}

/// F25
#[tokio::test]
async fn email_stays_after_a_wrong_password_and_a_reload() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = driver.window().await;
        window.expect_complaint("401");
        window.goto(&format!("{}/signin", team.nobody().origin())).await;
        window.type_into("#field-email", &team.ada.email).await;
        window.type_into("#field-password", &format!("something else{ENTER}")).await;
        window
            .until("it is refused", "return document.querySelector('.form-error').textContent !== ''")
            .await;
        window.client.refresh().await.unwrap();
        window.find("#field-email").await;
        assert_eq!(window.eval("return document.querySelector('#field-email').value").await, team.ada.email);
        window.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
        window.find(".side-me").await;
        assert_eq!(window.eval("return sessionStorage.getItem('campfire.email')").await, json!(null));
        team
    })
    .await;
}

/// Rough edge 5
#[tokio::test]
async fn who_joins_is_said_in_the_first_room_where_it_happened() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "before").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("before").await;
        let lines = |lines: &str| {
            format!("return [...document.querySelectorAll('.joins')].map((it) => it.textContent.replace(/[\\u2068\\u2069]/g, '')).join() === {lines:?}")
        };
        let ben = team.join("Ben").await;
        window.until("Ben is said", &lines("Ben joined.")).await;
        team.join("Cleo").await;
        window.until("Cleo too", &lines("Ben and Cleo joined.")).await;
        ben.say(team.room, "after").await;
        window.wait_for_message("after").await;
        let order = "return [...document.querySelectorAll('.message, .joins')].map((it) => it.className.split(' ')[0]).join()";
        assert_eq!(window.eval(order).await, "message,joins,message");
        team.join("Dora").await;
        window.until("each in its place", &lines("Ben and Cleo joined.,Dora joined.")).await;
        window.client.refresh().await.unwrap();
        window.wait_for_message("after").await;
        window.until("after a reload too", &lines("Ben and Cleo joined.,Dora joined.")).await;
        // The same name, now another.
        ben.patch(&format!("/api/users/{}", ben.id), json!({ "name": "Benedict" })).await.expect(200);
        window.until("by the name they have", &lines("Benedict and Cleo joined.,Dora joined.")).await;
        team
    })
    .await;
}

/// Rough edge 17
#[tokio::test]
async fn phone_is_not_told_to_drop_or_paste_pictures() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let window = signed_in_on(driver, PHONE, &origin, &team.ada.email).await;
        for section in ["profile", "account"] {
            window.goto(&format!("{origin}/settings/{section}")).await;
            window.find(".picture-field").await;
            let hint = window.eval("return document.querySelector('.picture-field').innerText").await;
            assert!(!hint.as_str().unwrap().contains("drop"), "{hint}");
        }
        team
    })
    .await;
}

/// F28
#[tokio::test]
async fn no_field_makes_an_iphone_zoom_in() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let window = signed_in_on(driver, PHONE, &origin, &team.ada.email).await;
        for path in ["/settings/css", "/settings/profile", "/settings/people", "/settings/tokens", "/settings/account", "/search"] {
            window.goto(&format!("{origin}{path}")).await;
            window.find(".settings-page:not(:has([aria-busy])) , .search-input").await;
            let small = "return [...document.querySelectorAll('input:not([type=radio]):not([type=checkbox]):not([type=file]), textarea, select')]
                .filter((it) => parseFloat(getComputedStyle(it).fontSize) < 16).map((it) => it.outerHTML.slice(0, 80)).join()";
            assert_eq!(window.eval(small).await, "", "{path}");
        }
        team
    })
    .await;
}

/// Rough edge 16
#[tokio::test]
async fn styles_that_hide_the_page_can_be_undone_and_outlive_a_reload() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/settings/css")).await;
        let css = "body { display: none } #app { visibility: hidden } * { opacity: 0 } .pane { display: none }";
        window.type_into("#custom-css", css).await;
        let is_seen = "const box = document.querySelector('#custom-css').getBoundingClientRect();
            return box.width > 100 && document.elementFromPoint(box.left + 20, box.top + 20)?.id === 'custom-css'
                && [...document.querySelectorAll('.settings-css > .row button:not([hidden])')].every((it) => it.checkVisibility({ opacityProperty: true, visibilityProperty: true }))";
        assert_eq!(window.eval(is_seen).await, true);
        window.client.refresh().await.unwrap();
        window.find("#custom-css").await;
        assert_eq!(window.eval("return document.querySelector('#custom-css').value").await, css);
        assert_eq!(window.eval(is_seen).await, true);
        window.click(".settings-css > .row .button:nth-child(2)").await;
        assert_eq!(window.eval("return document.querySelector('#custom-css').value").await, "");
        window.client.refresh().await.unwrap();
        window.find("#custom-css").await;
        assert_eq!(window.eval("return document.querySelector('#custom-css').value").await, "");
        team
    })
    .await;
}

#[tokio::test]
async fn somebody_imported_is_invited_from_the_list_and_takes_the_account_over() {
    with_browser(async |driver| {
        let mut team = Team::start().await;
        team.server.terminate();
        let db = rusqlite::Connection::open(team.server.database()).unwrap();
        db.execute(
            "insert into users (name, role, created_at) values ('Imre Kovács', 'member', 1500000000000)",
            (),
        )
        .unwrap();
        let imre = db.last_insert_rowid();
        db.execute(
            "insert into memberships (room_id, user_id, involvement) values (?, ?, 'mentions')",
            (team.room, imre),
        )
        .unwrap();
        drop(db);
        team.server.restart();
        team.ada.say(team.room, "welcome").await;
        let origin = team.nobody().origin();
        let host = signed_in(driver, &origin, &team.ada.email).await;
        host.goto(&format!("{origin}/settings/people")).await;
        let line = format!("[data-key=user-{imre}]");
        host.until(
            "the mark is shown",
            &format!("return document.querySelector('{line} .settings-mark')?.textContent === 'Has not signed in yet'"),
        )
        .await;
        host.assert_accessible("a list with somebody who has not signed in yet").await;
        // By keyboard.
        host.type_into(&format!("{line} .settings-action button"), ENTER).await;
        host.until(
            "the link is shown",
            "return document.querySelector('dialog .copyable')?.textContent.startsWith('http')",
        )
        .await;
        let link = host.eval("return document.querySelector('dialog .copyable').textContent").await;
        let link = link.as_str().unwrap().to_owned();
        host.assert_accessible("an invitation").await;
        host.type_into("dialog .copyable", ESCAPE).await;
        host.until("the dialog is closed", "return document.querySelector('dialog') === null").await;

        let guest = driver.window_with(PHONE).await;
        guest.expect_complaint("422");
        guest.expect_complaint("404");
        guest.goto(&link).await;
        guest.find("#field-email").await;
        let title = guest.eval("return document.querySelector('h1').textContent").await;
        assert_eq!(title, "Welcome, Imre Kovács");
        guest.assert_accessible("an account to take over").await;
        guest.assert_fits("an account to take over").await;
        guest.type_into("#field-email", &team.ada.email).await;
        guest.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
        guest
            .until(
                "the address is refused",
                "return document.querySelector('#field-email-error').textContent.includes('is that of somebody else here')",
            )
            .await;
        guest.eval("document.querySelector('#field-email').value = ''").await;
        guest.type_into("#field-email", &format!("imre@example.org{ENTER}")).await;
        guest.wait_for_message("welcome").await;
        host.until(
            "the mark is gone",
            &format!("const line = document.querySelector('{line}'); return Boolean(line) && !line.querySelector('.settings-mark, .settings-action')"),
        )
        .await;
        let late = driver.window().await;
        late.expect_complaint("404");
        late.goto(&link).await;
        late.find(".entry a.button[href='/signin']").await;
        assert_eq!(late.eval("return document.querySelector('form')").await, json!(null));
        team
    })
    .await;
}
