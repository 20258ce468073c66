//! The query of a request, encoded as forms are (URL Standard, section 5.1).

use crate::{types::MessageId, wire::Problem};

/// The length of a page without `limit`.
pub(super) const DEFAULT_LIMIT: usize = 50;

/// A query string. If a name repeats, its last value counts.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// An integer; 400 if it is none.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| Problem::malformed(format!("`{name}` must be an integer."))))
            .transpose()
    }

    /// A positive integer; 400 if it is none.
    pub(crate) fn id(&self, name: &str) -> Result<Option<i64>, Problem> {
        match self.number(name)? {
            Some(id) if id <= 0 => Err(Problem::malformed(format!("`{name}` must be a positive integer."))),
            id => Ok(id),
        }
    }

    /// A moment (RFC 3339), in milliseconds since the Unix epoch; 400 if it is none.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<i64>, Problem> {
        let parsed = |text: &str| text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond);
        let refused = || Problem::malformed(format!("`{name}` must be a moment like 2026-11-24T08:00:00Z."));
        self.text(name).map(|text| parsed(text).map_err(|_| refused())).transpose()
    }

    /// The length of a page: 1 to 200, by default [`DEFAULT_LIMIT`]; otherwise 400.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        match self.number("limit")? {
            None => Ok(DEFAULT_LIMIT),
            Some(limit @ 1..=200) => Ok(limit as usize),
            Some(_) => Err(Problem::malformed("`limit` must be an integer from 1 to 200.")),
        }
    }

    pub(crate) fn message(&self, name: &str) -> Result<Option<MessageId>, Problem> {
        Ok(self.id(name)?.map(MessageId))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_the_last_value_counts() {
        let query = Query::parse("q=a%20b+c&limit=3&limit=7&x&bad=%zz%4&e=%C3%A9");
        assert_eq!(query.text("q"), Some("a b c"));
        assert_eq!(query.limit().unwrap(), 7);
        assert_eq!(query.text("x"), Some(""));
        assert_eq!(query.text("bad"), Some("%zz%4"));
        assert_eq!(query.text("e"), Some("é"));
        assert_eq!(query.text("y"), None);
    }
}
