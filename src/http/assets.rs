//! The page and its parts, prepared by `build.rs` and embedded in the binary by rust-embed.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::Read,
    sync::{LazyLock, OnceLock},
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "$OUT_DIR/web"]
struct Web;

/// Name, content type, hash, and whether the name contains the hash.
const TABLE: &[(&str, &str, &str, bool)] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    /// The opaque part of its entity tag.
    pub(crate) etag: &'static str,
    /// Its name contains its hash, so what it names never changes.
    pub(crate) immutable: bool,
    identity: OnceLock<Bytes>,
    pub(crate) gzip: Option<Bytes>,
    pub(crate) br: Option<Bytes>,
}

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let made = TABLE.iter().map(|(name, content_type, etag, immutable)| {
        let identity = embedded(name).map_or_else(OnceLock::new, OnceLock::from);
        let (gzip, br) = (embedded(&format!("{name}.gz")), embedded(&format!("{name}.br")));
        (*name, Asset { content_type, etag, immutable: *immutable, identity, gzip, br })
    });
    made.collect()
});

impl Asset {
    /// The file, uncompressed. A compressible file is embedded only with gzip and Brotli, and decompressed on first
    /// use.
    pub(crate) fn identity(&self) -> Bytes {
        let decompressed = || {
            let compressed = self.gzip.as_deref().expect("a file is embedded plain or compressed");
            let mut bytes = Vec::new();
            GzDecoder::new(compressed).read_to_end(&mut bytes).expect("build.rs compressed it");
            bytes.into()
        };
        self.identity.get_or_init(decompressed).clone()
    }
}

/// A file's bytes, without a copy where they are in the binary.
fn embedded(name: &str) -> Option<Bytes> {
    Some(match Web::get(name)?.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    })
}

/// The asset at the path of a URL.
pub(crate) fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.get(path.strip_prefix('/')?)
}

/// The page, which answers every URL that a person can open.
pub(crate) fn page() -> &'static Asset {
    &ASSETS["index.html"]
}
