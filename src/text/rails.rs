//! What Rails has signed, in links and cookies of ONCE Campfire: `BASE64--SIGNATURE`, with the value inside JSON.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

/// With padding or without.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The value as Rails has serialized it: JSON, a bare text, or Ruby's Marshal format before Rails 8. The signature is not
/// checked, since its secret is not here: a caller that trusts the value has another reason.
pub(crate) fn signed_value(signed: &str) -> Option<Vec<u8>> {
    let payload = signed.split_once("--").map_or(signed, |(payload, _)| payload);
    let decoded: Value = serde_json::from_slice(&base64(payload)?).ok()?;
    let inner = &decoded["_rails"];
    match &inner["data"] {
        Value::Null => base64(inner["message"].as_str()?),
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let with = |alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text);
    with(&STANDARD).or_else(|_| with(&URL_SAFE)).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn signed_values_are_read_in_every_format_of_rails() {
        let message = STANDARD.encode("\"aB3\"");
        for (json, value) in [
            (
                r#"{"_rails":{"data":"gid://campfire/User/7?expires_in","pur":"attachable"}}"#.to_owned(),
                "gid://campfire/User/7?expires_in",
            ),
            (r#"{"_rails":{"data":12,"pur":"avatar"}}"#.to_owned(), "12"),
            (format!(r#"{{"_rails":{{"message":"{message}","exp":null,"pur":"cookie.x"}}}}"#), "\"aB3\""),
        ] {
            for payload in [STANDARD.encode(&json), URL_SAFE_NO_PAD.encode(&json)] {
                assert_eq!(
                    signed_value(&format!("{payload}--0a1b")).as_deref(),
                    Some(value.as_bytes()),
                    "{json}"
                );
                assert!(signed_value(&payload).is_some(), "without a signature");
            }
        }
        let wrong = [
            String::new(),
            "--".into(),
            "7".into(),
            "ü--0a".into(),
            STANDARD.encode("no JSON"),
            STANDARD.encode("[]"),
            STANDARD.encode(r#"{"_rails":{}}"#),
            STANDARD.encode(r#"{"_rails":{"message":7}}"#),
            STANDARD.encode(r#"{"_rails":{"message":"%"}}"#),
        ];
        for wrong in wrong {
            assert_eq!(signed_value(&wrong), None, "{wrong}");
        }
    }
}
