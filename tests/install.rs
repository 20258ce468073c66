//! `install.sh`, run in a namespace with its own /etc, /usr/local, /var/lib and /run, and with stubs for what would need a
//! real systemd.

mod support;

mod install {
    mod machine;
    mod service;
    mod sources;
    mod units;
}
