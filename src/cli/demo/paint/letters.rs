//! A stroke font for charts and sketches, so that the binary holds no font file.

use super::canvas::{Canvas, Colour};

/// The strokes of each letter on a grid of 4 by 6: pairs of digits x, y; a space begins a new stroke.
const LETTERS: [(char, &str); 39] = [
    ('A', "062046 1434"),
    ('B', "06003041423303 3344453606"),
    ('C', "4130100105163645"),
    ('D', "0600304145360600"),
    ('E', "40000646 0333"),
    ('F', "400006 0333"),
    ('G', "4130100105163645 454323"),
    ('H', "0006 4046 0343"),
    ('I', "1030 2026 1636"),
    ('J', "4045361605"),
    ('K', "0006 400346"),
    ('L', "000646"),
    ('M', "0600234046"),
    ('N', "06004640"),
    ('O', "103041453616050110"),
    ('P', "06003041423303"),
    ('Q', "103041453616050110 2446"),
    ('R', "06003041423303 2346"),
    ('S', "413010010213334445361605"),
    ('T', "0040 2026"),
    ('U', "000516364540"),
    ('V', "002640"),
    ('W', "0016233640"),
    ('X', "0046 4006"),
    ('Y', "0023 402326"),
    ('Z', "00400646"),
    ('0', "103041453616050110"),
    ('1', "112026 1636"),
    ('2', "011030414206 0646"),
    ('3', "01103041423313 334445361605"),
    ('4', "36300444"),
    ('5', "400003334445361605"),
    ('6', "4130100105163645443303"),
    ('7', "004016"),
    ('8', "103041423313020110 133344453616050413"),
    ('9', "4333130201103041453616"),
    ('.', "2626"),
    (',', "2617"),
    ('%', "0640 1010 3636"),
];

/// The width of a letter and the gap after it, in units of the grid.
const ADVANCE: f32 = 6.0;

/// Draws a text with its upper left corner at a point. `size` is the height of a letter, `weight` of its strokes, in pixels.
pub(super) fn write(
    canvas: &mut Canvas,
    text: &str,
    (x, y): (f32, f32),
    size: f32,
    weight: f32,
    ink: Colour,
) {
    let unit = size / 6.0;
    for (index, letter) in text.chars().enumerate() {
        let Some((_, strokes)) = LETTERS.iter().find(|(known, _)| *known == letter) else { continue };
        let left = x + index as f32 * ADVANCE * unit;
        for stroke in strokes.split(' ') {
            let points: Vec<_> = stroke
                .as_bytes()
                .chunks_exact(2)
                .map(|pair| (left + f32::from(pair[0] - b'0') * unit, y + f32::from(pair[1] - b'0') * unit))
                .collect();
            canvas.stroke(&points, weight, ink);
        }
    }
}

/// The width of a text, in pixels.
pub(super) fn width(text: &str, size: f32) -> f32 {
    (text.chars().count() as f32 * ADVANCE - 2.0).max(0.0) * size / 6.0
}
