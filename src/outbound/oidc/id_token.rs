//! The ID token: a signed statement about who has signed in (OpenID Connect Core 1.0, section 3.1.3.7).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Fault, keys::Algorithm};

/// Seconds by which clocks may differ.
const LEEWAY: f64 = 60.0;

/// Characters of a subject (Core, section 2).
const MAX_SUBJECT: usize = 255;

pub(super) type Claims = Map<String, Value>;

fn untrusted(why: impl Into<String>) -> Fault {
    Fault::Untrusted(why.into())
}

/// A token taken apart. Nothing in it is believed before the signature is checked.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// What is signed.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    payload: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(match parts.len() {
                5 => Fault::Unfit("its ID token is encrypted; switch that off for this client there".into()),
                _ => untrusted("its ID token is no signed token"),
            });
        };
        let decoded = |part: &str| BASE64.decode(part).map_err(|_| untrusted("its ID token is no base64url"));
        let header: Header = serde_json::from_slice(&decoded(header)?)
            .map_err(|_| untrusted("the header of its ID token cannot be read"))?;
        // RFC 7515, section 4.1.11.
        if header.crit.is_some() {
            return Err(untrusted("its ID token demands extensions that are not known here"));
        }
        let algorithm = Algorithm::of(&header.alg).ok_or_else(|| {
            untrusted(format!(
                "its ID token is signed by {}, and only RS256, PS256, ES256 and EdDSA are accepted",
                super::error_word(&header.alg)
            ))
        })?;
        let payload = decoded(payload)?;
        let message = &text.as_bytes()[..text.len() - signature.len() - 1];
        Ok(Self { algorithm, kid: header.kid, message, signature: decoded(signature)?, payload })
    }

    /// The claims, once the signature is checked.
    pub(super) fn claims(&self) -> Result<Claims, Fault> {
        serde_json::from_slice(&self.payload)
            .map_err(|_| untrusted("the claims of its ID token cannot be read"))
    }
}

/// What a token has to say.
pub(super) struct Expected<'a> {
    /// That of the discovery document.
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// Seconds since the Unix epoch.
    pub(super) now: f64,
}

/// Checks the claims of a token. Returns the subject.
pub(super) fn check(claims: &Claims, expected: &Expected<'_>) -> Result<String, Fault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(untrusted("its ID token names another issuer (iss)"));
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == expected.client_id,
        Some(Value::Array(all)) => all.iter().any(|one| one == expected.client_id),
        _ => false,
    };
    if !is_for_us {
        return Err(untrusted("its ID token is for another client (aud)"));
    }
    if claims.get("azp").is_some_and(|party| party != expected.client_id) {
        return Err(untrusted("its ID token was given to another client (azp)"));
    }
    let time = |name: &str| claims.get(name).map(|time| time.as_f64());
    match time("exp") {
        Some(Some(end)) if end > expected.now - LEEWAY => {}
        Some(Some(_)) => return Err(untrusted("its ID token has expired (exp); compare the clocks")),
        _ => return Err(untrusted("its ID token does not say when it ends (exp)")),
    }
    match time("iat") {
        Some(Some(begin)) if begin <= expected.now + LEEWAY => {}
        Some(Some(_)) => return Err(untrusted("its ID token is from the future (iat); compare the clocks")),
        _ => return Err(untrusted("its ID token does not say when it was made (iat)")),
    }
    match time("nbf") {
        None => {}
        Some(Some(begin)) if begin <= expected.now + LEEWAY => {}
        Some(_) => return Err(untrusted("its ID token is not valid yet (nbf); compare the clocks")),
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(untrusted("its ID token belongs to another sign-in (nonce)"));
    }
    match text("sub") {
        Some(subject) if !subject.is_empty() && subject.len() <= MAX_SUBJECT => Ok(subject.to_owned()),
        _ => Err(untrusted("its ID token does not say who signed in (sub)")),
    }
}
