//! Mail, against a real SMTP server: aiosmtpd, fetched into `target/mail` in a pinned version and started by each test on a
//! port of its own.

mod support;

mod mail {
    mod delivery;
    mod doctor;
    mod invitations;
    mod relay;
    mod reset;
    mod unread;
    mod unsubscribe;
}
