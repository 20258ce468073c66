//! Certificates by ACME, from outside: the real binary against Pebble, Let's Encrypt's own test authority.

mod support;

mod acme {
    mod certificates;
    mod faults;
    mod pebble;
}
