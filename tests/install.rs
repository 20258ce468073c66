//! `install.sh`, from outside: on a machine of the test's own, which is a namespace with its own /etc, /usr/local, /var/lib
//! and /run, with stubs for what would need a real systemd.

mod support;

mod install {
    mod machine;
    mod service;
    mod sources;
    mod units;
}
