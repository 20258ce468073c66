//! The live side of the contract, from outside: sockets of the real server.

mod support;

mod live {
    mod events;
    mod handshake;
    mod hostile;
    mod many;
    mod noise;
    mod presence;
    mod sessions;
    mod slow;
}
