//! Web Push: messages encrypted for one browser (RFC 8291 over RFC 8188), and who we are (VAPID, RFC 8292).

use std::fmt;

use aes_gcm::{Aes128Gcm, KeyInit, aead::Aead};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hkdf::Hkdf;
use p256::{
    PublicKey, SecretKey,
    ecdh::diffie_hellman,
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::sec1::ToSec1Point,
};
use sha2::Sha256;

/// Bytes of one push, encrypted (RFC 8291, section 4): what all push services take.
const RECORD: usize = 4096;

/// What is left of a record for a text: less the header, the tag and the delimiter.
pub const MAX_PLAINTEXT: usize = RECORD - 86 - 16 - 1;

/// A browser's keys are none.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyError;

fn decoded(text: &str) -> Result<Vec<u8>, KeyError> {
    BASE64.decode(text.trim_end_matches('=')).map_err(|_| KeyError)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness there are no secrets to give out: stopping is the only honest answer.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

fn random_key() -> SecretKey {
    loop {
        // Nearly every 32 bytes are a key; what is none is rolled again.
        if let Ok(key) = SecretKey::from_slice(&random::<32>()) {
            return key;
        }
    }
}

fn point(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_point(false).as_bytes().to_vec()
}

/// Who sends pushes: a key pair that a server makes once and keeps.
pub struct VapidKey(SecretKey);

impl VapidKey {
    pub fn generate() -> Self {
        Self(random_key())
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        SecretKey::from_slice(bytes).map(Self).map_err(|_| KeyError)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    /// For `applicationServerKey`: the uncompressed point in base64url.
    pub fn public(&self) -> String {
        BASE64.encode(point(&self.0.public_key()))
    }

    /// The `Authorization` header for a push service: a token that it can tell us by, for so long.
    pub fn authorization(&self, origin: &str, subject: &str, expires_s: i64) -> String {
        let claims = serde_json::json!({ "aud": origin, "exp": expires_s, "sub": subject });
        let unsigned = format!(
            "{}.{}",
            BASE64.encode(br#"{"typ":"JWT","alg":"ES256"}"#),
            BASE64.encode(claims.to_string())
        );
        let signature: Signature = SigningKey::from(&self.0).sign(unsigned.as_bytes());
        format!("vapid t={unsigned}.{}, k={}", BASE64.encode(signature.to_bytes()), self.public())
    }
}

/// Whether these can be a browser's keys.
pub fn are_keys(p256dh: &str, auth: &str) -> bool {
    let is_point = decoded(p256dh).and_then(|bytes| PublicKey::from_sec1_bytes(&bytes).map_err(|_| KeyError));
    is_point.is_ok() && decoded(auth).is_ok_and(|auth| auth.len() == 16)
}

/// Why a text was not encrypted.
#[derive(Debug, PartialEq, Eq)]
pub enum EncryptError {
    Key,
    /// Cut by bytes it would be no JSON any more: whoever writes it has to keep to [`MAX_PLAINTEXT`].
    TooLong(usize),
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the device's keys are none"),
            Self::TooLong(bytes) => write!(f, "{bytes} bytes do not fit into a push"),
        }
    }
}

impl From<KeyError> for EncryptError {
    fn from(_: KeyError) -> Self {
        Self::Key
    }
}

/// Encrypts a text of at most `MAX_PLAINTEXT` bytes for the browser with these keys.
pub fn encrypt(plaintext: &[u8], p256dh: &str, auth: &str) -> Result<Vec<u8>, EncryptError> {
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(EncryptError::TooLong(plaintext.len()));
    }
    let browser = PublicKey::from_sec1_bytes(&decoded(p256dh)?).map_err(|_| KeyError)?;
    Ok(encrypted(plaintext, &browser, &decoded(auth)?, &random_key(), &random())?)
}

fn encrypted(
    plaintext: &[u8],
    browser: &PublicKey,
    auth: &[u8],
    own: &SecretKey,
    salt: &[u8; 16],
) -> Result<Vec<u8>, KeyError> {
    let own_point = point(&own.public_key());
    let shared = diffie_hellman(own.to_nonzero_scalar(), browser.as_affine());
    let keys = derive(shared.raw_secret_bytes(), auth, &point(browser), &own_point, salt);
    let mut padded = plaintext.to_vec();
    padded.push(2); // the last record (RFC 8188, section 2)
    let sealed = keys.cipher().encrypt(&keys.nonce.into(), padded.as_slice()).map_err(|_| KeyError)?;
    let mut record = Vec::with_capacity(86 + sealed.len());
    record.extend_from_slice(salt);
    record.extend_from_slice(&(RECORD as u32).to_be_bytes());
    record.push(own_point.len() as u8);
    record.extend_from_slice(&own_point);
    record.extend_from_slice(&sealed);
    Ok(record)
}

struct Keys {
    key: [u8; 16],
    nonce: [u8; 12],
}

impl Keys {
    fn cipher(&self) -> Aes128Gcm {
        Aes128Gcm::new(&self.key.into())
    }
}

/// RFC 8291, section 3.4.
fn derive(shared: &[u8], auth: &[u8], browser: &[u8], own: &[u8], salt: &[u8]) -> Keys {
    let mut secret = [0; 32];
    let info = [b"WebPush: info\0", browser, own].concat();
    // SHA-256 can be stretched to 255 times its length.
    Hkdf::<Sha256>::new(Some(auth), shared)
        .expand(&info, &mut secret)
        .expect("32 bytes are within HKDF's reach");
    let keys = Hkdf::<Sha256>::new(Some(salt), &secret);
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    keys.expand(b"Content-Encoding: aes128gcm\0", &mut key).expect("16 bytes are within HKDF's reach");
    keys.expand(b"Content-Encoding: nonce\0", &mut nonce).expect("12 bytes are within HKDF's reach");
    Keys { key, nonce }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const BROWSER_PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const BROWSER_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";

    fn secret(text: &str) -> SecretKey {
        SecretKey::from_slice(&decoded(text).unwrap()).unwrap()
    }

    fn decrypt(record: &[u8]) -> Vec<u8> {
        let browser = secret(BROWSER_PRIVATE);
        let sender = PublicKey::from_sec1_bytes(&record[21..86]).unwrap();
        let shared = diffie_hellman(browser.to_nonzero_scalar(), sender.as_affine());
        let auth = decoded(AUTH).unwrap();
        let keys = derive(
            shared.raw_secret_bytes(),
            &auth,
            &point(&browser.public_key()),
            &record[21..86],
            &record[..16],
        );
        let mut plain = keys.cipher().decrypt(&keys.nonce.into(), &record[86..]).unwrap();
        assert_eq!(plain.pop(), Some(2));
        plain
    }

    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_by_byte() {
        let own = secret("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let browser = PublicKey::from_sec1_bytes(&decoded(BROWSER_PUBLIC).unwrap()).unwrap();
        let salt: [u8; 16] = decoded("DGv6ra1nlYgDCS1FRnbzlw").unwrap().try_into().unwrap();
        let plaintext = b"When I grow up, I want to be a watermelon";
        let record = encrypted(plaintext, &browser, &decoded(AUTH).unwrap(), &own, &salt).unwrap();
        assert_eq!(
            BASE64.encode(&record),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn what_is_encrypted_is_read_by_the_browser_and_fits_one_record() {
        let long = vec![b'x'; MAX_PLAINTEXT];
        let record = encrypt(&long, BROWSER_PUBLIC, AUTH).unwrap();
        assert_eq!(record.len(), RECORD);
        assert_eq!(decrypt(&record), long);
        assert_eq!(encrypt(b"x", "AAAA", AUTH), Err(EncryptError::Key));
        let too_long = vec![b'x'; MAX_PLAINTEXT + 1];
        assert_eq!(encrypt(&too_long, BROWSER_PUBLIC, AUTH), Err(EncryptError::TooLong(MAX_PLAINTEXT + 1)));
    }

    #[test]
    fn the_authorization_is_signed_by_the_public_key_that_it_names() {
        use p256::ecdsa::{VerifyingKey, signature::Verifier};
        let key = VapidKey::from_bytes(&VapidKey::generate().to_bytes()).unwrap();
        let header = key.authorization("https://push.example", "mailto:a@b.c", 1_800_000_000);
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (unsigned, signature) = token.rsplit_once('.').unwrap();
        let verifying = VerifyingKey::from_sec1_bytes(&decoded(public).unwrap()).unwrap();
        let signature = Signature::from_slice(&decoded(signature).unwrap()).unwrap();
        verifying.verify(unsigned.as_bytes(), &signature).unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&decoded(unsigned.split_once('.').unwrap().1).unwrap()).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
    }
}
