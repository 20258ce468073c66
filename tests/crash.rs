//! What survives kill -9, floods on a small machine, and a full disk.

mod support;

mod crash {
    mod full_disk;
    mod kill;
    mod memory;
}
