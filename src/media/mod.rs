//! Pictures and sounds.

mod area;
mod colors;
mod decode;
pub mod duration;
mod encode;
mod head;
pub mod icon;
mod jpeg;
pub mod picture;
mod sniff;
pub mod sounds;
