//! GIF (87a and 89a).

use std::io::{self, BufRead, Seek};

use super::{Head, array, skip, wrong};

/// Blocks that are passed over in search of a second frame.
const MAX_BLOCKS: usize = 1 << 20;

pub(super) fn head(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    skip(input, 6)?;
    let screen: [u8; 7] = array(input)?;
    let side = |bytes: &[u8], at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let mut head = Head::still(side(&screen, 0), side(&screen, 2));
    let mut frames = 0;
    let walk = (|| {
        skip(input, table(screen[4]))?;
        for _ in 0..MAX_BLOCKS {
            match array(input)? {
                [0x2C] => {
                    frames += 1;
                    let frame: [u8; 9] = array(input)?;
                    if frames > 1 {
                        head.is_animated = true;
                        return Ok(());
                    }
                    // Browsers enlarge the screen to its first frame.
                    head.width = head.width.max(side(&frame, 0) + side(&frame, 4));
                    head.height = head.height.max(side(&frame, 2) + side(&frame, 6));
                    skip(input, table(frame[8]) + 1)?;
                    blocks(input)?;
                }
                [0x21] => {
                    skip(input, 1)?;
                    blocks(input)?;
                }
                [0] => {}
                _ => return Ok(()),
            }
        }
        Ok::<_, io::Error>(())
    })();
    if walk.is_err() && frames == 0 && head.pixels() == 0 { Err(wrong()) } else { Ok(head) }
}

/// Bytes of the table of colours that these flags announce.
fn table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn blocks(input: &mut (impl BufRead + Seek)) -> io::Result<()> {
    for _ in 0..MAX_BLOCKS {
        match array(input)? {
            [0] => return Ok(()),
            [length] => skip(input, length.into())?,
        }
    }
    Err(wrong())
}
