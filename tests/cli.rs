//! The command line, tested from outside.

mod support;

mod cli {
    mod admin;
    mod backup;
    mod bench;
    mod check;
    mod demo;
    mod doctor;
    mod import;
    mod start;
    mod static_binary;
    mod unfinished;
    mod upgrade;
}
