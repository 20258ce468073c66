//! The account's logo as the icon of the installed app.

use std::io::Cursor;

use image::{DynamicImage, GenericImageView, ImageFormat, Rgba, RgbaImage, imageops};

/// The ground where the logo has none of its own: the page's paper.
const PAPER: Rgba<u8> = Rgba([0xfb, 0xf8, 0xf4, 0xff]);

/// How a system shows an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As it is; what is transparent stays so.
    Any,
    /// Cut to a shape of the system's, of which the middle is always seen: a circle with two fifths of the side as its
    /// radius (W3C manifest, "Icon masks and safe zone").
    Maskable,
    /// With rounded corners, and what is transparent black.
    Opaque,
}

impl Shape {
    /// The part of the side that the logo takes.
    fn part(self) -> f32 {
        match self {
            Self::Any => 1.0,
            // A square within that circle would be 0.566; few logos have something in their corners.
            Self::Maskable => 0.64,
            Self::Opaque => 0.82,
        }
    }
}

/// A square PNG of this side with the logo in its middle. None if the logo cannot be decoded, which is WebP and was made by
/// [`super::picture::logo`].
pub fn app_icon(logo: &[u8], side: u32, shape: Shape) -> Option<Vec<u8>> {
    let logo = image::load_from_memory_with_format(logo, ImageFormat::WebP).ok()?;
    let inside = (side as f32 * shape.part()).round().max(1.0) as u32;
    let logo_scaled = logo.resize(inside, inside, imageops::FilterType::Lanczos3);
    let mut icon = match shape {
        Shape::Any => RgbaImage::new(side, side),
        Shape::Maskable | Shape::Opaque => RgbaImage::from_pixel(side, side, ground(&logo)),
    };
    let (width, height) = logo_scaled.dimensions();
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    imageops::overlay(&mut icon, &logo_scaled.to_rgba8(), left.into(), top.into());
    if shape != Shape::Any {
        // Blending rounds.
        icon.pixels_mut().for_each(|pixel| pixel.0[3] = 255);
    }
    let mut packed = Vec::new();
    DynamicImage::from(icon).write_to(&mut Cursor::new(&mut packed), ImageFormat::Png).ok()?;
    Some(packed)
}

/// The colour of the logo's corners if they are alike and opaque, so that it goes on to the edge of the icon.
fn ground(logo: &DynamicImage) -> Rgba<u8> {
    let (right, bottom) = (logo.width() - 1, logo.height() - 1);
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)].map(|(x, y)| logo.get_pixel(x, y));
    let first = corners[0];
    let is_like = |other: &Rgba<u8>| first.0.iter().zip(other.0).all(|(one, two)| one.abs_diff(two) < 12);
    if first.0[3] == 255 && corners.iter().all(is_like) { first } else { PAPER }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logo(width: u32, height: u32, at: impl Fn(u32, u32) -> Rgba<u8>) -> Vec<u8> {
        let mut packed = Vec::new();
        let image = RgbaImage::from_fn(width, height, at);
        DynamicImage::from(image).write_to(&mut Cursor::new(&mut packed), ImageFormat::WebP).unwrap();
        packed
    }

    fn icon(logo: &[u8], side: u32, shape: Shape) -> RgbaImage {
        let png = app_icon(logo, side, shape).unwrap();
        let image = image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap().to_rgba8();
        assert_eq!(image.dimensions(), (side, side));
        image
    }

    const RED: Rgba<u8> = Rgba([200, 10, 10, 255]);

    #[test]
    fn icon_is_the_logo_in_the_middle_of_a_square() {
        let wide = logo(200, 100, |_, _| RED);
        let any = icon(&wide, 192, Shape::Any);
        assert_eq!(any.get_pixel(96, 96), &RED);
        assert_eq!(any.get_pixel(96, 20).0[3], 0, "above the logo there is nothing");
        // One colour goes on to the edge.
        assert_eq!(icon(&wide, 512, Shape::Maskable).get_pixel(0, 0), &RED);
    }

    #[test]
    fn ground_of_a_transparent_logo_is_paper_where_a_system_cuts_the_icon() {
        let round = logo(100, 100, |x, y| {
            let distance = (x as f32 - 50.0).hypot(y as f32 - 50.0);
            if distance < 48.0 { RED } else { Rgba([0, 0, 0, 0]) }
        });
        assert_eq!(icon(&round, 192, Shape::Any).get_pixel(0, 0).0[3], 0);
        for (side, shape) in [(512, Shape::Maskable), (180, Shape::Opaque)] {
            let icon = icon(&round, side, shape);
            assert_eq!(icon.get_pixel(0, 0), &PAPER);
            assert_eq!(icon.get_pixel(side / 2, side / 2), &RED);
            assert!(icon.pixels().all(|pixel| pixel.0[3] == 255));
        }
        // What a mask leaves: a circle of 0.4 of the side has the whole logo but its corners.
        let maskable = icon(&round, 512, Shape::Maskable);
        let reds = maskable.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 150 && pixel.0[1] < 100);
        let farthest = reds.map(|(x, y, _)| (x as f32 - 256.0).hypot(y as f32 - 256.0)).fold(0.0, f32::max);
        assert!(farthest < 0.4 * 512.0, "{farthest}");
    }

    #[test]
    fn what_is_no_logo_makes_no_icon() {
        assert_eq!(app_icon(b"RIFF", 192, Shape::Any), None);
    }
}
