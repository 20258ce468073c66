use std::io::Cursor;

use image::metadata::Orientation;
use proptest::prelude::*;

use super::*;

fn of(content_type: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    head(&mut Cursor::new(bytes), content_type).map(|head| head.size())
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    // No checksum is right: none is looked at.
    [&(content.len() as u32).to_be_bytes()[..], kind, content, &[0; 4]].concat()
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    let ihdr = chunk(b"IHDR", &[0, 0, 1, 0, 0, 0, 0, 2, 8, 6, 0, 0, 0]);
    [b"\x89PNG\r\n\x1a\n".to_vec(), ihdr, chunks.concat()].concat()
}

/// A TIFF whose only entry is an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = [1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
    [&b"II*\0\x08\0\0\0"[..], &entry].concat()
}

fn jpeg(segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    for (marker, content) in segments {
        bytes.extend([0xFF, *marker]);
        bytes.extend((content.len() as u16 + 2).to_be_bytes());
        bytes.extend(content);
    }
    bytes
}

fn sof(width: u16, height: u16) -> (u8, Vec<u8>) {
    let mut content = vec![8];
    content.extend(height.to_be_bytes());
    content.extend(width.to_be_bytes());
    content.extend([1, 1, 0x11, 0]);
    (0xC2, content)
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

/// A picture of these properties, all of which are the primary item's.
fn heif(brand: &[u8; 4], properties: &[Vec<u8>]) -> Vec<u8> {
    let mut ipma = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 7, properties.len() as u8];
    ipma.extend(1..=properties.len() as u8);
    let iprp = [boxed(b"ipco", &properties.concat()), boxed(b"ipma", &ipma)].concat();
    let meta = [vec![0; 4], boxed(b"pitm", &[0, 0, 0, 0, 0, 7]), boxed(b"iprp", &iprp)].concat();
    [boxed(b"ftyp", &[brand, &[0; 4][..], b"mif1"].concat()), boxed(b"meta", &meta)].concat()
}

fn ispe(width: u32, height: u32) -> Vec<u8> {
    boxed(b"ispe", &[&[0; 4][..], &width.to_be_bytes(), &height.to_be_bytes()].concat())
}

fn clap(numbers: [i32; 4]) -> Vec<u8> {
    boxed(
        b"clap",
        &numbers.iter().flat_map(|it| [it.to_be_bytes(), 2_i32.to_be_bytes()].concat()).collect::<Vec<_>>(),
    )
}

#[test]
fn size_of_a_png_is_known_wherever_it_is_cut() {
    let file = png(&[chunk(b"IDAT", b"nonsense")]);
    for end in 33..=file.len() {
        assert_eq!(of("image/png", &file[..end]), Some((256, 2)), "{end}");
    }
    assert_eq!(of("image/png", &png(&[chunk(b"eXIf", &exif(6))])), Some((2, 256)));
    assert_eq!(of("image/png", &file[..28]), None);
}

#[test]
fn picture_is_animated_if_it_has_a_second_frame() {
    let is_animated = |content_type: &str, bytes: &[u8]| {
        head(&mut Cursor::new(bytes), content_type).expect("a head").is_animated
    };
    for (frames, wanted) in [(0, false), (1, false), (2, true)] {
        let control = chunk(b"acTL", &[0, 0, 0, frames, 0, 0, 0, 0]);
        assert_eq!(
            is_animated("image/png", &png(&[control.clone(), chunk(b"IDAT", b"")])),
            wanted,
            "{frames}"
        );
        assert!(!is_animated("image/png", &png(&[chunk(b"IDAT", b""), control])), "behind the picture");
        let frame = b"\x2c\0\0\0\0\x10\0\x10\0\0\x02\x02\x4c\x01\0";
        let extension = b"\x21\xf9\x04\0\0\0\0\0";
        let gif = [&b"GIF89a\x10\0\x10\0\0\0\0"[..], &[&extension[..], frame].concat().repeat(frames.into())];
        assert_eq!(is_animated("image/gif", &gif.concat()), wanted, "{frames}");
    }
    let webp =
        |flags: u8| [&b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0"[..], &[flags, 0, 0, 0, 59, 0, 0, 29, 0, 0]].concat();
    assert!(is_animated("image/webp", &webp(0x02)) && !is_animated("image/webp", &webp(0x08)));
    assert_eq!(of("image/webp", &webp(0x08)), Some((60, 30)), "EXIF does not turn it");
}

#[test]
fn jpeg_is_turned_by_its_first_exif_data() {
    let turned = |orientation| (0xE1, [b"Exif\0\0".to_vec(), exif(orientation)].concat());
    let adobe = (0xEE, b"Adobe\0".to_vec());
    assert_eq!(of("image/jpeg", &jpeg(&[adobe.clone(), sof(300, 200)])), Some((300, 200)), "a short APP14");
    for orientation in 1..=8 {
        let size = if orientation > 4 { (200, 300) } else { (300, 200) };
        let file = jpeg(&[turned(orientation), (0xE2, vec![0; 9_000]), turned(1), sof(300, 200)]);
        assert_eq!(of("image/jpeg", &file), Some(size), "{orientation}");
        let odd = [&file[..2], b"junk", &file[2..]].concat();
        assert_eq!(of("image/jpeg", &odd), Some(size), "bytes between segments");
    }
    assert_eq!(of("image/jpeg", &jpeg(&[turned(9), sof(300, 200)])), Some((300, 200)));
    assert_eq!(of("image/jpeg", &jpeg(&[turned(6)])), None);
}

#[test]
fn gif_is_as_large_as_its_first_frame() {
    let gif = b"GIF89a\x10\0\x10\0\0\0\0\x2c\x02\0\0\0\x1c\0\x1e\0\0";
    assert_eq!(of("image/gif", gif), Some((30, 30)));
    assert_eq!(of("image/gif", &gif[..13]), Some((16, 16)), "cut off");
}

#[test]
fn avif_and_heic_are_cropped_and_turned_by_their_properties() {
    for (brand, kind) in [(b"avif", "image/avif"), (b"heic", "image/heic")] {
        assert_eq!(of(kind, &heif(brand, &[ispe(400, 300)])), Some((400, 300)));
        for (angle, size) in [(0, (400, 300)), (1, (300, 400)), (2, (400, 300)), (3, (300, 400))] {
            assert_eq!(
                of(kind, &heif(brand, &[ispe(400, 300), boxed(b"irot", &[angle])])),
                Some(size),
                "{angle}"
            );
        }
        // Numbers in halves: 200 by 100 from the corner, and from elsewhere.
        let corner = [ispe(400, 300), clap([400, 200, -200, -200]), boxed(b"irot", &[1])];
        assert_eq!(of(kind, &heif(brand, &corner)), Some((100, 200)));
        assert_eq!(of(kind, &heif(brand, &[ispe(400, 300), clap([400, 200, 0, 0])])), Some((400, 300)));
        assert_eq!(of(kind, &heif(brand, &[boxed(b"irot", &[1])])), None);
    }
    let mini = [
        boxed(b"ftyp", b"mif3avif"),
        boxed(b"mini", &[8, 0xF8, 0x80, 0x3F, 1, 0xFE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ];
    assert_eq!(of("image/avif", &mini.concat()), Some((64, 256)));
}

#[test]
fn bmp_ico_and_jpeg_xl_have_their_sizes() {
    let bmp = |header: &[u8]| [&[0; 14][..], header].concat();
    assert_eq!(
        of("image/bmp", &bmp(&[40, 0, 0, 0, 9, 0, 0, 0, 0xFB, 0xFF, 0xFF, 0xFF])),
        Some((9, 5)),
        "from the top"
    );
    assert_eq!(of("image/bmp", &bmp(&[12, 0, 0, 0, 9, 0, 5, 0])), Some((9, 5)), "of OS/2");
    let entry = |side: u8| [side, side, 0, 0, 1, 0, 32, 0, 0, 0, 0, 0, 54, 0, 0, 0];
    let icon = [&[0, 0, 1, 0, 3, 0][..], &entry(16), &entry(0), &entry(48), b"a bitmap"].concat();
    assert_eq!(of("image/x-icon", &icon), Some((256, 256)));
    let with_png = [&icon[..54], &png(&[])].concat();
    assert_eq!(of("image/x-icon", &with_png), Some((256, 2)));
    // Bits, the least first: small, 8 * (1 + 3) high, and twice as wide; then all by default.
    let head_of =
        |bytes: &[u8]| head(&mut Cursor::new(bytes), "image/jxl").map(|it| (it.size(), it.orientation));
    assert_eq!(head_of(&[0xFF, 0x0A, 0b1100_0111, 0b0000_0011]), Some(((64, 32), Orientation::NoTransforms)));
    let boxes =
        [&b"\0\0\0\x0cJXL \r\n\x87\n"[..], &boxed(b"ftyp", b"jxl "), &boxed(b"jxlc", &[0xFF, 0x0A, 0xC7, 3])];
    assert_eq!(head_of(&boxes.concat()), Some(((64, 32), Orientation::NoTransforms)));
}

proptest! {
    #[test]
    fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0_usize..8) {
        let starts: [(&str, &[u8]); 8] = [
            ("image/png", b"\x89PNG\r\n\x1a\n"), ("image/jpeg", b"\xff\xd8\xff"), ("image/gif", b"GIF89a"),
            ("image/webp", b"RIFF\0\0\0\0WEBPVP8X"), ("image/avif", b"\0\0\0\x0cftypavif\0\0\0\x80meta"),
            ("image/bmp", b"BM"), ("image/x-icon", b"\0\0\x01\0\x03\0"), ("image/jxl", b"\xff\x0a"),
        ];
        let (kind, start) = starts[start];
        of(kind, &[start, &bytes].concat());
    }
}
