//! Downloads of files: whole or in ranges (RFC 9110, section 14), for members of the room only.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use smallvec::SmallVec;

use super::{
    body::{Body, FileBody, Part},
    etag::names,
    request::Call,
    response::Reply,
    router::ResponseFuture,
};
use crate::{
    chat::{RoomAccess, Viewer, files::run_blocking},
    media::picture::is_shown_inline,
    store::StoredFile,
    types::AttachmentId,
    wire::Problem,
};

/// Ranges of one response. A request for more gets the whole file, as RFC 9110, section 14.2, allows.
const MAX_PARTS: usize = 16;

/// A file never changes, but who may read it can, so clients have to revalidate.
const CACHE: &str = "private, no-cache";

/// The policy of a file that is opened on its own: no scripts, no requests.
const SANDBOX: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; sandbox";

fn found(call: &Call, viewer: &Viewer) -> Result<StoredFile, Problem> {
    let file = call.worker.reader.file(AttachmentId(call.id(0)?))?.ok_or_else(Problem::not_found)?;
    RoomAccess::of(&call.worker, file.room, viewer.user)?;
    Ok(file)
}

pub(crate) fn show(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let file = found(&call, &viewer)?;
        if call.param(1) == "thumbnail" && file.filename != "thumbnail" {
            return thumbnail(&call, file).await;
        }
        let is_inline = is_shown_inline(&file.content_type) && call.query().text("download").is_none();
        // A text is shown as one; HTML is sent as bytes, so that no browser renders it.
        let content_type = match file.content_type.as_str() {
            "text/plain" => "text/plain; charset=utf-8",
            "text/html" => "application/octet-stream",
            other => other,
        };
        let disposition = disposition(is_inline, &file.filename);
        let reply = send(&call, &file.key, content_type, file.byte_size).await?;
        Ok(reply.with(header::CONTENT_DISPOSITION, disposition))
    })
}

async fn thumbnail(call: &Call, file: StoredFile) -> Result<Reply, Problem> {
    let (key, content_type) = file.thumbnail.ok_or_else(Problem::not_found)?;
    let folder = call.worker.shared.folder.clone();
    let length = {
        let key = key.clone();
        run_blocking(move || folder.file(&key)?.metadata()).await?.len()
    };
    send(call, &key, &content_type, length).await
}

async fn send(call: &Call, key: &str, content_type: &str, length: u64) -> Result<Reply, Problem> {
    // The key is random and unique to the file, so it serves as a tag.
    let etag = &key[..22];
    let is_known = call.headers.get(header::IF_NONE_MATCH).is_some_and(|value| names(value.as_bytes(), etag));
    let range = call.headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let still_fits = call
        .headers
        .get(header::IF_RANGE)
        .is_none_or(|value| value.as_bytes() == format!("\"{etag}\"").as_bytes());
    let ranges = match range.filter(|_| still_fits && !is_known) {
        Some(range) => ranges(range, length)?,
        None => None,
    };
    let folder = call.worker.shared.folder.clone();
    let owned = key.to_owned();
    let file = run_blocking(move || folder.file(&owned)).await?;
    let whole_type = HeaderValue::try_from(content_type).map_err(|_| Problem::internal())?;
    let (status, kind, parts, content_range) = match ranges.as_deref() {
        None => (StatusCode::OK, whole_type, vec![Part::Stretch(0, length)], None),
        Some([(from, to)]) => {
            let parts = vec![Part::Stretch(*from, to - from + 1)];
            (StatusCode::PARTIAL_CONTENT, whole_type, parts, Some(format!("bytes {from}-{to}/{length}")))
        }
        Some(several) => {
            // The key is random, so whoever made the file could not know the boundary.
            let boundary = format!("part-{etag}");
            let mut parts = Vec::with_capacity(several.len() * 2 + 1);
            for (from, to) in several {
                let head = format!(
                    "\r\n--{boundary}\r\ncontent-type: {content_type}\r\ncontent-range: bytes {from}-{to}/{length}\r\n\r\n"
                );
                parts.push(Part::Bytes(Bytes::from(head)));
                parts.push(Part::Stretch(*from, to - from + 1));
            }
            parts.push(Part::Bytes(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
            let kind = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"));
            (StatusCode::PARTIAL_CONTENT, kind.map_err(|_| Problem::internal())?, parts, None)
        }
    };
    let body = Body::File(Box::new(FileBody::new(call, file, parts)?));
    let mut reply = Reply::streamed(status, body, kind)
        .cache_control(CACHE)
        .with(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        .with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX))
        .with(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        );
    reply.etag = Some(etag.to_owned().into());
    if let Some(range) = content_range {
        let value = HeaderValue::try_from(range).expect("numbers are printable");
        reply = reply.with(header::CONTENT_RANGE, value);
    }
    Ok(reply)
}

/// First and last byte of each range.
type Ranges = SmallVec<[(u64, u64); 1]>;

/// The satisfiable ranges of a `Range` header; None if it is to be ignored (RFC 9110, section 14.2), 416 if it has
/// none.
fn ranges(header: &str, length: u64) -> Result<Option<Ranges>, Problem> {
    let Some(specs) = header.strip_prefix("bytes=") else { return Ok(None) };
    let mut ranges = Ranges::new();
    let mut count = 0;
    for spec in specs.split(',').map(str::trim) {
        count += 1;
        let Some((first, last)) = spec.split_once('-') else { return Ok(None) };
        let range = match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first > last => return Ok(None),
            (Ok(first), Ok(last)) => (first, last.min(length.saturating_sub(1))),
            (Ok(first), Err(_)) if last.is_empty() => (first, length.saturating_sub(1)),
            (Err(_), Ok(last)) if first.is_empty() => {
                if last == 0 {
                    continue;
                }
                (length.saturating_sub(last), length.saturating_sub(1))
            }
            _ => return Ok(None),
        };
        if range.0 < length {
            ranges.push(range);
        }
    }
    if count > MAX_PARTS {
        return Ok(None);
    }
    if ranges.is_empty() { Err(Problem::range_not_satisfiable()) } else { Ok(Some(ranges)) }
}

/// What `attr-char` of RFC 8187 leaves out.
const NO_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `Content-Disposition` with any name (RFC 6266): plain for old clients, encoded (RFC 8187) for the rest.
fn disposition(is_inline: bool, filename: &str) -> HeaderValue {
    let kind = if is_inline { "inline" } else { "attachment" };
    let plain: String = filename
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    let encoded = utf8_percent_encode(filename, NO_ATTR_CHAR);
    HeaderValue::try_from(format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
        .expect("what is not printable is encoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Option<Vec<(u64, u64)>> {
        ranges(header, 100).unwrap().map(|ranges| ranges.to_vec())
    }

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        assert_eq!(parsed("bytes=0-0"), Some(vec![(0, 0)]));
        assert_eq!(parsed("bytes=90-"), Some(vec![(90, 99)]));
        assert_eq!(parsed("bytes=-10"), Some(vec![(90, 99)]));
        assert_eq!(parsed("bytes=-1000"), Some(vec![(0, 99)]));
        assert_eq!(parsed("bytes=0-4, 200-300, 95-"), Some(vec![(0, 4), (95, 99)]));
        for ignored in ["bytes=5-1", "lines=1-2", "bytes=a-b", "bytes=--1", "bytes"] {
            assert_eq!(parsed(ignored), None, "{ignored}");
        }
        assert_eq!(parsed(&format!("bytes={}", vec!["0-1"; 17].join(","))), None);
        assert_eq!(ranges("bytes=100-", 100).unwrap_err().status, 416);
        assert_eq!(ranges("bytes=-0", 100).unwrap_err().status, 416);
    }

    #[test]
    fn any_name_can_be_told() {
        let value = disposition(false, "Grüße \"2\".pdf");
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"Gr__e _2_.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%222%22.pdf"
        );
    }
}
