//! A frame: its components, what is kept of their coefficients, and their samples.

use std::io;

use super::{idct, segments::Segments, wrong};

/// Where the coefficients of a block stand, in the order of the file (figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

pub(super) struct Component {
    pub(super) id: u8,
    pub(super) h: usize,
    pub(super) v: usize,
    table: usize,
    /// Blocks of the component alone, and with those that fill up the last units of an interleaved scan.
    pub(super) blocks: (usize, usize),
    pub(super) padded: (usize, usize),
    /// A block becomes 2^wide by 2^high samples.
    wide: usize,
    high: usize,
    /// Of a progressive frame: the lowest coefficients of each block, `kept` of them, and which of all are not zero.
    pub(super) coefficients: Vec<i16>,
    pub(super) present: Vec<u64>,
    /// The place of a coefficient, in the order of the file, among those that are kept.
    pub(super) slots: [Option<u8>; 64],
    pub(super) kept: usize,
    samples: Vec<u8>,
}

pub(super) struct Frame {
    pub(super) is_progressive: bool,
    width: usize,
    height: usize,
    by: usize,
    most: (usize, usize),
    /// Units of an interleaved scan.
    pub(super) units: (usize, usize),
    pub(super) components: Vec<Component>,
}

impl Frame {
    /// Divided by `by`, or by more if it would take more memory than the budget.
    pub(super) fn new(segment: &[u8], is_progressive: bool, by: usize, budget: usize) -> io::Result<Self> {
        let mut by = by;
        while by < 8 && memory(segment, is_progressive, by) > budget {
            by *= 2;
        }
        if memory(segment, is_progressive, by) > budget {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let [8, a, b, c, d, count @ (1 | 3 | 4), specs @ ..] = segment else { return Err(wrong()) };
        let height = usize::from(u16::from_be_bytes([*a, *b]));
        let width = usize::from(u16::from_be_bytes([*c, *d]));
        let (specs, []) = specs.get(..3 * usize::from(*count)).ok_or_else(wrong)?.as_chunks::<3>() else {
            return Err(wrong());
        };
        let mut most = (1, 1);
        for [_, factors, table] in specs {
            let (h, v) = (usize::from(factors >> 4), usize::from(factors & 15));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) || *table > 3 {
                return Err(wrong());
            }
            most = (most.0.max(h), most.1.max(v));
        }
        if width == 0 || height == 0 {
            return Err(wrong());
        }
        let units = (width.div_ceil(8 * most.0), height.div_ceil(8 * most.1));
        let mut frame = Self { is_progressive, width, height, by, most, units, components: Vec::new() };
        for [id, factors, table] in specs {
            let (h, v) = (usize::from(factors >> 4), usize::from(factors & 15));
            frame.components.push(Component::new(&frame, *id, (h, v), usize::from(*table)));
        }
        Ok(frame)
    }

    /// In pixels, after it was divided.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.width.div_ceil(self.by), self.height.div_ceil(self.by))
    }

    /// Makes samples of the coefficients of a progressive frame.
    pub(super) fn finish(&mut self, segments: &Segments) {
        if !self.is_progressive {
            return;
        }
        for component in &mut self.components {
            let Some(quantization) = component.quantization(segments) else { continue };
            let coefficients = std::mem::take(&mut component.coefficients);
            component.present = Vec::new();
            component.samples = vec![128; component.size()];
            let mut block = [0.0; 64];
            for (number, kept) in coefficients.chunks_exact(component.kept).enumerate() {
                for at in 0..64 {
                    if let Some(slot) = component.slots[at] {
                        let value = f32::from(kept[usize::from(slot)]) * quantization[at];
                        block[usize::from(ZIGZAG[at])] = value;
                    }
                }
                component.put(number, &block);
            }
        }
    }
}

/// Bytes that a frame takes, at most, with the picture that is made of it.
fn memory(segment: &[u8], is_progressive: bool, by: usize) -> usize {
    let side =
        |at: usize| segment.get(at..at + 2).map_or(0, |it| usize::from(u16::from_be_bytes([it[0], it[1]])));
    let blocks = side(1).div_ceil(8) * side(3).div_ceil(8);
    let specs = segment.get(6..).unwrap_or_default().as_chunks::<3>().0;
    let factors = |it: &[u8; 3]| (usize::from(it[1] >> 4).max(1), usize::from(it[1] & 15).max(1));
    let area = |it: &[u8; 3]| factors(it).0 * factors(it).1;
    let most = specs.iter().map(|it| factors(it).0).max().unwrap_or(1)
        * specs.iter().map(|it| factors(it).1).max().unwrap_or(1);
    let samples = (8 / by).pow(2);
    let sum: usize = specs
        .iter()
        .map(|it| {
            let of = blocks * area(it) / most;
            let coefficients = if by == 8 { 2 } else { 2 * samples + 8 };
            // Samples of a coarser component are as fine as the others' in a baseline frame.
            let samples = if is_progressive { of * samples } else { blocks * samples };
            samples + if is_progressive { of * coefficients } else { 0 }
        })
        .sum();
    sum + (1 << 20)
}

impl Component {
    fn new(frame: &Frame, id: u8, (h, v): (usize, usize), table: usize) -> Self {
        let side = |pixels: usize, own: usize, most: usize| (pixels * own).div_ceil(most).div_ceil(8);
        let whole = (8 / frame.by).trailing_zeros() as usize;
        // A coarser component gives more samples to each block, so that it need not be spread out afterwards.
        let finer = |own: usize, most: usize| {
            let more = if frame.is_progressive { 0 } else { (most / own).ilog2() as usize };
            (whole + more).min(3)
        };
        let (wide, high) = (finer(h, frame.most.0), finer(v, frame.most.1));
        let padded = (frame.units.0 * h, frame.units.1 * v);
        let mut component = Self {
            id,
            h,
            v,
            table,
            blocks: (side(frame.width, h, frame.most.0), side(frame.height, v, frame.most.1)),
            padded,
            wide,
            high,
            coefficients: Vec::new(),
            present: Vec::new(),
            slots: [None; 64],
            kept: 0,
            samples: Vec::new(),
        };
        for (at, slot) in component.slots.iter_mut().enumerate() {
            let (x, y) = (ZIGZAG[at] % 8, ZIGZAG[at] / 8);
            if usize::from(x) < 1 << wide && usize::from(y) < 1 << high {
                *slot = Some(component.kept as u8);
                component.kept += 1;
            }
        }
        if frame.is_progressive {
            component.coefficients = vec![0; padded.0 * padded.1 * component.kept];
            if component.kept > 1 {
                component.present = vec![0; padded.0 * padded.1];
            }
        } else {
            component.samples = vec![128; component.size()];
        }
        component
    }

    fn size(&self) -> usize {
        (self.padded.0 << self.wide) * (self.padded.1 << self.high)
    }

    /// In the order of the file.
    pub(super) fn quantization(&self, segments: &Segments) -> Option<[f32; 64]> {
        segments.quantization[self.table].as_deref().map(|table| table.map(f32::from))
    }

    /// Transforms a block and puts its samples where they belong.
    pub(super) fn put(&mut self, number: usize, block: &[f32; 64]) {
        let stride = self.padded.0 << self.wide;
        let (left, top) = ((number % self.padded.0) << self.wide, (number / self.padded.0) << self.high);
        idct::transform(block, self.wide, self.high, |x, y, sample| {
            self.samples[(top + y) * stride + left + x] = sample;
        });
    }

    /// The samples for row `y` of the picture, and the factors that make a column of them of one of the picture.
    pub(super) fn line(&self, y: usize, frame: &Frame) -> (&[u8], usize, usize) {
        let whole = 8 / frame.by;
        let stride = self.padded.0 << self.wide;
        let own = y * (self.v << self.high) / (frame.most.1 * whole);
        (&self.samples[own * stride..][..stride], self.h << self.wide, frame.most.0 * whole)
    }
}
