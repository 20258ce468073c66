//! Decodes pictures to the size that is wanted, row by row where the format allows: the memory depends on the result, hardly
//! on the picture.

use std::io::{BufRead, Seek, SeekFrom};

use image::{DynamicImage, ImageDecoder, RgbaImage};

use super::{
    area::{Area, Fourth, Pixel},
    colors::Colors,
    head::Head,
    jpeg,
};

/// Pixels of a picture that is decoded: more than cameras have.
const MAX_PIXELS: u64 = 256 << 20;

/// Pixels of either side.
const MAX_SIDE: u32 = 65_535;

/// Bytes of a JPEG that is given whole to a decoder that wants it so.
const SMALL_FILE: u64 = 16 << 20;

/// Bytes that the decoder of WebP takes for a pixel: it decodes whole pictures.
const WEBP_PIXEL: u64 = 6;

/// Bytes for each pixel of the result: the sums, and its pixels twice.
const RESULT_PIXEL: usize = 24;

/// What is wanted of a picture. It is never made larger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fit {
    /// All of it, within this width and height.
    Within(u32, u32),
    /// A square from its middle, with sides of at most this.
    Square(u32),
}

/// A part of a picture, and the size that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    left: usize,
    top: usize,
    from: (usize, usize),
    to: (usize, usize),
}

impl Plan {
    fn new(width: usize, height: usize, fit: Fit) -> Self {
        match fit {
            Fit::Within(most_wide, most_high) => {
                let (wide, high) = (most_wide as usize, most_high as usize);
                let side =
                    |own: usize, above: usize, below: usize| ((own * above + below / 2) / below).max(1);
                let to = if width <= wide && height <= high {
                    (width, height)
                } else if width * high >= height * wide {
                    (wide, side(height, wide, width))
                } else {
                    (side(width, high, height), high)
                };
                Self { left: 0, top: 0, from: (width, height), to }
            }
            Fit::Square(most) => {
                let side = width.min(height);
                let to = side.min(most as usize);
                Self { left: (width - side) / 2, top: (height - side) / 2, from: (side, side), to: (to, to) }
            }
        }
    }

    fn area(&self, fourth: Fourth) -> Area {
        Area::new(self.from, self.to, fourth)
    }

    fn add(&self, area: &mut Area, y: usize, row: &[Pixel]) {
        if let Some(y) = y.checked_sub(self.top).filter(|y| *y < self.from.1) {
            area.add_row(y, &row[self.left.min(row.len())..]);
        }
    }

    fn image(&self, pixels: Vec<Pixel>) -> Option<RgbaImage> {
        RgbaImage::from_raw(self.to.0 as u32, self.to.1 as u32, pixels.into_flattened())
    }
}

/// A decoder's memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// For pictures that are decoded row by row.
    pub rows: usize,
    /// For those that are decoded whole.
    pub whole: u64,
}

/// Decodes a picture of `size` bytes, upright and in sRGB. None if it cannot be decoded within the budget.
pub(crate) fn decode(
    input: &mut (impl BufRead + Seek),
    size: u64,
    content_type: &str,
    head: &Head,
    fit: Fit,
    budget: Budget,
) -> Option<RgbaImage> {
    if head.pixels() > MAX_PIXELS || head.width.max(head.height) > MAX_SIDE {
        return None;
    }
    let (width, height) = (head.width as usize, head.height as usize);
    // The picture is turned after it was made smaller.
    let fit = match fit {
        Fit::Within(wide, high) if head.size() != (head.width, head.height) => Fit::Within(high, wide),
        other => other,
    };
    let (plan, rest) = affordable(width, height, fit, budget.rows)?;
    input.seek(SeekFrom::Start(0)).ok()?;
    let image = match content_type {
        "image/png" => png(input, plan, rest)?,
        "image/gif" => gif(input, head, plan)?,
        "image/jpeg" => {
            let by = [8, 4, 2].into_iter().find(|by| width / by >= plan.to.0 && height / by >= plan.to.1);
            let small = match by {
                None if size <= SMALL_FILE && !head.has_inks => {
                    whole(image::codecs::jpeg::JpegDecoder::new(&mut *input).ok(), plan, head)
                }
                _ => None,
            };
            match small {
                Some(image) => image,
                None => {
                    input.seek(SeekFrom::Start(0)).ok()?;
                    reduced(input, by.unwrap_or(1), fit, rest)?
                }
            }
        }
        "image/webp" => {
            if head.pixels() * WEBP_PIXEL + size > budget.whole {
                return None;
            }
            whole(image::codecs::webp::WebPDecoder::new(input).ok(), plan, head)?
        }
        _ => return None,
    };
    let mut image = DynamicImage::ImageRgba8(image);
    image.apply_orientation(head.orientation);
    Some(image.into_rgba8())
}

/// A plan that takes at most half of the memory, and the rest of it: less memory makes smaller pictures.
fn affordable(width: usize, height: usize, fit: Fit, budget: usize) -> Option<(Plan, usize)> {
    let mut fit = fit;
    loop {
        let plan = Plan::new(width, height, fit);
        let needed = plan.to.0 * plan.to.1 * RESULT_PIXEL + 8 * width;
        if needed <= budget / 2 {
            return Some((plan, budget - needed));
        }
        fit = match fit {
            Fit::Within(wide, high) if wide.min(high) > 32 => Fit::Within(wide / 2, high / 2),
            Fit::Square(side) if side > 32 => Fit::Square(side / 2),
            _ => return None,
        };
    }
}

/// A JPEG, divided while it is decoded.
fn reduced(input: &mut impl BufRead, by: usize, fit: Fit, budget: usize) -> Option<RgbaImage> {
    let decoded = jpeg::decode(input, by, budget).ok()?;
    let plan = Plan::new(decoded.width, decoded.height, fit);
    let mut area = plan.area(if decoded.has_inks() { Fourth::Ink } else { Fourth::Alpha });
    let mut row = Vec::with_capacity(decoded.width);
    for y in 0..decoded.height {
        decoded.row(y, &mut row);
        plan.add(&mut area, y, &row);
    }
    let colors = Colors::of_icc(&decoded.icc, decoded.has_inks());
    drop(decoded);
    let mut pixels = area.finish();
    colors.apply(&mut pixels);
    plan.image(pixels)
}

/// By a library that decodes whole pictures.
fn whole(decoder: Option<impl ImageDecoder>, plan: Plan, head: &Head) -> Option<RgbaImage> {
    let mut decoder = decoder?;
    if decoder.dimensions() != (head.width, head.height) {
        return None;
    }
    let icc = decoder.icc_profile().ok().flatten().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).ok()?;
    let mut area = plan.area(Fourth::Alpha);
    let mut row = Vec::with_capacity(head.width as usize);
    for y in 0..head.height {
        row.clear();
        match &image {
            DynamicImage::ImageRgb8(it) => {
                row.extend(pixels(it.as_raw(), head.width, y, |[r, g, b]: [u8; 3]| [r, g, b, 255]));
            }
            DynamicImage::ImageLuma8(it) => {
                row.extend(pixels(it.as_raw(), head.width, y, |[grey]: [u8; 1]| [grey, grey, grey, 255]));
            }
            DynamicImage::ImageRgba8(it) => {
                row.extend(pixels(it.as_raw(), head.width, y, |pixel: [u8; 4]| pixel))
            }
            _ => return None,
        }
        plan.add(&mut area, y as usize, &row);
    }
    drop(image);
    let mut pixels = area.finish();
    Colors::of_icc(&icc, false).apply(&mut pixels);
    plan.image(pixels)
}

fn pixels<const N: usize>(
    bytes: &[u8],
    width: u32,
    y: u32,
    pixel: impl Fn([u8; N]) -> Pixel,
) -> impl Iterator<Item = Pixel> {
    let length = width as usize * N;
    bytes[y as usize * length..][..length].as_chunks::<N>().0.iter().map(move |it| pixel(*it))
}

/// First row and column of Adam7's passes, and the steps between (PNG, section 8.1).
const PASSES: [(usize, usize, usize, usize); 7] =
    [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)];

/// Row by row. What is cut off or broken stays transparent.
fn png(input: &mut (impl BufRead + Seek), plan: Plan, budget: usize) -> Option<RgbaImage> {
    let mut decoder = png::Decoder::new_with_limits(input, png::Limits { bytes: budget });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.ignore_checksums(true);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().ok()?;
    let (color, _) = reader.output_color_type();
    let (width, height, is_interlaced) = {
        let info = reader.info();
        (info.width as usize, info.height as usize, info.interlaced)
    };
    let colors = Colors::of_png(reader.info());
    let mut area = plan.area(Fourth::Alpha);
    let mut row: Vec<Pixel> = Vec::with_capacity(width);
    let passes = if is_interlaced { &PASSES[..] } else { &[(0, 0, 1, 1)] };
    let mut is_empty = true;
    'all: for (top, left, down, across) in passes {
        if *left >= width {
            continue;
        }
        for y in (*top..height).step_by(*down) {
            let Ok(Some(decoded)) = reader.next_row() else { break 'all };
            is_empty = false;
            row.clear();
            let data = decoded.data();
            match color {
                png::ColorType::Grayscale => row.extend(data.iter().map(|grey| [*grey, *grey, *grey, 255])),
                png::ColorType::GrayscaleAlpha => {
                    row.extend(data.as_chunks().0.iter().map(|[grey, alpha]| [*grey, *grey, *grey, *alpha]));
                }
                png::ColorType::Rgb => {
                    row.extend(data.as_chunks().0.iter().map(|[r, g, b]| [*r, *g, *b, 255]))
                }
                png::ColorType::Rgba => row.extend(data.as_chunks::<4>().0),
                png::ColorType::Indexed => return None,
            }
            if is_interlaced {
                let y = y.checked_sub(plan.top).filter(|y| *y < plan.from.1);
                for (n, pixel) in row.iter().enumerate() {
                    let x = (left + n * across).checked_sub(plan.left).filter(|x| *x < plan.from.0);
                    if let (Some(x), Some(y)) = (x, y) {
                        area.add_pixel(x, y, *pixel);
                    }
                }
            } else {
                plan.add(&mut area, y, &row);
            }
        }
    }
    if is_empty {
        return None;
    }
    let mut pixels = area.finish();
    colors.apply(&mut pixels);
    plan.image(pixels)
}

/// The first frame, on a transparent screen.
fn gif(input: &mut impl BufRead, head: &Head, plan: Plan) -> Option<RgbaImage> {
    let mut decoder = gif::DecodeOptions::new().read_info(input).ok()?;
    let frame = decoder.next_frame_info().ok()??;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (width, height) = (usize::from(frame.width), usize::from(frame.height));
    let (transparent, is_interlaced) = (frame.transparent, frame.interlaced);
    let palette: Vec<Pixel> =
        decoder.palette().ok()?.as_chunks().0.iter().map(|[r, g, b]| [*r, *g, *b, 255]).collect();
    let mut area = plan.area(Fourth::Alpha);
    let mut indexes = vec![0; width];
    let mut row = vec![[0; 4]; (head.width as usize).max(left + width)];
    // The rows of an interlaced frame come in four passes (appendix E).
    let passes = if is_interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)][..] } else { &[(0, 1)] };
    let mut is_empty = true;
    'all: for (first, step) in passes {
        for y in (*first..height).step_by(*step) {
            if !matches!(decoder.fill_buffer(&mut indexes), Ok(true)) {
                break 'all;
            }
            is_empty = false;
            for (pixel, index) in row[left..].iter_mut().zip(&indexes) {
                let color = palette.get(usize::from(*index)).filter(|_| transparent != Some(*index));
                *pixel = color.copied().unwrap_or([0; 4]);
            }
            plan.add(&mut area, top + y, &row);
        }
    }
    if is_empty { None } else { plan.image(area.finish()) }
}
