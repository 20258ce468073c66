//! A smaller picture, made of rows of a larger one as they are decoded: each of its pixels is the average of the area that it
//! covers. The larger picture is never in memory.

/// Four channels, the last of which is how opaque the pixel is, or an ink.
pub(crate) type Pixel = [u8; 4];

/// What the fourth channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fourth {
    /// A colour counts as much as it is opaque.
    Alpha,
    Ink,
}

pub(crate) struct Area {
    from: (usize, usize),
    to: (usize, usize),
    fourth: Fourth,
    sums: Vec<[f32; 4]>,
    /// One row, reduced in width.
    row: Vec<[f32; 4]>,
    /// The first cell of each column, and how much of the column falls into it; the rest falls into the next.
    columns: Vec<(u32, f32)>,
}

impl Area {
    /// From a picture of this width and height to one that is no larger.
    pub(crate) fn new(from: (usize, usize), to: (usize, usize), fourth: Fourth) -> Self {
        assert!(to.0 > 0 && to.1 > 0 && to.0 <= from.0 && to.1 <= from.1, "{from:?} to {to:?}");
        let sums = vec![[0.0; 4]; to.0 * to.1];
        let columns = (0..from.0).map(|x| share(x, from.0, to.0)).collect();
        // One more cell, for what is left of the last column: nothing.
        Self { from, to, fourth, sums, row: vec![[0.0; 4]; to.0 + 1], columns }
    }

    /// Adds the row `y`. Rows may come in any order, each once.
    pub(crate) fn add_row(&mut self, y: usize, pixels: &[Pixel]) {
        self.row.fill([0.0; 4]);
        // Each pixel passes through here: no more calls than needed, which builds without optimisation do make.
        let has_alpha = self.fourth == Fourth::Alpha;
        let mut x = 0;
        while x < self.columns.len() && x < pixels.len() {
            let [mut a, mut b, mut c, d] = floats(pixels[x]);
            if has_alpha && d < 255.0 {
                let weight = d / 255.0;
                (a, b, c) = (a * weight, b * weight, c * weight);
            }
            let (cell, part) = self.columns[x];
            let first = &mut self.row[cell as usize];
            first[0] += a * part;
            first[1] += b * part;
            first[2] += c * part;
            first[3] += d * part;
            if part < 1.0 {
                let (next, rest) = (&mut self.row[cell as usize + 1], 1.0 - part);
                next[0] += a * rest;
                next[1] += b * rest;
                next[2] += c * rest;
                next[3] += d * rest;
            }
            x += 1;
        }
        for (cell, part) in both(share(y, self.from.1, self.to.1)) {
            let sums = &mut self.sums[cell * self.to.0..][..self.to.0];
            for (sum, value) in sums.iter_mut().zip(&self.row) {
                add(sum, *value, part);
            }
        }
    }

    /// Adds a single pixel, for rows that come in pieces.
    pub(crate) fn add_pixel(&mut self, x: usize, y: usize, pixel: Pixel) {
        let value = self.weighted(pixel);
        for (row, part_of_row) in both(share(y, self.from.1, self.to.1)) {
            for (column, part) in both(self.columns[x]) {
                add(&mut self.sums[row * self.to.0 + column], value, part * part_of_row);
            }
        }
    }

    fn weighted(&self, pixel: Pixel) -> [f32; 4] {
        let [a, b, c, d] = floats(pixel);
        let weight = if self.fourth == Fourth::Alpha && d < 255.0 { d / 255.0 } else { 1.0 };
        [a * weight, b * weight, c * weight, d]
    }

    /// The pixels, row by row. What was never added is transparent.
    pub(crate) fn finish(self) -> Vec<Pixel> {
        // Each cell covers as much of the larger picture.
        let area = (self.from.0 as f32 / self.to.0 as f32) * (self.from.1 as f32 / self.to.1 as f32);
        let byte = |value: f32| (value + 0.5).clamp(0.0, 255.0) as u8;
        let pixel = |[a, b, c, d]: [f32; 4]| {
            let weight = if self.fourth == Fourth::Alpha { d / 255.0 } else { area };
            if weight <= 0.0 {
                return [0; 4];
            }
            [byte(a / weight), byte(b / weight), byte(c / weight), byte(d / area)]
        };
        self.sums.into_iter().map(pixel).collect()
    }
}

fn floats(pixel: Pixel) -> [f32; 4] {
    [pixel[0] as f32, pixel[1] as f32, pixel[2] as f32, pixel[3] as f32]
}

fn add(sum: &mut [f32; 4], value: [f32; 4], part: f32) {
    sum[0] += value[0] * part;
    sum[1] += value[1] * part;
    sum[2] += value[2] * part;
    sum[3] += value[3] * part;
}

/// The cell that a pixel begins in, and how much of it falls there. It is no larger than a cell.
fn share(at: usize, from: usize, to: usize) -> (u32, f32) {
    let (start, end) = (at * to, (at + 1) * to);
    let cell = start / from;
    let border = (cell + 1) * from;
    (cell as u32, if end <= border { 1.0 } else { (border - start) as f32 / to as f32 })
}

/// The one or two cells of such a share.
fn both((cell, part): (u32, f32)) -> impl Iterator<Item = (usize, f32)> {
    let cell = cell as usize;
    [(cell, part), (cell + 1, 1.0 - part)].into_iter().filter(|(_, part)| *part > 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reduced(
        from: (usize, usize),
        to: (usize, usize),
        pixel: impl Fn(usize, usize) -> Pixel,
    ) -> Vec<Pixel> {
        let mut area = Area::new(from, to, Fourth::Alpha);
        for y in (0..from.1).rev() {
            area.add_row(y, &(0..from.0).map(|x| pixel(x, y)).collect::<Vec<_>>());
        }
        area.finish()
    }

    #[test]
    fn cell_is_the_average_of_what_it_covers() {
        let grey = |value| [value, value, value, 255];
        assert_eq!(reduced((4, 2), (2, 1), |x, _| grey(x as u8 * 10)), [grey(5), grey(25)]);
        // Three pixels in two cells: the middle one is shared.
        assert_eq!(reduced((3, 1), (2, 1), |x, _| grey([0, 90, 180][x])), [grey(30), grey(150)]);
        // The colour of what is not seen does not count.
        let half = reduced((2, 1), (1, 1), |x, _| [[200, 0, 0, 255], [0, 200, 0, 0]][x]);
        assert_eq!(half, [[200, 0, 0, 128]]);
    }

    #[test]
    fn what_is_missing_is_transparent() {
        let mut area = Area::new((2, 4), (1, 2), Fourth::Alpha);
        area.add_row(0, &[[9, 9, 9, 255]; 2]);
        area.add_row(1, &[[9, 9, 9, 255]; 2]);
        assert_eq!(area.finish(), [[9, 9, 9, 255], [0; 4]]);
    }

    proptest! {
        #[test]
        fn pixels_of_one_colour_stay_so(from in (1_usize..60, 1_usize..60), part in (1_usize..60, 1_usize..60), pixel: [u8; 3], alpha in 1_u8..) {
            let to = (part.0.min(from.0), part.1.min(from.1));
            let pixel = [pixel[0], pixel[1], pixel[2], alpha];
            for found in reduced(from, to, |_, _| pixel) {
                prop_assert!(found.iter().zip(pixel).all(|(a, b)| a.abs_diff(b) <= 1), "{found:?} {pixel:?}");
            }
            let mut single = Area::new(from, to, Fourth::Alpha);
            (0..from.1).for_each(|y| (0..from.0).for_each(|x| single.add_pixel(x, y, pixel)));
            prop_assert_eq!(single.finish(), reduced(from, to, |_, _| pixel));
        }

        #[test]
        fn picture_of_the_same_size_stays_as_it_is(pixels in prop::collection::vec(any::<[u8; 4]>(), 1..200)) {
            let found = reduced((pixels.len(), 1), (pixels.len(), 1), |x, _| pixels[x]);
            for (found, pixel) in found.iter().zip(&pixels) {
                prop_assert!(found == pixel || pixel[3] == 0, "{found:?} {pixel:?}");
            }
        }
    }
}
