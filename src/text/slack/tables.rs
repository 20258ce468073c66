//! Tables, and charts, whose values are shown as tables.

use serde_json::Value;

use super::{Reader, blocks::strong, elements::words, list, text_of};
use crate::text::document::{Alignment, Block, Inline, Table};

impl Reader<'_, '_> {
    pub(super) fn table(&self, block: &Value) -> Vec<Block> {
        let alignments = list(&block["column_settings"])
            .iter()
            .map(|column| match column["align"].as_str() {
                Some("left") => Alignment::Left,
                Some("center") => Alignment::Center,
                Some("right") => Alignment::Right,
                _ => Alignment::None,
            })
            .collect();
        let rows = list(&block["rows"])
            .iter()
            .map(|row| {
                // Each row is a list, or an object that has one.
                let cells = if row.is_array() { row } else { &row["cells"] };
                list(cells).iter().map(|cell| self.cell(cell)).collect()
            })
            .filter(|row: &Vec<_>| !row.is_empty())
            .collect();
        let mut blocks: Vec<Block> = strong(words(&block["caption"])).into_iter().collect();
        let table = Table { alignments, has_head: true, rows };
        if !table.rows.is_empty() {
            blocks.push(Block::Table(table));
        }
        blocks
    }

    fn cell(&self, cell: &Value) -> Vec<Inline> {
        match cell["type"].as_str().unwrap_or_default() {
            "raw_number" => {
                let shown = text_of(&cell["text"]).or_else(|| text_of(&cell["value"]));
                shown.map(Inline::Text).into_iter().collect()
            }
            "rich_text" => flat(self.rich_text(cell)),
            "" if !cell.is_object() => words(cell),
            "raw_text" | "plain_text" => words(cell),
            _ => {
                let element = self.element(cell);
                if element.is_empty() { flat(self.block(cell)) } else { element }
            }
        }
    }

    pub(super) fn chart(&self, block: &Value) -> Vec<Block> {
        let chart = &block["chart"];
        let text = |value: &Value| words(value);
        let segments = list(&chart["segments"]);
        let series = list(&chart["series"]);
        let axis = &chart["axis_config"];
        let mut rows = Vec::new();
        let mut alignments = vec![Alignment::None];
        if !segments.is_empty() {
            alignments.push(Alignment::Right);
            rows.extend(
                segments.iter().map(|segment| vec![text(&segment["label"]), text(&segment["value"])]),
            );
        } else if !series.is_empty() {
            let label =
                [&axis["x_label"], &axis["x_axis_title"], &axis["x_title"]].into_iter().find_map(text_of);
            let mut head = vec![label.map(Inline::Text).into_iter().collect()];
            head.extend(series.iter().map(|one| text(&one["name"])));
            alignments.resize(head.len(), Alignment::Right);
            rows.push(head);
            let categories = list(&axis["categories"]);
            let points: Vec<_> = series.iter().map(|one| list(&one["data"])).collect();
            let count =
                points.iter().map(|points| points.len()).max().unwrap_or_default().max(categories.len());
            for place in 0..count {
                let label = categories.get(place).map(text).filter(|label| !label.is_empty());
                let label = label.or_else(|| {
                    points.iter().map(|points| text(&points.get(place)?["label"]).into()).next()?
                });
                let mut row = vec![label.unwrap_or_default()];
                row.extend(points.iter().map(|points| {
                    let point = points.get(place).unwrap_or(&Value::Null);
                    if point.is_object() { text(&point["value"]) } else { text(point) }
                }));
                rows.push(row);
            }
        } else {
            return strong(words(&block["title"])).into_iter().chain(self.walk(chart)).collect();
        }
        let table = Table { alignments, has_head: segments.is_empty(), rows };
        strong(words(&block["title"])).into_iter().chain([Block::Table(table)]).collect()
    }
}

/// Blocks in one cell.
fn flat(blocks: Vec<Block>) -> Vec<Inline> {
    let mut out = Vec::new();
    for block in blocks {
        if !out.is_empty() {
            out.push(Inline::Break);
        }
        match block {
            Block::Paragraph(inlines) | Block::Heading(_, inlines) => out.extend(inlines),
            Block::Code { text, .. } => out.push(Inline::Code(text)),
            Block::Quote(blocks) => out.extend(flat(blocks)),
            Block::List { items, .. } => {
                for (place, item) in items.into_iter().enumerate() {
                    if place > 0 {
                        out.push(Inline::Break);
                    }
                    out.push(Inline::Text("• ".into()));
                    out.extend(flat(item));
                }
            }
            Block::Table(table) => out.extend(table.rows.into_iter().flatten().flatten()),
            Block::Rule => {}
        }
    }
    out
}
