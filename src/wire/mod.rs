//! Everything that clients receive: events, views, problems and frames; and [`Form`], which parses what they send.
//! No other module assembles JSON from strings.

pub mod event;
mod form;
pub mod frame;
mod json;
pub mod message;
mod page;
mod problem;
mod views;

pub use event::Event;
pub use form::{Form, PASSWORD_LENGTH, looks_like_email, required_email, required_password};
pub use json::parse_json;
pub use page::{export_line, page_json, search_json, sync_json};
pub use problem::Problem;
pub use views::{AccountView, Membership, RoomView, UserView};

/// Serializes one of our own types, which have nothing that JSON cannot represent.
pub fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("our own types serialize")
}
