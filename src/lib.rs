//! A team chat in one binary. The map of the house is in the README; a file imports from its own floor downwards:
//! `cli` → `server` → `http`, `live` (with `worker`, what both of them work with) → `store` →
//! `text`, `frame`, `cache`, `limits`, `state`, `inbox` → `config`, `metrics`, `log` → `types`, `event`.

pub mod event;
pub mod types;
