//! Pictures and sounds.

pub mod picture;
pub mod sounds;
