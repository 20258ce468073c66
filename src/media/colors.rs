//! Colour profiles: thumbnails are in sRGB, whatever the picture was in.

use moxcms::{
    Chromaticity, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout, RenderingIntent,
    ToneReprCurve, TransformOptions, XyY,
};

use super::area::Pixel;

/// The colours of a picture's pixels, if they are not sRGB.
pub(crate) enum Colors {
    Srgb,
    Profile(Box<ColorProfile>),
    /// Inks without a profile, inverted as Adobe writes them.
    Inks,
}

impl Colors {
    /// By an ICC profile; one that cannot be read, or is of another kind of picture, is ignored, as browsers do.
    pub(crate) fn of_icc(icc: &[u8], is_inks: bool) -> Self {
        let fallback = if is_inks { Self::Inks } else { Self::Srgb };
        if icc.is_empty() {
            return fallback;
        }
        match ColorProfile::new_from_slice(icc) {
            Ok(profile) if (profile.color_space == DataColorSpace::Cmyk) == is_inks => {
                Self::Profile(Box::new(profile))
            }
            _ => fallback,
        }
    }

    /// By the chunks of a PNG, the first of which counts that is there: cICP, iCCP, sRGB, gAMA with cHRM.
    pub(crate) fn of_png(info: &png::Info<'_>) -> Self {
        if let Some(points) = info.coding_independent_code_points
            && points.matrix_coefficients == 0
            && let (Ok(color_primaries), Ok(transfer_characteristics)) =
                (points.color_primaries.try_into(), points.transfer_function.try_into())
        {
            return Self::Profile(Box::new(ColorProfile::new_from_cicp(CicpProfile {
                color_primaries,
                transfer_characteristics,
                matrix_coefficients: moxcms::MatrixCoefficients::Identity,
                full_range: points.is_video_full_range_image,
            })));
        }
        if let Some(icc) = &info.icc_profile {
            return Self::of_icc(icc, false);
        }
        let Some(gamma) = info.gama_chunk.filter(|_| info.srgb.is_none()) else { return Self::Srgb };
        let gamma = gamma.into_value();
        // 1 / 2.2 is what programs write who mean sRGB.
        if !(0.01..=5.0).contains(&gamma) || (gamma - 0.45455).abs() < 0.0005 && info.chrm_chunk.is_none() {
            return Self::Srgb;
        }
        let mut profile = ColorProfile::new_srgb();
        let curve = ToneReprCurve::Parametric(vec![1.0 / gamma]);
        (profile.red_trc, profile.green_trc, profile.blue_trc) =
            (Some(curve.clone()), Some(curve.clone()), Some(curve));
        profile.cicp = None;
        if let Some(given) = info.chrm_chunk {
            let xy = |(x, y): (png::ScaledFloat, png::ScaledFloat)| {
                Chromaticity::new(x.into_value(), y.into_value())
            };
            let primaries =
                ColorPrimaries { red: xy(given.red), green: xy(given.green), blue: xy(given.blue) };
            let (x, y) = (f64::from(given.white.0.into_value()), f64::from(given.white.1.into_value()));
            profile.update_rgb_colorimetry(XyY { x, y, yb: 1.0 }, primaries);
        }
        Self::Profile(Box::new(profile))
    }

    /// Makes sRGB of the pixels; the fourth channel stays, or becomes opaque where it was an ink.
    pub(crate) fn apply(&self, pixels: &mut [Pixel]) {
        match self {
            Self::Srgb => {}
            Self::Inks => pixels.iter_mut().for_each(|pixel| *pixel = without_inks(*pixel)),
            Self::Profile(profile) => {
                if convert(profile, pixels).is_none() && profile.color_space == DataColorSpace::Cmyk {
                    Self::Inks.apply(pixels);
                }
            }
        }
    }
}

fn without_inks([c, m, y, k]: Pixel) -> Pixel {
    let channel = |ink: u8| ((u16::from(ink) * u16::from(k) + 127) / 255) as u8;
    [channel(c), channel(m), channel(y), 255]
}

/// None if the profile lacks what it needs; the pixels are as they were.
fn convert(profile: &ColorProfile, pixels: &mut [Pixel]) -> Option<()> {
    let srgb = ColorProfile::new_srgb();
    let options =
        TransformOptions { rendering_intent: RenderingIntent::RelativeColorimetric, ..Default::default() };
    let is_gray = profile.color_space == DataColorSpace::Gray;
    let is_inks = profile.color_space == DataColorSpace::Cmyk;
    let layout = if is_gray { Layout::GrayAlpha } else { Layout::Rgba };
    let transform = profile.create_transform_8bit(layout, &srgb, Layout::Rgba, options).ok()?;
    const AT_ONCE: usize = 1_024;
    let mut out = vec![0; 4 * AT_ONCE];
    let mut grays = Vec::new();
    for pixels in pixels.chunks_mut(AT_ONCE) {
        let out = &mut out[..4 * pixels.len()];
        if is_gray {
            grays.clear();
            grays.extend(pixels.iter().flat_map(|pixel| [pixel[0], pixel[3]]));
            transform.transform(&grays, out).ok()?;
        } else {
            if is_inks {
                pixels.iter_mut().flatten().for_each(|ink| *ink = 255 - *ink);
            }
            transform.transform(pixels.as_flattened(), out).ok()?;
        }
        for (pixel, [red, green, blue, alpha]) in pixels.iter_mut().zip(out.as_chunks::<4>().0) {
            *pixel = [*red, *green, *blue, if is_inks { 255 } else { *alpha }];
        }
    }
    Some(())
}
