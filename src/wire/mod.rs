//! Everything a client sees: events, views, problems, and the frames that carry them. Requests come in as a [`Form`].
//! No other module puts JSON together by hand.

pub mod event;
mod form;
pub mod frame;
pub mod message;
mod page;
mod problem;
mod views;

pub use event::Event;
pub use form::{Form, PASSWORD_LENGTH, looks_like_email, required_email, required_password};
pub use page::{export_line, page_json, search_json, sync_json};
pub use problem::Problem;
pub use views::{AccountView, Membership, RoomView, UserView};

/// What we say has nothing in it that JSON cannot say.
pub fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("our own types serialize")
}
