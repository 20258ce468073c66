//! The page, in a browser: what people see and do.

#[path = "support/browser.rs"]
mod driving;
#[path = "support/mod.rs"]
mod support;

#[path = "browser/everywhere.rs"]
mod everywhere;
#[path = "browser/files.rs"]
mod files;
#[path = "browser/people.rs"]
mod people;
#[path = "browser/room.rs"]
mod room;
#[path = "browser/screens.rs"]
mod screens;
#[path = "browser/talk.rs"]
mod talk;
#[path = "browser/team.rs"]
mod team;
