//! The fields of a JSON body, taken by name and type. Errors are collected, so that one response names all of them.
//!
//! A getter returns None for a field that is missing, null or wrong; the last is also recorded as an error.

use std::str::FromStr;

use serde_json::{Map, Value};
use strum::VariantNames;

use super::{Problem, parse_json};
use crate::text;

/// The fields of a JSON object that a client sent. Unknown fields are ignored.
pub struct Form {
    fields: Map<String, Value>,
    wrong: Vec<(&'static str, String)>,
}

impl Form {
    /// 400 for a body that is not JSON, 422 for JSON that is not an object.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        match parse_json(body) {
            Ok(Value::Object(fields)) => Ok(Self { fields, wrong: Vec::new() }),
            Ok(_) => Err(Problem::invalid_field("body", "must be a JSON object")),
            Err(error) => Err(Problem::malformed(format!("The body is not JSON: {error}."))),
        }
    }

    pub fn of(fields: Map<String, Value>) -> Self {
        Self { fields, wrong: Vec::new() }
    }

    /// Records an error. The reason follows the name of the field in a sentence: "cannot be blank".
    pub fn refuse(&mut self, name: &'static str, reason: impl Into<String>) {
        self.wrong.push((name, reason.into()));
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    /// Whether the field is present and not null.
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether the field is a string with nothing visible in it.
    pub fn is_blank(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_str).is_some_and(|text| !text::has_visible(text))
    }

    /// Whether the field is present, even as null.
    pub fn is_given(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// A string, as sent.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.refuse(name, "must be a string");
                None
            }
        }
    }

    /// A string of one line that shows something, trimmed; `length` bounds its characters. Refused with characters that hide,
    /// turn the direction of writing, or pile up.
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
                    format!("must have at least {} characters", length.start())
                },
            );
            None
        } else if count > *length.end() {
            self.refuse(name, format!("must have at most {} characters", length.end()));
            None
        } else if let Some(fault) = text::line_fault(text) {
            self.refuse(name, fault);
            None
        } else {
            Some(text.to_owned())
        }
    }

    /// The same, required. An empty string stands for an error.
    pub fn required_line(&mut self, name: &'static str, length: std::ops::RangeInclusive<usize>) -> String {
        let before = self.wrong.len();
        let line = self.line(name, length);
        if line.is_none() && self.wrong.len() == before {
            self.refuse(name, "is missing");
        }
        line.unwrap_or_default()
    }

    /// A positive integer.
    pub fn id(&mut self, name: &'static str) -> Option<i64> {
        match self.take(name)?.as_i64() {
            Some(id) if id > 0 => Some(id),
            _ => {
                self.refuse(name, "must be a positive integer");
                None
            }
        }
    }

    /// The same, required. 0 stands for an error.
    pub fn required_id(&mut self, name: &'static str) -> i64 {
        let before = self.wrong.len();
        let id = self.id(name);
        if id.is_none() && self.wrong.len() == before {
            self.refuse(name, "is missing");
        }
        id.unwrap_or_default()
    }

    /// A list of at most `most` positive integers.
    pub fn ids(&mut self, name: &'static str, most: usize) -> Option<Vec<i64>> {
        let Value::Array(values) = self.take(name)? else {
            self.refuse(name, "must be a list of ids");
            return None;
        };
        if values.len() > most {
            self.refuse(name, format!("must have at most {most} ids"));
            return None;
        }
        let ids: Option<Vec<i64>> = values.iter().map(|value| value.as_i64().filter(|id| *id > 0)).collect();
        if ids.is_none() {
            self.refuse(name, "must be a list of positive integers");
        }
        ids
    }

    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.refuse(name, "must be true or false");
                None
            }
        }
    }

    /// One of the words of an enum.
    pub fn word<T: FromStr + VariantNames>(&mut self, name: &'static str) -> Option<T> {
        let text = self.text(name)?;
        let word = text.parse().ok();
        if word.is_none() {
            self.refuse(name, format!("must be one of {}", T::VARIANTS.join(", ")));
        }
        word
    }

    pub fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(fields) => Some(fields),
            _ => {
                self.refuse(name, "must be an object");
                None
            }
        }
    }

    /// An integer within `range`; Some(None) for null.
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
                    format!("must be null or an integer from {} to {}", range.start(), range.end()),
                );
                None
            }
        }
    }

    /// An integer of 0 or more.
    pub fn count(&mut self, name: &'static str) -> Option<i64> {
        match self.take(name)?.as_i64() {
            Some(number) if number >= 0 => Some(number),
            _ => {
                self.refuse(name, "must be an integer of 0 or more");
                None
            }
        }
    }

    /// Whether any error is recorded.
    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// 422 with all recorded errors, if there are any.
    pub fn finish(self) -> Result<(), Problem> {
        if self.wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(self.wrong)) }
    }
}

/// An e-mail address by [`looks_like_email`], at most 254 characters.
pub fn required_email(form: &mut Form, name: &'static str) -> String {
    let email = form.required_line(name, 1..=254);
    if !email.is_empty() && !looks_like_email(&email) {
        form.refuse(name, "does not look like an e-mail address");
    }
    email
}

/// Whether a text has the form `LOCAL@DOMAIN`, without white space. Only delivery could tell more.
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

/// Characters of a password. The upper bound limits the time of hashing.
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
            format!("must have {} to {} characters", PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end()),
        );
    }
    password
}
