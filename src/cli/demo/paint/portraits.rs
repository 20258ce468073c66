//! Portraits of few shapes, which can be told apart at the size of an avatar.

use std::f32::consts::PI;

use super::canvas::{Canvas, Colour, hex, oval};

const SIDE: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hair {
    Bob,
    Bun,
    Curls,
    Short,
    Beard,
}

struct Face {
    wall: (u32, u32),
    skin: u32,
    hair: (Hair, u32),
    shirt: u32,
    glasses: bool,
}

pub(super) fn ana() -> Canvas {
    face(&Face {
        wall: (0xf3b27a, 0xd9663c),
        skin: 0xe8b48c,
        hair: (Hair::Bob, 0x3a211b),
        shirt: 0x2f5d50,
        glasses: false,
    })
}

pub(super) fn mara() -> Canvas {
    face(&Face {
        wall: (0xb9a3e3, 0x7657b0),
        skin: 0xf1c7a3,
        hair: (Hair::Bun, 0x8c3f1f),
        shirt: 0xf6e7cf,
        glasses: true,
    })
}

pub(super) fn leo() -> Canvas {
    face(&Face {
        wall: (0xa9d3d8, 0x4d93a3),
        skin: 0xecc199,
        hair: (Hair::Short, 0x1d1b22),
        shirt: 0xf2b541,
        glasses: false,
    })
}

pub(super) fn wanjiru() -> Canvas {
    face(&Face {
        wall: (0xf6d78b, 0xe0a03a),
        skin: 0x7a4a2e,
        hair: (Hair::Curls, 0x1e1512),
        shirt: 0xb23a48,
        glasses: false,
    })
}

pub(super) fn emeka() -> Canvas {
    face(&Face {
        wall: (0xb8d6a8, 0x5f9a5c),
        skin: 0x5e3826,
        hair: (Hair::Beard, 0x17110f),
        shirt: 0xe9eef5,
        glasses: true,
    })
}

fn face(face: &Face) -> Canvas {
    let mut canvas = Canvas::gradient(SIDE, SIDE, &[hex(face.wall.0), hex(face.wall.1)]);
    let (skin, shirt) = (hex(face.skin), hex(face.shirt));
    let (cut, hair) = (face.hair.0, hex(face.hair.1));
    canvas.disc((128.0, 128.0), 104.0, hex(0xffffff), 0.13);
    behind(&mut canvas, cut, hair);
    canvas.oval((128.0, 262.0), (92.0, 72.0), 0.0, shirt, 1.0);
    canvas.bar((106.0, 150.0, 150.0, 208.0), 22.0, skin.mixed(hex(0x000000), 0.12));
    canvas.oval((128.0, 122.0), (52.0, 60.0), 0.0, skin, 1.0);
    if matches!(cut, Hair::Bun | Hair::Short | Hair::Beard) {
        canvas.oval((76.0, 126.0), (9.0, 14.0), 0.0, skin, 1.0);
        canvas.oval((180.0, 126.0), (9.0, 14.0), 0.0, skin, 1.0);
    }
    before(&mut canvas, cut, hair);
    let ink = skin.mixed(hex(0x1a0f0c), 0.82);
    for x in [108.0, 148.0] {
        canvas.disc((x, 128.0), 5.0, ink, 1.0);
        if face.glasses {
            canvas.frame((x - 17.0, 112.0, x + 17.0, 144.0), 16.0, 4.5, hex(0x2a2422));
        }
    }
    if face.glasses {
        canvas.stroke(&[(125.0, 126.0), (131.0, 126.0)], 4.5, hex(0x2a2422));
    }
    let lips = if cut == Hair::Beard { hex(0xf0d9cc) } else { ink };
    canvas.arc((128.0, 146.0), (17.0, 13.0), (PI * 0.15, PI * 0.85), 5.0, lips);
    canvas
}

/// The hair behind the neck.
fn behind(canvas: &mut Canvas, cut: Hair, hair: Colour) {
    match cut {
        Hair::Bob => {
            canvas.oval((128.0, 116.0), (74.0, 76.0), 0.0, hair, 1.0);
            canvas.bar((54.0, 112.0, 202.0, 196.0), 26.0, hair);
        }
        Hair::Bun => {
            canvas.disc((128.0, 40.0), 28.0, hair, 1.0);
            canvas.oval((128.0, 112.0), (59.0, 64.0), 0.0, hair, 1.0);
        }
        Hair::Curls => {
            for step in 0..13 {
                let (sin, cos) = (PI * (0.84 + step as f32 * 0.11)).sin_cos();
                canvas.disc((128.0 + cos * 66.0, 118.0 + sin * 68.0), 27.0, hair, 1.0);
            }
        }
        Hair::Short | Hair::Beard => {}
    }
}

/// The hair on the forehead and the chin: a part of a shape that is a little larger than the face.
fn before(canvas: &mut Canvas, cut: Hair, hair: Colour) {
    const ALL: (f32, f32, f32, f32) = (50.0, 30.0, 206.0, 200.0);
    let head = |wide: f32, high: f32| oval((128.0, 116.0), (wide, high), 0.0);
    match cut {
        Hair::Bob => {
            let (cap, parting) = (head(60.0, 64.0), oval((158.0, 150.0), (76.0, 68.0), 0.3));
            canvas.fill(ALL, hair, 1.0, |x, y| cap(x, y).max(-parting(x, y)).max(y - 132.0));
        }
        Hair::Bun => {
            let (cap, forehead) = (head(58.0, 62.0), oval((128.0, 146.0), (60.0, 62.0), 0.0));
            canvas.fill(ALL, hair, 1.0, |x, y| cap(x, y).max(-forehead(x, y)).max(y - 120.0));
        }
        Hair::Curls => {
            for step in 0..7 {
                let (sin, cos) = (PI * (1.12 + step as f32 * 0.127)).sin_cos();
                canvas.disc((128.0 + cos * 44.0, 112.0 + sin * 46.0), 19.0, hair, 1.0);
            }
        }
        Hair::Short => {
            let (cap, forehead) = (head(60.0, 66.0), oval((116.0, 152.0), (64.0, 70.0), -0.25));
            canvas.fill(ALL, hair, 1.0, |x, y| cap(x, y).max(-forehead(x, y)).max(y - 122.0));
        }
        Hair::Beard => {
            let (cap, forehead) = (head(56.0, 60.0), oval((128.0, 146.0), (62.0, 66.0), 0.0));
            canvas.fill(ALL, hair, 1.0, |x, y| cap(x, y).max(-forehead(x, y)).max(y - 118.0));
            let (jaw, cheeks) =
                (oval((128.0, 128.0), (56.0, 62.0), 0.0), oval((128.0, 112.0), (52.0, 42.0), 0.0));
            canvas.fill(ALL, hair, 1.0, |x, y| jaw(x, y).max(-cheeks(x, y)).max(112.0 - y));
        }
    }
}

/// A landscape instead of a face.
pub(super) fn tomasz() -> Canvas {
    let mut canvas = Canvas::gradient(SIDE, SIDE, &[hex(0x2f6f9f), hex(0x8fc1d4), hex(0xf8e3b8)]);
    canvas.disc((176.0, 92.0), 30.0, hex(0xfff0c4), 1.0);
    canvas.polygon(&[(-30.0, 220.0), (92.0, 62.0), (214.0, 220.0)], hex(0x3d5573), 1.0);
    canvas.polygon(
        &[(92.0, 62.0), (122.0, 101.0), (106.0, 112.0), (94.0, 100.0), (80.0, 114.0), (62.0, 101.0)],
        hex(0xf7fafc),
        1.0,
    );
    canvas.land(|x| 176.0 + 16.0 * (x / 38.0).sin(), hex(0x2f6b58), hex(0x265848), 60.0);
    canvas.land(|x| 214.0 - 12.0 * (x / 52.0 + 1.0).sin(), hex(0x1d4438), hex(0x16352c), 50.0);
    canvas
}

/// The bot that posts releases.
pub(super) fn robot() -> Canvas {
    let mut canvas = Canvas::gradient(SIDE, SIDE, &[hex(0xd9581d), hex(0xa93608)]);
    let (shell, dark) = (hex(0xfdf3e3), hex(0x3a1d12));
    canvas.stroke(&[(128.0, 84.0), (128.0, 50.0)], 9.0, shell);
    canvas.disc((128.0, 46.0), 14.0, hex(0xffd27a), 1.0);
    canvas.bar((36.0, 118.0, 60.0, 166.0), 12.0, shell.mixed(dark, 0.2));
    canvas.bar((196.0, 118.0, 220.0, 166.0), 12.0, shell.mixed(dark, 0.2));
    canvas.bar((54.0, 80.0, 202.0, 204.0), 34.0, shell);
    canvas.bar((74.0, 104.0, 182.0, 160.0), 26.0, dark);
    canvas.disc((106.0, 132.0), 12.0, hex(0xffd27a), 1.0);
    canvas.disc((150.0, 132.0), 12.0, hex(0xffd27a), 1.0);
    canvas.stroke(&[(104.0, 182.0), (152.0, 182.0)], 8.0, hex(0xd9581d));
    canvas
}

/// The webhook that monitors the service.
pub(super) fn monitor() -> Canvas {
    let mut canvas = Canvas::gradient(SIDE, SIDE, &[hex(0x2f8f63), hex(0x1f6a4c)]);
    let trace = [(26.0, 136.0), (80.0, 136.0), (104.0, 84.0), (138.0, 190.0), (162.0, 136.0), (230.0, 136.0)];
    canvas.stroke(&trace, 17.0, hex(0xf1fbf4));
    canvas
}
