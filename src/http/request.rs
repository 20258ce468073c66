//! A request as its handler gets it: authentication, parameters, the body.

use std::{borrow::Cow, net::IpAddr, rc::Rc};

use bytes::Bytes;
use hyper::{HeaderMap, Method, Uri, header};
use percent_encoding::percent_decode_str;

use super::{query::Query, router::Params};
use crate::{
    chat::{
        Viewer,
        sessions::{Device, by_token},
    },
    memory::Owner,
    text::signed_value,
    types::{SessionKind, network_of},
    wire::{Form, Problem},
    worker::Worker,
};

pub(crate) const COOKIE: &str = "campfire_session";

/// The cookie of ONCE Campfire on the same host.
pub(crate) const ONCE_COOKIE: &str = "session_token";

/// Letters and digits of the token in that cookie.
const ONCE_TOKEN: usize = 24;

/// A request, for its handler.
pub(crate) struct Call {
    pub(crate) worker: Rc<Worker>,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// The address of the client: see `Peer`.
    pub(crate) address: IpAddr,
    /// Whether the client used TLS, to this server or to a trusted proxy.
    pub(crate) is_secure: bool,
    /// The ranges of the values of the route's placeholders in the path, in order.
    pub(crate) params: Params,
    pub(crate) body: Bytes,
}

impl Call {
    /// The fields of the JSON body. 415 for another content type, 400 or 422 for a body that is not a JSON object.
    pub(crate) fn form(&self) -> Result<Form, Problem> {
        if !self.is_json() {
            return Err(Problem::unsupported_media_type());
        }
        Form::parse(&self.body)
    }

    fn is_json(&self) -> bool {
        let kind = self.content_type().split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
    }

    /// `Content-Type`; empty if it is missing.
    pub(crate) fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a placeholder, percent-decoded; what is not UTF-8 is replaced.
    pub(crate) fn param(&self, place: usize) -> Cow<'_, str> {
        percent_decode_str(&self.uri.path()[self.params[place].clone()]).decode_utf8_lossy()
    }

    /// The id in a placeholder; 404 if it is not a positive integer.
    pub(crate) fn id(&self, place: usize) -> Result<i64, Problem> {
        Some(self.param(place))
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|id: &i64| *id > 0)
            .ok_or_else(Problem::not_found)
    }

    pub(crate) fn query(&self) -> Query {
        Query::parse(self.uri.query().unwrap_or_default())
    }

    /// For whom memory is held: the caller, or their network if they are not signed in.
    pub(crate) fn owner(&self) -> Owner {
        match authenticate(&self.worker, &self.headers, self.address) {
            Some((viewer, _)) => Owner::User(viewer.user.0),
            None => Owner::Network(network_of(self.address)),
        }
    }

    /// The client that asks for a session.
    pub(crate) fn device(&self) -> Device<'_> {
        let user_agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Device { user_agent: user_agent.unwrap_or_default(), address: self.address }
    }

    /// The token by which a browser is signed in that has the cookie of ONCE Campfire, and none of ours that is good.
    pub(crate) fn moved_token(&self) -> Option<String> {
        let (_, token) = moved_session(&self.worker, &self.headers, self.address)?;
        let is_known = |token: &str| by_token(&self.worker, token, self.address).is_some();
        (!cookie(&self.headers, COOKIE).is_some_and(is_known)).then_some(token)
    }

    /// Whether the client used TLS, by the connection, the proxy or the configured public URL.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
            || self.worker.config().public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether it comes from loopback and not through a proxy, trusted or not. A proxy on this machine may add no header at
    /// all, but passes the host on by which people reach it: without that the page does not work.
    pub(crate) fn is_from_here(&self) -> bool {
        const OF_PROXIES: [&str; 4] = ["x-forwarded-for", "forwarded", "via", "x-real-ip"];
        let host = self.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        self.address.is_loopback()
            && host.is_some_and(is_loopback)
            && OF_PROXIES.iter().all(|name| !self.headers.contains_key(*name))
    }

    /// The base URL of this server as the client sees it, without a slash at the end.
    pub(crate) fn base_url(&self) -> String {
        if let Some(url) = &self.worker.config().public_url {
            return url.trim_end_matches('/').to_owned();
        }
        match self.headers.get(header::HOST).and_then(|value| value.to_str().ok()) {
            Some(host) if self.is_secure => format!("https://{host}"),
            Some(host) => format!("http://{host}"),
            None => self.worker.config().base_url(),
        }
    }
}

/// Authenticates the caller. 403 for a write by cookie from another site, and for one by a token that may only read.
pub(crate) fn viewer(
    worker: &Worker,
    headers: &HeaderMap,
    method: &Method,
    address: IpAddr,
) -> Result<Option<Viewer>, Problem> {
    let Some((viewer, by_cookie)) = authenticate(worker, headers, address) else { return Ok(None) };
    if by_cookie && !method.is_safe() && is_cross_site(headers) {
        return Err(Problem::cross_site());
    }
    if !method.is_safe() {
        viewer.check_may_write()?;
    }
    Ok(Some(viewer))
}

/// The caller by a bearer token of ours, otherwise by the cookie, ours or that of ONCE Campfire; and whether it was a cookie.
/// `Authorization` may be meant for a proxy in front, which passes it on.
pub(crate) fn authenticate(worker: &Worker, headers: &HeaderMap, address: IpAddr) -> Option<(Viewer, bool)> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?));
    if let Some(viewer) = token.and_then(|token| by_token(worker, token, address)) {
        return Some((viewer, false));
    }
    let ours = cookie(headers, COOKIE).and_then(|token| by_token(worker, token, address));
    let viewer = ours.or_else(|| moved_session(worker, headers, address).map(|(viewer, _)| viewer))?;
    Some((viewer, true))
}

/// The caller by the cookie of ONCE Campfire, whose sessions an import may have brought; and their token.
fn moved_session(worker: &Worker, headers: &HeaderMap, address: IpAddr) -> Option<(Viewer, String)> {
    let token = once_token(cookie(headers, ONCE_COOKIE)?)?;
    let viewer = by_token(worker, &token, address).filter(|viewer| viewer.kind == SessionKind::Device)?;
    Some((viewer, token))
}

/// The token in a cookie of ONCE Campfire. Its signature is not needed: the token is random and secret itself, as ours are,
/// so whoever knows one has the session.
fn once_token(cookie: &str) -> Option<String> {
    let decoded = percent_decode_str(cookie).decode_utf8().ok()?;
    let value = String::from_utf8(signed_value(&decoded)?).ok()?;
    let token = value.trim_matches('"');
    let is_one = token.len() == ONCE_TOKEN && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then(|| token.to_owned())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// 403 for a request by a page of another site. It keeps other sites from signing a browser in (login CSRF).
pub(crate) fn refuse_cross_site(call: &Call) -> Result<(), Problem> {
    let from_browser =
        call.headers.contains_key("sec-fetch-site") || call.headers.contains_key(header::ORIGIN);
    if from_browser && is_cross_site(&call.headers) { Err(Problem::cross_site()) } else { Ok(()) }
}

/// By `Sec-Fetch-Site`, or by `Origin` from browsers that do not send it.
fn is_cross_site(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site != "same-origin" && site != "none",
        None => !origin_is_ours(headers),
    }
}

/// Whether a host, with or without a port, can only be this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether `Origin` is missing or names this host.
pub(crate) fn origin_is_ours(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let origin = origin.to_str().unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_cookies_hold_a_token_of_24_letters_and_digits() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let cookie_of = |token: &str| {
            let message = STANDARD.encode(format!("\"{token}\""));
            let json = format!(
                r#"{{"_rails":{{"message":"{message}","exp":"2046-01-01T00:00:00.000Z","pur":"cookie.session_token"}}}}"#
            );
            format!("{}--{}", STANDARD.encode(json), "0".repeat(40))
        };
        let token = "Ab1Cd2Ef3Gh4Jk5Mn6Pq7Rs8";
        assert_eq!(once_token(&cookie_of(token)).as_deref(), Some(token));
        let encoded = cookie_of(token).replace('=', "%3D").replace('+', "%2B").replace('/', "%2f");
        assert_eq!(once_token(&encoded).as_deref(), Some(token));
        for wrong in ["", "Ab1Cd2Ef3Gh4Jk5Mn6Pq7Rs", "Ab1Cd2Ef3Gh4Jk5Mn6Pq7Rs89", "Ab1Cd2Ef3Gh4Jk5Mn6Pq7Rs-"]
        {
            assert_eq!(once_token(&cookie_of(wrong)), None, "{wrong}");
        }
        for wrong in ["", "--", token, "%", "%ff", "W10=--00", "\u{FC}"] {
            assert_eq!(once_token(wrong), None, "{wrong}");
        }
    }

    /// 35.
    #[test]
    fn loopback_hosts_are_names_and_addresses_of_this_machine() {
        for host in ["localhost", "LocalHost:3000", "127.0.0.1:3000", "127.8.8.8", "[::1]", "[::1]:80"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "chat.example",
            "chat.example:3000",
            "localhost.evil.example",
            "192.168.1.4",
            "::ffff",
            ":80",
            "[::2]:80",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn origin_is_ours_if_it_names_our_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "chat.example:3000".parse().unwrap());
        assert!(origin_is_ours(&headers));
        headers.insert(header::ORIGIN, "http://chat.example:3000".parse().unwrap());
        assert!(origin_is_ours(&headers));
        headers.insert(header::ORIGIN, "http://chat.example".parse().unwrap());
        assert!(!origin_is_ours(&headers));
        headers.insert(header::ORIGIN, "null".parse().unwrap());
        assert!(!origin_is_ours(&headers));
    }
}
