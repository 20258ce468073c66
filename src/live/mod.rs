//! WebSocket connections: the handshake, reading and checking frames, and what a client may say.

mod protocol;
mod socket;

pub(crate) use socket::upgrade;
