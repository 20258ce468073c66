//! Live talk: sockets, what goes in and out of them, and who is there.

mod hub;
mod presence;
mod protocol;
mod socket;

pub(crate) use hub::Hub;
pub(crate) use socket::upgrade;

/// A client pings, or is pinged, within so many seconds; after twice that in silence its socket is closed.
pub(crate) const HEARTBEAT_S: u32 = 30;
