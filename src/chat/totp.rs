//! Codes by time (RFC 6238 over RFC 4226): SHA-1, six digits, thirty seconds, which is what every app knows.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;

use crate::types::Timestamp;

/// Bytes of a secret: RFC 4226 recommends 160 bits.
pub(crate) const SECRET_BYTES: usize = 20;

/// Milliseconds for which a code is shown.
const STEP: i64 = 30_000;

/// Characters of the account's name in the app; with more the QR code would become too fine.
const MAX_ISSUER: usize = 24;

/// The code of a secret for a time step.
fn code_at(secret: &[u8], step: i64) -> u32 {
    // Collisions of SHA-1 are of no use against HMAC (RFC 6194, section 3.3).
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let word = u32::from_be_bytes([tag[offset], tag[offset + 1], tag[offset + 2], tag[offset + 3]]);
    (word & 0x7fff_ffff) % 1_000_000
}

/// The six digits in what was typed, which may be in groups.
fn digits(text: &str) -> Option<u32> {
    let mut number = 0;
    let mut count = 0;
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        number = number * 10 + letter.to_digit(10)?;
        count += 1;
        if count > 6 {
            return None;
        }
    }
    (count == 6).then_some(number)
}

/// The time step of a code that is right at this time: the present one, the one before or the one after, since clocks differ.
pub(crate) fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let given = digits(code)?;
    let present = now.0.div_euclid(STEP);
    // All three are compared, whichever fits: the time does not tell.
    let mut found = None;
    for step in present - 1..=present + 1 {
        if code_at(secret, step) ^ given == 0 {
            found = Some(step);
        }
    }
    found
}

/// RFC 4648, without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(ALPHABET[(bits >> count & 31) as usize].into());
        }
    }
    if count > 0 {
        text.push(ALPHABET[(bits << (5 - count) & 31) as usize].into());
    }
    text
}

/// The address by which an app takes a secret over.
pub(crate) fn uri(account: &str, email: &str, secret: &[u8]) -> String {
    // A colon would part the two names.
    let issuer: String = account.replace(':', " ").chars().take(MAX_ISSUER).collect();
    let issuer = utf8_percent_encode(issuer.trim(), NON_ALPHANUMERIC);
    let email = utf8_percent_encode(email, NON_ALPHANUMERIC);
    let secret = base32(secret);
    format!(
        "otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 4226, appendix D.
    #[test]
    fn codes_by_counter_are_those_of_the_rfc() {
        let expected = [755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(code_at(SECRET, counter), code, "{counter}");
        }
    }

    /// RFC 6238, appendix B, whose codes have two digits more.
    #[test]
    fn codes_by_time_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp(seconds * 1000);
            assert_eq!(step_of(SECRET, code, now), Some(seconds / 30), "{seconds}");
            let spaced = format!(" {} {}", &code[..3], &code[3..]);
            assert_eq!(step_of(SECRET, &spaced, now), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn code_is_right_one_step_before_and_after_and_no_longer() {
        let code = format!("{:06}", code_at(SECRET, 100));
        for (step, is_right) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(step_of(SECRET, &code, Timestamp(step * STEP)).is_some(), is_right, "{step}");
            assert_eq!(
                step_of(SECRET, &code, Timestamp(step * STEP + STEP - 1)).is_some(),
                is_right,
                "{step}"
            );
        }
    }

    #[test]
    fn what_has_not_six_digits_is_no_code() {
        for text in
            ["", "12345", "1234567", "12345a", "-12345", "+12345", "12345678901234567890", "٠١٢٣٤٥", "0x12ab"]
        {
            assert_eq!(digits(text), None, "{text}");
        }
        assert_eq!(digits("000 042"), Some(42));
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn longest_names_fit_into_a_qr_code() {
        let address = format!("{}@example.com", "ß".repeat(121));
        let uri = uri(&"👩‍💻:".repeat(100), &address, SECRET);
        fast_qr::QRBuilder::new(uri.as_str()).build().unwrap();
        assert_eq!(
            super::uri("Kontor", "ada@example.com", b"foo"),
            "otpauth://totp/Kontor:ada%40example%2Ecom?secret=MZXW6&issuer=Kontor&algorithm=SHA1&digits=6&period=30"
        );
    }
}
