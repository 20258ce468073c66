use std::io::Cursor;

use image::{RgbImage, codecs::jpeg::JpegEncoder};
use proptest::prelude::*;

use super::{idct, *};

const BUDGET: usize = 64 << 20;

fn smooth(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let part = |at: u32, of: u32| (at * 255 / of) as u8;
        image::Rgb([part(x, width), part(y, height), 255 - part(x, width)])
    })
}

fn encoded(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 95)).unwrap();
    bytes
}

fn rows(decoded: &Decoded) -> Vec<Vec<[u8; 4]>> {
    let mut row = Vec::new();
    (0..decoded.height)
        .map(|y| {
            decoded.row(y, &mut row);
            row.clone()
        })
        .collect()
}

#[test]
fn divided_picture_looks_like_the_whole_one() {
    for (width, height) in [(200, 120), (203, 117)] {
        let file = encoded(&smooth(width, height));
        for by in [1, 2, 4, 8] {
            let decoded = decode(Cursor::new(&file), by, BUDGET).unwrap();
            let size = ((width as usize).div_ceil(by), (height as usize).div_ceil(by));
            assert_eq!((decoded.width, decoded.height), size);
            for (y, row) in rows(&decoded).iter().enumerate() {
                for (x, pixel) in row.iter().enumerate() {
                    let middle = |at: usize, of: u32| {
                        (((at as f32 + 0.5) * by as f32).min(of as f32) * 255.0 / of as f32) as u8
                    };
                    let wanted = [middle(x, width), middle(y, height), 255 - middle(x, width), 255];
                    assert!(
                        pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 14),
                        "{by} {x} {y} {pixel:?} {wanted:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn picture_that_is_cut_off_or_broken_is_shown_as_far_as_it_goes() {
    let file = encoded(&smooth(160, 160));
    let whole = rows(&decode(Cursor::new(&file), 2, BUDGET).unwrap());
    let cut = rows(&decode(Cursor::new(&file[..file.len() / 2 + 200]), 2, BUDGET).unwrap());
    assert_eq!(cut[..8], whole[..8]);
    assert_ne!(cut[79], whole[79]);
    assert!(decode(Cursor::new(&file[..60]), 2, BUDGET).is_err(), "before its frame");
}

#[test]
fn less_memory_makes_a_smaller_picture() {
    let file = encoded(&smooth(1_600, 1_600));
    let width = |budget: usize| decode(Cursor::new(&file), 1, budget).map(|decoded| decoded.width).ok();
    assert_eq!(
        (width(BUDGET), width(6 << 20), width(2 << 20), width(1 << 20)),
        (Some(1_600), Some(800), Some(400), None)
    );
}

#[test]
fn inks_are_read_as_adobe_writes_them() {
    // One block of each component, with a mean of its own: luminance 0, no colour, and half of the black.
    let adobe = |transform: u8| [b"Adobe\0d\0\0\0\0".as_slice(), &[transform]].concat();
    let segment = |marker: u8, content: &[u8]| {
        [&[0xFF, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat()
    };
    // A code of one bit for a difference of 0, and one of two bits for a difference of ten bits; a block ends at once.
    let codes = [&[0x00, 1, 1][..], &[0; 14], &[0, 10], &[0x10, 1], &[0; 15], &[0]].concat();
    let picture = |transform: u8| {
        [
            vec![0xFF, 0xD8],
            segment(0xEE, &adobe(transform)),
            segment(0xDB, &[&[0][..], &[1; 64]].concat()),
            segment(0xC0, &[8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]),
            segment(0xC4, &codes),
            segment(0xDA, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]),
            // Y: 10 0000000000 0 is a difference of -1023, or black; then 0 0 twice for the middle, and 0 0.
            vec![0b1000_0000, 0b0000_0000, 0b0000_0111, 0xFF, 0xD9],
        ]
        .concat()
    };
    let pixel = |transform| rows(&decode(Cursor::new(picture(transform)), 8, BUDGET).unwrap())[0][0];
    assert_eq!(pixel(0), [0, 128, 128, 128], "CMYK");
    assert_eq!(pixel(2), [255, 255, 255, 128], "YCCK: the colour is the complement");
}

#[test]
fn transform_of_a_constant_block_is_constant() {
    let mut block = [0.0; 64];
    block[0] = 8.0 * 50.0;
    for (wide, high) in [(0, 0), (1, 1), (2, 3), (3, 3)] {
        let mut count = 0;
        idct::transform(&block, wide, high, |_, _, sample| {
            assert_eq!(sample, 178);
            count += 1;
        });
        assert_eq!(count, 1 << (wide + high));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_safe(at in 20_usize..900, bytes in prop::collection::vec(any::<u8>(), 1..40), by in 0_u32..4) {
        let mut file = encoded(&smooth(64, 64));
        let at = at.min(file.len());
        let end = (at + bytes.len()).min(file.len());
        file.splice(at..end, bytes);
        let _ = decode(Cursor::new(&file), 1 << by, BUDGET).map(|decoded| rows(&decoded));
    }
}
