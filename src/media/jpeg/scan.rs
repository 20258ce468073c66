//! Scans: the entropy-coded data of one or more components (annexes F and G).

use std::io::{self, BufRead};

use super::{
    bits::{Bits, Huffman},
    frame::{Component, Frame, ZIGZAG},
    segments::Segments,
    wrong,
};

struct Part<'a> {
    component: usize,
    dc: Option<&'a Huffman>,
    ac: Option<&'a Huffman>,
    quantization: [f32; 64],
    predicted: i32,
}

/// Which coefficients a scan of a progressive frame has, and which of their bits.
struct Band {
    from: usize,
    to: usize,
    is_first: bool,
    shift: u32,
    /// Blocks that are known to have nothing more in this band.
    ended: u32,
}

pub(super) fn decode<R: BufRead>(
    frame: &mut Frame,
    segments: &Segments,
    header: &[u8],
    bits: &mut Bits<R>,
) -> io::Result<()> {
    let (parts, [from, to, high_low, ..]) = parts(frame, segments, header)? else { return Err(wrong()) };
    let mut parts = parts;
    let mut band = Band {
        from: usize::from(*from),
        to: usize::from(*to),
        is_first: high_low >> 4 == 0,
        shift: u32::from(high_low & 15),
        ended: 0,
    };
    if frame.is_progressive {
        let is_dc = band.from == 0;
        if band.to > 63
            || band.from > band.to
            || is_dc != (band.to == 0)
            || !is_dc && parts.len() > 1
            || band.shift > 13
        {
            return Err(wrong());
        }
        // Nothing of it is kept: the next marker is looked for.
        if !is_dc && frame.components[parts[0].component].kept == 1 {
            return Ok(());
        }
    }
    let is_alone = parts.len() == 1;
    let (across, down) = if is_alone { frame.components[parts[0].component].blocks } else { frame.units };
    let mut until_restart = segments.restart_interval;
    for number in 0..across * down {
        if segments.restart_interval > 0 {
            if until_restart == 0 {
                if !bits.restart()? {
                    return Ok(());
                }
                until_restart = segments.restart_interval;
                band.ended = 0;
                parts.iter_mut().for_each(|part| part.predicted = 0);
            }
            until_restart -= 1;
        }
        if bits.is_at_end() && band.ended == 0 {
            // A broken piece ends at the next restart.
            if segments.restart_interval > 0 {
                continue;
            }
            return Ok(());
        }
        let (column, row) = (number % across, number / across);
        for part in &mut parts {
            let component = &mut frame.components[part.component];
            let (h, v) = if is_alone { (1, 1) } else { (component.h, component.v) };
            for (y, x) in (0..v).flat_map(|y| (0..h).map(move |x| (y, x))) {
                let block = (row * v + y) * component.padded.0 + column * h + x;
                if frame.is_progressive {
                    progressive(bits, component, part, &mut band, block)?;
                } else {
                    baseline(bits, component, part, block)?;
                }
            }
        }
    }
    Ok(())
}

/// The components of a scan's header, and the rest of it.
fn parts<'a, 'b>(
    frame: &Frame,
    segments: &'a Segments,
    header: &'b [u8],
) -> io::Result<(Vec<Part<'a>>, &'b [u8])> {
    let [count @ 1..=4, specs @ ..] = header else { return Err(wrong()) };
    let (specs, rest) = specs.split_at_checked(2 * usize::from(*count)).ok_or_else(wrong)?;
    let mut found: Vec<Part<'_>> = Vec::new();
    for [id, tables] in specs.as_chunks::<2>().0 {
        let component = frame.components.iter().position(|it| it.id == *id).ok_or_else(wrong)?;
        if found.iter().any(|part| part.component == component) {
            return Err(wrong());
        }
        found.push(Part {
            component,
            dc: segments.dc.get(usize::from(tables >> 4)).and_then(Option::as_ref),
            ac: segments.ac.get(usize::from(tables & 15)).and_then(Option::as_ref),
            quantization: frame.components[component].quantization(segments).unwrap_or([1.0; 64]),
            predicted: 0,
        });
    }
    Ok((found, rest))
}

fn baseline<R: BufRead>(
    bits: &mut Bits<R>,
    component: &mut Component,
    part: &mut Part<'_>,
    number: usize,
) -> io::Result<()> {
    let (Some(dc), Some(ac)) = (part.dc, part.ac) else { return Err(wrong()) };
    let mut block = [0.0; 64];
    let size = u32::from(bits.code(dc)?).min(16);
    part.predicted = part.predicted.wrapping_add(bits.signed(size)?);
    block[0] = part.predicted as f32 * part.quantization[0];
    let mut at = 1;
    while at < 64 {
        let (run, size) = split(bits.code(ac)?);
        match (run, size) {
            (15, 0) => at += 16,
            (_, 0) => break,
            _ => {
                at += run;
                let value = bits.signed(size)?;
                if component.slots.get(at).is_some_and(Option::is_some) {
                    block[usize::from(ZIGZAG[at])] = value as f32 * part.quantization[at];
                }
                at += 1;
            }
        }
    }
    component.put(number, &block);
    Ok(())
}

fn split(code: u8) -> (usize, u32) {
    (usize::from(code >> 4), u32::from(code & 15))
}

fn progressive<R: BufRead>(
    bits: &mut Bits<R>,
    component: &mut Component,
    part: &mut Part<'_>,
    band: &mut Band,
    number: usize,
) -> io::Result<()> {
    let shifted = |value: i32| value.wrapping_shl(band.shift) as i16;
    if band.from > 0 {
        let table = part.ac.ok_or_else(wrong)?;
        return if band.is_first {
            first_pass(bits, component, table, band, number)
        } else {
            refine(bits, component, table, band, number)
        };
    }
    let dc = &mut component.coefficients[number * component.kept];
    if band.is_first {
        let size = u32::from(bits.code(part.dc.ok_or_else(wrong)?)?).min(16);
        part.predicted = part.predicted.wrapping_add(bits.signed(size)?);
        *dc = shifted(part.predicted);
    } else if bits.take(1)? == 1 {
        *dc |= shifted(1);
    }
    Ok(())
}

/// G.1.2.2
fn first_pass<R: BufRead>(
    bits: &mut Bits<R>,
    component: &mut Component,
    table: &Huffman,
    band: &mut Band,
    number: usize,
) -> io::Result<()> {
    if band.ended > 0 {
        band.ended -= 1;
        return Ok(());
    }
    let mut at = band.from;
    while at <= band.to {
        let (run, size) = split(bits.code(table)?);
        match (run, size) {
            (15, 0) => at += 16,
            (_, 0) => {
                band.ended = (1 << run) - 1 + bits.take(run as u32)? as u32;
                break;
            }
            _ => {
                at += run;
                let value = bits.signed(size)?;
                if at > band.to {
                    break;
                }
                set(component, number, at, value.wrapping_shl(band.shift));
                at += 1;
            }
        }
    }
    Ok(())
}

fn set(component: &mut Component, number: usize, at: usize, value: i32) {
    component.present[number] |= 1 << at;
    if let Some(slot) = component.slots[at] {
        component.coefficients[number * component.kept + usize::from(slot)] = value as i16;
    }
}

/// G.1.2.3: one more bit for what is known already, and new coefficients between.
fn refine<R: BufRead>(
    bits: &mut Bits<R>,
    component: &mut Component,
    table: &Huffman,
    band: &mut Band,
    number: usize,
) -> io::Result<()> {
    let mut at = band.from;
    if band.ended == 0 {
        while at <= band.to {
            let (run, size) = split(bits.code(table)?);
            let mut new = None;
            match (run, size) {
                (15, 0) => {}
                (_, 0) => {
                    band.ended = (1 << run) + bits.take(run as u32)? as u32;
                    break;
                }
                _ => new = Some(if bits.take(1)? == 1 { 1 } else { -1 }),
            }
            at = correct(bits, component, band, number, at, run)?;
            if let Some(sign) = new
                && at <= band.to
            {
                set(component, number, at, sign << band.shift);
            }
            at += 1;
        }
    }
    if band.ended > 0 {
        correct(bits, component, band, number, at, usize::MAX)?;
        band.ended -= 1;
    }
    Ok(())
}

/// Corrects what is not zero, until so many zeros are passed over; the place of the next zero.
fn correct<R: BufRead>(
    bits: &mut Bits<R>,
    component: &mut Component,
    band: &Band,
    number: usize,
    mut at: usize,
    mut zeros: usize,
) -> io::Result<usize> {
    while at <= band.to {
        if component.present[number] >> at & 1 == 0 {
            if zeros == 0 {
                break;
            }
            zeros -= 1;
        } else if bits.take(1)? == 1
            && let Some(slot) = component.slots[at]
        {
            let value = &mut component.coefficients[number * component.kept + usize::from(slot)];
            let step = 1_i16 << band.shift;
            // A broken file may correct the same bit twice.
            if *value & step == 0 {
                *value = value.wrapping_add(if *value < 0 { -step } else { step });
            }
        }
        at += 1;
    }
    Ok(at)
}
