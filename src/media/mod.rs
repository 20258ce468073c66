//! Pictures and sounds.

pub mod picture;
mod sniff;
pub mod sounds;
