//! Elements that hold blocks: quotes, lists, tables.

use super::{builder::Builder, elements::Kind};
use crate::text::document::{Alignment, Block, Inline, MAX_DEPTH, Table, push_text};

/// An element that holds blocks.
pub(super) struct Container {
    pub(super) kind: Kind,
    pub(super) blocks: Vec<Block>,
    /// Of a list or a table, whose blocks are its items' and cells'.
    items: Vec<Vec<Block>>,
    first: Option<u64>,
    table: Table,
    /// How many marks were open when it began.
    pub(super) marks: usize,
}

impl Container {
    pub(super) fn new(kind: Kind, marks: usize) -> Self {
        Self { kind, blocks: Vec::new(), items: Vec::new(), first: None, table: Table::default(), marks }
    }
}

impl Builder {
    pub(super) fn open_container(&mut self, kind: Kind, attribute: impl Fn(&str) -> Option<String>) {
        self.end_text();
        match kind {
            // An open item ends where the next begins; the same for rows and cells.
            Kind::Item => self.close_within(Kind::Item, |kind| matches!(kind, Kind::List { .. })),
            Kind::Row => self.close_within(Kind::Row, |kind| kind == Kind::Table),
            Kind::Cell { .. } => {
                self.close_within(kind, |kind| matches!(kind, Kind::Row | Kind::Table));
            }
            _ => {}
        }
        if self.containers.len() >= MAX_DEPTH {
            return self.too_deep.push(kind);
        }
        let mut container = Container::new(kind, self.marks.len());
        if kind == (Kind::List { is_ordered: true }) {
            let start = attribute("start").and_then(|start| start.trim().parse::<u64>().ok());
            container.first = Some(start.unwrap_or(1).min(999_999_999));
        }
        if let Kind::Cell { .. } = kind {
            let alignment = attribute("align").or_else(|| {
                attribute("style")?.split_once("text-align:").map(|(_, rest)| rest.trim().to_owned())
            });
            container.table.alignments = vec![match alignment.as_deref().unwrap_or_default() {
                text if text.starts_with("right") => Alignment::Right,
                text if text.starts_with("center") => Alignment::Center,
                text if text.starts_with("left") => Alignment::Left,
                _ => Alignment::None,
            }];
        }
        self.containers.push(container);
    }

    /// Closes the nearest container of this kind, unless one of `outer` is nearer.
    fn close_within(&mut self, wanted: Kind, outer: fn(Kind) -> bool) {
        let is_same = |kind: Kind| std::mem::discriminant(&kind) == std::mem::discriminant(&wanted);
        let found =
            self.containers.iter().rev().find(|container| is_same(container.kind) || outer(container.kind));
        if found.is_some_and(|container| is_same(container.kind)) {
            self.close(wanted);
        }
    }

    /// Closes the innermost container of this kind, with all within it.
    pub(super) fn close(&mut self, kind: Kind) {
        self.end_text();
        let is_same = |one: &Kind| std::mem::discriminant(one) == std::mem::discriminant(&kind);
        if self.too_deep.last().is_some_and(is_same) {
            self.too_deep.pop();
            return;
        }
        let Some(place) = self.containers.iter().rposition(|container| is_same(&container.kind)) else {
            return;
        };
        while self.containers.len() > place.max(1) {
            self.close_container();
        }
    }

    pub(super) fn close_container(&mut self) {
        self.end_text();
        let Some(mut container) = self.containers.pop() else { return };
        // Marks that were opened in it end with it.
        self.marks.truncate(container.marks.max(1));
        let Some(outer) = self.containers.last_mut() else { return };
        let blocks = std::mem::take(&mut container.blocks);
        match container.kind {
            Kind::Quote if !blocks.is_empty() => outer.blocks.push(Block::Quote(blocks)),
            Kind::List { .. } => {
                let mut items = container.items;
                // What stands in a list and in no item.
                items.extend((!blocks.is_empty()).then_some(blocks));
                if !items.is_empty() {
                    outer.blocks.push(Block::List { first: container.first, items });
                }
            }
            Kind::Item if matches!(outer.kind, Kind::List { .. }) => {
                outer.items.extend((!blocks.is_empty()).then_some(blocks))
            }
            Kind::Cell { is_head } if outer.kind == Kind::Row => {
                if outer.table.rows.is_empty() {
                    outer.table.rows.push(Vec::new());
                    outer.table.has_head = true;
                }
                outer.table.has_head &= is_head;
                outer.table.alignments.extend(container.table.alignments);
                outer.table.rows[0].push(inlines_of(blocks));
            }
            Kind::Row if outer.kind == Kind::Table => {
                outer.blocks.extend(blocks);
                if outer.table.rows.is_empty() {
                    outer.table.has_head = container.table.has_head;
                    outer.table.alignments = container.table.alignments;
                }
                outer.table.rows.extend(container.table.rows);
            }
            Kind::Table => {
                // A caption, and whatever stands outside of cells.
                outer.blocks.extend(blocks);
                if !container.table.rows.is_empty() {
                    outer.blocks.push(Block::Table(container.table));
                }
            }
            _ => {
                outer.blocks.extend(blocks);
                outer.blocks.extend(container.table.rows.into_iter().flatten().map(Block::Paragraph));
            }
        }
    }
}

/// Blocks as the content of a cell.
fn inlines_of(blocks: Vec<Block>) -> Vec<Inline> {
    let mut out = Vec::new();
    for block in blocks {
        if !out.is_empty() {
            out.push(Inline::Break);
        }
        match block {
            Block::Paragraph(inlines) => out.extend(inlines),
            Block::Heading(_, inlines) => out.push(Inline::Strong(inlines)),
            Block::Code { text, .. } => out.push(Inline::Code(text)),
            Block::Quote(blocks) => out.extend(inlines_of(blocks)),
            Block::List { items, .. } => {
                for (place, item) in items.into_iter().enumerate() {
                    if place > 0 {
                        out.push(Inline::Break);
                    }
                    push_text(&mut out, "• ");
                    out.extend(inlines_of(item));
                }
            }
            Block::Table(table) => out.extend(table.rows.into_iter().flatten().flatten()),
            Block::Rule => {}
        }
    }
    out
}
