//! The page, tested in a real browser.

#[path = "support/browser.rs"]
mod driver;
#[path = "support/mod.rs"]
mod support;

#[path = "browser/catching_up.rs"]
mod catching_up;
#[path = "browser/files.rs"]
mod files;
#[path = "browser/guests.rs"]
mod guests;
#[path = "browser/keys.rs"]
mod keys;
#[path = "browser/mail.rs"]
mod mail;
#[path = "browser/messages.rs"]
mod messages;
#[path = "browser/newcomers.rs"]
mod newcomers;
#[path = "browser/page.rs"]
mod page;
#[path = "browser/room.rs"]
mod room;
#[path = "browser/screens.rs"]
mod screens;
#[path = "browser/second_factor.rs"]
mod second_factor;
#[path = "browser/settings.rs"]
mod settings;
#[path = "browser/shown.rs"]
mod shown;
#[path = "browser/side_bar.rs"]
mod side_bar;
#[path = "browser/windows.rs"]
mod windows;
