//! Makes thumbnails, avatars, logos and previews of pictures. Slow: not to be called on a worker's thread.

use std::io::{BufRead, Cursor, Seek};

use image::{ImageFormat, RgbaImage};

pub use super::sniff::{SNIFFED, is_shown_inline, sniff};
use super::{
    decode::{Budget, Fit, decode},
    encode::encoded,
    head::{Head, head},
};
use crate::memory;

/// Bytes of memory for a picture that is decoded row by row, and for one that is decoded whole. On a small machine it is a
/// part of what the rest of the server leaves.
const MAX_ROWS: u64 = 56 << 20;
const MAX_WHOLE: u64 = 256 << 20;
const OTHER_MEMORY: u64 = 48 << 20;
const MEMORY_PART: u64 = 6;

/// The greatest width and height of a thumbnail, in pixels.
const THUMBNAIL: (u32, u32) = (1_200, 800);

/// Pixels of a picture that is its own thumbnail: browsers decode more, but not for a small place on the page.
const MAX_OWN: u64 = 16_000_000;

/// The greatest side of an avatar or a logo, in pixels.
const AVATAR: u32 = 512;

/// The greatest side of an avatar beside a message or in a list, in pixels: for screens with a pixel ratio of 2.
const SMALL_AVATAR: u32 = 96;

/// The greatest width and height of the picture of a link's preview, in pixels.
const PREVIEW: (u32, u32) = (640, 480);

/// A re-encoded picture, without the original's metadata (camera, location).
/// Pixels of an emoji, and bytes and pixels of one that is kept as it is.
const EMOJI: u32 = 128;
const MAX_EMOJI: usize = 256 << 10;
const MAX_EMOJI_SIDE: u32 = 512;

#[derive(Debug)]
pub struct Picture {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What is shown in the place of a picture.
#[derive(Debug, Default)]
pub enum Thumbnail {
    #[default]
    None,
    /// The file: it has hardly more bytes than a thumbnail would have.
    Itself,
    Made(Picture),
}

/// What an uploaded picture looks like.
#[derive(Debug, Default)]
pub struct Looked {
    /// Its size in pixels, as it is displayed.
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub is_animated: bool,
    pub thumbnail: Thumbnail,
}

/// Reads a picture's size from its head, and decodes it for a thumbnail. If it cannot be decoded, it has its size only.
pub fn look(input: &mut (impl BufRead + Seek), size: u64, content_type: &str) -> Looked {
    let Some(head) = head(input, content_type) else { return Looked::default() };
    // A decoder may panic on a hostile picture; the file is then stored without a thumbnail.
    let attempt = std::panic::AssertUnwindSafe(|| {
        decode(input, size, content_type, &head, Fit::Within(THUMBNAIL.0, THUMBNAIL.1), budget())
    });
    let small = std::panic::catch_unwind(attempt).ok().flatten();
    let (width, height) = head.size();
    Looked {
        width: Some(width),
        height: Some(height),
        is_animated: head.is_animated,
        thumbnail: small.map(|small| thumbnail(&head, size, &small, content_type)).unwrap_or_default(),
    }
}

fn thumbnail(head: &Head, size: u64, small: &RgbaImage, content_type: &str) -> Thumbnail {
    let is_itself = head.orientation == image::metadata::Orientation::NoTransforms && !head.is_animated;
    let fits = head.width <= THUMBNAIL.0 && head.height <= THUMBNAIL.1;
    // What fits is not packed anew for some bytes less.
    let kind = if fits { "image/jpeg" } else { content_type };
    let Some(made) = encoded(small, kind) else { return Thumbnail::None };
    let length = made.bytes.len() as u64;
    let most = if fits { length + length / 4 } else { length };
    if is_itself && size <= most && head.pixels() <= MAX_OWN {
        Thumbnail::Itself
    } else if length < size {
        Thumbnail::Made(made)
    } else {
        Thumbnail::None
    }
}

fn kind(bytes: &[u8]) -> &'static str {
    sniff(&bytes[..bytes.len().min(SNIFFED)])
}

/// Decodes a picture of PNG, JPEG, GIF or WebP.
fn decoded(bytes: &[u8], fit: Fit) -> Option<RgbaImage> {
    let content_type = kind(bytes);
    let mut input = Cursor::new(bytes);
    let head = head(&mut input, content_type)?;
    decode(&mut input, bytes.len() as u64, content_type, &head, fit, budget())
}

/// A square from the middle, 512 pixels wide or less, as WebP. None if the picture cannot be decoded.
pub fn avatar(bytes: &[u8]) -> Option<Picture> {
    webp(&decoded(bytes, Fit::Square(AVATAR))?)
}

/// An avatar for lists, 96 pixels wide or less, as JPEG or PNG: about a hundredth of the bytes.
pub fn small_avatar(bytes: &[u8]) -> Option<Picture> {
    // A photo, more often than a drawing.
    encoded(&decoded(bytes, Fit::Square(SMALL_AVATAR))?, "image/jpeg")
}

/// The account's logo: the whole picture, at most 512 pixels on either side, as WebP.
pub fn logo(bytes: &[u8]) -> Option<Picture> {
    webp(&decoded(bytes, Fit::Within(AVATAR, AVATAR))?)
}

/// An emoji: the file as it is, so that it moves if it does; a large one at most 128 pixels on either side, as WebP. None if it
/// cannot be decoded.
pub fn emoji(bytes: &[u8]) -> Option<Picture> {
    let content_type = kind(bytes);
    let (width, height) = head(&mut Cursor::new(bytes), content_type)?.size();
    let image = decoded(bytes, Fit::Within(EMOJI, EMOJI))?;
    let is_small = bytes.len() <= MAX_EMOJI && width <= MAX_EMOJI_SIDE && height <= MAX_EMOJI_SIDE;
    match is_small {
        true => Some(Picture { content_type, bytes: bytes.to_vec() }),
        false => webp(&image),
    }
}

/// A film's thumbnail, of a picture that was taken of it, and the size of that picture.
pub fn poster(bytes: &[u8]) -> Option<(Picture, (u32, u32))> {
    let content_type = kind(bytes);
    let size = head(&mut Cursor::new(bytes), content_type)?.size();
    Some((encoded(&decoded(bytes, Fit::Within(THUMBNAIL.0, THUMBNAIL.1))?, content_type)?, size))
}

/// A picture for a link's preview: at most 640 by 480 pixels, as JPEG or PNG.
pub fn preview(bytes: &[u8]) -> Option<Picture> {
    encoded(&decoded(bytes, Fit::Within(PREVIEW.0, PREVIEW.1))?, kind(bytes))
}

fn webp(image: &RgbaImage) -> Option<Picture> {
    let mut packed = Vec::new();
    image.write_to(&mut Cursor::new(&mut packed), ImageFormat::WebP).ok()?;
    Some(Picture { content_type: "image/webp", bytes: packed })
}

fn budget() -> Budget {
    budget_of(memory::limit())
}

/// For a machine with so much memory.
fn budget_of(machine: u64) -> Budget {
    let part = machine.saturating_sub(OTHER_MEMORY) / MEMORY_PART;
    Budget { rows: MAX_ROWS.min(part) as usize, whole: MAX_WHOLE.min(part) }
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

    fn looked(bytes: &[u8]) -> Looked {
        look(&mut Cursor::new(bytes), bytes.len() as u64, sniff(bytes))
    }

    #[test]
    fn large_picture_gets_a_thumbnail_that_fits() {
        let looked = looked(&png(2_400, 1_000));
        assert_eq!((looked.width, looked.height), (Some(2_400), Some(1_000)));
        let Thumbnail::Made(thumbnail) = looked.thumbnail else { panic!("{:?}", looked.thumbnail) };
        assert!(thumbnail.bytes.len() < png(2_400, 1_000).len());
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
    fn emoji_is_kept_as_it_is_unless_it_is_large() {
        let small = png(120, 90);
        assert_eq!(emoji(&small).unwrap().bytes, small);
        for large in [png(513, 20), png(20, 2_000)] {
            let made = emoji(&large).unwrap();
            let image = image::load_from_memory(&made.bytes).unwrap();
            assert!(made.content_type == "image/webp" && image.width().max(image.height()) == 128);
        }
        let padded = [&small[..], &vec![0; MAX_EMOJI]].concat();
        assert_eq!(emoji(&padded).unwrap().content_type, "image/webp");
        for wrong in [&b""[..], b"GIF89a", b"<svg onload=alert(1)>", &small[..40]] {
            assert!(emoji(wrong).is_none());
        }
    }

    #[test]
    fn decoder_takes_a_part_of_a_small_memory() {
        assert_eq!(budget_of(64 << 20).rows, (16 << 20) / 6);
        assert_eq!((budget_of(8 << 30).rows as u64, budget_of(8 << 30).whole), (MAX_ROWS, MAX_WHOLE));
    }

    #[test]
    fn picture_that_would_fill_the_memory_has_its_size_only() {
        // The header of a PNG of 60,000 by 60,000 pixels, and nothing behind it.
        let mut bomb = png(1, 1);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let looked = looked(&bomb);
        assert_eq!((looked.width, looked.height), (Some(60_000), Some(60_000)));
        assert!(matches!(looked.thumbnail, Thumbnail::None));
    }
}
