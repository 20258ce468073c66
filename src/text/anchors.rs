//! The links of a rendered message. The HTML is our own rendering, so all links have the same form.

/// Each link: its address as it stands in the attribute, and the HTML from there to the next link.
pub(super) fn anchors(html: &str) -> impl Iterator<Item = (&str, &str)> {
    html.split("<a href=\"").skip(1).filter_map(|part| part.split_once('"'))
}

/// An address without the escapes of the attribute.
pub(super) fn unescaped(address: &str) -> String {
    address.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\"")
}
