//! A room: boosts, replies, mentions, unread marks, scrolling and keys, also as seen in other windows.

use crate::{
    driver::{CONTROL, ENTER, ESCAPE, PHONE, UP, with_browser},
    support::{Team, id, json},
    windows::{kitchen_window, signed_in, signed_in_on, two_windows},
};

/// JavaScript for the message element with this text.
fn message(text: &str) -> String {
    format!(
        "[...document.querySelectorAll('.message')].find((it) => it.querySelector('.message-text')?.innerText.trim() === {})",
        json!(text)
    )
}

#[tokio::test]
async fn boost_is_shown_to_all_with_its_giver_and_can_be_removed() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.say("lunch?").await;
        second.wait_for_message("lunch?").await;
        second.eval(&format!("{}.focus()", message("lunch?"))).await;
        second.client.active_element().await.unwrap().send_keys("b").await.unwrap();
        second.click(".quick-boost:nth-child(8)").await;
        for window in [&first, &second] {
            let shown = "return document.querySelector('.boost')?.title.startsWith('🔥')";
            window.until("the fire is there", &format!("{shown} ?? false")).await;
        }
        first
            .until("its giver is shown", "return document.querySelector('.boost').title.includes('Ben')")
            .await;
        first.click(".boost[data-boost]").await;
        second
            .until("two gave it", "return document.querySelector('.boost-count')?.textContent === '2'")
            .await;
        second.click(".boost[data-boost]").await;
        first.until("one took it back", "return document.querySelector('.boost-count') === null").await;
        // A boost of several characters.
        second.click(".boost-add").await;
        second.type_into(".boost-input input", &format!("oh yes!{ENTER}")).await;
        first
            .until("the word is there", "return [...document.querySelectorAll('.boost')].some((it) => it.dataset.boost === 'oh yes!')")
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn reply_quotes_its_message_and_leads_back_to_it() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.say("who has the key?").await;
        second.wait_for_message("who has the key?").await;
        second.eval(&format!("{}.focus()", message("who has the key?"))).await;
        second.client.active_element().await.unwrap().send_keys("r").await.unwrap();
        second.find(".composer-reply:not([hidden])").await;
        second.say("I do").await;
        first.wait_for_message("I do").await;
        first
            .until(
                "it is quoted",
                "return /Ada.*who has the key/.test(document.querySelector('.quote')?.textContent)",
            )
            .await;
        first.click(".quote").await;
        first
            .until("the message is shown", "return document.querySelector('.is-shown .message-text')?.innerText.trim() === 'who has the key?'")
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn permalink_opens_the_room_around_its_message_and_says_when_it_is_gone() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let mut old = 0;
        for number in 0..150 {
            let said = team.ada.say(team.room, &format!("line {number}")).await;
            if number == 10 {
                old = id(&said);
            }
        }
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{}/@{old}", team.room)).await;
        window
            .until(
                "it is shown",
                "return document.querySelector('.is-shown .message-text')?.innerText.trim() === 'line 10'",
            )
            .await;
        window.click(".jump-button.is-down").await;
        window.wait_for_message("line 149").await;
        team.ada.delete(&format!("/api/messages/{old}")).await;
        window.goto(&format!("{origin}/rooms/{}/@{old}", team.room)).await;
        window.find(".room-notice:not([hidden])").await;
        team
    })
    .await;
}

#[tokio::test]
async fn mention_is_picked_from_a_list_and_highlighted_for_its_user() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.type_into(".composer-input", "over to you @be").await;
        first.find(".picker-option").await;
        first.type_into(".composer-input", &format!("{ENTER}now{ENTER}")).await;
        second
            .until(
                "the mention is highlighted",
                "return document.querySelector('.message.is-meant .mention.is-me')?.textContent === '@Ben'",
            )
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn unread_mark_goes_in_all_windows_when_one_reads() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let ben = team.join("Ben").await;
        let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
        let origin = team.nobody().origin();
        let first = signed_in(driver, &origin, &ben.email).await;
        let second = signed_in(driver, &origin, &ben.email).await;
        for window in [&first, &second] {
            window.goto(&format!("{origin}/rooms/{}", team.room)).await;
            window.find(".composer-input").await;
        }
        team.ada.say(kitchen, "soup").await;
        for window in [&first, &second] {
            window.find(".room.is-unread").await;
        }
        first.click(".room.is-unread").await;
        second.until("it is read there too", "return !document.querySelector('.room.is-unread')").await;
        team
    })
    .await;
}

#[tokio::test]
async fn muted_room_shows_no_unread_mark() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (kitchen, window) = kitchen_window(&team, driver).await;
        window.click(".bell").await;
        window.click(".menu [role=menuitemradio]:nth-child(3)").await;
        window
            .until(
                "the involvement has changed",
                "return document.querySelector('.bell').dataset.involvement === 'nothing'",
            )
            .await;
        window.goto(&format!("{}/rooms/{}", team.nobody().origin(), team.room)).await;
        window.find(".composer-input").await;
        team.ada.say(kitchen, "soup").await;
        team.ada.say(team.room, "and bread").await;
        window.wait_for_message("and bread").await;
        window
            .until(
                "nothing is bold",
                "return !document.querySelector('.room.is-unread, .side .badge, .side .dot')",
            )
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn typing_is_shown_until_the_message_arrives() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.type_into(".composer-input", "a long thought").await;
        second
            .until("typing is shown", "return document.querySelector('.typing').textContent.includes('Ada')")
            .await;
        first.type_into(".composer-input", ENTER).await;
        second.wait_for_message("a long thought").await;
        second.until("it is over", "return document.querySelector('.typing').textContent === ''").await;
        team
    })
    .await;
}

#[tokio::test]
async fn message_that_is_refused_shows_the_reason_and_can_be_sent_again() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, window) = kitchen_window(&team, driver).await;
        // Simulates a server that refuses the message.
        window
            .eval(
                "const real = fetch; window.fetch = (path, options) => path === '/api/messages' && !window.works
                    ? Promise.resolve(new Response(JSON.stringify({ detail: 'Not today.', code: 'invalid' }), { status: 422, headers: { 'content-type': 'application/problem+json' } })) : real(path, options);",
            )
            .await;
        window.say("please").await;
        window
            .until("it says why", "return document.querySelector('.message-failed')?.textContent.includes('Not today.')")
            .await;
        window.eval("window.works = true").await;
        window.click(".message-failed .link").await;
        window.wait_for_message("please").await;
        assert_eq!(window.texts().await, ["please"]);
        team
    })
    .await;
}

#[tokio::test]
async fn removal_from_a_room_is_shown_and_unlists_it() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (kitchen, window) = kitchen_window(&team, driver).await;
        team.ada
            .put(&format!("/api/rooms/{kitchen}/members"), json!({ "user_ids": [team.ada.id] }))
            .await
            .expect(200);
        window.until("the removal is shown", "return document.querySelector('.empty') !== null && !document.querySelector('.composer-input')").await;
        window
            .until("it is not listed", "return ![...document.querySelectorAll('.room-name')].some((it) => it.textContent === 'Kitchen')")
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn scrolling_through_a_long_history_keeps_at_most_500_messages() {
    with_browser(async |driver| {
        let team = Team::start().await;
        // Enough pages that the far end is removed from the DOM.
        for number in 0..1_200 {
            team.ada.say(team.room, &format!("line {number}")).await;
        }
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("line 1199").await;
        let up = "const scroll = document.querySelector('.scroll'); scroll.scrollTop = 0; scroll.dispatchEvent(new Event('scroll'));
            return document.querySelectorAll('.message').length <= 500
                && [...document.querySelectorAll('.message-text')].some((it) => it.innerText.trim() === 'line 0')";
        window.until("the first message is reached", up).await;
        let count = window.eval("return document.querySelectorAll('.message').length").await;
        assert!(count.as_u64().is_some_and(|count| count <= 500), "{count} in the page");
        window.click(".jump-button.is-down").await;
        window.wait_for_message("line 1199").await;
        team
    })
    .await;
}

#[tokio::test]
async fn scroll_position_holds_when_others_write() {
    with_browser(async |driver| {
        let team = Team::start().await;
        for number in 0..120 {
            team.ada.say(team.room, &format!("line {number}")).await;
        }
        let ben = team.join("Ben").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("line 119").await;
        let top = "return Math.round([...document.querySelectorAll('.message')].find((it) => it.innerText.includes('line 100')).getBoundingClientRect().top)";
        window.eval("document.querySelector('.scroll').scrollTop -= 900").await;
        window.until("older messages are shown", "return !document.querySelector('.jump-button.is-down').hidden").await;
        let before = window.eval(top).await;
        for number in 0..5 {
            ben.say(team.room, &format!("news {number}")).await;
        }
        window.until("they are counted", "return /5/.test(document.querySelector('.jump-button.is-down').textContent)").await;
        assert_eq!(window.eval(top).await, before);
        team
    })
    .await;
}

#[tokio::test]
async fn keyboard_walks_and_edits_messages() {
    with_browser(async |driver| {
        let team = Team::start().await;
        for text in ["one", "two", "three"] {
            team.ada.say(team.room, text).await;
        }
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("three").await;
        let focused = "return document.activeElement.querySelector?.('.message-text')?.innerText.trim()";
        window.type_into(".composer-input", "\u{E00E}").await; // Page Up
        window.until("the newest has the focus", &format!("{focused} === 'three'")).await;
        window.client.active_element().await.unwrap().send_keys(UP).await.unwrap();
        window.until("the one before", &format!("{focused} === 'two'")).await;
        window.client.active_element().await.unwrap().send_keys("e").await.unwrap();
        window.type_into(".edit-box", &format!(" and a half{ENTER}")).await;
        window.wait_for_message("two and a half").await;
        window.client.active_element().await.unwrap().send_keys(ESCAPE).await.unwrap();
        window
            .until("the composer has the focus", "return document.activeElement.matches('.composer-input')")
            .await;
        window.type_into(".composer-input", &format!("{CONTROL}k")).await;
        window.find(".switcher-input").await;
        team
    })
    .await;
}

#[tokio::test]
async fn phone_shows_the_room_list_and_the_room_as_two_pages() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "hello there").await;
        let window = signed_in_on(driver, PHONE, &team.nobody().origin(), &team.ada.email).await;
        window.click(".room").await;
        window.wait_for_message("hello there").await;
        window.click(".room-head .back").await;
        window
            .until(
                "the list is shown",
                "return document.querySelector('.side').offsetWidth > 0 && location.pathname === '/'",
            )
            .await;
        window.client.back().await.unwrap();
        window.wait_for_message("hello there").await;
        team
    })
    .await;
}

#[tokio::test]
async fn each_paragraph_has_its_own_direction_and_titles_stay_where_titles_are() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let name = "مشروع البحر";
        let room = id(&team.ada.post("/api/rooms", json!({"name": name, "kind": "open"})).await.expect(201));
        team.ada.say(room, "hello first\n\nمرحبا second\n\n> שלום\n\nplain English\n\n- רשימה").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.goto(&format!("{}/rooms/{room}", team.nobody().origin())).await;
        window.until("the message is there", "return document.querySelector('.message-text blockquote') !== null").await;
        let directions = window
            .eval("return [...document.querySelectorAll('.message-text > *')].map((part) => getComputedStyle(part).direction)")
            .await;
        assert_eq!(directions, json!(["ltr", "rtl", "rtl", "ltr", "rtl"]));
        let apart = window
            .eval("const [title, who] = ['.room-title h1 bdi', '.room-title p'].map((css) => document.querySelector(css).getBoundingClientRect()); return Math.abs(title.left - who.left)")
            .await;
        assert!(apart.as_f64().is_some_and(|pixels| pixels < 8.0), "the title starts {apart} px beside the line below it");
        team
    })
    .await;
}

#[tokio::test]
async fn emoji_of_the_team_are_added_in_the_settings_and_shown_in_messages_and_boosts() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let typed = team.ada.say(team.room, "Ship it :squirrel: `:squirrel:` :nobody:").await;
        let message = crate::support::id(&typed);
        team.ada.post(&format!("/api/messages/{message}/boosts"), json!({"content": ":squirrel:"})).await.expect(201);
        let reader = signed_in(driver, &origin, &team.ada.email).await;
        reader.wait_for_message("Ship it :squirrel: :squirrel: :nobody:").await;
        let admin = signed_in(driver, &origin, &team.ada.email).await;
        admin.goto(&format!("{origin}/settings/emoji")).await;
        admin.find(".settings-emoji .settings-nothing").await;
        admin.assert_accessible("no emoji yet").await;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("squirrel.png");
        image::RgbImage::from_pixel(48, 48, image::Rgb([160, 90, 20])).save(&file).unwrap();
        admin.type_into("#emoji-picture", file.to_str().unwrap()).await;
        admin.type_into("#emoji-name", ":Squirrel:\u{E007}").await;
        admin.find("[data-key='emoji-squirrel'] img.emoji").await;
        admin.assert_accessible("an emoji of the team").await;
        // In the window that was open, without a reload.
        reader
            .until(
                "the picture is there",
                "const text = document.querySelector('.message-text'); const all = text.querySelectorAll('img.emoji');
                 return all.length === 1 && all[0].alt === ':squirrel:' && all[0].naturalWidth === 48 && text.querySelector('code').textContent === ':squirrel:' && text.textContent.includes(':nobody:')",
            )
            .await;
        reader
            .until("the boost too", "return document.querySelector('.boost[data-boost=\":squirrel:\"] img.emoji') !== null")
            .await;
        reader.assert_accessible("messages with an emoji of the team").await;
        reader.say("done :squirrel:").await;
        reader
            .until(
                "a new message has it",
                "return document.querySelectorAll('.message:not(.is-pending) .message-text img.emoji').length === 2",
            )
            .await;
        admin.click("[data-key='emoji-squirrel'] .settings-action button").await;
        admin.click("dialog .button-danger").await;
        admin.find(".settings-emoji .settings-nothing").await;
        reader.wait_for_message("done :squirrel:").await;
        team
    })
    .await;
}
