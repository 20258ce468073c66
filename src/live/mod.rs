//! WebSocket connections: the handshake, reading and checking frames, and what a client may say.

mod handshake;
mod protocol;
mod socket;

pub(crate) use handshake::upgrade;
