#!/usr/bin/env bash
# A hash map of ids with nohash-hasher finds what is there, and is hundreds of times slower at finding that something is not.
#
# Guess: small integer keys need no hash function. The crate passes them through, so every lookup gets faster.
# Really: Rust's HashMap (hashbrown) keeps the upper seven bits of each hash beside its slots and compares those first. Of
#   ids below 2^57 they are all zero, so nothing is told apart by them: to find that an id is missing, a lookup compares a
#   whole run of occupied slots, one by one. Consecutive ids fill such runs. A multiplication by a large odd constant
#   (Fibonacci hashing) mends it.
# Version: nohash-hasher 0.2.0, with the HashMap of the installed Rust (seen with 1.95.0).
# Source: the comments in hashbrown's src/control/tag.rs; measured here.
# Date: 2026-11-30.
# For us: maps by id hash them with one multiplication (`IdMap` in src/types/mod.rs). Asking for an id that does not exist
#   is what anybody can do.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "misses"
version = "0.0.0"
edition = "2021"

[dependencies]
nohash-hasher = "=0.2.0"
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher},
    hint::black_box,
    time::Instant,
};

#[derive(Default)]
struct Fibonacci(u64);

impl Hasher for Fibonacci {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("ids are written as integers")
    }
    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

const IDS: u64 = 100_000;

/// Nanoseconds for each lookup: of ids that are there, and of ids that are not.
fn measure<S: BuildHasher + Default>(name: &str) -> (f64, f64) {
    let mut map: HashMap<u64, u64, S> = HashMap::default();
    map.extend((1..=IDS).map(|id| (id, id)));
    let time = |ids: std::ops::Range<u64>| {
        let (started, count) = (Instant::now(), ids.end - ids.start);
        ids.for_each(|id| {
            black_box(map.get(&black_box(id)));
        });
        started.elapsed().as_nanos() as f64 / count as f64
    };
    let (found, missed) = (time(1..IDS), time(200_000..220_000));
    println!("{name}: {found:.1} ns for an id that is there, {missed:.1} ns for one that is not");
    (found, missed)
}

fn main() {
    let (_, missed) = measure::<nohash_hasher::BuildNoHashHasher<u64>>("nohash-hasher 0.2.0");
    let (_, fibonacci) = measure::<BuildHasherDefault<Fibonacci>>("one multiplication");
    std::process::exit(if missed > 20.0 * fibonacci { 0 } else { 1 });
}
RUST

rustc --version
if cargo run --quiet --release --manifest-path "$dir/Cargo.toml" --target-dir "$dir/target"; then
    echo 'seen: with nohash-hasher, a lookup of a missing id takes more than 20 times as long as with one multiplication'
else
    echo 'changed: lookups of missing ids are no longer slow'
    exit 1
fi
