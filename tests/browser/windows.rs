//! Windows with users signed in.

use crate::{
    driver::{Driver, ENTER, Screen, Window},
    support::{PASSWORD, Person, Team},
};

/// A window with a user signed in.
pub(crate) async fn signed_in(driver: &Driver, origin: &str, email: &str) -> Window {
    sign_in(driver.window().await, origin, email).await
}

/// The same, with another screen.
pub(crate) async fn signed_in_on(driver: &Driver, screen: Screen, origin: &str, email: &str) -> Window {
    sign_in(driver.window_with(screen).await, origin, email).await
}

async fn sign_in(window: Window, origin: &str, email: &str) -> Window {
    window.goto(&format!("{origin}/signin")).await;
    window.type_into("#field-email", email).await;
    window.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
    window.find(".side-me").await;
    window
}

/// A window of Ada's and one of Ben's, both in the room "All Talk".
pub(crate) async fn two_windows(team: &Team, driver: &Driver) -> (Person, Window, Window) {
    let ben = team.join("Ben").await;
    let origin = team.nobody().origin();
    let first = signed_in(driver, &origin, &team.ada.email).await;
    let second = signed_in(driver, &origin, &ben.email).await;
    first.find(".composer-input").await;
    second.find(".composer-input").await;
    (ben, first, second)
}

/// A window of Ben's in the closed room "Kitchen", which he shares with Ada.
pub(crate) async fn kitchen_window(team: &Team, driver: &Driver) -> (i64, Window) {
    let ben = team.join("Ben").await;
    let kitchen = team.closed_room("Kitchen", &[&team.ada, &ben]).await;
    let origin = team.nobody().origin();
    let window = signed_in(driver, &origin, &ben.email).await;
    window.goto(&format!("{origin}/rooms/{kitchen}")).await;
    window.find(".composer-input").await;
    (kitchen, window)
}
