//! The side bar: direct messages with their last words, drafts, counts, and who is listed.

use crate::{
    driver::{DESK, PHONE, Screen, with_browser},
    support::{Team, id, json},
    windows::{signed_in, signed_in_on, two_windows},
};

/// JavaScript for the entry of a direct room, by its name.
fn direct(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('.direct')].find((it) => it.querySelector('.direct-name').textContent === {})",
        json!(name)
    )
}

/// F22, rough edge 3
#[tokio::test]
async fn direct_messages_are_listed_by_full_name_with_last_words_and_counted() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let [tanner, turner] = [team.join("Tom Tanner").await, team.join("Tom Turner").await];
        let first = team.ada.direct_with(&[&tanner]).await;
        let second = team.ada.direct_with(&[&turner]).await;
        turner.say(second, "an old question").await;
        team.ada.say(second, "**my** answer").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        let words = |name: &str, words: &str| {
            format!("return {}?.querySelector('.direct-words').textContent === {}", direct(name), json!(words))
        };
        window.until("my own words are marked", &words("Tom Turner", "You: my answer")).await;
        for text in ["one", "two", "three"] {
            tanner.say(first, text).await;
        }
        window.until("the last words are there", &words("Tom Tanner", "three")).await;
        let shown = format!(
            "const line = {}; return line.querySelector('.badge')?.textContent === '3' && line.querySelector('time') !== null && document.title.startsWith('(3) ')
                && document.querySelector('.direct-name').textContent === 'Tom Tanner'",
            direct("Tom Tanner")
        );
        window.until("each message counts, and it stands first", &shown).await;
        window.eval(&format!("{}.click()", direct("Tom Tanner"))).await;
        window.wait_for_message("three").await;
        let read = format!("return !{}.querySelector('.badge') && !/^\\(/.test(document.title)", direct("Tom Tanner"));
        window.until("they are read", &read).await;
        team
    })
    .await;
}

/// F12
#[tokio::test]
async fn conversation_of_three_leaves_the_single_people_where_they_are() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let [ben, cleo] = [team.join("Ben").await, team.join("Cleo").await];
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        let faces = |names: &str| {
            format!("return [...document.querySelectorAll('.stranger-name')].map((it) => it.textContent).join() === {names:?}")
        };
        window.until("both are there", &faces("Ben,Cleo")).await;
        let three = team.ada.direct_with(&[&ben, &cleo]).await;
        ben.say(three, "hello both").await;
        window.until("the conversation is there", &format!("return {} !== undefined", direct("Ben, Cleo"))).await;
        assert_eq!(window.eval(&faces("Ben,Cleo")).await, true);
        team.ada.direct_with(&[&ben]).await;
        window.until("who has one of their own is no stranger", &faces("Cleo")).await;
        team
    })
    .await;
}

/// F13
#[tokio::test]
async fn conversation_in_which_nothing_was_said_is_not_listed_for_the_other() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, first, second) = two_windows(&team, driver).await;
        let room = team.ada.direct_with(&[&ben]).await;
        first
            .until("it is listed for who opened it", &format!("return {} !== undefined", direct("Ben")))
            .await;
        // What comes after the room's event has come after it.
        team.ada.say(team.room, "meanwhile").await;
        second.wait_for_message("meanwhile").await;
        assert_eq!(second.eval(&format!("return {} === undefined", direct("Ada"))).await, true);
        second.client.refresh().await.unwrap();
        second.wait_for_message("meanwhile").await;
        second.find(".stranger, .room").await;
        assert_eq!(second.eval(&format!("return {} === undefined", direct("Ada"))).await, true);
        team.ada.say(room, "now I say it").await;
        second
            .until("it is listed once something was said", &format!("return {} !== undefined", direct("Ada")))
            .await;
        team
    })
    .await;
}

/// Rough edge 4
#[tokio::test]
async fn draft_is_shown_beside_its_room_until_it_is_sent() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let ben = team.join("Ben").await;
        let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
        let talk = team.ada.direct_with(&[&ben]).await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        for room in [kitchen, talk] {
            window.goto(&format!("{origin}/rooms/{room}")).await;
            window.type_into(".composer-input", "half a sentence").await;
        }
        window.eval(&format!("document.querySelector(\"[href='/rooms/{}']\").click()", team.room)).await;
        let marked = format!(
            "return document.querySelector(\".room[href='/rooms/{kitchen}'] .icon-edit\") !== null
                && {}.querySelector('.is-draft')?.nextSibling.textContent === 'half a sentence'",
            direct("Ben")
        );
        window.until("both are marked", &marked).await;
        window.eval(&format!("{}.click()", direct("Ben"))).await;
        window
            .until(
                "the draft is there",
                "return document.querySelector('.composer-input')?.value === 'half a sentence'",
            )
            .await;
        window.type_into(".composer-input", "\u{E007}").await;
        window.wait_for_message("half a sentence").await;
        window.eval(&format!("document.querySelector(\"[href='/rooms/{}']\").click()", team.room)).await;
        window.until("it is no draft any more", "return !document.querySelector('.is-draft')").await;
        team
    })
    .await;
}

/// F23
#[tokio::test]
async fn webhooks_and_bots_are_no_people() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.join("Ben").await;
        team.ada.post("/api/bots", json!({ "name": "Grafbot" })).await.expect(201);
        for _ in 0..2 {
            let hook = json!({ "name": "Grafana", "room_id": team.room });
            let hook = team.ada.post("/api/hooks", hook).await.expect(201);
            let url = hook["url"].as_str().unwrap();
            let path = &url[url.find("/hooks/").unwrap()..];
            team.nobody().post(path, json!({ "text": "all is well" })).await;
        }
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("all is well").await;
        window
            .until("two people are counted", "return /\\b2 people$/.test(document.querySelector('.room-who').textContent)")
            .await;
        window.type_into(".composer-input", "@").await;
        window.find(".picker-option").await;
        let names = "return [...document.querySelectorAll('.picker-name')].map((it) => it.textContent).join()";
        assert_eq!(window.eval(names).await, "Ben,Grafbot,@here,@room");
        window.click(".new-ping").await;
        window.find(".dialog-people .person").await;
        let names = "return [...document.querySelectorAll('.dialog-people .person-name bdi')].map((it) => it.textContent).join()";
        assert_eq!(window.eval(names).await, "Ada,Ben,Grafbot");
        team
    })
    .await;
}

/// Rough edge 2
#[tokio::test]
async fn bell_opens_a_menu_and_what_was_chosen_can_be_undone() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = signed_in_on(driver, PHONE, &team.nobody().origin(), &team.ada.email).await;
        window.click(".room").await;
        for _ in 0..3 {
            window.click(".bell").await;
            window.find(".menu [role=menuitemradio]").await;
            assert_eq!(window.eval("return document.querySelector('.bell').dataset.involvement").await, "mentions");
            window.eval("document.querySelector('.menu').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))").await;
            window.until("it is closed", "return !document.querySelector('.menu')").await;
        }
        window.click(".bell").await;
        window.click(".menu [role=menuitemradio]:last-child").await;
        let is = |state: &str| format!("return document.querySelector('.bell').dataset.involvement === '{state}'");
        window.until("the room is hidden", &is("invisible")).await;
        window.click(".toast-action").await;
        window.until("it is back", &is("mentions")).await;
        team
    })
    .await;
}

/// Rough edge 1
#[tokio::test]
async fn notifications_are_asked_for_once_when_somebody_has_begun_to_talk() {
    for screen in [DESK, Screen { language: "de-DE", ..DESK }] {
        with_browser(async |driver| {
            let team = Team::start().await;
            let window = driver.window_with(screen).await;
            let source = "Object.defineProperty(Notification, 'permission', { get: () => 'default' });";
            window.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
            let origin = team.nobody().origin();
            window.goto(&format!("{origin}/signin")).await;
            window.type_into("#field-email", &team.ada.email).await;
            window.type_into("#field-password", &format!("{}\u{E007}", crate::support::PASSWORD)).await;
            window.find(".composer-input").await;
            assert_eq!(window.eval("return document.querySelector('.side-ask').hidden").await, true);
            window.say("hello").await;
            window.find(".side-ask:not([hidden])").await;
            window.assert_accessible("the question").await;
            window.click(".side-ask .button:last-child").await;
            window.until("it is gone", "return document.querySelector('.side-ask').hidden").await;
            window.client.refresh().await.unwrap();
            window.wait_for_message("hello").await;
            window.say("again").await;
            window.wait_for_message("again").await;
            // What answers after the message has answered before this.
            window.eval("return fetch('/api/push/key').then((it) => it.status)").await;
            assert_eq!(window.eval("return document.querySelector('.side-ask').hidden").await, true);
            team
        })
        .await;
    }
}

/// Rough edge 11
#[tokio::test]
async fn one_save_in_the_settings_of_a_room_saves_all_and_closes_them() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let [ben, cleo] = [team.join("Ben").await, team.join("Cleo").await];
        let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{kitchen}")).await;
        window.click(".room-head .icon-button:last-child").await;
        window.click(".menu [role=menuitem]").await;
        window.find(".dialog-room .chip").await;
        assert_eq!(
            window.eval("return document.querySelectorAll('.dialog-room [type=submit]').length").await,
            1
        );
        window.eval("document.querySelector('#room-name').value = 'Pantry'").await;
        window.click(&format!(".dialog-room input[value='{}']", ben.id)).await;
        window.click(&format!(".dialog-room input[value='{}']", cleo.id)).await;
        window.click(".dialog-room [type=submit]").await;
        window.until("it is closed", "return !document.querySelector('dialog')").await;
        let room = team.ada.get(&format!("/api/rooms/{kitchen}")).await.expect(200);
        assert_eq!(room["name"], "Pantry");
        let members = team.ada.get(&format!("/api/rooms/{kitchen}/members")).await.expect(200);
        let members: Vec<i64> = members["members"].as_array().unwrap().iter().map(id).collect();
        assert_eq!(members, [team.ada.id, cleo.id]);
        team
    })
    .await;
}
