//! Pictures and sounds.

pub mod icon;
pub mod picture;
mod sniff;
pub mod sounds;
