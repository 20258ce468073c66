//! Pages of messages and other lists, around stored JSON that is not parsed again.

use bytes::{BufMut, Bytes, BytesMut};

/// `{"messages":[…],"has_before":…,"has_after":…}`
pub fn page_json<'a>(
    messages: impl ExactSizeIterator<Item = &'a Bytes> + Clone,
    has_before: bool,
    has_after: bool,
) -> Bytes {
    let size: usize = messages.clone().map(|json| json.len() + 1).sum();
    let mut body = BytesMut::with_capacity(size + 64);
    body.put_slice(b"{\"messages\":[");
    put_list(&mut body, messages, |body, json| body.put_slice(json));
    body.put_slice(format!("],\"has_before\":{has_before},\"has_after\":{has_after}}}").as_bytes());
    body.freeze()
}

/// `{"results":[{"message":…,"snippet":…}],"has_before":…}`; a hit is the stored JSON of a message and a snippet of
/// HTML. While the index is being made, `"is_indexing":true` too.
pub fn search_json(hits: &[(Bytes, String)], has_before: bool, is_indexing: bool) -> Bytes {
    let mut body = BytesMut::from(&b"{\"results\":["[..]);
    put_list(&mut body, hits.iter(), |body, (json, snippet)| {
        body.put_slice(b"{\"message\":");
        body.put_slice(json);
        body.put_slice(b",\"snippet\":");
        body.put_slice(&super::to_json(snippet));
        body.put_u8(b'}');
    });
    let more = if is_indexing { ",\"is_indexing\":true" } else { "" };
    body.put_slice(format!("],\"has_before\":{has_before}{more}}}").as_bytes());
    body.freeze()
}

/// `{"events":[…],"seq":…,"history":…}`, and the members of `more`.
pub fn sync_json(
    events: impl Iterator<Item = Vec<u8>>,
    seq: crate::types::Seq,
    history: &str,
    more: Option<&impl serde::Serialize>,
) -> Bytes {
    let mut body = BytesMut::from(&b"{\"events\":["[..]);
    put_list(&mut body, events, |body, json| body.put_slice(&json));
    // The name of an epoch has no character that JSON escapes.
    body.put_slice(format!("],\"seq\":{seq},\"history\":\"{history}\"").as_bytes());
    match more.map(|more| super::to_json(more)) {
        Some(more) => {
            body.put_u8(b',');
            body.put_slice(&more[1..]);
        }
        None => body.put_u8(b'}'),
    }
    body.freeze()
}

/// A line of an export: `{"type":KIND,KIND:OBJECT,"file":FILE}` and a line feed. `file` is the path of a message's
/// file in the data directory.
pub fn export_line(kind: &str, object: &[u8], file: Option<&str>) -> Vec<u8> {
    let mut line = format!(r#"{{"type":"{kind}","{kind}":"#).into_bytes();
    line.extend_from_slice(object);
    if let Some(file) = file {
        line.extend_from_slice(b",\"file\":");
        line.extend_from_slice(&super::to_json(&file));
    }
    line.extend_from_slice(b"}\n");
    line
}

fn put_list<T>(body: &mut BytesMut, items: impl Iterator<Item = T>, put: impl Fn(&mut BytesMut, T)) {
    for (place, item) in items.enumerate() {
        if place > 0 {
            body.put_u8(b',');
        }
        put(body, item);
    }
}
