//! The elements that are read.

/// Those by which a text is known to be HTML.
const KNOWN: [&str; 44] = [
    "br",
    "hr",
    "img", // without an end
    "a",
    "action-text-attachment",
    "b",
    "blockquote",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "td",
    "tr",
    "u",
    "ul",
];

/// How many of them have no end.
const VOID: usize = 3;

pub(super) fn index_of(name: &str) -> Option<usize> {
    KNOWN.iter().position(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn is_void(index: usize) -> bool {
    index < VOID
}

/// What an element is for the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Strong,
    Emphasis,
    Struck,
    Code,
    Link,
    /// A block that only ends the paragraph before it.
    Block,
    Heading(u8),
    Quote,
    List {
        is_ordered: bool,
    },
    Item,
    Preformatted,
    Table,
    Row,
    Cell {
        is_head: bool,
    },
    /// Nothing of it is shown.
    Hidden,
    Quoted,
    Span,
    /// A span that is a mention.
    Mention,
    Break,
    Rule,
    Image,
    Input,
    Attachment,
    Figure,
    /// Only its content counts.
    Transparent,
}

pub(super) fn kind(name: &str) -> Kind {
    match name {
        "b" | "strong" => Kind::Strong,
        "i" | "em" => Kind::Emphasis,
        "s" | "strike" | "del" => Kind::Struck,
        "code" | "kbd" | "samp" | "tt" => Kind::Code,
        "a" => Kind::Link,
        "p" | "div" | "section" | "article" | "header" | "footer" | "main" | "aside" | "nav" | "address"
        | "center" | "dl" | "dt" | "dd" | "figcaption" | "form" | "fieldset" | "legend" | "details"
        | "summary" | "body" | "html" | "caption" | "option" | "hgroup" | "search" | "dialog" | "menu" => {
            Kind::Block
        }
        "figure" => Kind::Figure,
        "h1" => Kind::Heading(1),
        "h2" => Kind::Heading(2),
        "h3" => Kind::Heading(3),
        "h4" => Kind::Heading(4),
        "h5" => Kind::Heading(5),
        "h6" => Kind::Heading(6),
        "blockquote" => Kind::Quote,
        "ul" => Kind::List { is_ordered: false },
        "ol" => Kind::List { is_ordered: true },
        "li" => Kind::Item,
        "pre" | "listing" | "xmp" => Kind::Preformatted,
        "table" => Kind::Table,
        "tr" => Kind::Row,
        "td" => Kind::Cell { is_head: false },
        "th" => Kind::Cell { is_head: true },
        "script" | "style" | "title" | "template" | "iframe" | "noembed" | "noframes" => Kind::Hidden,
        "q" => Kind::Quoted,
        "span" => Kind::Span,
        "br" => Kind::Break,
        "hr" => Kind::Rule,
        "img" => Kind::Image,
        "input" => Kind::Input,
        "action-text-attachment" => Kind::Attachment,
        _ => Kind::Transparent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_elements_have_a_bit_each() {
        assert!(KNOWN.len() <= 64);
        assert!(
            KNOWN[..VOID].iter().all(|name| matches!(kind(name), Kind::Break | Kind::Rule | Kind::Image))
        );
    }
}
