//! The page and its parts, as `build.rs` made them ready and rust-embed put them into the binary.

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

/// Name, content type, hash, and whether it never changes.
const TABLE: &[(&str, &str, &str, bool)] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    /// The opaque part of its entity tag.
    pub(crate) etag: &'static str,
    /// Its name changes when it does.
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
    /// The file, uncompressed. A compressible file is embedded only with gzip and Brotli, and decompressed on first use.
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

/// A file's bytes, where they lie in the binary.
fn embedded(name: &str) -> Option<Bytes> {
    Some(match Web::get(name)?.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    })
}

/// By the path of its address.
pub(crate) fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.get(path.strip_prefix('/')?)
}

/// The page that answers every address that a person can be at.
pub(crate) fn page() -> &'static Asset {
    &ASSETS["index.html"]
}
