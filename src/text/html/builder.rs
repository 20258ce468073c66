//! Builds a document from tags and text, as browsers read them: white space is folded, and what is not closed is closed.

use html5ever::tokenizer::{Tag, TagKind};

use super::{
    attachment::{self, Attachment},
    containers::Container,
    elements::{Kind, kind},
};
use crate::{
    text::{
        Everyone,
        document::{Block, Document, Inline, MAX_DEPTH, are_blank, push_text, text_of},
    },
    types::UserId,
};

/// An element within a paragraph, with what stands in it so far.
pub(super) struct Mark {
    kind: Kind,
    address: String,
    inlines: Vec<Inline>,
}

pub(super) struct Builder {
    pub(super) containers: Vec<Container>,
    /// The open marks, outermost first. The first stands for the paragraph itself.
    pub(super) marks: Vec<Mark>,
    heading: Option<u8>,
    /// White space that is written once a word follows.
    has_space: bool,
    /// Depth within preformatted text.
    preformatted: usize,
    language: String,
    hidden: usize,
    /// Depth of elements that were left out as too deep, by their kind.
    pub(super) too_deep: Vec<Kind>,
    /// End tags of attachments that are still to come: only with one is the content of an attachment left out.
    attachment_ends: usize,
    in_attachment: bool,
    /// The last link's address: a preview of it says nothing new.
    last_link: String,
}

impl Builder {
    pub(super) fn new(html: &str) -> Self {
        Self {
            containers: vec![Container::new(Kind::Block, 1)],
            marks: vec![Mark { kind: Kind::Transparent, address: String::new(), inlines: Vec::new() }],
            heading: None,
            has_space: false,
            preformatted: 0,
            language: String::new(),
            hidden: 0,
            too_deep: Vec::new(),
            attachment_ends: html.matches("</action-text-attachment").count(),
            in_attachment: false,
            last_link: String::new(),
        }
    }

    pub(super) fn finish(mut self) -> Document {
        self.end_text();
        while self.containers.len() > 1 {
            self.close_container();
        }
        Document::of(self.containers.pop().map(|root| root.blocks).unwrap_or_default())
    }

    pub(super) fn tag(&mut self, tag: &Tag) {
        let kind = kind(&tag.name);
        match tag.kind {
            TagKind::StartTag => self.start(kind, tag),
            TagKind::EndTag => self.end(kind),
        }
    }

    fn start(&mut self, kind: Kind, tag: &Tag) {
        let attribute = |name: &str| {
            let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
            found.map(|attribute| attribute.value.to_string())
        };
        if kind == Kind::Hidden {
            self.hidden += 1;
        }
        if self.hidden > 0 || self.in_attachment {
            return;
        }
        match kind {
            // A span becomes a mention where it starts.
            Kind::Transparent | Kind::Hidden | Kind::Mention => {}
            Kind::Break if self.preformatted > 0 => self.text("\n"),
            Kind::Break => self.line_break(),
            Kind::Quoted => self.words("“"),
            Kind::Image => self.image(attribute("src"), attribute("alt")),
            Kind::Input if attribute("type").as_deref() == Some("checkbox") => {
                self.settle_space();
                self.current().push(Inline::Checkbox(attribute("checked").is_some()));
            }
            Kind::Input => {}
            Kind::Attachment => {
                self.attachment(attachment::read(attribute));
                if self.attachment_ends > 0 && !tag.self_closing {
                    self.in_attachment = true;
                }
            }
            Kind::Figure => {
                self.end_paragraph();
                let json = attribute("data-trix-attachment");
                self.attachment(json.and_then(|json| attachment::read_trix(&json)));
            }
            Kind::Block => self.end_paragraph(),
            Kind::Heading(level) => {
                self.end_paragraph();
                self.heading = Some(level);
            }
            Kind::Rule => {
                self.end_paragraph();
                self.push_block(Block::Rule);
            }
            Kind::Preformatted => {
                self.end_paragraph();
                self.preformatted += 1;
                self.language = attribute("data-language").or_else(|| attribute("lang")).unwrap_or_default();
            }
            Kind::Code if self.preformatted > 0 => {
                let class = attribute("class").unwrap_or_default();
                if let Some(name) = class.split_whitespace().find_map(|name| name.strip_prefix("language-")) {
                    self.language = name.to_owned();
                }
            }
            Kind::Strong | Kind::Emphasis | Kind::Struck | Kind::Code | Kind::Link => {
                let address = attribute("href").unwrap_or_default();
                self.open_mark(kind, address);
            }
            // As our own renderer writes mentions.
            Kind::Span => match attribute("class").as_deref() {
                Some("mention") => {
                    self.open_mark(Kind::Mention, attribute("data-user-id").unwrap_or_default())
                }
                _ => self.open_mark(Kind::Span, String::new()),
            },
            Kind::Quote | Kind::List { .. } | Kind::Item | Kind::Table | Kind::Row | Kind::Cell { .. } => {
                self.open_container(kind, attribute);
            }
        }
    }

    fn end(&mut self, kind: Kind) {
        match kind {
            Kind::Hidden => self.hidden = self.hidden.saturating_sub(1),
            _ if self.hidden > 0 => {}
            Kind::Attachment => {
                self.attachment_ends = self.attachment_ends.saturating_sub(1);
                self.in_attachment = false;
            }
            _ if self.in_attachment => {}
            Kind::Quoted => self.words("”"),
            Kind::Block | Kind::Figure => self.end_paragraph(),
            Kind::Heading(_) => self.end_paragraph(),
            Kind::Preformatted if self.preformatted > 0 => {
                self.preformatted -= 1;
                if self.preformatted == 0 {
                    self.end_code();
                }
            }
            Kind::Code if self.preformatted > 0 => {}
            Kind::Strong | Kind::Emphasis | Kind::Struck | Kind::Code | Kind::Link => self.close_mark(kind),
            Kind::Span => self.close_span(),
            Kind::Quote | Kind::List { .. } | Kind::Item | Kind::Table | Kind::Row | Kind::Cell { .. } => {
                self.close(kind);
            }
            // `</br>` is a line break for browsers.
            Kind::Break => self.line_break(),
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.hidden > 0 || self.in_attachment {
            return;
        }
        if self.preformatted > 0 {
            return push_text(self.current(), text);
        }
        for (number, word) in text.split([' ', '\t', '\n', '\r', '\u{C}']).enumerate() {
            self.has_space |= number > 0;
            if !word.is_empty() {
                self.words(word);
            }
        }
    }

    /// Writes words, behind a blank if there was white space.
    fn words(&mut self, words: &str) {
        self.settle_space();
        push_text(self.current(), words);
    }

    fn settle_space(&mut self) {
        if std::mem::take(&mut self.has_space) && self.has_words() {
            push_text(self.current(), " ");
        }
    }

    /// Whether the line has words already, so that white space counts.
    fn has_words(&self) -> bool {
        match self.marks.iter().rev().find_map(|mark| mark.inlines.last()) {
            None | Some(Inline::Break | Inline::Checkbox(_)) => false,
            Some(Inline::Text(text)) => !text.ends_with(' '),
            Some(_) => true,
        }
    }

    fn current(&mut self) -> &mut Vec<Inline> {
        &mut self.marks.last_mut().expect("the paragraph's own is never closed").inlines
    }

    /// One break is a line, two are a paragraph.
    fn line_break(&mut self) {
        self.has_space = false;
        let is_second = self.marks.len() == 1 && matches!(self.current().last(), Some(Inline::Break));
        if is_second && self.heading.is_none() {
            self.end_paragraph();
        } else {
            self.current().push(Inline::Break);
        }
    }

    fn image(&mut self, src: Option<String>, alt: Option<String>) {
        let alt = alt.unwrap_or_default();
        let alt = alt.split_whitespace().collect::<Vec<_>>().join(" ");
        let src = src.filter(|src| src.starts_with("http://") || src.starts_with("https://"));
        self.settle_space();
        match src {
            Some(address) => {
                let label = if alt.is_empty() { address.clone() } else { alt };
                self.current().push(Inline::Link { address, label: vec![Inline::Text(label)] });
            }
            None => self.words(&alt),
        }
    }

    fn attachment(&mut self, attachment: Option<Attachment>) {
        let inline = match attachment {
            None => return,
            Some(Attachment::User { id: Some(id), name }) => Inline::User { id, name },
            Some(Attachment::User { id: None, name }) if name.is_empty() => return,
            Some(Attachment::User { id: None, name }) => Inline::Text(format!("@{name}")),
            Some(Attachment::Link { address, .. }) if address == self.last_link => return,
            Some(Attachment::Link { address, title }) => {
                let label = if title.is_empty() { address.clone() } else { title };
                Inline::Link { address, label: vec![Inline::Text(label)] }
            }
        };
        self.settle_space();
        self.current().push(inline);
    }

    fn open_mark(&mut self, kind: Kind, address: String) {
        if self.marks.len() >= MAX_DEPTH {
            return self.too_deep.push(kind);
        }
        // The blank before it does not belong to it.
        self.settle_space();
        self.marks.push(Mark { kind, address, inlines: Vec::new() });
    }

    fn close_mark(&mut self, kind: Kind) {
        if self.too_deep.last() == Some(&kind) {
            self.too_deep.pop();
            return;
        }
        let base = self.containers.last().map_or(1, |container| container.marks);
        let Some(place) =
            self.marks.iter().rposition(|mark| mark.kind == kind).filter(|place| *place >= base)
        else {
            return;
        };
        // Those within it go on behind it.
        let within: Vec<(Kind, String)> =
            self.marks[place + 1..].iter().map(|mark| (mark.kind, mark.address.clone())).collect();
        while self.marks.len() > place {
            self.fold_mark();
        }
        self.marks.extend(within.into_iter().map(|(kind, address)| Mark {
            kind,
            address,
            inlines: Vec::new(),
        }));
    }

    /// Closes the innermost span, which may be a mention.
    fn close_span(&mut self) {
        let is_span = |mark: &&Mark| matches!(mark.kind, Kind::Span | Kind::Mention);
        let kind = self.marks.iter().rev().find(is_span).map(|mark| mark.kind);
        self.close_mark(kind.unwrap_or(Kind::Span));
    }

    /// Ends the innermost mark, and puts it into the one around it.
    fn fold_mark(&mut self) {
        let Some(Mark { kind, address, inlines }) = self.marks.pop() else { return };
        if inlines.is_empty() {
            return;
        }
        if kind == Kind::Link {
            self.last_link.clone_from(&address);
        }
        let is_blank = are_blank(&inlines);
        let outer = self.current();
        match kind {
            _ if is_blank => extend(outer, inlines),
            Kind::Strong => outer.push(Inline::Strong(inlines)),
            Kind::Emphasis => outer.push(Inline::Emphasis(inlines)),
            Kind::Struck => outer.push(Inline::Struck(inlines)),
            Kind::Code => outer.push(Inline::Code(text_of(&inlines))),
            Kind::Link => outer.push(Inline::Link { address, label: inlines }),
            Kind::Mention => outer.push(mention(&address, &text_of(&inlines))),
            _ => extend(outer, inlines),
        }
    }

    /// Ends the marks, and opens those again that go on in the next paragraph.
    fn take_paragraph(&mut self) -> Vec<Inline> {
        self.has_space = false;
        let open: Vec<(Kind, String)> =
            self.marks[1..].iter().map(|mark| (mark.kind, mark.address.clone())).collect();
        while self.marks.len() > 1 {
            self.fold_mark();
        }
        let inlines = std::mem::take(self.current());
        self.marks.extend(open.into_iter().map(|(kind, address)| Mark {
            kind,
            address,
            inlines: Vec::new(),
        }));
        inlines
    }

    pub(super) fn end_paragraph(&mut self) {
        if self.preformatted > 0 {
            // Lexxy and mail programs put blocks into preformatted text.
            if self.marks.iter().any(|mark| !mark.inlines.is_empty()) {
                push_text(self.current(), "\n");
            }
            return;
        }
        let heading = self.heading.take();
        let mut inlines = self.take_paragraph();
        while matches!(inlines.last(), Some(Inline::Break)) {
            inlines.pop();
        }
        let breaks = inlines.iter().take_while(|inline| matches!(inline, Inline::Break)).count();
        inlines.drain(..breaks);
        if are_blank(&inlines) {
            return;
        }
        self.push_block(match heading {
            Some(level) => Block::Heading(level, inlines),
            None => Block::Paragraph(inlines),
        });
    }

    /// Ends what is open in a container, preformatted or not.
    pub(super) fn end_text(&mut self) {
        if std::mem::take(&mut self.preformatted) > 0 {
            self.end_code();
        }
        self.end_paragraph();
    }

    fn end_code(&mut self) {
        let inlines = self.take_paragraph();
        let text = text_of(&inlines);
        // The line end behind the start tag is not part of it.
        let text = text.strip_prefix('\n').unwrap_or(&text).trim_end_matches('\n').to_owned();
        let language = std::mem::take(&mut self.language);
        if !text.trim().is_empty() {
            self.push_block(Block::Code { language, text });
        }
    }

    fn push_block(&mut self, block: Block) {
        if let Some(container) = self.containers.last_mut() {
            container.blocks.push(block);
        }
    }
}

/// Appends elements; text joins the text before it.
fn extend(outer: &mut Vec<Inline>, inlines: Vec<Inline>) {
    for inline in inlines {
        match inline {
            Inline::Text(text) => push_text(outer, &text),
            inline => outer.push(inline),
        }
    }
}

/// The mention that a text of ours stands for.
fn mention(user: &str, text: &str) -> Inline {
    let everyone = [Everyone::Here, Everyone::Room].into_iter().find(|everyone| everyone.word() == text);
    match (user.parse(), everyone) {
        (Ok(id), _) => Inline::User { id: UserId(id), name: text.trim_start_matches('@').to_owned() },
        (Err(_), Some(everyone)) => Inline::Everyone(everyone),
        (Err(_), None) => Inline::Text(text.to_owned()),
    }
}
