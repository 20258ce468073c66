//! Who sits before a window.

use crate::{
    driving::{Driver, ENTER, Looks, Window},
    support::{Camp, PASSWORD, Person},
};

/// A window in which somebody is signed in.
pub(crate) async fn signed_in(driver: &Driver, origin: &str, email: &str) -> Window {
    sign_in(driver.window().await, origin, email).await
}

/// The same with looks of its own.
pub(crate) async fn signed_in_on(driver: &Driver, looks: Looks, origin: &str, email: &str) -> Window {
    sign_in(driver.window_of(looks).await, origin, email).await
}

async fn sign_in(window: Window, origin: &str, email: &str) -> Window {
    window.goto(&format!("{origin}/signin")).await;
    window.type_into("#field-email", email).await;
    window.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
    window.find(".side-me").await;
    window
}

/// Ada and Ben, each before a window, in the room "All Talk".
pub(crate) async fn two(camp: &Camp, driver: &Driver) -> (Person, Window, Window) {
    let ben = camp.join("Ben").await;
    let origin = camp.nobody().origin();
    let first = signed_in(driver, &origin, &camp.ada.email).await;
    let second = signed_in(driver, &origin, &ben.email).await;
    first.find(".composer-input").await;
    second.find(".composer-input").await;
    (ben, first, second)
}

/// Ben before a window, in the closed room "Kitchen" that he shares with Ada.
pub(crate) async fn in_kitchen(camp: &Camp, driver: &Driver) -> (i64, Window) {
    let ben = camp.join("Ben").await;
    let kitchen = camp.closed_room("Kitchen", &[&camp.ada, &ben]).await;
    let origin = camp.nobody().origin();
    let window = signed_in(driver, &origin, &ben.email).await;
    window.goto(&format!("{origin}/rooms/{kitchen}")).await;
    window.find(".composer-input").await;
    (kitchen, window)
}
