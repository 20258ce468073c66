//! Scenes, saved as photos.

use std::f32::consts::{PI, TAU};

use super::canvas::{Canvas, Colour, Random, hex, oval};

/// Hills at dusk, and a cat.
pub(super) fn dusk() -> Canvas {
    let mut canvas = Canvas::gradient(
        1_200,
        800,
        &[hex(0x3d3a6b), hex(0x8a5383), hex(0xe0795f), hex(0xf8bd78), hex(0xfbdca0)],
    );
    canvas.glow((830.0, 345.0), 430.0, hex(0xffe9bd), 0.85);
    canvas.disc((830.0, 345.0), 62.0, hex(0xfff3d6), 1.0);
    for (x, y, size) in [(300.0, 210.0, 16.0), (350.0, 190.0, 12.0), (385.0, 222.0, 10.0)] {
        canvas.stroke(&[(x - size, y - size * 0.4), (x, y), (x + size, y - size * 0.5)], 2.6, hex(0x4a3358));
    }
    let (far, near) = (hex(0xd98c76), hex(0x241a33));
    for layer in 0..6 {
        let depth = layer as f32 / 5.0;
        let colour = far.mixed(hex(0x7b4468), depth * 1.6).mixed(near, depth * depth);
        let mist = colour.mixed(hex(0xf3b584), 0.42 * (1.0 - depth));
        canvas.land(|x| ridge(layer, x), colour, mist, 190.0);
    }
    cat(&mut canvas, 262.0, ridge(4, 262.0) + 3.0, hex(0x241a33));
    // The nearest hill again, in front of the cat.
    canvas.land(|x| ridge(5, x), near, hex(0x171022), 200.0);
    canvas
}

fn ridge(layer: u32, x: f32) -> f32 {
    let n = layer as f32;
    let base = 415.0 + n * 66.0;
    base - (34.0 + 6.0 * n) * (x / (310.0 - 22.0 * n) + n * 1.9).sin()
        - 17.0 * (x / 97.0 + n * 2.7).sin()
        - 4.0 * (x / 31.0 + n).sin()
}

fn cat(canvas: &mut Canvas, x: f32, y: f32, fur: Colour) {
    canvas.oval((x, y - 30.0), (25.0, 36.0), 0.08, fur, 1.0);
    canvas.disc((x + 9.0, y - 72.0), 19.0, fur, 1.0);
    canvas.polygon(&[(x - 9.0, y - 76.0), (x - 8.0, y - 104.0), (x + 10.0, y - 88.0)], fur, 1.0);
    canvas.polygon(&[(x + 27.0, y - 76.0), (x + 26.0, y - 104.0), (x + 8.0, y - 88.0)], fur, 1.0);
    canvas.stroke(
        &[(x - 16.0, y - 8.0), (x - 46.0, y - 6.0), (x - 60.0, y - 22.0), (x - 56.0, y - 40.0)],
        9.0,
        fur,
    );
}

/// A camp fire below the stars.
pub(super) fn camp() -> Canvas {
    let mut canvas = Canvas::gradient(
        1_200,
        800,
        &[hex(0x0a1028), hex(0x131d40), hex(0x27305c), hex(0x5b4668), hex(0x8f5a5c)],
    );
    let mut random = Random::new(41);
    for _ in 0..64 {
        let along = random.up_to(1.0);
        let at = (along * 1_300.0 - 50.0, 430.0 - along * 420.0 + random.up_to(90.0));
        canvas.glow(at, 110.0 + random.up_to(110.0), hex(0x9aa3e0), 0.045);
    }
    for _ in 0..520 {
        let (x, y) = (random.up_to(1_200.0), random.up_to(1.0));
        let (size, light) = (0.6 + random.up_to(1.0).powi(6) * 2.2, 0.25 + random.up_to(0.75));
        canvas.disc((x, y * y.sqrt() * 560.0), size, hex(0xfff6e2), light);
    }
    canvas.stroke(&[(930.0, 96.0), (1_040.0, 140.0)], 1.6, hex(0xaeb6e6));
    let range =
        |x: f32| 560.0 - 70.0 * (x / 240.0 + 0.4).sin() - 32.0 * ((x / 83.0).sin() * (x / 211.0).cos());
    canvas.land(range, hex(0x1d2244), hex(0x33305a), 160.0);
    let shore = |x: f32| 640.0 + 16.0 * (x / 180.0).sin() + 0.03 * (x - 600.0).abs();
    for _ in 0..64 {
        let x = random.up_to(1_200.0);
        // No trees in the clearing.
        let size = (60.0 + random.up_to(80.0)) * ((x - 640.0).abs() / 420.0).clamp(0.0, 1.0);
        fir(&mut canvas, x, shore(x) + 8.0, size);
    }
    canvas.land(shore, hex(0x0f1226), hex(0x080a16), 120.0);
    tent(&mut canvas, 868.0, 664.0);
    fire(&mut canvas, 590.0, 700.0);
    sitting(&mut canvas, 500.0, 706.0, 1.0);
    sitting(&mut canvas, 686.0, 708.0, -1.0);
    canvas
}

fn fir(canvas: &mut Canvas, x: f32, y: f32, size: f32) {
    for tier in 0..3 {
        let tier = tier as f32;
        let (top, bottom, half) =
            (y - size * (1.0 - tier * 0.24), y - size * (0.46 - tier * 0.23), size * (0.14 + tier * 0.06));
        canvas.polygon(&[(x, top), (x + half, bottom), (x - half, bottom)], hex(0x10142c), 1.0);
    }
}

fn tent(canvas: &mut Canvas, x: f32, y: f32) {
    canvas.glow((x, y - 30.0), 170.0, hex(0xf0a050), 0.30);
    canvas.polygon(&[(x - 105.0, y + 30.0), (x, y - 88.0), (x + 105.0, y + 30.0)], hex(0xd9803f), 1.0);
    canvas.polygon(&[(x - 105.0, y + 30.0), (x, y - 88.0), (x - 34.0, y + 30.0)], hex(0xf0a95e), 1.0);
    canvas.polygon(&[(x - 34.0, y + 30.0), (x, y - 88.0), (x + 26.0, y + 30.0)], hex(0x7a3a26), 1.0);
}

fn fire(canvas: &mut Canvas, x: f32, y: f32) {
    canvas.glow((x, y - 30.0), 400.0, hex(0xff8a2e), 0.42);
    canvas.glow((x, y - 30.0), 150.0, hex(0xffc061), 0.75);
    canvas.stroke(&[(x - 42.0, y + 14.0), (x + 34.0, y - 4.0)], 13.0, hex(0x3a1f18));
    canvas.stroke(&[(x + 42.0, y + 14.0), (x - 34.0, y - 4.0)], 13.0, hex(0x54291b));
    for (shift, size, colour) in
        [(-12.0, 0.8, 0xf2682a), (12.0, 0.7, 0xf2682a), (0.0, 1.0, 0xff9a3c), (2.0, 0.6, 0xffd67a)]
    {
        let (x, bottom) = (x + shift, y + 4.0);
        canvas.polygon(
            &[
                (x, bottom - 96.0 * size),
                (x + 15.0 * size, bottom - 56.0 * size),
                (x + 24.0 * size, bottom - 24.0 * size),
                (x + 12.0 * size, bottom),
                (x - 12.0 * size, bottom),
                (x - 24.0 * size, bottom - 26.0 * size),
                (x - 9.0 * size, bottom - 52.0 * size),
            ],
            hex(colour),
            0.95,
        );
    }
    for (dx, dy) in [(-20.0, 120.0), (14.0, 142.0), (32.0, 110.0), (-6.0, 176.0)] {
        canvas.disc((x + dx, y - dy), 2.2, hex(0xffc46b), 0.9);
    }
}

/// A person who sits by the fire; `towards` is 1 or -1.
fn sitting(canvas: &mut Canvas, x: f32, y: f32, towards: f32) {
    let (cloth, light) = (hex(0x1a1630), hex(0xc9703c));
    canvas.oval((x + 3.0 * towards, y - 27.0), (19.0, 31.0), 0.0, light, 1.0);
    canvas.oval((x, y - 26.0), (19.0, 31.0), 0.0, cloth, 1.0);
    canvas.disc((x + 5.0 * towards, y - 66.0), 14.0, light, 1.0);
    canvas.disc((x + 2.0 * towards, y - 67.0), 14.0, cloth, 1.0);
    canvas.stroke(&[(x, y), (x + 30.0 * towards, y - 12.0), (x + 36.0 * towards, y + 8.0)], 12.0, cloth);
}

/// A kettle and cups on a table.
pub(super) fn kettle() -> Canvas {
    let mut canvas = Canvas::gradient(1_200, 900, &[hex(0xf4e4cf), hex(0xf1d9bd)]);
    // Light of a window on the wall, and the table.
    canvas.polygon(&[(120.0, 60.0), (560.0, 60.0), (700.0, 590.0), (260.0, 590.0)], hex(0xfff3dc), 0.75);
    canvas.stroke(&[(340.0, 60.0), (480.0, 590.0)], 14.0, hex(0xf3e0c7));
    canvas.stroke(&[(180.0, 300.0), (630.0, 300.0)], 14.0, hex(0xf3e0c7));
    canvas.land(|_| 590.0, hex(0xc88a5c), hex(0xb06f45), 310.0);
    canvas.land(|_| 590.0, hex(0xd79c6d), hex(0xc88a5c), 14.0);
    canvas.land(|_| 604.0, hex(0xc58658), hex(0xa9683f), 296.0);
    for (x, width) in [(540.0, 270.0), (880.0, 125.0), (215.0, 115.0), (1_040.0, 70.0)] {
        canvas.oval((x + 30.0, 742.0), (width, 24.0), 0.0, hex(0x6e3d24), 0.35);
    }
    let (enamel, shade, light) = (hex(0x2c7a78), hex(0x1f5c60), hex(0x69aaa2));
    canvas.arc((540.0, 436.0), (132.0, 172.0), (PI, TAU), 24.0, hex(0x4a2f27));
    canvas.stroke(&[(700.0, 610.0), (800.0, 520.0), (838.0, 420.0)], 52.0, shade);
    canvas.stroke(&[(812.0, 424.0), (868.0, 410.0)], 16.0, shade);
    canvas.polygon(
        &[(404.0, 430.0), (676.0, 430.0), (764.0, 700.0), (744.0, 740.0), (336.0, 740.0), (316.0, 700.0)],
        enamel,
        1.0,
    );
    canvas.polygon(
        &[(610.0, 430.0), (676.0, 430.0), (764.0, 700.0), (744.0, 740.0), (660.0, 740.0)],
        shade,
        0.8,
    );
    canvas.stroke(&[(436.0, 478.0), (384.0, 660.0)], 20.0, light);
    canvas.oval((540.0, 430.0), (138.0, 26.0), 0.0, shade, 1.0);
    canvas.oval((540.0, 420.0), (120.0, 30.0), 0.0, enamel, 1.0);
    canvas.disc((540.0, 382.0), 21.0, hex(0x4a2f27), 1.0);
    for (place, height) in [(0.0, 250.0), (34.0, 190.0), (66.0, 220.0)] {
        for step in 0..40 {
            let up = step as f32 / 40.0;
            let at = (872.0 + place * (0.3 + up) + 22.0 * (up * 7.0 + place).sin(), 380.0 - height * up);
            canvas.glow(at, 26.0 + 30.0 * up, hex(0xffffff), 0.16 * (1.0 - up));
        }
    }
    cup(&mut canvas, 880.0, hex(0xc2410c), hex(0x963008));
    cup(&mut canvas, 215.0, hex(0xf7efe3), hex(0xdccab4));
    for (x, y, size) in [(1_040.0, 705.0, 46.0), (1_098.0, 720.0, 34.0)] {
        canvas.disc((x, y), size, hex(0xee8a2a), 1.0);
        canvas.glow((x - size * 0.3, y - size * 0.35), size * 0.9, hex(0xffd08a), 0.8);
        canvas.oval((x + size * 0.3, y - size * 1.02), (size * 0.36, size * 0.14), -0.5, hex(0x5d7a3a), 1.0);
    }
    canvas
}

fn cup(canvas: &mut Canvas, x: f32, colour: Colour, shade: Colour) {
    canvas.arc((x + 84.0, 655.0), (34.0, 38.0), (-PI * 0.6, PI * 0.6), 17.0, shade);
    canvas.polygon(
        &[
            (x - 92.0, 590.0),
            (x + 92.0, 590.0),
            (x + 74.0, 720.0),
            (x + 52.0, 742.0),
            (x - 52.0, 742.0),
            (x - 74.0, 720.0),
        ],
        colour,
        1.0,
    );
    canvas.polygon(
        &[(x + 40.0, 590.0), (x + 92.0, 590.0), (x + 74.0, 720.0), (x + 52.0, 742.0), (x + 24.0, 742.0)],
        shade,
        0.6,
    );
    canvas.oval((x, 590.0), (92.0, 17.0), 0.0, shade, 1.0);
    canvas.oval((x, 593.0), (80.0, 12.0), 0.0, hex(0x5a3320), 1.0);
}

/// A plant with a new leaf.
pub(super) fn plant() -> Canvas {
    let mut canvas = Canvas::gradient(900, 1_100, &[hex(0xdfe8dd), hex(0xeef0e2), hex(0xf6ecd9)]);
    canvas.disc((450.0, 470.0), 360.0, hex(0xf7dfba), 1.0);
    canvas.land(|_| 960.0, hex(0xb98a62), hex(0xa87750), 140.0);
    canvas.oval((480.0, 985.0), (220.0, 26.0), 0.0, hex(0x6b4429), 0.4);
    for (angle, length, colour) in [
        (-1.05, 430.0, 0x3d6a45),
        (1.0, 440.0, 0x35603f),
        (-0.62, 560.0, 0x4b7c50),
        (0.58, 530.0, 0x427248),
        (-0.2, 640.0, 0x568a58),
    ] {
        leaf(&mut canvas, angle, length, hex(colour));
    }
    // The new leaf.
    leaf(&mut canvas, 0.2, 520.0, hex(0x9cc46a));
    canvas.polygon(&[(300.0, 770.0), (600.0, 770.0), (560.0, 985.0), (340.0, 985.0)], hex(0xc2643a), 1.0);
    canvas.polygon(&[(510.0, 770.0), (600.0, 770.0), (560.0, 985.0), (490.0, 985.0)], hex(0x9f4b28), 0.7);
    canvas.bar((280.0, 735.0, 620.0, 795.0), 12.0, hex(0xd2754a));
    canvas.bar((520.0, 735.0, 620.0, 795.0), 12.0, hex(0xb85c34));
    canvas
}

/// A leaf out of the pot, `angle` radians from upright and `length` pixels long.
fn leaf(canvas: &mut Canvas, angle: f32, length: f32, colour: Colour) {
    let (sin, cos) = angle.sin_cos();
    let from_root = |along: f32| (450.0 + sin * along, 745.0 - cos * along);
    let dark = colour.mixed(hex(0x16301f), 0.35);
    canvas.stroke(&[from_root(0.0), from_root(length * 0.6)], 13.0, dark);
    let middle = from_root(length * 0.7);
    let (long, broad) = (length * 0.32, length * 0.14);
    canvas.oval(middle, (broad, long), angle, colour, 1.0);
    // The half in the shade.
    let reach = (middle.0 - long, middle.1 - long, middle.0 + long, middle.1 + long);
    let whole = oval(middle, (broad, long), angle);
    canvas.fill(reach, dark, 0.45, |x, y| whole(x, y).max((middle.0 - x) * cos + (middle.1 - y) * sin));
    canvas.stroke(
        &[from_root(length * 0.4), from_root(length * 0.97)],
        4.0,
        colour.mixed(hex(0xf3f0cf), 0.45),
    );
    for step in 1..6 {
        let root = from_root(length * (0.44 + 0.085 * step as f32));
        for side in [-1.0, 1.0] {
            let turn = angle + side * 0.85;
            let vein = length * 0.1 * (1.0 - (step as f32 - 2.6).abs() * 0.2);
            let tip = (root.0 + turn.sin() * vein, root.1 - turn.cos() * vein);
            canvas.stroke(&[root, tip], 2.2, colour.mixed(hex(0xf3f0cf), 0.28));
        }
    }
}
