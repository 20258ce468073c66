//! An app that makes codes for the second step.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;
use serde_json::Value;

/// The secret of a key as it is shown, in groups of four letters of base32.
fn secret(key: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for letter in key.bytes().filter(|byte| *byte != b' ') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("{key:?} is not base32"),
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// The present code of a key.
pub fn code(key: &str) -> String {
    code_in(key, 0)
}

/// The code of a key so many steps of thirty seconds from now.
pub fn code_in(key: &str, steps: i64) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let step = seconds as i64 / 30 + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret(key));
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 0xf);
    let word: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().expect("four bytes");
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

/// A code that is none of those near the present.
pub fn wrong_code(key: &str) -> String {
    let near: Vec<String> = (-3..=3).map(|steps| code_in(key, steps)).collect();
    (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).expect("one of a million")
}

/// The key in what a server offers for an app.
pub fn key_of(offered: &Value) -> String {
    offered["set_up"]["key"].as_str().expect("a key").to_owned()
}

/// The codes for when the app is lost.
pub fn recovery_codes(body: &Value) -> Vec<String> {
    let codes = body["recovery_codes"].as_array().expect("recovery codes");
    codes.iter().map(|code| code.as_str().expect("a text").to_owned()).collect()
}
