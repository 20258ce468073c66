//! Drawings: a chart, a sketch, a pattern, and a dragon.

use std::f32::consts::PI;

use super::{
    canvas::{Canvas, Colour, Point, hex},
    letters::{width, write},
};

const PAPER: Colour = hex(0xfdfaf5);
const INK: Colour = hex(0x2b2622);
const FADED: Colour = hex(0x857b70);
const LINE: Colour = hex(0xe9e1d6);
const EMBER: Colour = hex(0xc2410c);

/// A bar chart of load times, before and after.
pub(super) fn chart() -> Canvas {
    const BEFORE: Colour = hex(0xd8c9b6);
    const PAGES: [(&str, u32, u32); 4] =
        [("START", 1_240, 310), ("ROOM", 980, 180), ("SEARCH", 1_610, 240), ("FILES", 720, 260)];
    let mut canvas = Canvas::new(1_200, 800, PAPER);
    write(&mut canvas, "LOAD TIME, BEFORE AND AFTER", (90.0, 72.0), 30.0, 4.6, INK);
    write(&mut canvas, "MEDIAN OF 200 VISITS, IN MS", (90.0, 128.0), 17.0, 2.6, FADED);
    for (index, (name, colour)) in [("BEFORE", BEFORE), ("AFTER", EMBER)].into_iter().enumerate() {
        let x = 840.0 + index as f32 * 150.0;
        canvas.bar((x, 126.0, x + 20.0, 146.0), 5.0, colour);
        write(&mut canvas, name, (x + 32.0, 127.0), 17.0, 2.6, FADED);
    }
    let height = |value: u32| 690.0 - value as f32 * 0.27;
    for step in 0..4 {
        let (value, y) = (step * 500, height(step * 500));
        canvas.bar((170.0, y - 1.0, 1_110.0, y + 1.0), 1.0, LINE);
        let label = value.to_string();
        write(&mut canvas, &label, (145.0 - width(&label, 17.0), y - 8.0), 17.0, 2.4, FADED);
    }
    for (index, (name, before, after)) in PAGES.into_iter().enumerate() {
        let middle = 300.0 + index as f32 * 232.0;
        for (value, left, colour, ink) in
            [(before, middle - 82.0, BEFORE, FADED), (after, middle + 6.0, EMBER, EMBER)]
        {
            let top = height(value);
            canvas.bar((left, top, left + 76.0, 702.0), 10.0, colour);
            let label = value.to_string();
            write(&mut canvas, &label, (left + 38.0 - width(&label, 18.0) / 2.0, top - 32.0), 18.0, 2.8, ink);
        }
        // Cuts the round lower corners off the bars.
        canvas.bar((middle - 90.0, 690.0, middle + 90.0, 706.0), 0.0, PAPER);
        write(&mut canvas, name, (middle - width(name, 19.0) / 2.0, 718.0), 19.0, 3.0, INK);
    }
    canvas.bar((170.0, 689.0, 1_110.0, 691.0), 1.0, FADED);
    canvas
}

/// A sketch of the launch page, with lines as if drawn by hand.
pub(super) fn sketch() -> Canvas {
    let mut canvas = Canvas::new(960, 1_200, hex(0xf8f3e9));
    for row in 1..40 {
        for column in 1..32 {
            canvas.disc((column as f32 * 30.0, row as f32 * 30.0), 1.5, hex(0xdccfbc), 1.0);
        }
    }
    let pencil = hex(0x4a4440);
    let mut frame = |left: f32, top: f32, right: f32, bottom: f32, width: f32, colour: Colour| {
        for (from, to) in [
            ((left - 6.0, top), (right + 5.0, top + 2.0)),
            ((right, top - 5.0), (right - 2.0, bottom + 6.0)),
            ((right + 6.0, bottom), (left - 4.0, bottom - 2.0)),
            ((left, bottom + 5.0), (left + 2.0, top - 6.0)),
        ] {
            by_hand(&mut canvas, from, to, width, colour);
        }
    };
    frame(90.0, 90.0, 790.0, 1_090.0, 5.0, pencil);
    frame(140.0, 640.0, 330.0, 800.0, 3.4, pencil);
    frame(350.0, 640.0, 540.0, 800.0, 3.4, pencil);
    frame(560.0, 640.0, 740.0, 800.0, 3.4, pencil);
    for (from, to) in [
        ((90.0, 160.0), (790.0, 162.0)),
        ((140.0, 640.0), (330.0, 800.0)),
        ((330.0, 640.0), (140.0, 800.0)),
        ((350.0, 640.0), (540.0, 800.0)),
        ((540.0, 640.0), (350.0, 800.0)),
        ((560.0, 640.0), (740.0, 800.0)),
        ((740.0, 640.0), (560.0, 800.0)),
    ] {
        by_hand(&mut canvas, from, to, 2.6, pencil);
    }
    for x in [120.0, 150.0, 180.0] {
        canvas.frame((x - 8.0, 117.0, x + 8.0, 133.0), 8.0, 3.0, pencil);
    }
    write(&mut canvas, "QUIETER, FASTER,", (150.0, 244.0), 38.0, 6.6, INK);
    write(&mut canvas, "YOURS.", (150.0, 318.0), 38.0, 6.6, INK);
    for (row, end) in [(420.0, 640.0), (450.0, 600.0), (480.0, 480.0)] {
        by_hand(&mut canvas, (150.0, row), (end, row + 2.0), 3.0, FADED);
    }
    canvas.bar((150.0, 524.0, 390.0, 590.0), 33.0, EMBER);
    write(&mut canvas, "LIGHT IT", (178.0, 545.0), 24.0, 4.6, PAPER);
    for column in [140.0, 350.0, 560.0] {
        for row in [835.0, 862.0, 889.0, 916.0] {
            by_hand(&mut canvas, (column, row), (column + 178.0 - (row - 835.0) * 0.8, row), 2.6, FADED);
        }
    }
    write(&mut canvas, "LOTS OF CONFIDENCE", (150.0, 1_000.0), 22.0, 3.4, FADED);
    by_hand(&mut canvas, (150.0, 1_040.0), (548.0, 1_036.0), 2.6, FADED);
    // Notes on it, in another colour.
    let note = hex(0x2c6a8a);
    write(&mut canvas, "44 PX", (600.0, 506.0), 30.0, 5.0, note);
    canvas.stroke(&[(584.0, 528.0), (510.0, 558.0), (410.0, 560.0)], 4.0, note);
    canvas.stroke(&[(434.0, 544.0), (408.0, 560.0), (434.0, 576.0)], 4.0, note);
    canvas.arc((262.0, 338.0), (142.0, 42.0), (0.3, PI * 2.2), 4.0, note);
    write(&mut canvas, "YES", (420.0, 322.0), 30.0, 5.0, note);
    canvas
}

/// A line that is not quite straight.
fn by_hand(canvas: &mut Canvas, from: Point, to: Point, width: f32, colour: Colour) {
    const PARTS: usize = 12;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let points: Vec<Point> = (0..=PARTS)
        .map(|part| {
            let along = part as f32 / PARTS as f32;
            let off = 1.5 * (along * 9.0 + from.0 * 0.37 + to.1 * 0.11).sin();
            (from.0 + dx * along - dy / length * off, from.1 + dy * along + dx / length * off)
        })
        .collect();
    canvas.stroke(&points, width, colour);
}

/// The pattern of a tie.
pub(super) fn ducks() -> Canvas {
    let mut canvas = Canvas::new(1_000, 750, hex(0x1f3d5c));
    for stripe in 0..30 {
        let x = stripe as f32 * 66.0 - 800.0;
        canvas.stroke(&[(x, 800.0), (x + 850.0, -50.0)], 3.0, hex(0x27496b));
    }
    for row in 0..6 {
        for column in 0..7 {
            let (row, column) = (row as f32, column as f32);
            let at = (column * 180.0 + (row % 2.0) * 90.0 - 30.0, row * 150.0 + 20.0);
            duck(&mut canvas, at, if (row + column) % 5.0 == 3.0 { -1.0 } else { 1.0 });
        }
    }
    canvas
}

fn duck(canvas: &mut Canvas, (x, y): Point, towards: f32) {
    let at = |dx: f32, dy: f32| (x + dx * towards, y + dy);
    let (down, wing) = (hex(0xf6c945), hex(0xe2a92c));
    canvas.polygon(&[at(-24.0, 2.0), at(-56.0, -18.0), at(-46.0, 18.0)], down, 1.0);
    canvas.oval(at(0.0, 10.0), (42.0, 27.0), 0.0, down, 1.0);
    canvas.polygon(&[at(44.0, -28.0), at(66.0, -18.0), at(44.0, -12.0)], hex(0xe8702a), 1.0);
    canvas.disc(at(28.0, -24.0), 22.0, down, 1.0);
    canvas.oval(at(-6.0, 10.0), (22.0, 13.0), -0.25 * towards, wing, 1.0);
    canvas.disc(at(34.0, -29.0), 3.6, hex(0x1b2430), 1.0);
    canvas.stroke(
        &[at(-40.0, 44.0), at(-24.0, 48.0), at(-8.0, 44.0), at(8.0, 48.0), at(24.0, 44.0), at(40.0, 48.0)],
        4.0,
        hex(0x6fa3c7),
    );
}

/// A drawing in crayon.
pub(super) fn dragon() -> Canvas {
    let mut canvas = Canvas::new(1_100, 800, hex(0xfffdf6));
    let (green, red, sun) = (hex(0x4f9a4a), hex(0xdd4b2a), hex(0xf3bd3c));
    canvas.disc((970.0, 130.0), 64.0, sun, 1.0);
    for ray in 0..10 {
        let (sin, cos) = (ray as f32 * PI / 5.0).sin_cos();
        let at = |far: f32| (970.0 + cos * far, 130.0 + sin * far);
        canvas.stroke(&[at(82.0), at(112.0)], 9.0, sun);
    }
    for blade in 0..40 {
        let x = blade as f32 * 28.0 + 6.0;
        let lean = 9.0 * (x * 1.7).sin();
        canvas.stroke(&[(x, 770.0), (x + lean, 715.0 + 12.0 * (x * 0.9).cos())], 6.0, hex(0x86b86a));
    }
    // The tail, the body and the neck are one line.
    let spine: Vec<Point> = (0..=30)
        .map(|part| part as f32 / 30.0)
        .map(|along| {
            (
                930.0 - 560.0 * along,
                560.0 + 66.0 * (along * 7.5).sin() - 230.0 * (along * 1.25 - 0.35).max(0.0).powi(2),
            )
        })
        .collect();
    for (index, pair) in spine.windows(2).enumerate() {
        let thick = 26.0 + 92.0 * (index as f32 / 29.0 * PI).sin().powi(2);
        canvas.stroke(pair, thick, green);
    }
    for (index, (x, y)) in spine.iter().enumerate().skip(3).step_by(3) {
        let top = y - 13.0 - 46.0 * (index as f32 / 29.0 * PI).sin().powi(2);
        canvas.polygon(&[(x - 17.0, top + 8.0), (x + 4.0, top - 34.0), (x + 19.0, top + 8.0)], red, 1.0);
    }
    for index in [7, 10, 17, 20] {
        let (x, y) = spine[index];
        canvas.stroke(&[(x, y), (x - 4.0, 712.0), (x - 26.0, 714.0)], 28.0, green);
    }
    canvas.oval((330.0, 400.0), (112.0, 82.0), -0.12, green, 1.0);
    canvas.oval((238.0, 432.0), (66.0, 46.0), 0.0, green, 1.0);
    canvas.stroke(&[(372.0, 330.0), (392.0, 268.0)], 15.0, red);
    canvas.stroke(&[(320.0, 322.0), (318.0, 258.0)], 15.0, red);
    // Spectacles and a moustache.
    for x in [282.0, 366.0] {
        canvas.disc((x, 372.0), 33.0, hex(0xffffff), 1.0);
        canvas.arc((x, 372.0), (34.0, 34.0), (0.0, PI * 2.0), 7.0, INK);
        canvas.disc((x - 7.0, 376.0), 10.0, INK, 1.0);
    }
    canvas.stroke(&[(316.0, 366.0), (332.0, 366.0)], 7.0, INK);
    canvas.stroke(
        &[(310.0, 436.0), (272.0, 462.0), (242.0, 442.0), (208.0, 462.0), (176.0, 440.0)],
        17.0,
        INK,
    );
    for (dy, end, colour) in [(0.0, 40.0, red), (-26.0, 70.0, sun), (28.0, 76.0, sun), (14.0, 56.0, red)] {
        canvas.stroke(
            &[(170.0, 478.0), (128.0, 500.0 + dy), (98.0, 482.0 + dy), (end, 508.0 + dy * 1.7)],
            12.0,
            colour,
        );
    }
    canvas
}
