use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn of(content_type: &str, bytes: &[u8]) -> Film {
    film(&mut Cursor::new(bytes), bytes.len() as u64, content_type)
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn track(handler: &[u8; 4], width: u32, height: u32, matrix: [u32; 2]) -> Vec<u8> {
    let tkhd = words(&[
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        matrix[0],
        matrix[1],
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        width << 16,
        height << 16,
    ]);
    let hdlr = [&[0; 8][..], handler, &[0; 12]].concat();
    boxed(b"trak", &[boxed(b"tkhd", &tkhd), boxed(b"mdia", &boxed(b"hdlr", &hdlr))].concat())
}

#[test]
fn mp4_has_its_length_and_the_size_of_its_picture() {
    let mvhd = boxed(b"mvhd", &words(&[0, 0, 0, 600, 4_530]));
    let sound = track(b"soun", 0, 0, [1, 0]);
    let file = |moov: &[Vec<u8>]| {
        [boxed(b"ftyp", b"isom"), boxed(b"mdat", &[7; 500]), boxed(b"moov", &moov.concat())].concat()
    };
    let upright = file(&[mvhd.clone(), sound.clone(), track(b"vide", 1_920, 1_080, [1 << 16, 0])]);
    let wanted = Film { duration_s: Some(7.55), size: Some((1_920, 1_080)), is_sound_only: false };
    assert_eq!(of("video/mp4", &upright), wanted);
    let turned = file(&[mvhd.clone(), track(b"vide", 1_920, 1_080, [0, 1 << 16])]);
    assert_eq!(of("video/quicktime", &turned).size, Some((1_080, 1_920)));
    let memo = file(&[mvhd.clone(), sound]);
    assert_eq!(of("video/mp4", &memo), Film { duration_s: Some(7.55), size: None, is_sound_only: true });
    let long = [&[1, 0, 0, 0][..], &[0; 16], &words(&[1_000, 1, 0])].concat();
    assert_eq!(
        of("audio/mp4", &file(&[boxed(b"mvhd", &long)])).duration_s,
        Some(4_294_967.296).filter(|it| *it < MAX_SECONDS)
    );
    let fragments = boxed(b"mvex", &boxed(b"mehd", &words(&[0, 1_200])));
    let empty = boxed(b"mvhd", &words(&[0, 0, 0, 600, 0]));
    assert_eq!(of("video/mp4", &file(&[empty.clone(), fragments])).duration_s, Some(2.0));
    assert_eq!(of("video/mp4", &file(&[empty])).duration_s, None, "unknown");
    assert_eq!(of("video/mp4", &upright[..520]), Film::default(), "cut off");
}

#[test]
fn webm_has_its_length_and_the_size_of_its_picture() {
    let element = |id: &[u8], content: &[u8]| [id, &[0x80 | content.len() as u8], content].concat();
    let file = |info: &[u8], track: &[u8]| {
        let tracks = element(b"\x16\x54\xae\x6b", &element(b"\xae", track));
        [
            element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm"),
            b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            element(b"\x15\x49\xa9\x66", info),
            tracks,
            b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        ]
        .concat()
    };
    let scale = element(b"\x2a\xd7\xb1", &1_000_000_u32.to_be_bytes());
    let info = [scale.clone(), element(b"\x44\x89", &12_345.0_f64.to_be_bytes())].concat();
    let video = element(b"\xe0", &[element(b"\xb0", &[2, 128]), element(b"\xba", &[1, 104])].concat());
    let wanted = Film { duration_s: Some(12.345), size: Some((640, 360)), is_sound_only: false };
    assert_eq!(of("video/webm", &file(&info, &video)), wanted);
    let recording = of("video/webm", &file(&scale, &element(b"\xe1", b"\xb5\x84\x47\x3b\x80\0")));
    assert_eq!(recording, Film { duration_s: None, size: None, is_sound_only: true });
}

#[test]
fn sounds_have_their_length() {
    let seconds = |kind: &str, bytes: &[u8]| of(kind, bytes).duration_s;
    let wav = |length: u32| {
        let format = [
            &b"fmt \x10\0\0\0\x01\0\x01\0"[..],
            &8_000_u32.to_le_bytes(),
            &16_000_u32.to_le_bytes(),
            b"\x02\0\x10\0",
        ];
        [
            &b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0"[..],
            &format.concat(),
            b"data",
            &length.to_le_bytes(),
            &[0; 24_000],
        ]
        .concat()
    };
    assert_eq!(seconds("audio/wav", &wav(24_000)), Some(1.5));
    assert_eq!(seconds("audio/wav", &wav(u32::MAX)), Some(1.5), "recorded to a pipe");
    assert_eq!(
        seconds("audio/wav", crate::media::sounds::SOUNDS[0].wav().as_ref()).map(|it| it > 0.1),
        Some(true)
    );

    let streaminfo = [&[0; 10][..], &(44_100_u64 << 44 | 15 << 36 | 88_200).to_be_bytes(), &[0; 16]].concat();
    assert_eq!(seconds("audio/flac", &[b"fLaC\0\0\0\x22", &streaminfo[..]].concat()), Some(2.0));

    let page = |samples: i64, packet: &[u8]| {
        [&b"OggS\0\x02"[..], &samples.to_le_bytes(), b"\x07\0\0\0", &[0; 8], &[1, packet.len() as u8], packet]
            .concat()
    };
    let opus = [
        page(0, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"),
        page(-1, b"x"),
        page(48_312 * 2 - 312, b"x"),
    ]
    .concat();
    assert_eq!(seconds("audio/ogg", &opus), Some(2.0));
    let vorbis = [page(0, b"\x01vorbis\0\0\0\0\x02\x44\xac\0\0"), page(66_150, b"x")].concat();
    assert_eq!(seconds("audio/ogg", &vorbis), Some(1.5));

    // Frames of 417 bytes: 128 kbit/s at 44,100 samples a second.
    let frame = [&[0xFF, 0xFB, 0x90, 0x64][..], &[0; 413]].concat();
    let constant = [&b"ID3\x04\0\0\0\0\x01\0"[..], &[0xFF; 128], &frame.repeat(100)].concat();
    assert_eq!(seconds("audio/mpeg", &constant), Some(2.606));
    let mut tagged = frame.repeat(3);
    tagged[36..48].copy_from_slice(b"Xing\0\0\0\x01\0\0\x03\xe8");
    assert_eq!(seconds("audio/mpeg", &tagged), Some(26.122));
    assert_eq!(seconds("audio/mpeg", b"ID3 is no sound"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0_usize..6) {
        let starts: [(&str, &[u8]); 6] = [
            ("video/mp4", b"\0\0\0\x08ftyp\0\0\0\x80moov\0\0\0\x40mvhd"), ("video/webm", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff"),
            ("audio/ogg", b"OggS"), ("audio/wav", b"RIFF\0\0\0\0WAVEfmt "), ("audio/flac", b"fLaC"), ("audio/mpeg", b"\xff\xfb\x90"),
        ];
        let (kind, start) = starts[start];
        of(kind, &[start, &bytes].concat());
    }
}
