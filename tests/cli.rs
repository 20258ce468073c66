//! The command line, from outside.

mod support;

mod cli {
    mod admin;
    mod alone;
    mod backup;
    mod bench;
    mod check;
    mod demo;
    mod doctor;
    mod start;
    mod upgrade;
}
