//! A canvas for shapes with antialiased edges. A shape is a signed distance function, in pixels: negative inside, and the
//! edge is the pixel around zero.

use std::io::Cursor;

use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder};

/// Red, green, blue, each 0 to 255.
#[derive(Clone, Copy)]
pub(super) struct Colour(pub(super) [f32; 3]);

impl Colour {
    pub(super) fn mixed(self, other: Self, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        // Written out, because this is most of the work and debug builds do not inline.
        let ([r, g, b], [to_r, to_g, to_b]) = (self.0, other.0);
        Self([r + (to_r - r) * share, g + (to_g - g) * share, b + (to_b - b) * share])
    }
}

/// A colour from its hexadecimal notation in CSS.
pub(super) const fn hex(rgb: u32) -> Colour {
    Colour([((rgb >> 16) & 255) as f32, ((rgb >> 8) & 255) as f32, (rgb & 255) as f32])
}

pub(super) type Point = (f32, f32);

/// Left, top, right, bottom.
type Bounds = (f32, f32, f32, f32);

/// The pixels of a picture.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, colour: Colour) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    /// A vertical gradient through evenly spaced colours.
    pub(super) fn gradient(width: usize, height: usize, colours: &[Colour]) -> Self {
        let mut canvas = Self::new(width, height, colours[0]);
        let steps = colours.len() - 1;
        for (row, line) in canvas.pixels.chunks_exact_mut(width).enumerate() {
            let at = row as f32 / height as f32 * steps as f32;
            let step = (at as usize).min(steps.saturating_sub(1));
            line.fill(colours[step].mixed(colours[(step + 1).min(steps)], at - step as f32));
        }
        canvas
    }

    /// Blends a colour over the inside of a shape; a `strength` of 1 covers what was there.
    pub(super) fn fill(
        &mut self,
        bounds: Bounds,
        colour: Colour,
        strength: f32,
        distance: impl Fn(f32, f32) -> f32,
    ) {
        self.shade(bounds, |x, y| (colour, strength * (0.5 - distance(x, y)).clamp(0.0, 1.0)));
    }

    /// Blends a colour of its own and with a strength of its own over each pixel.
    pub(super) fn shade(&mut self, bounds: Bounds, of: impl Fn(f32, f32) -> (Colour, f32)) {
        let within = |at: f32, most: usize| (at.max(0.0) as usize).min(most);
        let (left, right) = (within(bounds.0 - 1.0, self.width), within(bounds.2 + 2.0, self.width));
        for row in within(bounds.1 - 1.0, self.height)..within(bounds.3 + 2.0, self.height) {
            let line = &mut self.pixels[row * self.width..][left..right.max(left)];
            for (column, pixel) in line.iter_mut().enumerate() {
                let (colour, strength) = of((left + column) as f32 + 0.5, row as f32 + 0.5);
                if strength > 0.0 {
                    *pixel = pixel.mixed(colour, strength);
                }
            }
        }
    }

    pub(super) fn disc(&mut self, at: Point, radius: f32, colour: Colour, strength: f32) {
        self.oval(at, (radius, radius), 0.0, colour, strength);
    }

    /// An ellipse, rotated by an angle in radians.
    pub(super) fn oval(&mut self, at: Point, radii: Point, angle: f32, colour: Colour, strength: f32) {
        let reach = radii.0.max(radii.1);
        let bounds = (at.0 - reach, at.1 - reach, at.0 + reach, at.1 + reach);
        self.fill(bounds, colour, strength, oval(at, radii, angle));
    }

    /// A rectangle with round corners.
    pub(super) fn bar(&mut self, bounds: Bounds, radius: f32, colour: Colour) {
        self.fill(bounds, colour, 1.0, bar(bounds, radius));
    }

    /// The outline of a rectangle with round corners.
    pub(super) fn frame(&mut self, bounds: Bounds, radius: f32, width: f32, colour: Colour) {
        let inside = bar(bounds, radius);
        let outer = (bounds.0 - width, bounds.1 - width, bounds.2 + width, bounds.3 + width);
        self.fill(outer, colour, 1.0, |x, y| inside(x, y).abs() - width / 2.0);
    }

    /// A line through points, with round ends.
    pub(super) fn stroke(&mut self, points: &[Point], width: f32, colour: Colour) {
        for pair in points.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            let (dx, dy) = (x2 - x1, y2 - y1);
            let square = (dx * dx + dy * dy).max(1e-6);
            let half = width / 2.0;
            let bounds = (x1.min(x2) - half, y1.min(y2) - half, x1.max(x2) + half, y1.max(y2) + half);
            self.fill(bounds, colour, 1.0, |x, y| {
                let along = (((x - x1) * dx + (y - y1) * dy) / square).clamp(0.0, 1.0);
                (x - x1 - along * dx).hypot(y - y1 - along * dy) - half
            });
        }
    }

    /// An elliptic arc; angles are in radians, clockwise from the right.
    pub(super) fn arc(&mut self, at: Point, radii: Point, angles: (f32, f32), width: f32, colour: Colour) {
        const PARTS: usize = 24;
        let points: Vec<Point> = (0..=PARTS)
            .map(|part| angles.0 + (angles.1 - angles.0) * part as f32 / PARTS as f32)
            .map(|angle| (at.0 + radii.0 * angle.cos(), at.1 + radii.1 * angle.sin()))
            .collect();
        self.stroke(&points, width, colour);
    }

    /// A polygon whose sides do not cross.
    pub(super) fn polygon(&mut self, points: &[Point], colour: Colour, strength: f32) {
        let bounds = points
            .iter()
            .fold((f32::MAX, f32::MAX, f32::MIN, f32::MIN), |(left, top, right, bottom), (x, y)| {
                (left.min(*x), top.min(*y), right.max(*x), bottom.max(*y))
            });
        self.fill(bounds, colour, strength, |x, y| polygon(points, x, y));
    }

    /// The area below a line, from the colour `top` to `bottom` within `depth` pixels.
    pub(super) fn land(&mut self, line: impl Fn(f32) -> f32, top: Colour, bottom: Colour, depth: f32) {
        let (width, height) = (self.width, self.height);
        for column in 0..width {
            let edge = line(column as f32 + 0.5);
            for row in (edge - 1.0).max(0.0) as usize..height {
                let below = row as f32 + 0.5 - edge;
                let pixel = &mut self.pixels[row * width + column];
                *pixel = pixel.mixed(top.mixed(bottom, below / depth), below + 0.5);
            }
        }
    }

    /// A radial glow that fades with the distance.
    pub(super) fn glow(&mut self, at: Point, radius: f32, colour: Colour, strength: f32) {
        let bounds = (at.0 - radius, at.1 - radius, at.0 + radius, at.1 + radius);
        self.shade(bounds, |x, y| {
            let near = (1.0 - (x - at.0).hypot(y - at.1) / radius).max(0.0);
            (colour, strength * near * near)
        });
    }

    /// As JPEG. Noise of less than one step per channel prevents banding in gradients.
    pub(super) fn photo(self) -> Vec<u8> {
        let mut random = Random::new(7);
        let image = self.image(|| random.up_to(1.0));
        let mut bytes = Vec::new();
        image
            .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 84))
            .expect("writing to memory cannot fail");
        bytes
    }

    /// As PNG.
    pub(super) fn drawing(self) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        self.image(|| 0.5).write_to(&mut bytes, ImageFormat::Png).expect("writing to memory cannot fail");
        bytes.into_inner()
    }

    fn image(&self, mut grain: impl FnMut() -> f32) -> RgbImage {
        let mut bytes = Vec::with_capacity(self.pixels.len() * 3);
        for pixel in &self.pixels {
            let grain = grain();
            // A cast from a float stays within the bounds of what it is cast to.
            let [r, g, b] = pixel.0;
            bytes.extend_from_slice(&[(r + grain) as u8, (g + grain) as u8, (b + grain) as u8]);
        }
        RgbImage::from_raw(self.width as u32, self.height as u32, bytes).expect("three bytes for each pixel")
    }
}

/// The distance to an ellipse, nearly exact near its edge.
pub(super) fn oval(at: Point, radii: Point, angle: f32) -> impl Fn(f32, f32) -> f32 {
    let (sin, cos) = angle.sin_cos();
    move |x, y| {
        let (x, y) = (x - at.0, y - at.1);
        let (x, y) = ((x * cos + y * sin) / radii.0, (y * cos - x * sin) / radii.1);
        let length = x.hypot(y);
        length * (length - 1.0) / (x / radii.0).hypot(y / radii.1).max(1e-6)
    }
}

fn bar((left, top, right, bottom): Bounds, radius: f32) -> impl Fn(f32, f32) -> f32 {
    let (middle, half) =
        (((left + right) / 2.0, (top + bottom) / 2.0), ((right - left) / 2.0, (bottom - top) / 2.0));
    move |x, y| {
        let (dx, dy) = ((x - middle.0).abs() - half.0 + radius, (y - middle.1).abs() - half.1 + radius);
        dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
    }
}

fn polygon(points: &[Point], x: f32, y: f32) -> f32 {
    let (mut nearest, mut is_inside) = (f32::MAX, false);
    let mut last = points[points.len() - 1];
    for point in points {
        let (dx, dy) = (point.0 - last.0, point.1 - last.1);
        let (px, py) = (x - last.0, y - last.1);
        let along = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1e-6)).clamp(0.0, 1.0);
        nearest = nearest.min((px - along * dx).hypot(py - along * dy));
        if (point.1 > y) != (last.1 > y)
            && x < (last.0 - point.0) * (y - point.1) / (last.1 - point.1) + point.0
        {
            is_inside = !is_inside;
        }
        last = *point;
    }
    if is_inside { -nearest } else { nearest }
}

/// A pseudorandom generator with a fixed seed, so that every picture is the same each time.
pub(super) struct Random(u32);

impl Random {
    pub(super) fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9) | 1)
    }

    /// From 0 up to, but not including, `most` (xorshift, Marsaglia 2003).
    pub(super) fn up_to(&mut self, most: f32) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / 16_777_216.0 * most
    }
}
