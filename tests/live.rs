//! The live side of the contract, from outside: sockets of the real server.

mod support;

mod live {
    mod backpressure;
    mod events;
    mod fanout;
    mod fuzz;
    mod handshake;
    mod hostile;
    mod presence;
    mod sessions;
}
