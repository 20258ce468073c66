//! What survives when the process is killed.

mod support;

mod crash {
    mod kill;
}
