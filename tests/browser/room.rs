//! What is done with messages, and what the other windows see of it.

use crate::{
    driving::{CONTROL, ENTER, ESCAPE, PHONE, UP, browsing},
    people::{in_kitchen, signed_in, signed_in_on, two},
    support::{Camp, id, json},
};

/// Where a script finds the message with a text.
fn message(text: &str) -> String {
    format!(
        "[...document.querySelectorAll('.message')].find((it) => it.querySelector('.message-text')?.innerText.trim() === {})",
        json!(text)
    )
}

#[tokio::test]
async fn boost_is_shown_to_all_with_its_giver_and_can_be_removed() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (_, first, second) = two(&camp, driver).await;
        first.say("lunch?").await;
        second.sees("lunch?").await;
        second.eval(&format!("{}.focus()", message("lunch?"))).await;
        second.client.active_element().await.unwrap().send_keys("b").await.unwrap();
        second.click(".quick-boost:nth-child(8)").await;
        for window in [&first, &second] {
            let shown = "return document.querySelector('.boost')?.title.startsWith('🔥')";
            window.until("the fire is there", &format!("{shown} ?? false")).await;
        }
        first
            .until("it is told who gave it", "return document.querySelector('.boost').title.includes('Ben')")
            .await;
        first.click(".boost[data-boost]").await;
        second
            .until("two gave it", "return document.querySelector('.boost-count')?.textContent === '2'")
            .await;
        second.click(".boost[data-boost]").await;
        first.until("one took it back", "return document.querySelector('.boost-count') === null").await;
        // A short word, counted as people count.
        second.click(".boost-add").await;
        second.type_into(".boost-input input", &format!("oh yes!{ENTER}")).await;
        first
            .until("the word is there", "return [...document.querySelectorAll('.boost')].some((it) => it.dataset.boost === 'oh yes!')")
            .await;
        camp
    })
    .await;
}

#[tokio::test]
async fn reply_quotes_its_message_and_leads_back_to_it() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (_, first, second) = two(&camp, driver).await;
        first.say("who has the key?").await;
        second.sees("who has the key?").await;
        second.eval(&format!("{}.focus()", message("who has the key?"))).await;
        second.client.active_element().await.unwrap().send_keys("r").await.unwrap();
        second.find(".composer-reply:not([hidden])").await;
        second.say("I do").await;
        first.sees("I do").await;
        first
            .until(
                "it is quoted",
                "return /Ada.*who has the key/.test(document.querySelector('.quote')?.textContent)",
            )
            .await;
        first.click(".quote").await;
        first
            .until("one is led back", "return document.querySelector('.is-shown .message-text')?.innerText.trim() === 'who has the key?'")
            .await;
        camp
    })
    .await;
}

#[tokio::test]
async fn permalink_opens_the_room_around_its_message_and_says_when_it_is_gone() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let mut old = 0;
        for number in 0..150 {
            let said = camp.ada.say(camp.room, &format!("line {number}")).await;
            if number == 10 {
                old = id(&said);
            }
        }
        let origin = camp.nobody().origin();
        let window = signed_in(driver, &origin, &camp.ada.email).await;
        window.goto(&format!("{origin}/rooms/{}/@{old}", camp.room)).await;
        window
            .until(
                "it is shown",
                "return document.querySelector('.is-shown .message-text')?.innerText.trim() === 'line 10'",
            )
            .await;
        window.click(".jump-button.is-down").await;
        window.sees("line 149").await;
        camp.ada.delete(&format!("/api/messages/{old}")).await;
        window.goto(&format!("{origin}/rooms/{}/@{old}", camp.room)).await;
        window.find(".room-notice:not([hidden])").await;
        camp
    })
    .await;
}

#[tokio::test]
async fn mention_is_picked_from_a_list_and_highlighted_for_its_user() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (_, first, second) = two(&camp, driver).await;
        first.type_into(".composer-input", "over to you @be").await;
        first.find(".picker-option").await;
        first.type_into(".composer-input", &format!("{ENTER}now{ENTER}")).await;
        second
            .until(
                "it is meant",
                "return document.querySelector('.message.is-meant .mention.is-me')?.textContent === '@Ben'",
            )
            .await;
        camp
    })
    .await;
}

#[tokio::test]
async fn unread_mark_goes_in_all_windows_when_one_reads() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let ben = camp.join("Ben").await;
        let kitchen = camp.closed_room("Kitchen", &[&camp.ada, &ben]).await;
        let origin = camp.nobody().origin();
        let first = signed_in(driver, &origin, &ben.email).await;
        let second = signed_in(driver, &origin, &ben.email).await;
        for window in [&first, &second] {
            window.goto(&format!("{origin}/rooms/{}", camp.room)).await;
            window.find(".composer-input").await;
        }
        camp.ada.say(kitchen, "soup").await;
        for window in [&first, &second] {
            window.find(".room.is-unread").await;
        }
        first.click(".room.is-unread").await;
        second.until("it is read there too", "return !document.querySelector('.room.is-unread')").await;
        camp
    })
    .await;
}

#[tokio::test]
async fn muted_room_shows_no_unread_mark() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (kitchen, window) = in_kitchen(&camp, driver).await;
        for expected in ["everything", "nothing"] {
            window.click(".bell").await;
            let rung = format!("return document.querySelector('.bell').dataset.involvement === {expected:?}");
            window.until("the bell has gone on", &rung).await;
        }
        window.goto(&format!("{}/rooms/{}", camp.nobody().origin(), camp.room)).await;
        window.find(".composer-input").await;
        camp.ada.say(kitchen, "soup").await;
        camp.ada.say(camp.room, "and bread").await;
        window.sees("and bread").await;
        window
            .until(
                "nothing is bold",
                "return !document.querySelector('.room.is-unread, .side .badge, .side .dot')",
            )
            .await;
        camp
    })
    .await;
}

#[tokio::test]
async fn typing_is_shown_until_the_message_arrives() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (_, first, second) = two(&camp, driver).await;
        first.type_into(".composer-input", "a long thought").await;
        second
            .until("it is told", "return document.querySelector('.typing').textContent.includes('Ada')")
            .await;
        first.type_into(".composer-input", ENTER).await;
        second.sees("a long thought").await;
        second.until("it is over", "return document.querySelector('.typing').textContent === ''").await;
        camp
    })
    .await;
}

#[tokio::test]
async fn message_that_is_refused_shows_the_reason_and_can_be_sent_again() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (_, window) = in_kitchen(&camp, driver).await;
        // A server that refuses: the page's own limit is looser than a message without any words.
        window
            .eval(
                "const real = fetch; window.fetch = (path, options) => path === '/api/messages' && !window.works
                    ? Promise.resolve(new Response(JSON.stringify({ detail: 'Not today.', code: 'invalid' }), { status: 422 })) : real(path, options);",
            )
            .await;
        window.say("please").await;
        window
            .until("it says why", "return document.querySelector('.message-failed')?.textContent.includes('Not today.')")
            .await;
        window.eval("window.works = true").await;
        window.click(".message-failed .link").await;
        window.sees("please").await;
        assert_eq!(window.texts().await, ["please"]);
        camp
    })
    .await;
}

#[tokio::test]
async fn removal_from_a_room_is_shown_and_unlists_it() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        let (kitchen, window) = in_kitchen(&camp, driver).await;
        camp.ada
            .put(&format!("/api/rooms/{kitchen}/members"), json!({ "user_ids": [camp.ada.id] }))
            .await
            .expect(200);
        window.until("it is told", "return document.querySelector('.empty') !== null && !document.querySelector('.composer-input')").await;
        window
            .until("it is not listed", "return ![...document.querySelectorAll('.room-name')].some((it) => it.textContent === 'Kitchen')")
            .await;
        camp
    })
    .await;
}

#[tokio::test]
async fn scrolling_through_a_long_history_keeps_at_most_500_messages() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        // Enough pages to see that the far end is let go, not so many that the test only waits.
        for number in 0..1_200 {
            camp.ada.say(camp.room, &format!("line {number}")).await;
        }
        let window = signed_in(driver, &camp.nobody().origin(), &camp.ada.email).await;
        window.sees("line 1199").await;
        let up = "const scroll = document.querySelector('.scroll'); scroll.scrollTop = 0; scroll.dispatchEvent(new Event('scroll'));
            return document.querySelectorAll('.message').length <= 500
                && [...document.querySelectorAll('.message-text')].some((it) => it.innerText.trim() === 'line 0')";
        window.until("the first message is reached", up).await;
        let count = window.eval("return document.querySelectorAll('.message').length").await;
        assert!(count.as_u64().is_some_and(|count| count <= 500), "{count} in the page");
        window.click(".jump-button.is-down").await;
        window.sees("line 1199").await;
        camp
    })
    .await;
}

#[tokio::test]
async fn scroll_position_holds_when_others_write() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        for number in 0..120 {
            camp.ada.say(camp.room, &format!("line {number}")).await;
        }
        let ben = camp.join("Ben").await;
        let window = signed_in(driver, &camp.nobody().origin(), &camp.ada.email).await;
        window.sees("line 119").await;
        let top = "return Math.round([...document.querySelectorAll('.message')].find((it) => it.innerText.includes('line 100')).getBoundingClientRect().top)";
        window.eval("document.querySelector('.scroll').scrollTop -= 900").await;
        window.until("one is up in the past", "return !document.querySelector('.jump-button.is-down').hidden").await;
        let before = window.eval(top).await;
        for number in 0..5 {
            ben.say(camp.room, &format!("news {number}")).await;
        }
        window.until("they are counted", "return /5/.test(document.querySelector('.jump-button.is-down').textContent)").await;
        assert_eq!(window.eval(top).await, before);
        camp
    })
    .await;
}

#[tokio::test]
async fn keyboard_walks_and_edits_messages() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        for text in ["one", "two", "three"] {
            camp.ada.say(camp.room, text).await;
        }
        let window = signed_in(driver, &camp.nobody().origin(), &camp.ada.email).await;
        window.sees("three").await;
        let focused = "return document.activeElement.querySelector?.('.message-text')?.innerText.trim()";
        window.type_into(".composer-input", "\u{E00E}").await; // Page Up
        window.until("the newest has the focus", &format!("{focused} === 'three'")).await;
        window.client.active_element().await.unwrap().send_keys(UP).await.unwrap();
        window.until("the one before", &format!("{focused} === 'two'")).await;
        window.client.active_element().await.unwrap().send_keys("e").await.unwrap();
        window.type_into(".edit-box", &format!(" and a half{ENTER}")).await;
        window.sees("two and a half").await;
        window.client.active_element().await.unwrap().send_keys(ESCAPE).await.unwrap();
        window
            .until("one is back at the composer", "return document.activeElement.matches('.composer-input')")
            .await;
        window.type_into(".composer-input", &format!("{CONTROL}k")).await;
        window.find(".switcher-input").await;
        camp
    })
    .await;
}

#[tokio::test]
async fn phone_shows_the_room_list_and_the_room_as_two_pages() {
    browsing(async |driver| {
        let camp = Camp::start().await;
        camp.ada.say(camp.room, "hello there").await;
        let window = signed_in_on(driver, PHONE, &camp.nobody().origin(), &camp.ada.email).await;
        window.click(".room").await;
        window.sees("hello there").await;
        window.click(".room-head .back").await;
        window
            .until(
                "the list is shown",
                "return document.querySelector('.side').offsetWidth > 0 && location.pathname === '/'",
            )
            .await;
        window.client.back().await.unwrap();
        window.sees("hello there").await;
        camp
    })
    .await;
}
