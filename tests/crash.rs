//! What survives kill -9.

mod support;

mod crash {
    mod kill;
}
