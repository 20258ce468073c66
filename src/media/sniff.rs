//! The content type of a file by its first bytes.

/// Bytes of a file's beginning that [`sniff`] needs.
pub const SNIFFED: usize = 4 << 10;

/// A file's content type by its first bytes (WHATWG MIME Sniffing, and the formats' own signatures). Its name and the type
/// that the client sent are ignored.
pub fn sniff(head: &[u8]) -> &'static str {
    const SIGNATURES: [(&[u8], &str); 21] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"\0\0\x01\0", "image/x-icon"),
        (b"\0\0\x02\0", "image/x-icon"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
        (b"\xff\x0a", "image/jxl"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"\x28\xb5\x2f\xfd", "application/zstd"),
        (b"\x7fELF", "application/x-elf"),
    ];
    if let [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] = head {
        match kind {
            [b'W', b'E', b'B', b'P', ..] => return "image/webp",
            [b'W', b'A', b'V', b'E', ..] => return "audio/wav",
            _ => {}
        }
    }
    if let Some(b"ftyp") = head.get(4..8) {
        return boxes(head);
    }
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        // A few letters are not enough: other files may begin with them too.
        let is_it = match *kind {
            "image/bmp" => head.get(6..10) == Some(&[0; 4]),
            "image/x-icon" => head.get(4..6).is_some_and(|count| count != [0; 2]),
            _ => true,
        };
        if is_it {
            return kind;
        }
    }
    match text(head) {
        Some(text) if is_markup(text) => "text/html",
        Some(_) => "text/plain",
        None => "application/octet-stream",
    }
}

/// A file in boxes (ISO/IEC 14496-12), by its major brand; one that names only the structure is what else it names.
fn boxes(head: &[u8]) -> &'static str {
    let end = head.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize).min(head.len());
    let compatible = || head.get(16..end).unwrap_or_default().as_chunks::<4>().0;
    match head.get(8..12) {
        Some(b"avif" | b"avis") => "image/avif",
        Some(b"mif1" | b"msf1" | b"miaf" | b"mif2") => {
            if compatible().iter().any(|brand| brand == b"avif" || brand == b"avis") {
                "image/avif"
            } else {
                "image/heic"
            }
        }
        // Its minor version is a brand.
        Some(b"mif3") if head.get(12..16) == Some(b"avif") => "image/avif",
        Some(b"mif3") => "image/heic",
        Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs") => "image/heic",
        Some(b"M4A " | b"M4B ") => "audio/mp4",
        Some(b"qt  ") => "video/quicktime",
        _ => "video/mp4",
    }
}

/// The beginning of a text file; None for other files. Its last character may be cut off.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_binary = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}');
    (!text.contains(is_binary)).then_some(text)
}

/// Whether a browser could run it: HTML, SVG or XML.
fn is_markup(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<?xml")
        || text.starts_with('<') && {
            let head: String = text.chars().take(1_024).flat_map(char::to_lowercase).collect();
            ["<!doctype", "<html", "<svg", "<script", "<body", "<head", "<iframe", "<!--"]
                .iter()
                .any(|tag| head.contains(tag))
        }
}

/// Whether a browser shows files of this type without running anything in them.
pub fn is_shown_inline(content_type: &str) -> bool {
    matches!(
        content_type,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "image/bmp"
            | "image/x-icon"
            | "image/jxl"
            | "application/pdf"
            | "text/plain"
    ) || content_type.starts_with("video/")
        || content_type.starts_with("audio/")
}

#[cfg(test)]
mod tests {
    use super::sniff;

    #[test]
    fn content_type_follows_from_the_bytes() {
        for (head, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
            (b"\0\0\0\x20ftypavif", "image/avif"),
            (b"\0\0\0\x20ftypisom", "video/mp4"),
            (b"  <!DOCTYPE html><p>", "text/html"),
            (b"<?xml version='1.0'?><svg xmlns='x'/>", "text/html"),
            (b"<svg onload=alert(1)>", "text/html"),
            (b"a < b and so on", "text/plain"),
            ("grüße".as_bytes(), "text/plain"),
            (b"BMW is a text", "text/plain"),
            (b"\0\x01\x02", "application/octet-stream"),
        ] {
            assert_eq!(sniff(head), kind, "{head:?}");
        }
    }
}
