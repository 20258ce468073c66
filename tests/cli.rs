//! The command line, from outside.

mod support;

mod cli {
    mod admin;
    mod demo;
    mod doctor;
    mod start;
}
