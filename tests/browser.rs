//! The page, in a browser: what two people see and do.

#[path = "support/browser.rs"]
mod driving;
#[path = "support/mod.rs"]
mod support;

#[path = "browser/screens.rs"]
mod screens;
#[path = "browser/talk.rs"]
mod talk;
