//! What a page makes of what it missed, of answers that come late or from somebody else, and of other windows.

use crate::{
    driver::{DESK, Driver, ENTER, Window, with_browser},
    support::{Person, Team, id, json},
    windows::{signed_in, signed_in_on, two_windows},
};

/// A script for every page of the window, before its own.
async fn before_the_page(window: &Window, script: &str) {
    window.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
}

/// Without the service worker, which would stand between the page and what a test does to `fetch`.
const NO_WORKER: &str = "Object.defineProperty(navigator, 'serviceWorker', { value: undefined });";

async fn unread_window(team: &Team, driver: &Driver) -> (Person, i64, Window) {
    let ben = team.join("Ben").await;
    let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
    let origin = team.nobody().origin();
    let window = signed_in(driver, &origin, &ben.email).await;
    window.goto(&format!("{origin}/rooms/{}", team.room)).await;
    window.find(".composer-input").await;
    (ben, kitchen, window)
}

/// B5: what happens between the session's answer and the socket is neither in the one nor on the other.
#[tokio::test]
async fn page_has_what_happened_while_its_session_was_on_the_way() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, kitchen, window) = unread_window(&team, driver).await;
        let other = team.closed_room("Cellar", &[&team.ada, &ben]).await;
        let old = team.ada.say(other, "read elsewhere").await;
        let held = format!(
            "{NO_WORKER} const real = fetch; window.fetch = async (path, options) => {{
                const answer = await real(path, options);
                if (path === '/api/session') {{ window.isHeld = true; await new Promise((done) => {{ window.release = done; }}); }}
                return answer;
            }};"
        );
        before_the_page(&window, &held).await;
        window.client.refresh().await.unwrap();
        window.until("the session's answer is held back", "return window.isHeld === true").await;
        team.ada.say(kitchen, &format!("@[Ben](user:{}) soup is ready", ben.id)).await;
        team.ada.patch(&format!("/api/rooms/{kitchen}"), json!({"name": "Kitchen (hot)"})).await.expect(200);
        let made = id(&team.ada.post("/api/rooms", json!({"name": "New", "kind": "open"})).await.expect(201));
        ben.post(&format!("/api/rooms/{other}/read"), json!({"message_id": id(&old)})).await.expect(204);
        window.eval("window.release()").await;
        window
            .until(
                "the mention, the new name and the new room are shown, and what was read elsewhere is read",
                &format!(
                    "return document.querySelector(\".room[href='/rooms/{kitchen}'] .badge\")?.textContent === '1'
                        && document.querySelector(\".room[href='/rooms/{kitchen}'] .room-name\").textContent === 'Kitchen (hot)'
                        && document.querySelector(\".room[href='/rooms/{made}']\") !== null
                        && document.querySelector(\".room[href='/rooms/{other}']\").classList.contains('is-unread') === false"
                ),
            )
            .await;
        team
    })
    .await;
}

/// F31: Chromium keeps a page and its socket while another page is shown.
#[tokio::test]
async fn page_that_comes_back_from_the_history_is_caught_up() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, kitchen, window) = unread_window(&team, driver).await;
        window.eval("window.isSame = true").await;
        window.goto(&format!("{}/health", team.nobody().origin())).await;
        team.ada.say(team.room, "said meanwhile").await;
        team.ada.say(kitchen, &format!("@[Ben](user:{}) soup", ben.id)).await;
        window.client.back().await.unwrap();
        window.wait_for_message("said meanwhile").await;
        window
            .until("the mention is counted", &format!("return document.querySelector(\".room[href='/rooms/{kitchen}'] .badge\")?.textContent === '1'"))
            .await;
        // Whether the browser kept the page is its own choice; what is shown is right either way.
        team.ada.say(team.room, "and live again").await;
        window.wait_for_message("and live again").await;
        team
    })
    .await;
}

/// F1: what stands in front of the server (a sign-in page, a captive portal) answers in its place.
#[tokio::test]
async fn gateway_that_answers_loses_no_message_and_signs_nobody_out() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, _, window) = unread_window(&team, driver).await;
        before_the_page(
            &window,
            &format!(
                "{NO_WORKER} const real = fetch; window.fetch = (path, options) => localStorage.getItem('gateway')
                    ? Promise.resolve(new Response('<!doctype html><title>Sign in</title>', {{ headers: {{ 'content-type': 'text/html' }} }})) : real(path, options);"
            ),
        )
        .await;
        window.client.refresh().await.unwrap();
        window.find(".composer-input").await;
        window.eval("localStorage.setItem('gateway', 'yes')").await;
        window.say("behind a gateway").await;
        window
            .until("it says who answered", "return document.querySelector('.message-failed')?.textContent.includes('in front of the server') ?? false")
            .await;
        window.client.refresh().await.unwrap();
        window
            .until("the page says so at its start", "return document.querySelector('.entry .empty h1')?.textContent === 'This is not the server answering'")
            .await;
        window.assert_accessible("a gateway answers").await;
        window.eval("localStorage.removeItem('gateway')").await;
        window.click(".entry .button").await;
        window.find(".message-failed .link").await;
        window.click(".message-failed .link").await;
        window.wait_for_message("behind a gateway").await;
        assert_eq!(window.texts().await, ["behind a gateway"]);
        team
    })
    .await;
}

/// F5: the title, the badge and the list follow a deletion and an edit.
#[tokio::test]
async fn counts_follow_a_deletion_and_an_edit() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, kitchen, window) = unread_window(&team, driver).await;
        let mention = format!("@[Ben](user:{}) soup", ben.id);
        let first = id(&team.ada.say(kitchen, &mention).await);
        let second = id(&team.ada.say(kitchen, &mention).await);
        let title = |start: &str| format!("return document.title.startsWith({})", json!(start));
        window.until("two are counted", &title("(2) ")).await;
        team.ada.delete(&format!("/api/messages/{first}")).await.expect(204);
        window.until("the deleted one is not", &title("(1) ")).await;
        team.ada.patch(&format!("/api/messages/{second}"), json!({"content": "soup"})).await.expect(200);
        window.until("it is only unread", &title("• ")).await;
        team.ada.delete(&format!("/api/messages/{second}")).await.expect(204);
        window
            .until(
                "nothing is unread",
                "return !/^[(•]/.test(document.title) && !document.querySelector('.room.is-unread')",
            )
            .await;
        team
    })
    .await;
}

/// The windows of one browser share the cookie: what one does with it concerns the others.
#[tokio::test]
async fn windows_of_one_browser_agree_on_who_is_signed_in() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let ben = team.join("Ben").await;
        let origin = team.nobody().origin();
        let window = signed_in_on(driver, DESK, &origin, &team.ada.email).await;
        let first = window.client.window().await.unwrap();
        let second = window.client.new_window(true).await.unwrap();
        window.client.switch_to_window(second.handle.clone()).await.unwrap();
        window.goto(&format!("{origin}/rooms/{}", team.room)).await;
        window.find(".composer-input").await;
        // Somebody else by a link, without signing out first.
        let link = ben.post("/api/session/transfer", json!({})).await.expect(201);
        window.goto(&format!("{origin}/transfer/{}", link["token"].as_str().unwrap())).await;
        window.click(".entry .button-primary").await;
        window.find(".side-me").await;
        window.client.switch_to_window(first.clone()).await.unwrap();
        window
            .until(
                "the first is Ben's too",
                "return document.querySelector('.side-me')?.textContent.includes('Ben') ?? false",
            )
            .await;
        window.eval("dispatchEvent(new Event('signout'))").await;
        window.find("#field-password").await;
        window.client.switch_to_window(second.handle).await.unwrap();
        window.find("#field-password").await;
        assert_eq!(window.eval("return document.body.innerText.includes('All Talk')").await, false);
        team
    })
    .await;
}

/// F4: an administrator takes another's words away, and does not change them.
#[tokio::test]
async fn pencil_is_only_the_authors() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        second.say("I will come").await;
        first.wait_for_message("I will come").await;
        first.eval("document.querySelector('.message').focus()").await;
        first.find(".message-actions").await;
        let pencil = "return document.querySelector('.message-actions [aria-label=\"Edit\"]') !== null";
        assert_eq!(first.eval(pencil).await, false);
        first.client.active_element().await.unwrap().send_keys("\u{E017}").await.unwrap(); // Delete
        first.click(".dialog-confirm .button-danger").await;
        second.until("it is gone", "return !document.querySelector('.message')").await;
        second.say("I come after all").await;
        second.wait_for_message("I come after all").await;
        second.eval("document.querySelector('.message').focus()").await;
        second.find(".message-actions").await;
        assert_eq!(second.eval(pencil).await, true);
        team
    })
    .await;
}

/// F3: everything that was said in a closed room becomes readable by all.
#[tokio::test]
async fn opening_a_closed_room_asks_first() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let kitchen = team.closed_room("Kitchen", &[&team.ada]).await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{kitchen}")).await;
        window.click(".room-head [aria-label='More about this room']").await;
        window.click(".menu button, .menu [role=menuitem]").await;
        window.find(".room-members .choose-people").await;
        window.click(".dialog-room [name=kind][value=open]").await;
        window.type_into("#room-name", ENTER).await;
        window
            .until("it asks", "return document.querySelector('.dialog-confirm')?.textContent.includes('read all that was said here so far') ?? false")
            .await;
        window.assert_accessible("the question").await;
        window.click(".dialog-confirm .button:not(.button-danger)").await;
        assert_eq!(team.ada.get(&format!("/api/rooms/{kitchen}")).await.expect(200)["kind"], "closed");
        window.type_into("#room-name", ENTER).await;
        window.click(".dialog-confirm .button-danger").await;
        window.until("it is saved and closed", "return !document.querySelector('dialog')").await;
        assert_eq!(team.ada.get(&format!("/api/rooms/{kitchen}")).await.expect(200)["kind"], "open");
        team
    })
    .await;
}

/// B7, B15: one member is added or removed, the others stay as they are; also one who was banned.
#[tokio::test]
async fn members_are_changed_one_by_one() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let [ben, cleo, dora] = [team.join("Ben").await, team.join("Cleo").await, team.join("Dora").await];
        let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
        team.ada.post(&format!("/api/users/{}/ban", ben.id), json!({})).await.expect(204);
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{kitchen}")).await;
        window.click(".room-head [aria-label='More about this room']").await;
        window.click(".menu button, .menu [role=menuitem]").await;
        window
            .until("who is banned is shown as such", "return document.querySelector('.room-members .chip')?.textContent === 'BeBenBanned' || /Ben.*Banned/.test(document.querySelector('.room-members .chip')?.textContent)")
            .await;
        // Meanwhile somebody else lets Dora in.
        team.ada.post(&format!("/api/rooms/{kitchen}/members/{}", dora.id), json!({})).await.expect(201);
        window.click(&format!(".room-members input[value='{}']", cleo.id)).await;
        window.click(".room-members .chip .icon-button").await;
        window.click(".dialog-room [type=submit]").await;
        window.until("it is saved", "return !document.querySelector('dialog')").await;
        let members = team.ada.get(&format!("/api/rooms/{kitchen}/members")).await.expect(200);
        let mut ids: Vec<i64> = members["members"].as_array().unwrap().iter().map(id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [team.ada.id, cleo.id, dora.id]);
        let cleos = signed_in(driver, &origin, &cleo.email).await;
        cleos.goto(&format!("{origin}/rooms/{kitchen}")).await;
        cleos.click(".room-head [aria-label='More about this room']").await;
        cleos.click(".menu [role=menuitem]:last-child, .menu button:last-child").await;
        cleos.click(".dialog-confirm .button-danger").await;
        cleos.until("she has left", &format!("return !document.querySelector(\".room[href='/rooms/{kitchen}']\")")).await;
        let members = team.ada.get(&format!("/api/rooms/{kitchen}/members")).await.expect(200);
        assert_eq!(members["members"].as_array().unwrap().len(), 2);
        team
    })
    .await;
}

/// B8: the talk with somebody who left keeps the name, and says that nobody reads it.
#[tokio::test]
async fn direct_room_of_somebody_deactivated_says_that_they_cannot_read() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let ben = team.join("Ben").await;
        let direct = team.ada.post("/api/rooms", json!({"kind": "direct", "user_ids": [ben.id]})).await.expect(201);
        let room = id(&direct);
        ben.say(room, "bye").await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{room}")).await;
        window.wait_for_message("bye").await;
        team.ada.delete(&format!("/api/users/{}", ben.id)).await.expect(204);
        window
            .until("it says so", "return document.querySelector('.composer-note:not([hidden])')?.textContent === 'Ben cannot read this: the account is no longer active.'")
            .await;
        window.client.refresh().await.unwrap();
        window.wait_for_message("bye").await;
        assert_eq!(window.eval("return document.querySelector('.room-title h1').textContent").await, "Ben");
        team
    })
    .await;
}

/// What the list of rooms, the title and the room show. The last words of direct messages may have been edited since they came.
const SHOWN: &str = "return JSON.stringify([document.title,
    [...document.querySelectorAll('.room, .direct')].map((it) => [it.getAttribute('href'), it.classList.contains('is-unread'), it.querySelector('.badge')?.textContent ?? '', it.querySelector('.room-name, .direct-name').textContent]),
    [...document.querySelectorAll('.message')].slice(-20).map((it) => it.querySelector('.message-text')?.innerText)])";

/// B5 with the real server: posts, edits, deletions, reads, renames and lost connections in a random order with a fixed
/// seed, while answers are held back.
#[tokio::test]
async fn page_under_random_events_shows_what_a_fresh_one_shows() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, kitchen, window) = unread_window(&team, driver).await;
        let cellar = team.closed_room("Cellar", &[&team.ada, &ben]).await;
        let direct = json!({"kind": "direct", "user_ids": [ben.id]});
        let direct = id(&team.ada.post("/api/rooms", direct).await.expect(201));
        let slow = format!(
            "{NO_WORKER} const real = fetch; let turn = 0; window.fetch = async (path, options) => {{
                const answer = await real(path, options);
                if (/^\\/api\\/(?:session|sync|rooms)/.test(path)) await new Promise((done) => {{ turn += 1; setTimeout(done, turn * 97 % 400); }});
                return answer;
            }};
            const RealSocket = WebSocket; window.WebSocket = class extends RealSocket {{ constructor(...given) {{ super(...given); window.socket = this; }} }};"
        );
        // The last words of a direct message may be deleted just as they are fetched.
        window.expect_complaint("/api/messages/");
        before_the_page(&window, &slow).await;
        window.client.refresh().await.unwrap();
        let rooms = [team.room, kitchen, cellar, direct];
        let mention = format!("@[Ben](user:{}) ", ben.id);
        let mut said: Vec<(i64, i64)> = Vec::new();
        let mut seed = 7_u64;
        let mut any = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % most
        };
        for step in 0..240 {
            let room = rooms[any(rooms.len())];
            let start = if any(3) == 0 { mention.as_str() } else { "" };
            match any(10) {
                0..5 => said.push((room, id(&team.ada.say(room, &format!("{start}said {step}")).await))),
                5 if !said.is_empty() => {
                    let (_, message) = said[any(said.len())];
                    let edit = json!({"content": format!("{start}edited {step}")});
                    team.ada.patch(&format!("/api/messages/{message}"), edit).await.expect(200);
                }
                6 if !said.is_empty() => {
                    let (_, message) = said.swap_remove(any(said.len()));
                    team.ada.delete(&format!("/api/messages/{message}")).await.expect(204);
                }
                7 if !said.is_empty() => {
                    let (room, message) = said[any(said.len())];
                    let read = json!({"message_id": message});
                    ben.post(&format!("/api/rooms/{room}/read"), read).await.expect(204);
                }
                8 => {
                    let name = json!({"name": format!("Kitchen {step}")});
                    team.ada.patch(&format!("/api/rooms/{kitchen}"), name).await.expect(200);
                }
                _ if any(2) == 0 => {
                    let close = "if (window.socket?.readyState === WebSocket.OPEN) window.socket.close()";
                    window.eval(close).await;
                }
                _ => drop(window.eval(&format!("document.querySelector(\".room[href='/rooms/{}']\")?.click()", rooms[any(3)])).await),
            }
        }
        team.ada.say(team.room, "the end").await;
        window.eval(&format!("document.querySelector(\".room[href='/rooms/{}']\").click()", team.room)).await;
        window.wait_for_message("the end").await;
        let fresh = signed_in(driver, &team.nobody().origin(), &ben.email).await;
        fresh.goto(&format!("{}/rooms/{}", team.nobody().origin(), team.room)).await;
        fresh.wait_for_message("the end").await;
        fresh.until("it is read", &format!("return !document.querySelector(\".room.is-unread[href='/rooms/{}']\")", team.room)).await;
        let wanted = fresh.eval(SHOWN).await;
        let same = SHOWN.replacen("return ", "const shown = ", 1);
        window.until(&format!("it shows {wanted}"), &format!("{same}; return shown === {wanted}")).await;
        team
    })
    .await;
}
