//! The keys with which a provider signs (RFC 7517), and checking a signature by them.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::Fault;

/// A key that the provider does not list any more is believed for so long after it was last listed: what was signed just
/// before a change still comes in.
const KEPT: Duration = Duration::from_secs(3600);

/// Keys of one provider.
const MAX_KEYS: usize = 64;

/// The algorithms that are accepted. `none` and those with a shared secret (HS256, …) are not among them, so a public key is
/// never taken for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            // The second is its name since RFC 9864.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Key {
    kid: Option<String>,
    alg: Option<Algorithm>,
    public: Public,
    listed: Instant,
}

impl Key {
    /// A key signs by the algorithm of its own type, whatever a token says; and by no other than it names itself.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let is_its_type = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => matches!(self.public, Public::Rsa { .. }),
            Algorithm::Es256 => matches!(self.public, Public::P256(_)),
            Algorithm::EdDsa => matches!(self.public, Public::Ed25519(_)),
        };
        is_its_type && self.alg.is_none_or(|own| own == algorithm)
    }

    fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verified = match (&self.public, algorithm) {
            (Public::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Public::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Public::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

/// A key as it is listed. Others than ours have other members.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    kty: String,
    r#use: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Listed {
    /// None for a key that we cannot use: for encryption, of another type or curve, or malformed.
    fn key(self, now: Instant) -> Option<Key> {
        if self.r#use.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let alg = match self.alg.as_deref() {
            Some(name) => Some(Algorithm::of(name)?),
            None => None,
        };
        let decoded = |text: Option<String>| BASE64.decode(text?.trim_end_matches('=')).ok();
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let number = |text| {
                    let bytes: Vec<u8> = decoded(text)?;
                    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                    Some(bytes[zeros..].to_vec())
                };
                Public::Rsa { n: number(self.n)?, e: number(self.e)? }
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (decoded(self.x)?, decoded(self.y)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                Public::P256([&[4], &x[..], &y[..]].concat())
            }
            ("OKP", Some("Ed25519")) => Public::Ed25519(decoded(self.x)?),
            _ => return None,
        };
        Some(Key { kid: self.kid, alg, public, listed: now })
    }
}

/// The result of checking a signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Checked {
    Good,
    Forged,
    /// There is no such key here. The provider may have a new one.
    UnknownKey,
}

#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a fetched list in. Keys that are not in it are kept for a while.
    pub(super) fn take_in(&mut self, body: &[u8], now: Instant) -> Result<(), Fault> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_slice(body)
            .map_err(|_| Fault::Unreachable("what it answers at its jwks_uri is no list of keys".into()))?;
        let fresh: Vec<Key> = set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Listed>(key).ok()?.key(now))
            .take(MAX_KEYS)
            .collect();
        if fresh.is_empty() {
            return Err(Fault::Unfit(
                "it lists no key for RS256, PS256, ES256 or EdDSA, by which its ID tokens could be checked"
                    .into(),
            ));
        }
        let is_listed = |old: &Key| fresh.iter().any(|key| key.kid == old.kid && key.public == old.public);
        self.0.retain(|old| !is_listed(old) && now.duration_since(old.listed) < KEPT);
        // The newest first; the oldest go beyond the bound.
        self.0.splice(0..0, fresh);
        self.0.truncate(MAX_KEYS);
        Ok(())
    }

    pub(super) fn check(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Checked {
        let now = Instant::now();
        let is_meant = |key: &&Key| match (kid, &key.kid) {
            (Some(wanted), Some(own)) => wanted == own,
            // A provider with one key may leave its name out, on either side.
            _ => true,
        };
        let mut meant =
            self.0.iter().filter(is_meant).filter(|key| now.duration_since(key.listed) < KEPT).peekable();
        if meant.peek().is_none() {
            return Checked::UnknownKey;
        }
        if meant.any(|key| key.fits(algorithm) && key.has_signed(algorithm, message, signature)) {
            return Checked::Good;
        }
        // Without a name it may be of a key that is not known yet.
        if kid.is_some_and(|kid| self.0.iter().any(|key| key.kid.as_deref() == Some(kid))) {
            Checked::Forged
        } else {
            Checked::UnknownKey
        }
    }

    /// Names of the algorithms of the listed keys, for the operator.
    pub(super) fn describe(&self) -> String {
        let mut names: Vec<&str> = self
            .0
            .iter()
            .map(|key| match key.public {
                Public::Rsa { .. } => "RSA",
                Public::P256(_) => "P-256",
                Public::Ed25519(_) => "Ed25519",
            })
            .collect();
        names.dedup();
        format!("{} ({})", self.0.len(), names.join(", "))
    }
}
