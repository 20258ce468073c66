//! Pages that commands write: one HTML file each, without external resources, from a template with `{{placeholders}}`.

/// Fills a template, in one pass, so that what looks like a placeholder within a value stays.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut page = String::with_capacity(template.len() + 64 * 1024);
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        page += &rest[..start];
        rest = &rest[start..];
        let end = rest.find("}}").map_or(rest.len(), |end| end + 2);
        page += values.iter().find(|(name, _)| *name == &rest[..end]).map_or("", |(_, text)| text);
        rest = &rest[end..];
    }
    page + rest
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
