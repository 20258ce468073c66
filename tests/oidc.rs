//! Sign-in by identity providers: the real binary against a provider of the tests' own, which misbehaves as it is told to,
//! and against real ones.

mod support;

mod oidc {
    mod accounts;
    mod doctor;
    mod misbehaving;
    mod passwords;
    mod provider;
    mod sign_in;
}
