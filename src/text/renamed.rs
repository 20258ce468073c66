//! The present name of somebody in a message that was rendered when they had another.

use std::{collections::HashMap, fmt::Write};

use super::{escape, render};
use crate::types::UserId;

const SPAN: &str = "<span class=\"mention\" data-user-id=\"";

/// A message's HTML and plain text with a user's present name in their mentions; None if it stands there already.
/// `plain` may go on behind the message's own text, with a file's name.
pub fn with_name(
    content: &str,
    html: &str,
    plain: &str,
    user: UserId,
    name: &str,
) -> Option<(String, String)> {
    let mut before: HashMap<UserId, String> = HashMap::new();
    let mut renamed = String::with_capacity(html.len() + 32);
    let mut rest = html;
    let mut is_changed = false;
    while let Some(start) = rest.find(SPAN) {
        let from = start + SPAN.len();
        let Some((id, shown)) = rest[from..].split_once("\">@") else { break };
        let Some((shown, after)) = shown.split_once("</span>") else { break };
        let Ok(id) = id.parse().map(UserId) else { break };
        before.entry(id).or_insert_with(|| unescaped(shown));
        renamed.push_str(&rest[..start]);
        let present = (id == user).then(|| {
            let mut escaped = String::new();
            escape::text(&mut escaped, name);
            escaped
        });
        is_changed |= present.as_deref().is_some_and(|present| present != shown);
        // Writing to a string cannot fail.
        let _ = write!(renamed, "{SPAN}{id}\">@{}</span>", present.as_deref().unwrap_or(shown));
        rest = after;
    }
    if !is_changed {
        return None;
    }
    renamed.push_str(rest);
    let old = before.get(&user).cloned().unwrap_or_default();
    let then = render(content, |id| before.get(&id).map(String::as_str));
    let behind = plain.strip_prefix(&then.plain).filter(|_| then.html == html);
    let plain =
        match behind {
            Some(behind) => {
                let now = render(content, |id| {
                    if id == user { Some(name) } else { before.get(&id).map(String::as_str) }
                });
                now.plain + behind
            }
            // It was rendered by other rules.
            None => plain.replace(&old, name),
        };
    Some((renamed, plain))
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{A0}").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mention_gets_the_present_name_and_nothing_else_does() {
        let content = "Bob & @[Bob](user:5), @[Zoë](user:7) and `Bob`";
        let name_of = |id: UserId| match id.0 {
            5 => Some("Bob & <i>"),
            7 => Some("Zoë"),
            _ => None,
        };
        let old = render(content, name_of);
        let stored = format!("{} plan.pdf", old.plain);
        let (html, plain) = with_name(content, &old.html, &stored, UserId(5), "Ann > all").unwrap();
        assert_eq!(plain, "Bob & Ann > all, Zoë and Bob plan.pdf");
        let now = render(content, |id| if id.0 == 5 { Some("Ann > all") } else { name_of(id) });
        assert_eq!((html, now.plain + " plan.pdf"), (now.html, plain));
        assert_eq!(with_name(content, &old.html, &stored, UserId(5), "Bob & <i>"), None);
        assert_eq!(with_name(content, &old.html, &stored, UserId(9), "Eve"), None);
        // HTML of other rules.
        let odd = "<div><span class=\"mention\" data-user-id=\"5\">@Old</span></div>";
        let (html, plain) = with_name("x", odd, "hi Old", UserId(5), "New").unwrap();
        assert_eq!(
            (&*html, &*plain),
            ("<div><span class=\"mention\" data-user-id=\"5\">@New</span></div>", "hi New")
        );
    }
}
