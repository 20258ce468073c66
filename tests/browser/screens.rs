//! Every screen, at both sizes and in both themes: nothing overflows, axe-core finds no violation, and the console has no
//! errors. `CAMPFIRE_SCREENSHOTS=screenshots cargo test --test browser screens` writes a picture of each.

use std::{
    path::PathBuf,
    process::{Child, Command},
};

use crate::{
    driver::{DESK, Driver, ENTER, ESCAPE, PHONE, Screen, Window, with_browser},
    support::{
        Server, Team, id, json,
        server::{campfire, spawn_until_ready},
    },
    windows::signed_in_on,
};

/// A demo that ends with the test.
struct Demo {
    child: Child,
    origin: String,
}

impl Demo {
    fn start() -> Demo {
        let mut command: Command = campfire();
        command.args(["demo", "--listen", "127.0.0.1:0"]);
        let (child, address) = spawn_until_ready(command, &Default::default());
        Demo { child, origin: format!("http://{address}") }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A window that visits one screen after another.
struct Gallery {
    window: Window,
    origin: String,
    suffix: String,
    dir: Option<PathBuf>,
}

impl Gallery {
    async fn open(driver: &Driver, screen: Screen, origin: &str) -> Gallery {
        Gallery::with(driver.window_with(screen).await, screen, origin)
    }

    fn with(window: Window, screen: Screen, origin: &str) -> Gallery {
        let place = if screen.width < 500 { "phone" } else { "desk" };
        let theme = if screen.dark { "dark" } else { "light" };
        let dir = std::env::var_os("CAMPFIRE_SCREENSHOTS").map(PathBuf::from);
        Gallery { window, origin: origin.to_owned(), suffix: format!("{place}-{theme}"), dir }
    }

    /// Goes to the list of rooms.
    async fn home(&self) {
        self.goto("/").await;
        self.window.find(".side-me").await;
    }

    async fn goto(&self, path: &str) {
        self.window.goto(&format!("{}{path}", self.origin)).await;
    }

    /// Asserts what holds for every screen, and takes its picture.
    async fn take(&self, screen: &str) {
        let name = format!("{screen}-{}", self.suffix);
        self.window
            .until(
                "pictures are there and nothing moves",
                "return [...document.images].every((it) => it.complete || it.loading === 'lazy')
                    && document.getAnimations().every((it) => it.playState !== 'running' || it.effect.getTiming().iterations === Infinity)",
            )
            .await;
        self.window.assert_fits(&name).await;
        self.window.assert_accessible(&name).await;
        let png = self.window.screenshot().await;
        assert!(png.len() > 5_000, "{name} is empty");
        if let Some(dir) = &self.dir {
            std::fs::create_dir_all(dir).unwrap();
            std::fs::write(dir.join(format!("{name}.png")), png).unwrap();
        }
    }

    /// Goes to a path, waits for an element, and takes the screen.
    async fn visit(&self, screen: &str, path: &str, css: &str) {
        self.goto(path).await;
        self.window.find(css).await;
        self.take(screen).await;
    }

    async fn room(&self, name: &str) -> String {
        let script = format!(
            "return [...document.querySelectorAll('.room, .direct')].find((it) => it.textContent.includes({name:?})).getAttribute('href')"
        );
        self.window.eval(&script).await.as_str().unwrap_or_else(|| panic!("no room {name}")).to_owned()
    }
}

const SCREENS: [Screen; 4] = [DESK, Screen { dark: true, ..DESK }, PHONE, Screen { dark: true, ..PHONE }];

#[tokio::test]
async fn rooms_and_their_overlays_fit_and_are_accessible() {
    for screen in SCREENS {
        with_browser(async |driver| {
            let demo = Demo::start();
            let gallery = Gallery::open(driver, screen, &demo.origin).await;
            gallery.home().await;
            gallery.take("rooms").await;
            let launch = gallery.room("Launch week").await;
            gallery.visit("room", &launch, ".message.is-meant").await;
            gallery.window.click(".message.is-meant .boost-add").await;
            gallery.window.find(".popover-boosts").await;
            gallery.take("boosts").await;
            gallery.window.client.active_element().await.unwrap().send_keys(ESCAPE).await.unwrap();
            gallery.window.click(".room-head .icon-button:last-child").await;
            gallery.window.find(".menu").await;
            gallery.take("room-menu").await;
            gallery.home().await;
            let deploys = gallery.room("Deploys").await;
            gallery.visit("room-code", &deploys, ".message").await;
            gallery.goto("/").await;
            gallery.window.find(".jump").await;
            gallery.window.click(".jump").await;
            gallery.window.find(".switcher-entry").await;
            gallery.take("switcher").await;
            demo
        })
        .await;
    }
}

#[tokio::test]
async fn search_screens_fit_and_are_accessible() {
    for screen in SCREENS {
        with_browser(async |driver| {
            let demo = Demo::start();
            let gallery = Gallery::open(driver, screen, &demo.origin).await;
            gallery.home().await;
            gallery.visit("search-results", "/search?q=button", ".result").await;
            gallery.visit("search-nothing", "/search?q=xyzzy", ".empty").await;
            gallery.visit("search", "/search", ".recent").await;
            demo
        })
        .await;
    }
}

#[tokio::test]
async fn settings_screens_fit_and_are_accessible() {
    for screen in SCREENS {
        with_browser(async |driver| {
            let demo = Demo::start();
            let gallery = Gallery::open(driver, screen, &demo.origin).await;
            gallery.home().await;
            gallery.visit("settings", "/settings", ".settings-nav").await;
            for section in [
                "profile",
                "devices",
                "notifications",
                "appearance",
                "tokens",
                "about",
                "account",
                "invite",
                "people",
                "signins",
                "bots",
                "hooks",
                "css",
                "jobs",
                "audit",
            ] {
                let shown = format!(".settings-{section}:not(:has([aria-busy]))");
                gallery.visit(&format!("settings-{section}"), &format!("/settings/{section}"), &shown).await;
            }
            demo
        })
        .await;
    }
}

#[tokio::test]
async fn entry_screens_and_the_first_room_fit_and_are_accessible() {
    for screen in SCREENS {
        with_browser(async |driver| {
            let server = Server::start();
            let origin = format!("http://{}", server.address().get());
            let gallery = Gallery::open(driver, screen, &origin).await;
            gallery.visit("first-run", "/", "#field-account_name").await;
            let team = Team::on(server).await;
            gallery.visit("sign-in", "/signin", "#field-password").await;
            gallery.visit("join", &format!("/join/{}", team.join_code), "#field-name").await;
            gallery.visit("reset", "/reset/none", "#field-password").await;
            gallery.visit("transfer", "/transfer/none", ".entry .button").await;
            let inside = signed_in_on(driver, screen, &origin, &team.ada.email).await;
            let inside = Gallery::with(inside, screen, &origin);
            inside.visit("first-room", &format!("/rooms/{}", team.room), ".welcome-qr").await;
            team
        })
        .await;
    }
}

#[tokio::test]
async fn questions_and_what_went_wrong_fit_and_are_accessible() {
    for screen in SCREENS {
        with_browser(async |driver| {
            let team = Team::start().await;
            let [ben, cleo] = [team.join("Ben Byte").await, team.join("Cleo Clay").await];
            let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben, &cleo]).await;
            let direct = json!({"kind": "direct", "user_ids": [ben.id]});
            let direct = id(&team.ada.post("/api/rooms", direct).await.expect(201));
            ben.say(direct, "So long, and thanks for all the soup").await;
            team.ada.delete(&format!("/api/users/{}", ben.id)).await.expect(204);
            team.ada.post(&format!("/api/users/{}/ban", cleo.id), json!({})).await.expect(204);
            let origin = team.nobody().origin();
            let window = signed_in_on(driver, screen, &origin, &team.ada.email).await;
            let gallery = Gallery::with(window, screen, &origin);
            let note = ".composer-note:not([hidden])";
            gallery.visit("room-of-somebody-gone", &format!("/rooms/{direct}"), note).await;
            gallery.goto(&format!("/rooms/{kitchen}")).await;
            gallery.window.click(".room-head .icon-button:last-child").await;
            gallery.window.find(".menu [role=menuitem]").await;
            gallery.window.eval("document.querySelector('.menu [role=menuitem]').click()").await;
            gallery.window.find(".room-members .chip").await;
            gallery.take("room-settings").await;
            gallery.window.eval("document.querySelector('.room-members').scrollIntoView()").await;
            gallery.take("room-members").await;
            gallery.window.click(".dialog-room [name=kind][value=open]").await;
            gallery.window.type_into("#room-name", ENTER).await;
            gallery.window.find(".dialog-confirm").await;
            gallery.take("room-opening").await;
            gallery.goto("/settings/profile").await;
            gallery.window.click(".settings-profile .is-danger").await;
            gallery.window.find("#leave-password").await;
            gallery.take("leaving").await;
            let gateway = "Object.defineProperty(navigator, 'serviceWorker', { value: undefined });
                window.fetch = async () => new Response('<title>Sign in</title>', { headers: { 'content-type': 'text/html' } });";
            let source = json!({ "source": gateway });
            gallery.window.devtools("Page.addScriptToEvaluateOnNewDocument", source).await;
            gallery.visit("gateway", "/", ".entry .empty").await;
            team
        })
        .await;
    }
}

#[tokio::test]
async fn invitations_and_guests_fit_and_are_accessible() {
    for screen in SCREENS {
        with_browser(async |driver| {
            let team = Team::start().await;
            let [ben, cleo] = [team.join("Ben Byte").await, team.join("Cleo Clay").await];
            let project = team.closed_room("Project North", &[&team.ada, &ben]).await;
            let gus = team.guest("Gus Guest", &[project]).await;
            gus.say(project, "I have read the plans. When do we begin?").await;
            ben.say(project, "On Monday").await;
            let wrong = json!({"email": cleo.email, "password": "not it"});
            team.nobody().post("/api/session", wrong).await.problem(401, "not_signed_in");
            let fields = json!({"role": "guest", "room_ids": [project], "note": "The auditors", "max_uses": 3});
            let token = team.invitation(fields).await;
            let origin = team.nobody().origin();
            let inside = signed_in_on(driver, screen, &origin, &team.ada.email).await;
            let inside = Gallery::with(inside, screen, &origin);
            let there = |section: &str| format!(".settings-{section}:not(:has([aria-busy]))");
            inside.visit("people-with-a-guest", "/settings/people", &there("people")).await;
            inside.window.click(&format!("[data-key=user-{}] .icon-button", ben.id)).await;
            inside.window.find(".menu").await;
            inside.take("person-menu").await;
            inside.window.eval("[...document.querySelectorAll('.menu [role=menuitem]')].find((it) => it.textContent.trim() === 'Make guest').click()").await;
            inside.window.find("dialog [name=room]").await;
            inside.take("become-guest").await;
            inside.visit("invitations", "/settings/invite", &there("invite")).await;
            inside.window.eval("document.querySelector('[data-key^=invitation-]').scrollIntoView()").await;
            inside.take("invitation-list").await;
            inside.window.click(".settings-block .button:has(.icon-plus)").await;
            inside.window.click("dialog [name=role][value=guest]").await;
            inside.window.find("dialog [name=room]").await;
            inside.take("new-invitation").await;
            inside.window.click("dialog [name=room]").await;
            inside.window.type_into("dialog [name=note]", &format!("For Hana{ENTER}")).await;
            inside.window.find("dialog .copyable").await;
            inside.take("made-invitation").await;
            inside.visit("sign-ins", "/settings/signins", &there("signins")).await;
            inside.window.click(&format!("[data-key=signin-{}] .settings-action button", ben.id)).await;
            inside.window.find("dialog [data-key^=session-]").await;
            inside.take("sessions-of-somebody").await;
            let outside = Gallery::open(driver, screen, &origin).await;
            outside.visit("invited-guest", &format!("/invite/{token}"), "#field-name").await;
            let guest = signed_in_on(driver, screen, &origin, &gus.email).await;
            let guest = Gallery::with(guest, screen, &origin);
            guest.home().await;
            guest.take("rooms-of-a-guest").await;
            guest.visit("room-of-a-guest", &format!("/rooms/{project}"), ".message").await;
            team.ada.delete(&format!("/api/rooms/{project}")).await.expect(204);
            guest.visit("guest-without-rooms", "/", ".side-me").await;
            team
        })
        .await;
    }
}
