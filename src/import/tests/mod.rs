//! Imports of small exports.
