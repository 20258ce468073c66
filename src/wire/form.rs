//! The fields of a JSON body, each taken by name and type; all that is wrong with them is told at once.

use std::str::FromStr;

use serde_json::{Map, Value};
use strum::VariantNames;

use super::Problem;

/// An object that was sent to us. Unknown fields are ignored.
pub struct Form {
    fields: Map<String, Value>,
    wrong: Vec<(&'static str, String)>,
}

impl Form {
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { fields, wrong: Vec::new() }),
            Ok(_) => Err(Problem::invalid_field("body", "has to be a JSON object")),
            Err(error) => Err(Problem::malformed(format!("The body is not JSON: {error}."))),
        }
    }

    pub fn of(fields: Map<String, Value>) -> Self {
        Self { fields, wrong: Vec::new() }
    }

    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, name: &'static str, reason: impl Into<String>) {
        self.wrong.push((name, reason.into()));
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    /// Whether the field is there; null is nothing.
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether the field is a text of nothing but white space.
    pub fn is_blank(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_str).is_some_and(|text| text.trim().is_empty())
    }

    /// Whether the field is there, be it null.
    pub fn is_given(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// A text, as it was sent.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.refuse(name, "has to be a text");
                None
            }
        }
    }

    /// A text of one line between so many characters, once trimmed.
    pub fn line(&mut self, name: &'static str, length: std::ops::RangeInclusive<usize>) -> Option<String> {
        let text = self.text(name)?;
        let text = text.trim();
        let count = text.chars().count();
        if count < *length.start() {
            self.refuse(
                name,
                if count == 0 {
                    "cannot be blank".to_owned()
                } else {
                    format!("has to have {} characters or more", length.start())
                },
            );
            None
        } else if count > *length.end() {
            self.refuse(name, format!("has to have {} characters or fewer", length.end()));
            None
        } else if text.chars().any(char::is_control) {
            self.refuse(name, "has to be one line without control characters");
            None
        } else {
            Some(text.to_owned())
        }
    }

    /// The same, and it has to be there.
    pub fn required_line(&mut self, name: &'static str, length: std::ops::RangeInclusive<usize>) -> String {
        let before = self.wrong.len();
        let line = self.line(name, length);
        if line.is_none() && self.wrong.len() == before {
            self.refuse(name, "is missing");
        }
        line.unwrap_or_default()
    }

    pub fn id(&mut self, name: &'static str) -> Option<i64> {
        match self.take(name)?.as_i64() {
            Some(id) if id > 0 => Some(id),
            _ => {
                self.refuse(name, "has to be a positive whole number");
                None
            }
        }
    }

    pub fn required_id(&mut self, name: &'static str) -> i64 {
        let before = self.wrong.len();
        let id = self.id(name);
        if id.is_none() && self.wrong.len() == before {
            self.refuse(name, "is missing");
        }
        id.unwrap_or_default()
    }

    /// A list of ids, `most` at the most.
    pub fn ids(&mut self, name: &'static str, most: usize) -> Option<Vec<i64>> {
        let Value::Array(values) = self.take(name)? else {
            self.refuse(name, "has to be a list of ids");
            return None;
        };
        if values.len() > most {
            self.refuse(name, format!("has to have {most} ids or fewer"));
            return None;
        }
        let ids: Option<Vec<i64>> = values.iter().map(|value| value.as_i64().filter(|id| *id > 0)).collect();
        if ids.is_none() {
            self.refuse(name, "has to be a list of positive whole numbers");
        }
        ids
    }

    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.refuse(name, "has to be true or false");
                None
            }
        }
    }

    /// One of the words of an enum.
    pub fn word<T: FromStr + VariantNames>(&mut self, name: &'static str) -> Option<T> {
        let text = self.text(name)?;
        let word = text.parse().ok();
        if word.is_none() {
            self.refuse(name, format!("has to be one of {}", T::VARIANTS.join(", ")));
        }
        word
    }

    pub fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(fields) => Some(fields),
            _ => {
                self.refuse(name, "has to be an object");
                None
            }
        }
    }

    /// A number up to `most`; Some(None) if it is there and null.
    pub fn nullable_number(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<Option<u32>> {
        let value = self.fields.remove(name)?;
        if value.is_null() {
            return Some(None);
        }
        match value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number))
        {
            Some(number) => Some(Some(number)),
            None => {
                self.refuse(
                    name,
                    format!("has to be null or a whole number from {} to {}", range.start(), range.end()),
                );
                None
            }
        }
    }

    /// A number of zero or more.
    pub fn count(&mut self, name: &'static str) -> Option<i64> {
        match self.take(name)?.as_i64() {
            Some(number) if number >= 0 => Some(number),
            _ => {
                self.refuse(name, "has to be a whole number, 0 or more");
                None
            }
        }
    }

    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// Says whether all was right.
    pub fn finish(self) -> Result<(), Problem> {
        if self.wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(self.wrong)) }
    }
}

/// An address in the loose sense of people: something, an `@`, something with a dot or a plain host.
pub fn required_email(form: &mut Form, name: &'static str) -> String {
    let email = form.required_line(name, 1..=254);
    if !email.is_empty() && !looks_like_email(&email) {
        form.refuse(name, "does not look like an e-mail address");
    }
    email
}

pub fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !text.contains(char::is_whitespace)
    })
}

/// Passwords: 8 characters or more, and no more than a hash should be made to chew on.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=1024;

pub fn required_password(form: &mut Form, name: &'static str) -> String {
    if !form.has(name) {
        form.refuse(name, "is missing");
        return String::new();
    }
    let Some(password) = form.text(name) else { return String::new() };
    let count = password.chars().count();
    if !PASSWORD_LENGTH.contains(&count) {
        form.refuse(
            name,
            format!("has to have {} to {} characters", PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end()),
        );
    }
    password
}
