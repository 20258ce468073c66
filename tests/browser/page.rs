//! What holds on every screen: languages and directions, small windows, navigation, and working offline.

use crate::{
    driver::{CONTROL, DESK, ENTER, ESCAPE, PHONE, Screen, with_browser},
    support::{Team, json, program},
    windows::{signed_in, signed_in_on},
};

#[tokio::test]
async fn german_browser_gets_the_page_in_german() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let screen = Screen { language: "de-DE", ..DESK };
        let window = signed_in_on(driver, screen, &team.nobody().origin(), &team.ada.email).await;
        window.find(".composer-input").await;
        assert_eq!(window.eval("return document.documentElement.lang").await, "de");
        let said = window.eval("return document.querySelector('.composer-input').placeholder").await;
        assert!(
            said.as_str().unwrap().contains("All Talk") && !said.as_str().unwrap().starts_with("Write"),
            "{said}"
        );
        window.goto(&format!("{}/settings/appearance", team.nobody().origin())).await;
        window.find(".settings-appearance").await;
        window.assert_accessible("appearance, in German").await;
        window.assert_fits("appearance, in German").await;
        team
    })
    .await;
}

/// A text that is missing in one language would be missing on the page.
#[test]
fn languages_have_the_same_texts() {
    let script = "import { readFileSync } from 'node:fs';
        const read = (name) => import(`data:text/javascript,${encodeURIComponent(readFileSync(`web/texts/${name}.js`))}`);
        const all = async (language) => ({ ...(await read(language))[language], ...(await read(`settings-${language}`)).words });
        const shape = (value, path) => value && typeof value === 'object' && !Array.isArray(value)
            ? Object.entries(value).flatMap(([key, inner]) => shape(inner, `${path}.${key}`)) : [`${path} ${Array.isArray(value) ? value.length : typeof value}`];
        const [english, german] = [shape(await all('en'), ''), shape(await all('de'), '')];
        for (const name of english) if (!german.includes(name)) console.log('only in English:', name);
        for (const name of german) if (!english.includes(name)) console.log('only in German:', name);";
    let output = program("node")
        .args(["--input-type=module", "--eval", script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[tokio::test]
async fn layout_fits_320_pixels_and_right_to_left() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "| a | table | that | is | wide |\n|-|-|-|-|-|\n| 1 | 2 | 3 | 4 | 5 |").await;
        team.ada.say(team.room, &"averylongwordwithoutanyspace".repeat(12)).await;
        team.ada.say(team.room, "مرحبا بالجميع").await;
        let origin = team.nobody().origin();
        let narrow = Screen { width: 320, height: 640, ..PHONE };
        let window = signed_in_on(driver, narrow, &origin, &team.ada.email).await;
        for direction in ["ltr", "rtl"] {
            for path in [
                format!("/rooms/{}", team.room),
                "/".into(),
                "/search?q=table".into(),
                "/settings/people".into(),
                "/settings/bots".into(),
            ] {
                window.goto(&format!("{origin}{path}")).await;
                window.find(".side-me, .composer-input").await;
                window.eval(&format!("document.documentElement.dir = {}", json!(direction))).await;
                window.assert_fits(&format!("{path}, {direction}")).await;
            }
        }
        team
    })
    .await;
}

#[tokio::test]
async fn back_and_forward_go_through_rooms_without_a_reload() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let kitchen = team.closed_room("Kitchen", &[&team.ada]).await;
        team.ada.say(team.room, "in all talk").await;
        team.ada.say(kitchen, "in the kitchen").await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{}", team.room)).await;
        window.wait_for_message("in all talk").await;
        window.eval("window.same = true").await;
        window.click(&format!(".room[href='/rooms/{kitchen}']")).await;
        window.wait_for_message("in the kitchen").await;
        window.client.back().await.unwrap();
        window.wait_for_message("in all talk").await;
        window.client.forward().await.unwrap();
        window.wait_for_message("in the kitchen").await;
        assert_eq!(window.eval("return window.same").await, true);
        // A room that was open before is shown in the next frame, without waiting for the server.
        let at_once = format!(
            "const done = arguments[0]; document.querySelector(\".room[href='/rooms/{}']\").click();
            requestAnimationFrame(() => done(document.querySelector('.message-text')?.innerText.trim()))",
            team.room
        );
        let shown = window.client.execute_async(&at_once, vec![]).await.unwrap();
        assert_eq!(shown, "in all talk");
        team
    })
    .await;
}

#[tokio::test]
async fn switcher_opens_a_room_and_the_question_mark_shows_the_keys() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.closed_room("Kitchen", &[&team.ada]).await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.type_into(".composer-input", &format!("{CONTROL}k")).await;
        window.type_into(".switcher-input", &format!("kit{ENTER}")).await;
        window
            .until(
                "the room is open",
                "return document.querySelector('.room-title h1')?.textContent === 'Kitchen'",
            )
            .await;
        window.eval("document.activeElement.blur()").await;
        window.client.active_element().await.unwrap().send_keys("?").await.unwrap();
        window.find(".dialog-keys").await;
        window.assert_accessible("the keys").await;
        window.client.active_element().await.unwrap().send_keys(ESCAPE).await.unwrap();
        window.until("they are gone", "return !document.querySelector('dialog')").await;
        team
    })
    .await;
}

#[tokio::test]
async fn offline_page_shows_the_last_room_and_keeps_what_is_written() {
    with_browser(async |driver| {
        let mut team = Team::start().await;
        team.ada.say(team.room, "remember me").await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.expect_complaint("ERR_CONNECTION_REFUSED");
        window.expect_complaint("ERR_FAILED");
        window.expect_complaint("502");
        window.expect_complaint("503");
        window.expect_complaint("504");
        window.wait_for_message("remember me").await;
        // The service worker takes over once it is ready, and caches the room on screen.
        window.until("the worker is there", "return navigator.serviceWorker.controller !== null").await;
        window
            .until(
                "the room is kept",
                "const done = arguments; return window.kept === true || (caches.keys().then(async (names) => {
                    for (const name of names) for (const request of await (await caches.open(name)).keys()) if (request.url.endsWith('/messages')) window.kept = true; }), false)",
            )
            .await;
        team.server.kill();
        window.client.refresh().await.unwrap();
        window.wait_for_message("remember me").await;
        window.say("said in the dark").await;
        window.until("it waits", "return document.querySelectorAll('.is-pending').length === 1").await;
        team.server.restart_at_the_same_address();
        window.wait_for_message("said in the dark").await;
        assert_eq!(window.texts().await, ["remember me", "said in the dark"]);
        team
    })
    .await;
}
