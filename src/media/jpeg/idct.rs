//! The inverse cosine transform to fewer samples than coefficients: an average of the samples that it stands for.

use std::sync::LazyLock;

/// `BASIS[n][x][u]`: the part of coefficient `u` in sample `x` of 2^n, per side (A.3.3).
static BASIS: LazyLock<[[[f32; 8]; 8]; 4]> = LazyLock::new(|| {
    std::array::from_fn(|n| {
        let samples = 1 << n;
        std::array::from_fn(|x| {
            std::array::from_fn(|u| {
                if x >= samples || u >= samples {
                    return 0.0;
                }
                let angle = (2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / (2 * samples) as f64;
                let scale = if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
                (angle.cos() * scale / 2.0) as f32
            })
        })
    })
});

/// Samples of 2^`wide` columns and 2^`high` rows; `block` has the coefficients row by row, eight to each.
pub(super) fn transform(block: &[f32; 64], wide: usize, high: usize, mut put: impl FnMut(usize, usize, u8)) {
    let level = |value: f32| (value + 128.5).clamp(0.0, 255.0) as u8;
    if wide == 0 && high == 0 {
        return put(0, 0, level(block[0] / 8.0));
    }
    let (columns, rows) = (&BASIS[wide], &BASIS[high]);
    let (width, height) = (1 << wide, 1 << high);
    let mut between = [[0.0_f32; 8]; 8];
    for (v, line) in between.iter_mut().enumerate().take(height) {
        let coefficients = &block[8 * v..8 * v + width];
        if coefficients.iter().all(|it| *it == 0.0) {
            continue;
        }
        for (x, sample) in line.iter_mut().enumerate().take(width) {
            *sample = coefficients.iter().zip(&columns[x]).map(|(a, b)| a * b).sum();
        }
    }
    for (y, row) in rows.iter().enumerate().take(height) {
        let mut samples = [0.0_f32; 8];
        for (line, part) in between.iter().zip(row).take(height) {
            for (sample, value) in samples.iter_mut().zip(line) {
                *sample += value * part;
            }
        }
        for (x, sample) in samples.iter().enumerate().take(width) {
            put(x, y, level(*sample));
        }
    }
}
