//! The server in networks that are not the developer's, each a namespace of its own.

mod support;

mod network {
    mod outgoing;
}
