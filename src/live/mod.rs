//! WebSocket connections: the handshake, reading and checking frames, and the messages of clients.

mod acks;
mod handshake;
mod protocol;
mod reads;
mod socket;

pub(crate) use handshake::upgrade;
