//! Who is at the other end of a request: the address that calls, or the one that a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use hyper::{
    HeaderMap,
    header::{self, HeaderName},
};

use crate::outbound::Cidr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Proxies in a row whose word is followed; nobody has more.
const MAX_HOPS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// It came over TLS, to us or to the proxy.
    pub(crate) is_secure: bool,
}

impl Peer {
    /// `address` and `is_secure` are those of the connection. Headers are believed only if `trusted` has the address,
    /// and each proxy that they name only if it is trusted too, so the first stranger from our side is the client.
    ///
    /// `Forwarded` (RFC 7239) counts if there is no `X-Forwarded-For`: most proxies write the latter and pass the
    /// former on as their client sent it.
    pub(crate) fn of(address: IpAddr, is_secure: bool, headers: &HeaderMap, trusted: &[Cidr]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        let direct = Self { address, is_secure };
        if trusted.is_empty() || !is_trusted(address) {
            return direct;
        }
        let mut found = direct;
        let mut take = |named: Option<IpAddr>| match named {
            Some(named) => {
                found.address = named;
                is_trusted(named)
            }
            // "unknown", or made up: what is known is the proxy that said so.
            None => false,
        };
        if headers.contains_key(&X_FORWARDED_FOR) {
            from_the_right(headers, &X_FORWARDED_FOR).take(MAX_HOPS).all(|item| take(node(item)));
            if let Some(scheme) = from_the_right(headers, &X_FORWARDED_PROTO).next() {
                found.is_secure = scheme.eq_ignore_ascii_case("https");
            }
        } else {
            let mut scheme = None;
            from_the_right(headers, &header::FORWARDED).take(MAX_HOPS).all(|item| {
                scheme = parameter(item, "proto");
                take(parameter(item, "for").and_then(node))
            });
            if let Some(scheme) = scheme {
                found.is_secure = scheme.eq_ignore_ascii_case("https");
            }
        }
        found
    }
}

/// The items of a list header, the last one first.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values: Vec<&str> =
        headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).collect();
    values.into_iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim)
}

/// A parameter of an element of `Forwarded`, without its quotes. A comma in quotes is nothing that an address has.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:47011`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(from: &str, trusted: &str, headers: &[(&str, &str)]) -> (String, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let trusted: Vec<Cidr> =
            trusted.split(' ').filter(|it| !it.is_empty()).map(|it| it.parse().unwrap()).collect();
        let peer = Peer::of(from.parse().unwrap(), false, &map, &trusted);
        (peer.address.to_string(), peer.is_secure)
    }

    fn address(from: &str, trusted: &str, headers: &[(&str, &str)]) -> String {
        peer(from, trusted, headers).0
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        let said = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        assert_eq!(peer("192.0.2.1", "", &said), ("192.0.2.1".into(), false));
        assert_eq!(peer("192.0.2.1", "10.0.0.0/8", &said), ("192.0.2.1".into(), false));
        assert_eq!(peer("10.0.0.1", "10.0.0.0/8", &said), ("203.0.113.9".into(), true));
        assert_eq!(peer("::ffff:10.0.0.1", "10.0.0.0/8", &said), ("203.0.113.9".into(), true));
    }

    #[test]
    fn the_first_stranger_from_our_side_is_the_client() {
        let chain = |value: &'static str| address("10.0.0.1", "10.0.0.0/8", &[("x-forwarded-for", value)]);
        // What the client itself had written stands on the left.
        assert_eq!(chain("127.0.0.1, 198.51.100.7"), "198.51.100.7");
        assert_eq!(chain("127.0.0.1, 198.51.100.7, 10.0.0.2"), "198.51.100.7");
        assert_eq!(chain("10.0.0.3, 10.0.0.2"), "10.0.0.3");
        assert_eq!(chain("198.51.100.7, unknown"), "10.0.0.1");
        assert_eq!(chain("198.51.100.7, unknown, 10.0.0.2"), "10.0.0.2");
        assert_eq!(chain(""), "10.0.0.1");
        assert_eq!(chain("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(chain("2001:db8::1"), "2001:db8::1");
        assert_eq!(chain("192.0.2.1:4711"), "192.0.2.1");
        let lines = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(address("10.0.0.1", "10.0.0.0/8", &lines), "198.51.100.7");
    }

    #[test]
    fn forwarded_counts_if_there_is_nothing_else() {
        let forwarded = |value: &'static str| peer("10.0.0.1", "10.0.0.0/8", &[("forwarded", value)]);
        assert_eq!(forwarded("for=192.0.2.60;proto=https;by=203.0.113.43"), ("192.0.2.60".into(), true));
        assert_eq!(
            forwarded("for=evil, For=\"[2001:db8:cafe::17]:4711\";proto=http"),
            ("2001:db8:cafe::17".into(), false)
        );
        assert_eq!(forwarded("for=192.0.2.43;proto=https, for=10.0.0.2"), ("192.0.2.43".into(), true));
        assert_eq!(forwarded("for=_hidden"), ("10.0.0.1".into(), false));
        let both = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=192.0.2.60")];
        assert_eq!(address("10.0.0.1", "10.0.0.0/8", &both), "198.51.100.7");
    }

    #[test]
    fn a_chain_without_an_end_is_not_followed_for_ever() {
        let long = format!("198.51.100.7{}", ", 10.0.0.2".repeat(1000));
        let mut map = HeaderMap::new();
        map.insert(X_FORWARDED_FOR, long.parse().unwrap());
        let peer = Peer::of("10.0.0.1".parse().unwrap(), false, &map, &["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(peer.address.to_string(), "10.0.0.2");
    }
}
