//! HTTPS, from outside: certificates, HTTP/2, sockets over TLS, and the way from port 80.

mod support;

mod tls {
    mod certificates;
    mod http2;
    mod redirect;
    mod sockets;
}
