use bytes::Bytes;
pub(crate) struct Asset { pub(crate) content_type: &'static str, pub(crate) etag: &'static str, pub(crate) immutable: bool, pub(crate) identity: Bytes, pub(crate) gzip: Option<Bytes>, pub(crate) br: Option<Bytes> }
pub(crate) fn asset(_p: &str) -> Option<&'static Asset> { None }
pub(crate) fn page() -> &'static Asset { static A: Asset = Asset { content_type: "text/html", etag: "x", immutable: false, identity: Bytes::from_static(b"hi"), gzip: None, br: None }; &A }
