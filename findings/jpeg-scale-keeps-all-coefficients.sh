#!/usr/bin/env bash
# jpeg-decoder's scale() saves no memory on a progressive JPEG: the coefficients of the whole picture are held.
#
# Guess: asked for an eighth of a picture before it is decoded, a decoder holds about a sixty-fourth of what the whole takes.
# Really: so it is for a baseline JPEG. Of a progressive one it holds all 64 coefficients of every block until the last scan, 2
#   bytes each and component by component, though one of them is used. 250 megapixels with colours at half of the resolution are
#   750 MB for a picture of 4 megapixels. zune-jpeg 0.5 has no scaling at all.
# Version: jpeg-decoder 0.3.2, without rayon: a grey picture of 8,192 by 8,192, made to an eighth: seen 6 to 19 MB and 142 MB.
# Source: decoder.rs of the crate, where the coefficients are allocated by the size of the blocks; observed.
# Date: 2026-11-30.
# For us: src/media/jpeg/ decodes to an eighth without the scans of the higher coefficients, in memory that follows the result.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "scaled"
version = "0.0.0"
edition = "2021"

[dependencies]
jpeg-decoder = { version = "=0.3.2", default-features = false }

[profile.dev]
opt-level = 2
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

struct Counting;
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        System.alloc(layout)
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        System.dealloc(pointer, layout)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIDE: u16 = 8_192;

/// A grey picture. Each block is one bit for its mean, and one for the end of the rest.
fn picture(progressive: bool) -> Vec<u8> {
    let mut file = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, content: &[u8]| {
        file.extend([0xFF, marker]);
        file.extend((content.len() as u16 + 2).to_be_bytes());
        file.extend(content);
    };
    let side = SIDE.to_be_bytes();
    segment(0xDB, &[&[0][..], &[1; 64]].concat());
    segment(if progressive { 0xC2 } else { 0xC0 }, &[8, side[0], side[1], side[0], side[1], 1, 1, 0x11, 0]);
    segment(0xC4, &[&[0x00, 1][..], &[0; 16], &[0x10, 1], &[0; 16]].concat());
    let blocks = usize::from(SIDE / 8) * usize::from(SIDE / 8);
    let scans = if progressive { vec![([0, 0, 0], blocks), ([1, 63, 0], blocks)] } else { vec![([0, 63, 0], 2 * blocks)] };
    for (band, bits) in scans {
        file.extend([0xFF, 0xDA, 0, 8, 1, 1, 0]);
        file.extend(band);
        file.extend(vec![0; bits / 8]);
    }
    file.extend([0xFF, 0xD9]);
    file
}

fn peak(progressive: bool) -> usize {
    let file = picture(progressive);
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let mut decoder = jpeg_decoder::Decoder::new(&file[..]);
    assert_eq!(decoder.scale(SIDE / 8, SIDE / 8).unwrap(), (SIDE / 8, SIDE / 8));
    assert_eq!(decoder.decode().unwrap().len(), usize::from(SIDE / 8) * usize::from(SIDE / 8));
    (PEAK.load(Relaxed) - before) >> 10
}

fn main() {
    let (baseline, progressive) = (peak(false), peak(true));
    println!("an eighth of a baseline picture: {baseline} KiB; of the same, progressive: {progressive} KiB");
    std::process::exit(if baseline < 24 << 10 && progressive > 100 << 10 { 0 } else { 1 });
}
RUST

echo 'jpeg-decoder 0.3.2'
if cargo run --quiet --manifest-path "$dir/Cargo.toml" --target-dir "$dir/target"; then
    echo 'seen: of a progressive JPEG, all coefficients are held, whatever the scale'
else
    echo 'changed: scale() saves memory on a progressive JPEG too'
    exit 1
fi
