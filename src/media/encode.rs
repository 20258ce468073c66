//! Encodes thumbnails: as JPEG, or as PNG where pixels are transparent or colours are few.

use std::collections::HashMap;

use image::{RgbImage, RgbaImage, codecs::jpeg::JpegEncoder};

use super::picture::Picture;

const JPEG_QUALITY: u8 = 82;

/// Colours of a PNG with a palette.
const PALETTE: usize = 256;

/// The smaller of JPEG and PNG, or PNG if some pixels are transparent. With more than a few colours, PNG is the smaller one of
/// what was drawn, which a JPEG is not.
pub(crate) fn encoded(image: &RgbaImage, content_type: &str) -> Option<Picture> {
    let is_opaque = image.pixels().all(|pixel| pixel.0[3] == 255);
    let few = indexed(image);
    if !is_opaque {
        return match few {
            Some(bytes) => Some(png_picture(bytes)),
            None => truecolor(image, png::ColorType::Rgba, image.as_raw()).map(png_picture),
        };
    }
    let opaque: Vec<u8> = image.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]]).collect();
    let drawn = match few {
        None if content_type != "image/jpeg" => truecolor(image, png::ColorType::Rgb, &opaque),
        few => few,
    };
    let jpeg = jpeg(image.width(), image.height(), opaque)?;
    Some(match drawn {
        Some(png) if png.len() <= jpeg.len() => png_picture(png),
        _ => Picture { content_type: "image/jpeg", bytes: jpeg },
    })
}

fn png_picture(bytes: Vec<u8>) -> Picture {
    Picture { content_type: "image/png", bytes }
}

fn jpeg(width: u32, height: u32, opaque: Vec<u8>) -> Option<Vec<u8>> {
    let opaque = RgbImage::from_raw(width, height, opaque)?;
    let mut bytes = Vec::new();
    opaque.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)).ok()?;
    Some(bytes)
}

fn truecolor(image: &RgbaImage, color: png::ColorType, channels: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(color);
    encoder.write_header().ok()?.write_image_data(channels).ok()?;
    Some(bytes)
}

/// As PNG with a palette; None if there are too many colours.
fn indexed(image: &RgbaImage) -> Option<Vec<u8>> {
    let mut numbers: HashMap<[u8; 4], u8> = HashMap::new();
    let (mut palette, mut alphas) = (Vec::new(), Vec::new());
    let mut indexes = Vec::with_capacity(image.as_raw().len() / 4);
    for pixel in image.pixels() {
        let number = match numbers.get(&pixel.0) {
            Some(number) => *number,
            None => {
                let number = u8::try_from(numbers.len()).ok().filter(|_| numbers.len() < PALETTE)?;
                numbers.insert(pixel.0, number);
                palette.extend(&pixel.0[..3]);
                alphas.push(pixel.0[3]);
                number
            }
        };
        indexes.push(number);
    }
    let (depth, bits) = match numbers.len() {
        ..=2 => (png::BitDepth::One, 1),
        3..=4 => (png::BitDepth::Two, 2),
        5..=16 => (png::BitDepth::Four, 4),
        _ => (png::BitDepth::Eight, 8),
    };
    let packed: Vec<u8> = indexes
        .chunks(image.width() as usize)
        .flat_map(|row| row.chunks(8 / bits))
        .map(|group| {
            group.iter().enumerate().fold(0, |byte, (n, index)| byte | index << (8 - bits * (n + 1)))
        })
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(depth);
    encoder.set_palette(palette);
    if alphas.iter().any(|alpha| *alpha != 255) {
        encoder.set_trns(alphas);
    }
    // Filters make lines of numbers larger (PNG, section 12.7).
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header().ok()?.write_image_data(&packed).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_become_a_small_png_and_stay_exact() {
        for colors in [2, 3, 16, 17, 256] {
            let image = RgbaImage::from_fn(301, 40, |x, y| {
                let n = ((x / 7 + y) % colors) as u8;
                image::Rgba([n, 255 - n, 0, if n == 1 { 9 } else { 255 }])
            });
            let made = encoded(&image, "image/png").unwrap();
            assert_eq!(made.content_type, "image/png");
            assert_eq!(image::load_from_memory(&made.bytes).unwrap().to_rgba8(), image, "{colors}");
        }
        let flat =
            encoded(&RgbaImage::from_pixel(900, 600, image::Rgba([9, 99, 199, 255])), "image/png").unwrap();
        assert!(flat.content_type == "image/png" && flat.bytes.len() < 1_000, "{}", flat.bytes.len());
    }
}
