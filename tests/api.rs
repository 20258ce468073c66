//! The HTTP API, tested from outside. Each test starts its own server.

mod support;

mod api {
    mod access;
    mod boosts;
    mod bots;
    mod bounds;
    mod conventions;
    mod derived;
    mod emoji;
    mod files;
    mod guest_sweep;
    mod guests;
    mod history;
    mod hooks;
    mod http1;
    mod invitations;
    mod limits;
    mod markdown;
    mod members;
    mod messages;
    mod moved;
    mod once;
    mod outbound;
    mod page;
    mod paging;
    mod people;
    mod proxy;
    mod rooms;
    mod search;
    mod second_factor;
    mod sign_in;
    mod sign_ins;
    mod sign_out;
    mod sync;
    mod unread;
}
