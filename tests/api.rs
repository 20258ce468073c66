//! The HTTP side of the contract, from outside: each test has a server of its own.

mod support;

mod api {
    mod conventions;
    mod limits;
}
