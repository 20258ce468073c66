//! Setting up, and messages between two windows.

use crate::{
    driver::{Driver, ENTER, Window, with_browser},
    support::{Receiver, Server, Team, receiver::response},
    windows::{signed_in, two_windows},
};

#[tokio::test]
async fn setup_by_the_first_visitor_opens_a_room_to_write_in() {
    with_browser(async |driver| {
    let server = Server::start();
    let window = driver.window().await;
    window.goto(&format!("http://{}/", server.address().get())).await;
    window.type_into("#field-account_name", "Northwind").await;
    window.type_into("#field-name", "Ana Silva").await;
    window.type_into("#field-email", "ana@example.org").await;
    window.expect_complaint("422");
    window.type_into("#field-password", "short\u{E007}").await;
    window
        .until(
            "the password is refused",
            "return document.querySelector('#field-password-error').textContent.includes('8')",
        )
        .await;
    window.type_into("#field-password", " but longer\u{E007}").await;
    window
        .until(
            "the room is open",
            "return document.querySelector('.room-title h1')?.textContent === 'All Talk'",
        )
        .await;
    window.until("the invitation is shown", "return /\\/join\\/\\w{4}-\\w{4}-\\w{4}$/.test(document.querySelector('.copyable')?.textContent)").await;
    window.say("hello from the page").await;
    window.wait_for_message("hello from the page").await;
        server
    })
    .await;
}

#[tokio::test]
async fn messages_go_both_ways_between_windows_and_appear_once() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        for turn in 0..5 {
            first.say(&format!("ping {turn}")).await;
            second.wait_for_message(&format!("ping {turn}")).await;
            second.say(&format!("pong {turn}")).await;
            first.wait_for_message(&format!("pong {turn}")).await;
        }
        let wanted: Vec<String> =
            (0..5).flat_map(|turn| [format!("ping {turn}"), format!("pong {turn}")]).collect();
        for window in [&first, &second] {
            window.until("nothing is pending", "return !document.querySelector('.is-pending')").await;
            assert_eq!(window.texts().await, wanted);
        }
        team
    })
    .await;
}

#[tokio::test]
async fn markup_in_messages_does_not_run() {
    with_browser(async |driver| {
    let team = Team::start().await;
    for attack in [
        "<img src=x onerror=\"window.broken=1\">",
        "<script>window.broken=1</script>",
        "[x](javascript:window.broken=1)",
        "<svg onload=window.broken=1>",
    ] {
        team.ada.say(team.room, attack).await;
    }
    let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
    window.wait_for_message("<script>window.broken=1</script>").await;
    assert_eq!(window.eval("return window.broken === undefined && !document.querySelector('.message-text img, .message-text script, .message-text svg, .message-text a')").await, true);
        team
    })
    .await;
}

#[tokio::test]
async fn edit_and_deletion_appear_in_the_other_window() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.say("a tpyo").await;
        second.wait_for_message("a tpyo").await;
        first.until("it is said", "return !document.querySelector('.is-pending')").await;
        // The up arrow in an empty composer edits the last message.
        first.type_into(".composer-input", "\u{E013}").await;
        let edit = first.find(".edit-box").await;
        edit.clear().await.unwrap();
        edit.send_keys("a typo\u{E007}").await.unwrap();
        second.wait_for_message("a typo").await;
        second.until("it is marked", "return document.querySelector('.message-edited') !== null").await;
        let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
        team.ada.delete(&format!("/api/messages/{}", page["messages"][0]["id"])).await;
        second.until("it is gone", "return document.querySelector('.message') === null").await;
        team
    })
    .await;
}

#[tokio::test]
async fn search_result_opens_its_message_in_the_room() {
    with_browser(async |driver| {
    let team = Team::start().await;
    for number in 0..120 {
        team.ada.say(team.room, &format!("line {number} about nothing")).await;
        if number == 20 {
            team.ada.say(team.room, "the walrus was here").await;
        }
    }
    let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
    window.wait_for_message("line 119 about nothing").await;
    window.goto(&format!("{}/search", team.nobody().origin())).await;
    window.type_into(".search-input", "walrus\u{E007}").await;
    window
        .until("it is found", "return document.querySelector('.result mark')?.textContent === 'walrus'")
        .await;
    window.click(".result").await;
    window.until("it is shown", "return document.querySelector('.message.is-shown .message-text')?.innerText === 'the walrus was here'").await;
        team
    })
    .await;
}

#[tokio::test]
async fn draft_survives_a_reload() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.type_into(".composer-input", "not yet finished").await;
        window.client.refresh().await.unwrap();
        window
            .until(
                "the draft is back",
                "return document.querySelector('.composer-input')?.value === 'not yet finished'",
            )
            .await;
        team
    })
    .await;
}

/// Two windows with one message, which expect console errors about an unreachable server.
async fn two_windows_before_a_disconnect(team: &Team, driver: &Driver) -> (Window, Window) {
    let (_, first, second) = two_windows(team, driver).await;
    first.say("before").await;
    second.wait_for_message("before").await;
    for window in [&first, &second] {
        window.expect_complaint("ERR_CONNECTION_REFUSED");
        // Lazy parts that are fetched when idle may fail.
        window.expect_complaint("ERR_FAILED");
    }
    (first, second)
}

#[tokio::test]
async fn offline_messages_are_sent_in_order_and_once_after_reconnecting() {
    with_browser(async |driver| {
        let mut team = Team::start().await;
        let (first, second) = two_windows_before_a_disconnect(&team, driver).await;
        team.server.kill();
        first
            .until(
                "the disconnect is shown",
                "return document.querySelector('.connection:not([hidden])') !== null",
            )
            .await;
        for number in 0..3 {
            first.say(&format!("queued {number}")).await;
        }
        first.until("they are kept", "return document.querySelectorAll('.is-pending').length === 3").await;
        team.server.restart_at_the_same_address();
        for number in 0..3 {
            first.wait_for_message(&format!("queued {number}")).await;
            second.wait_for_message(&format!("queued {number}")).await;
        }
        for window in [&first, &second] {
            window
                .until(
                    "nothing is pending",
                    "return !document.querySelector('.is-pending, .connection:not([hidden])')",
                )
                .await;
            assert_eq!(window.texts().await, ["before", "queued 0", "queued 1", "queued 2"]);
        }
        team
    })
    .await;
}

#[tokio::test]
async fn reconnect_waits_as_long_as_the_server_hints() {
    with_browser(async |driver| {
        let mut team = Team::start().await;
        let (first, second) = two_windows_before_a_disconnect(&team, driver).await;
        for window in [&first, &second] {
            window
                .eval(
                    "window.delays = [];
                    const later = window.setTimeout.bind(window);
                    window.setTimeout = (call, ms, ...rest) => { window.delays.push(ms); return later(call, ms, ...rest); };",
                )
                .await;
        }
        assert!(team.server.terminate().success());
        for window in [&first, &second] {
            // With few sockets the server's hint is a little over 200 ms; without a hint the page waits 250 ms at least.
            let hinted = "return window.delays.some((ms) => ms >= 200 && ms < 250)";
            window.until("it waits as long as the hint says", hinted).await;
        }
        team.server.restart_at_the_same_address();
        first.say("after").await;
        second.wait_for_message("after").await;
        assert_eq!(second.texts().await, ["before", "after"]);
        team
    })
    .await;
}

#[tokio::test]
async fn new_room_appears_in_the_other_window_with_its_unread_mark() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, first, second) = two_windows(&team, driver).await;
        first.click(".new-room").await;
        first.type_into("#field-name", "Kitchen\u{E007}").await;
        first
            .until(
                "the room is open",
                "return document.querySelector('.room-title h1')?.textContent === 'Kitchen'",
            )
            .await;
        second
        .until(
            "it is listed",
            "return [...document.querySelectorAll('.room-name')].some((it) => it.textContent === 'Kitchen')",
        )
        .await;
        first.say(&format!("soup is ready, @[Ben](user:{})", ben.id)).await;
        second
            .until(
                "it is unread, with a mention",
                "return document.querySelector('.room.is-unread .badge')?.textContent === '1'",
            )
            .await;
        second.click(".room.is-unread").await;
        second
            .until(
                "the mention is mine",
                "return document.querySelector('.message.is-meant .mention.is-me')?.textContent === '@Ben'",
            )
            .await;
        second.until("it is read", "return document.querySelector('.room.is-unread') === null").await;
        team
    })
    .await;
}

#[tokio::test]
async fn preview_hides_its_bare_link_and_is_removed_by_its_author() {
    with_browser(async |driver| {
        let team = Team::with(&[("CAMPFIRE_OUTGOING_ALLOW", "127.0.0.1/32")]).await;
        let site = Receiver::start(|call, _| {
            response(200, "text/html", format!("<title>The page {}</title>", call.path))
        })
        .await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.type_into(".composer-input", &format!("{}{ENTER}", site.url("/alone"))).await;
        let is_hidden = "const card = document.querySelector('.embed'); const words = card?.closest('.message').querySelector('.message-text');
            return Boolean(words) && getComputedStyle(words).display === 'none'";
        for window in [&first, &second] {
            window.until("the card stands for the link", is_hidden).await;
        }
        assert_eq!(second.eval("return document.querySelectorAll('.embed-drop').length").await, 0);
        first.eval("document.querySelector('.embed-drop').click()").await;
        for window in [&first, &second] {
            window
                .until(
                    "the card is gone, and the link is there again",
                    "const words = [...document.querySelectorAll('.message-text')].find((it) => it.textContent.includes('/alone'));
                    return !document.querySelector('.embed') && getComputedStyle(words).display !== 'none'",
                )
                .await;
        }
        first.type_into(".composer-input", &format!("look: {}{ENTER}", site.url("/beside"))).await;
        second
            .until(
                "words beside a link stay",
                "const card = document.querySelector('.embed'); const words = card?.closest('.message').querySelector('.message-text');
                return Boolean(words) && getComputedStyle(words).display !== 'none'",
            )
            .await;
        team
    })
    .await;
}
