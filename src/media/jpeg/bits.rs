//! Markers, segments, and the bits of the entropy-coded data between them.

use std::io::{self, BufRead, ErrorKind};

use super::wrong;

/// Bits of a code that one look into a table decodes.
const FAST: u32 = 9;

pub(super) struct Bits<R> {
    input: R,
    /// Bits that were read and not used yet, the next one topmost.
    bits: u64,
    count: u32,
    /// The marker that ended the data.
    marker: Option<u8>,
    /// Bits that were made up behind the end of the data.
    missing: u32,
}

impl<R: BufRead> Bits<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, bits: 0, count: 0, marker: None, missing: 0 }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        if byte.is_some() {
            self.input.consume(1);
        }
        Ok(byte)
    }

    /// The next marker, wherever it is; None at the end of the file.
    pub(super) fn marker(&mut self) -> io::Result<Option<u8>> {
        (self.bits, self.count, self.missing) = (0, 0, 0);
        if let Some(marker) = self.marker.take() {
            return Ok(Some(marker));
        }
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let Some(at) = memchr::memchr(0xFF, buffer) else {
                let length = buffer.len();
                self.input.consume(length);
                continue;
            };
            self.input.consume(at + 1);
            let mut byte = self.byte()?;
            while byte == Some(0xFF) {
                byte = self.byte()?;
            }
            match byte {
                None => return Ok(None),
                Some(0) => {}
                marker => return Ok(marker),
            }
        }
    }

    /// The content of the segment behind a marker.
    pub(super) fn segment(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.input.read_exact(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length)).checked_sub(2).ok_or_else(wrong)?;
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether all bits before the next marker are used. Up to seven are padding.
    pub(super) fn is_at_end(&self) -> bool {
        self.missing > 0 && self.count <= self.missing + 7
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.count <= 56 {
            let byte = match self.marker {
                Some(_) => None,
                None => match self.byte()? {
                    Some(0xFF) => {
                        let mut next = self.byte()?;
                        while next == Some(0xFF) {
                            next = self.byte()?;
                        }
                        match next {
                            Some(0) => Some(0xFF),
                            // At the end of the file as if the picture ended.
                            other => {
                                self.marker = Some(other.unwrap_or(0xD9));
                                None
                            }
                        }
                    }
                    Some(byte) => Some(byte),
                    None => {
                        self.marker = Some(0xD9);
                        None
                    }
                },
            };
            if byte.is_none() {
                self.missing += 8;
            }
            self.bits |= u64::from(byte.unwrap_or(0)) << (56 - self.count);
            self.count += 8;
        }
        Ok(())
    }

    fn peek(&mut self, count: u32) -> io::Result<u32> {
        if self.count < count {
            self.fill()?;
        }
        Ok((self.bits >> (64 - count)) as u32)
    }

    fn drop_bits(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }

    /// Up to 16 bits.
    pub(super) fn take(&mut self, count: u32) -> io::Result<i32> {
        if count == 0 {
            return Ok(0);
        }
        let value = self.peek(count)?;
        self.drop_bits(count);
        Ok(value as i32)
    }

    /// F.2.2.1: a number of so many bits, of which the first says the sign.
    pub(super) fn signed(&mut self, count: u32) -> io::Result<i32> {
        let value = self.take(count)?;
        Ok(if count > 0 && value < 1 << (count - 1) { value - (1 << count) + 1 } else { value })
    }

    pub(super) fn code(&mut self, table: &Huffman) -> io::Result<u8> {
        let bits = self.peek(16)?;
        let (value, length) = table.fast[(bits >> (16 - FAST)) as usize];
        if length > 0 {
            self.drop_bits(length.into());
            return Ok(value);
        }
        for length in FAST + 1..=16 {
            let code = (bits >> (16 - length)) as i32;
            if code <= table.last[length as usize] {
                let at = table.first_value[length as usize] + code;
                self.drop_bits(length);
                return Ok(table.values.get(at as usize).copied().unwrap_or(0));
            }
        }
        // No code: the data is broken. libjpeg takes a zero for it, and goes on.
        self.drop_bits(16);
        Ok(0)
    }

    /// Passes over a restart marker; false if the data ends here.
    pub(super) fn restart(&mut self) -> io::Result<bool> {
        let marker = self.marker()?;
        if marker.is_some_and(|marker| (0xD0..=0xD7).contains(&marker)) {
            return Ok(true);
        }
        self.marker = Some(marker.unwrap_or(0xD9));
        Ok(false)
    }
}

/// A table of codes (annex C).
#[derive(Clone)]
pub(super) struct Huffman {
    fast: Vec<(u8, u8)>,
    /// The greatest code of each length, or -1, and where its values begin, less its first code.
    last: [i32; 17],
    first_value: [i32; 17],
    values: Vec<u8>,
}

impl Huffman {
    /// The table of a segment, and what follows it there.
    pub(super) fn read(bytes: &[u8]) -> io::Result<(Self, &[u8])> {
        let counts = bytes.get(..16).ok_or(ErrorKind::UnexpectedEof)?;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        let values = bytes.get(16..16 + total).ok_or(ErrorKind::UnexpectedEof)?;
        let mut table = Self {
            fast: vec![(0, 0); 1 << FAST],
            last: [-1; 17],
            first_value: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut at) = (0_i32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            if code + count as i32 > 1 << length {
                return Err(wrong());
            }
            table.first_value[length as usize] = at as i32 - code;
            for value in &values[at..at + count] {
                if length <= FAST {
                    let from = (code as usize) << (FAST - length);
                    table.fast[from..from + (1 << (FAST - length))].fill((*value, length as u8));
                }
                code += 1;
            }
            at += count;
            if count > 0 {
                table.last[length as usize] = code - 1;
            }
            code <<= 1;
        }
        Ok((table, &bytes[16 + total..]))
    }
}
