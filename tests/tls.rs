//! HTTPS, tested from outside: certificates, HTTP/2, WebSocket over TLS, and the redirect from HTTP.

mod support;

mod tls {
    mod certificates;
    mod http2;
    mod redirect;
    mod sockets;
}
