//! Pictures of every screen, for people to look at: `CAMPFIRE_SCREENSHOTS=screenshots cargo test --test browser screens`.
//! Without the variable they are taken all the same, and only checked for their size.

use std::path::{Path, PathBuf};

use crate::{
    driving::{Driver, Window},
    support::server::{campfire, spawn_until_ready},
};

/// Writes a picture, if somebody asked for it.
async fn picture(window: &Window, dir: Option<&Path>, name: &str) {
    let png = window.screenshot().await;
    assert!(png.len() > 5_000, "{name} is empty");
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join(format!("{name}.png")), png).unwrap();
    }
}

#[tokio::test]
async fn every_screen_is_drawn_at_both_sizes_and_in_both_themes() {
    let dir = std::env::var_os("CAMPFIRE_SCREENSHOTS").map(PathBuf::from);
    let driver = Driver::start().await;
    for (width, height, place) in [(1280, 800, "desk"), (390, 844, "phone")] {
        for (dark, theme) in [(false, "light"), (true, "dark")] {
            let mut command = campfire();
            command.args(["demo", "--listen", "127.0.0.1:0"]);
            let (mut demo, address) = spawn_until_ready(command, &Default::default());
            let window = driver.window_of(width, height, dark).await;
            let name = |screen: &str| format!("{screen}-{place}-{theme}");
            let origin = format!("http://{address}");
            window.goto(&origin).await;
            window.find(".side-me").await;
            picture(&window, dir.as_deref(), &name("rooms")).await;
            let room = window.eval("return [...document.querySelectorAll('.room')].find((it) => it.textContent.includes('Launch week')).getAttribute('href')").await;
            window.goto(&format!("{origin}{}", room.as_str().unwrap())).await;
            window
                .until("the talk is there", "return document.querySelectorAll('.message').length > 20")
                .await;
            let wide = window.eval("return document.documentElement.scrollWidth <= innerWidth").await;
            assert_eq!(wide, true, "the room is wider than the window");
            picture(&window, dir.as_deref(), &name("room")).await;
            window.goto(&format!("{origin}/search?q=button")).await;
            window.find(".result").await;
            picture(&window, dir.as_deref(), &name("search")).await;
            window.goto(&format!("{origin}/settings")).await;
            window.find(".devices li").await;
            picture(&window, dir.as_deref(), &name("settings")).await;
            window.eval("return fetch('/api/session', { method: 'DELETE' }).then(() => true)").await;
            window.goto(&format!("{origin}/signin")).await;
            window.find("#field-password").await;
            picture(&window, dir.as_deref(), &name("signin")).await;
            window.client.close().await.unwrap();
            demo.kill().unwrap();
            demo.wait().unwrap();
        }
    }
}
