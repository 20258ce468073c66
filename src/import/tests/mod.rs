//! Imports of small exports.

pub(super) mod imported;
