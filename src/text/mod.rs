use crate::types::UserId;
use smallvec::SmallVec;
pub const HIT_START: &str = "\u{E000}";
pub const HIT_END: &str = "\u{E001}";
pub enum Everyone { Here, Room }
pub struct Rendered { pub html: String, pub plain: String, pub mentions: SmallVec<[UserId; 4]>, pub everyone: Option<Everyone> }
pub fn render<'a>(source: &str, _n: impl Fn(UserId) -> Option<&'a str>) -> Rendered { Rendered { html: format!("<p>{source}</p>"), plain: source.into(), mentions: SmallVec::new(), everyone: None } }
pub fn snippet_html(t: &str) -> String { t.into() }
pub fn match_query(q: &str) -> Option<String> { Some(format!("\"{}\"", q.replace('"', ""))) }
