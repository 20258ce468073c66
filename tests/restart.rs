//! Being a service: started by systemd, watched by it, stopped, and started again without anybody noticing.

mod support;

mod restart {
    mod alerts;
    mod stop;
    mod systemd;
    mod zero_downtime;
}
