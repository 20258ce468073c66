//! The memory that thumbnails of large pictures take, by an allocator that counts. One test: others would be counted too.

#![allow(unsafe_code)] // An allocator is unsafe by its trait.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs::File,
    io::{BufReader, Write},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use campfire::media::picture::{Thumbnail, look};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed unchanged to the system's allocator; `realloc` is made of the two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: it came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MOST: usize = 64 << 20;

/// A grey JPEG: each block is one bit for its mean, and one for its end in each further scan.
fn jpeg(width: u16, height: u16, components: u8, is_progressive: bool) -> Vec<u8> {
    let mut file = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, content: &[u8]| {
        file.extend([0xFF, marker]);
        file.extend((content.len() as u16 + 2).to_be_bytes());
        file.extend(content);
    };
    let side = |pixels: u16| usize::from(pixels).div_ceil(8);
    let blocks = side(width) * side(height);
    segment(0xDB, &[&[0][..], &[1; 64]].concat());
    let mut frame = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[components]].concat();
    (1..=components).for_each(|id| frame.extend([id, 0x11, 0]));
    segment(if is_progressive { 0xC2 } else { 0xC0 }, &frame);
    // In both tables the code 0 is the value 0.
    segment(0xC4, &[&[0x00, 1][..], &[0; 16], &[0x10, 1], &[0; 16]].concat());
    let all: Vec<u8> = (1..=components).collect();
    let scans: Vec<(Vec<u8>, [u8; 3], usize)> = if is_progressive {
        let first = (all.clone(), [0, 0, 0], blocks * all.len());
        [first].into_iter().chain(all.iter().map(|id| (vec![*id], [1, 63, 0], blocks))).collect()
    } else {
        vec![(all.clone(), [0, 63, 0], 2 * blocks * all.len())]
    };
    for (ids, band, bits) in scans {
        let mut content = vec![ids.len() as u8];
        ids.iter().for_each(|id| content.extend([*id, 0]));
        content.extend(band);
        file.extend([0xFF, 0xDA]);
        file.extend((content.len() as u16 + 2).to_be_bytes());
        file.extend(content);
        file.extend(vec![0; bits.div_ceil(8)]);
    }
    file.extend([0xFF, 0xD9]);
    file
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let row = |y: u32| {
        (0..width).flat_map(move |x| [(x / 40 * 37) as u8, (y / 40 * 53) as u8, 90]).collect::<Vec<_>>()
    };
    for band in 0..height.div_ceil(40) {
        let row = row(band * 40);
        (0..40.min(height - band * 40)).for_each(|_| stream.write_all(&row).unwrap());
    }
    stream.finish().unwrap();
    writer.finish().unwrap();
    file
}

#[test]
fn thumbnail_of_any_photo_or_screenshot_takes_64_mb() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("picture");
    for (name, kind, (width, height), file) in [
        ("250 megapixels", "image/jpeg", (16_000, 15_616), jpeg(16_000, 15_616, 1, false)),
        ("250 megapixels, progressive", "image/jpeg", (16_000, 15_616), jpeg(16_000, 15_616, 1, true)),
        (
            "32 megapixels, progressive, full colour",
            "image/jpeg",
            (7_000, 4_600),
            jpeg(7_000, 4_600, 3, true),
        ),
        ("a long screenshot", "image/png", (1_080, 21_000), png(1_080, 21_000)),
        ("a wide screenshot", "image/png", (3_840, 2_160), png(3_840, 2_160)),
    ] {
        std::fs::write(&path, &file).unwrap();
        let size = file.len() as u64;
        drop(file);
        let mut input = BufReader::new(File::open(&path).unwrap());
        let before = HELD.load(Relaxed);
        PEAK.store(before, Relaxed);
        let looked = look(&mut input, size, kind);
        let peak = PEAK.load(Relaxed) - before;
        println!("{name}: {} KiB", peak >> 10);
        assert_eq!((looked.width, looked.height), (Some(width), Some(height)), "{name}");
        assert!(matches!(looked.thumbnail, Thumbnail::Made(_)), "{name}");
        assert!(peak <= MOST, "{name} took {peak} bytes");
    }
}
