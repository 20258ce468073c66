//! Running as a service: socket activation, watchdog, stop, and restart without downtime.

mod support;

mod restart {
    mod alerts;
    mod stop;
    mod systemd;
    mod zero_downtime;
}
