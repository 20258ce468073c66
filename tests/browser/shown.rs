//! How words, names, numbers and times are shown.

use crate::{
    driver::{Window, with_browser},
    support::{Team, id, json},
    windows::{signed_in, two_windows},
};

/// Where the words of an element begin: `left` or `right` of the element's middle.
async fn side(window: &Window, css: &str, text: &str) -> String {
    let script = format!(
        "const it = [...document.querySelectorAll({})].find((one) => one.textContent.trim().startsWith({}));
        const range = document.createRange(); range.selectNodeContents(it);
        const words = range.getBoundingClientRect(); const box = it.closest('.message-body, .room-head, .log-start').getBoundingClientRect();
        return Math.abs(words.left - box.left) < Math.abs(words.right - box.right) ? 'left' : 'right'",
        json!(css),
        json!(text)
    );
    window.eval(&script).await.as_str().unwrap().to_owned()
}

/// F17
#[tokio::test]
async fn each_paragraph_and_each_title_has_the_direction_of_its_own_words() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let room = json!({ "name": "غرفة عربية", "kind": "open" });
        let room = id(&team.ada.post("/api/rooms", room).await.expect(201));
        // One's own have a ground that is as wide as the words.
        let ben = team.join("Ben").await;
        for text in ["hello first\n\nمرحبا second", "> שלום עולם\n\nplain English", "- one\n- שתיים"]
        {
            ben.say(room, text).await;
        }
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{room}")).await;
        window.find("blockquote").await;
        for (css, text, wanted) in [
            (".message-text p", "hello first", "left"),
            (".message-text p", "مرحبا second", "right"),
            ("blockquote p", "שלום", "right"),
            (".message-text p", "plain English", "left"),
            (".message-text li", "one", "left"),
            (".message-text li", "שתיים", "right"),
            (".room-title bdi", "غرفة", "left"),
            (".log-start h2 bdi", "غرفة", "left"),
        ] {
            assert_eq!(side(&window, css, text).await, wanted, "{text}");
        }
        team
    })
    .await;
}

/// F18
#[tokio::test]
async fn numbers_of_a_list_stand_within_the_message() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "12345678. is the ticket").await;
        team.ada.say(team.room, "1999. was a year\n1. two").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.find("ol").await;
        // The number stands before the list's words: what is before them has to hold it.
        let fits = "return [...document.querySelectorAll('.message-text ol')].every((list) => {
            const digits = String(list.start + list.children.length - 1).length;
            const sample = document.createElement('span'); sample.textContent = '0'.repeat(digits) + '. ';
            list.parentElement.append(sample); const { width } = sample.getBoundingClientRect(); sample.remove();
            return parseFloat(getComputedStyle(list).paddingInlineStart) >= width;
        })";
        assert_eq!(window.eval(fits).await, true);
        team
    })
    .await;
}

/// F26
#[tokio::test]
async fn names_and_code_are_kept_from_translation() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, first, _) = two_windows(&team, driver).await;
        team.ada.say(team.room, &format!("@[Ben](user:{}) see `fn main()`\n\n```\nlet a = 1;\n```", ben.id)).await;
        let talk = team.ada.direct_with(&[&ben]).await;
        ben.say(talk, "hello").await;
        first.find("pre").await;
        first.find(".direct").await;
        for css in [".message-name", ".message-text code", "pre", ".mention", ".room-title bdi", ".room-name", ".direct-name", ".brand-name", ".side-me-name span"] {
            let kept = format!("const all = [...document.querySelectorAll('{css}')]; return all.length > 0 && all.every((it) => it.translate === false)");
            first.until(&format!("{css} is kept"), &kept).await;
        }
        assert_eq!(first.eval("return document.querySelector('.message-text p').translate").await, true);
        team
    })
    .await;
}

/// F30
#[tokio::test]
async fn times_follow_the_computer_into_another_time_zone() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "when?").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("when?").await;
        for zone in ["Asia/Tokyo", "America/Los_Angeles"] {
            window.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
            window.eval("document.dispatchEvent(new Event('visibilitychange'))").await;
            let shown = format!(
                "const time = document.querySelector('.message time');
                return time.textContent === new Intl.DateTimeFormat('en-GB', {{ hour: 'numeric', minute: '2-digit', timeZone: '{zone}' }}).format(new Date(time.dateTime))"
            );
            window.until(&format!("it is that of {zone}"), &shown).await;
        }
        team
    })
    .await;
}

/// F10
#[tokio::test]
async fn new_name_is_shown_wherever_the_old_one_was() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, first, second) = two_windows(&team, driver).await;
        let cleo = team.join("Cleo").await;
        let asked = id(&team.ada.say(team.room, &format!("ask @[Cleo](user:{}) please", cleo.id)).await);
        let reply = json!({ "room_id": team.room, "content": "I did", "reply_to_id": asked });
        ben.post("/api/messages", reply).await.expect(201);
        cleo.post(&format!("/api/messages/{asked}/boosts"), json!({ "content": "👍" })).await.expect(201);
        second.until("the boost is there", "return document.querySelector('.boost')?.title.includes('Cleo') ?? false").await;
        let id = format!("#message-{asked}");
        second.eval(&format!("document.querySelector('{id}').focus()")).await;
        second.client.active_element().await.unwrap().send_keys("r").await.unwrap();
        second.until("the answer has begun", "return document.querySelector('.composer-quote')?.textContent.includes('@Cleo') ?? false").await;
        cleo.patch(&format!("/api/users/{}", cleo.id), json!({ "name": "Cleopatra" })).await.expect(200);
        team.ada.patch(&format!("/api/users/{}", team.ada.id), json!({ "name": "Ada Lovelace" })).await.expect(200);
        for (what, css) in [("the boost", ".boost"), ("the mention", ".message-text .mention"), ("the quote", ".quote span"), ("the answer", ".composer-quote span")] {
            let shown = format!("const it = document.querySelector('{css}'); return (it.title + it.textContent).includes('Cleopatra')");
            second.until(&format!("{what} has the new name"), &shown).await;
        }
        second.until("who is answered too", "return document.querySelector('.composer-quote b').textContent.includes('Ada Lovelace') && document.querySelector('.quote b').textContent === 'Ada Lovelace'").await;
        first.until("the title too", "return document.querySelector('.side-me-name').textContent.includes('Ada Lovelace')").await;
        team
    })
    .await;
}

/// F21
#[tokio::test]
async fn text_that_is_too_long_is_told_in_characters() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.expect_complaint("413");
        window.find(".composer-input").await;
        let fill = "const it = document.querySelector('.composer-input'); it.value = '字'.repeat(30000); it.dispatchEvent(new Event('input', { bubbles: true }));
            return document.querySelector('.composer-note.is-wrong:not([hidden])').textContent";
        let said = window.eval(fill).await;
        assert!(said.as_str().unwrap().contains("8,155 characters"), "{said}");
        window.eval("const it = document.querySelector('.composer-input'); it.value = ''; it.dispatchEvent(new Event('input', { bubbles: true }))").await;
        // A proxy that takes less than the server.
        window
            .eval(
                "const real = fetch; window.fetch = (path, options) => path === '/api/messages'
                    ? Promise.resolve(new Response('<h1>413</h1>', { status: 413, headers: { 'content-type': 'text/html' } })) : real(path, options);",
            )
            .await;
        window.say("too long for a proxy").await;
        window
            .until("it says what is wrong", "return /too large/.test(document.querySelector('.message-failed')?.textContent)")
            .await;
        team
    })
    .await;
}

/// Rough edge 8
#[tokio::test]
async fn line_above_what_is_new_goes_with_ones_own_answer() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let ben = team.join("Ben").await;
        ben.say(team.room, "read").await;
        let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
        ben.say(kitchen, "are you there?").await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{kitchen}")).await;
        window.find(".day.is-new").await;
        window.say("I am").await;
        window.until("the line is gone", "return !document.querySelector('.day.is-new')").await;
        window.wait_for_message("I am").await;
        ben.say(kitchen, "good").await;
        window.wait_for_message("good").await;
        assert_eq!(window.eval("return document.querySelector('.day.is-new')").await, json!(null));
        team
    })
    .await;
}

/// Rough edge 19
#[tokio::test]
async fn message_that_takes_long_says_that_it_is_being_sent() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.find(".composer-input").await;
        window
            .eval("const real = fetch; window.fetch = (path, options) => path === '/api/messages' ? new Promise((done) => { window.goOn = () => done(real(path, options)); }) : real(path, options);")
            .await;
        window.say("slowly").await;
        let said = "const it = document.querySelector('.is-pending .message-state'); return it?.textContent === 'Sending…' && getComputedStyle(it).opacity === '1'";
        window.until("it says so after a while", said).await;
        window.eval("window.goOn()").await;
        window.wait_for_message("slowly").await;
        assert_eq!(window.eval("return document.querySelector('.message-state')").await, json!(null));
        team
    })
    .await;
}
