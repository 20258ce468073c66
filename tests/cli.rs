//! The command line, from outside.

mod support;

mod cli {
    mod admin;
    mod bench;
    mod demo;
    mod doctor;
    mod start;
}
