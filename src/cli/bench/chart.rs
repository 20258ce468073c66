//! Charts as inline SVG, whose colours are the page's.

pub(super) fn none() {}
