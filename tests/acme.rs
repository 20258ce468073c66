//! Certificates by ACME: the real binary against Pebble, Let's Encrypt's test authority.

mod support;

mod acme {
    mod certificates;
    mod faults;
    mod pebble;
}
