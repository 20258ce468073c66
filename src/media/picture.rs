//! Decodes uploaded pictures, and makes thumbnails, avatars, logos and previews. Slow: not to be called on a worker's
//! thread.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};

pub use super::sniff::{SNIFFED, is_shown_inline, sniff};
use crate::memory;

/// Pixels of a picture that is decoded: more than cameras have, and 200 MB of memory.
const MAX_PIXELS: u64 = 50_000_000;
/// Pixels of either side.
const MAX_SIDE: u32 = 20_000;
/// Bytes that the decoder may allocate. On a small machine it is a part of what the rest of the server leaves, since making
/// a thumbnail takes more than the picture.
const MAX_MEMORY: u64 = 256 << 20;
const OTHER_MEMORY: u64 = 48 << 20;
const MEMORY_PART: u64 = 6;

/// The greatest width and height of a thumbnail, in pixels.
const THUMBNAIL: (u32, u32) = (1_200, 800);

/// The greatest side of an avatar or a logo, in pixels.
const AVATAR: u32 = 512;

/// The greatest side of an avatar beside a message or in a list, in pixels: for screens with a pixel ratio of 2.
const SMALL_AVATAR: u32 = 96;

const JPEG_QUALITY: u8 = 82;

/// A re-encoded picture, without the original's metadata (camera, location).
#[derive(Debug)]
pub struct Picture {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// An uploaded picture's size in pixels, as it is displayed, and its thumbnail.
#[derive(Debug, Default)]
pub struct Looked {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub thumbnail: Option<Picture>,
}

/// Decodes a picture for its size and thumbnail. If it cannot be decoded it has neither.
pub fn look(bytes: &[u8]) -> Looked {
    let Some(image) = decoded(bytes) else { return Looked::default() };
    let (width, height) = (image.width(), image.height());
    let small = if width > THUMBNAIL.0 || height > THUMBNAIL.1 {
        image.resize(THUMBNAIL.0, THUMBNAIL.1, FilterType::Triangle)
    } else {
        image
    };
    Looked { width: Some(width), height: Some(height), thumbnail: encoded(&small) }
}

/// A square from the middle, 512 pixels wide or less, as WebP. None if the picture cannot be decoded.
pub fn avatar(bytes: &[u8]) -> Option<Picture> {
    let image = decoded(bytes)?;
    let side = image.width().min(image.height());
    let (left, top) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let mut square = image.crop_imm(left, top, side, side);
    if side > AVATAR {
        square = square.resize_exact(AVATAR, AVATAR, FilterType::Lanczos3);
    }
    let mut packed = Vec::new();
    square.to_rgba8().write_to(&mut Cursor::new(&mut packed), ImageFormat::WebP).ok()?;
    Some(Picture { content_type: "image/webp", bytes: packed })
}

/// An avatar for lists, 96 pixels wide or less, as JPEG or PNG: about a hundredth of the bytes.
pub fn small_avatar(bytes: &[u8]) -> Option<Picture> {
    let image = decoded(bytes)?;
    if image.width() <= SMALL_AVATAR {
        return encoded(&image);
    }
    encoded(&image.resize_exact(SMALL_AVATAR, SMALL_AVATAR, FilterType::Lanczos3))
}

/// The account's logo: the whole picture, at most 512 pixels on either side, as WebP.
pub fn logo(bytes: &[u8]) -> Option<Picture> {
    let mut image = decoded(bytes)?;
    if image.width() > AVATAR || image.height() > AVATAR {
        image = image.resize(AVATAR, AVATAR, FilterType::Lanczos3);
    }
    let mut packed = Vec::new();
    image.to_rgba8().write_to(&mut Cursor::new(&mut packed), ImageFormat::WebP).ok()?;
    Some(Picture { content_type: "image/webp", bytes: packed })
}

/// A picture for a link's preview: at most 640 by 480 pixels, as JPEG or PNG.
pub fn preview(bytes: &[u8]) -> Option<Picture> {
    let image = decoded(bytes)?;
    let small = if image.width() > 640 || image.height() > 480 {
        image.resize(640, 480, FilterType::Triangle)
    } else {
        image
    };
    encoded(&small)
}

/// Decodes within the limits, and applies the orientation in the metadata.
fn decoded(bytes: &[u8]) -> Option<DynamicImage> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let (pixels, memory) = (u64::from(width) * u64::from(height), max_memory(memory::limit()));
    if pixels > MAX_PIXELS || 4 * pixels > memory {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(memory);
    decoder.set_limits(limits).ok()?;
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Some(image)
}

/// Bytes that a decoded picture may take on a machine with so much memory.
pub fn max_memory(machine: u64) -> u64 {
    MAX_MEMORY.min(machine.saturating_sub(OTHER_MEMORY) / MEMORY_PART)
}

/// As JPEG, or as PNG if some pixels are transparent.
fn encoded(image: &DynamicImage) -> Option<Picture> {
    let mut bytes = Vec::new();
    let is_opaque = !image.color().has_alpha() || image.to_rgba8().pixels().all(|pixel| pixel.0[3] == 255);
    if is_opaque {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        image.to_rgb8().write_with_encoder(encoder).ok()?;
        Some(Picture { content_type: "image/jpeg", bytes })
    } else {
        image.to_rgba8().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
        Some(Picture { content_type: "image/png", bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]));
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn large_picture_gets_a_thumbnail_that_fits() {
        let large = png(2_400, 1_000);
        assert_eq!(sniff(&large), "image/png");
        let looked = look(&large);
        assert_eq!((looked.width, looked.height), (Some(2_400), Some(1_000)));
        let thumbnail = looked.thumbnail.unwrap();
        assert_eq!(thumbnail.content_type, "image/jpeg");
        let small = image::load_from_memory(&thumbnail.bytes).unwrap();
        assert_eq!((small.width(), small.height()), (1_200, 500));
    }

    #[test]
    fn avatar_is_a_square_of_512_pixels() {
        let picture = avatar(&png(900, 600)).unwrap();
        let image = image::load_from_memory(&picture.bytes).unwrap();
        assert_eq!((image.width(), image.height()), (512, 512));
        assert!(avatar(b"no picture").is_none());
    }

    #[test]
    fn decoded_picture_takes_a_part_of_a_small_memory() {
        assert_eq!((max_memory(64 << 20), max_memory(8 << 30)), ((16 << 20) / 6, MAX_MEMORY));
        assert!(max_memory(512 << 20) > 4 * 12_000_000, "a phone's picture on a small board");
    }

    #[test]
    fn picture_that_would_fill_the_memory_is_not_decoded() {
        // The header of a PNG of 60,000 by 60,000 pixels, and nothing behind it.
        let mut bomb = png(1, 1);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert!(look(&bomb).thumbnail.is_none());
    }
}
