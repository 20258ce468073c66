//! What survives kill -9, and floods on a small machine.

mod support;

mod crash {
    mod kill;
    mod memory;
}
