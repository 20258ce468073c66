//! Sign-in by identity providers: the real binary against a provider of the tests' own, which misbehaves as it is told to,
//! and against real ones.

#[allow(dead_code)] // its keys and messages are for other suites
#[path = "support/browser.rs"]
mod driver;
mod support;

mod oidc {
    mod accounts;
    mod browser;
    mod doctor;
    mod misbehaving;
    mod page;
    mod passwords;
    mod provider;
    mod real;
    mod sign_in;
}
