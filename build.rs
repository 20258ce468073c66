//! Makes the page ready to be compiled in: the modules in one file and the styles in another (few requests to the first
//! view), names that carry a hash of the content, and each file compressed beforehand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Below this, compressing saves nothing.
const COMPRESS_FROM: usize = 1024;

fn main() {
    println!("cargo::rerun-if-changed=web");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names it"));
    let site = Site { dir: out.join("web"), table: String::new() };
    let _ = fs::remove_dir_all(&site.dir);
    fs::create_dir_all(site.dir.join("assets")).expect("OUT_DIR can be written to");
    site.make(&out);
}

struct Site {
    dir: PathBuf,
    table: String,
}

impl Site {
    fn make(mut self, out: &Path) {
        let mut modules = Vec::new();
        module(Path::new("web/app.js"), &mut modules);
        let script: String = modules.iter().map(|(_, text)| text.as_str()).collect();
        let script = self.hashed("app", "js", "text/javascript; charset=utf-8", script.as_bytes());
        let mut styles: Vec<PathBuf> = listed("web/styles");
        // The tokens come first; the rest is in the order of the names.
        styles.sort_by_key(|path| (!path.ends_with("tokens.css"), path.clone()));
        let styles: String = styles.iter().map(|path| read(path)).collect();
        let styles = self.hashed("app", "css", "text/css; charset=utf-8", styles.as_bytes());
        let page = read(Path::new("web/index.html")).replace("/app.js", &script).replace("/app.css", &styles);
        self.plain("index.html", "text/html; charset=utf-8", page.as_bytes());
        let icon = read(Path::new("web/favicon.svg"));
        self.plain("favicon.svg", "image/svg+xml", icon.as_bytes());
        self.plain("favicon.ico", "image/svg+xml", icon.as_bytes());
        self.plain("manifest.webmanifest", "application/manifest+json", read(Path::new("web/manifest.webmanifest")).as_bytes());
        fs::write(out.join("assets.rs"), format!("&[\n{}]", self.table)).expect("OUT_DIR can be written to");
    }

    /// A file whose name carries its hash, so that it never changes. Answers its address.
    fn hashed(&mut self, stem: &str, extension: &str, content_type: &str, content: &[u8]) -> String {
        let name = format!("assets/{stem}-{}.{extension}", &hash(content)[..8]);
        self.put(&name, content_type, true, content);
        format!("/{name}")
    }

    fn plain(&mut self, name: &str, content_type: &str, content: &[u8]) {
        self.put(name, content_type, false, content);
    }

    fn put(&mut self, name: &str, content_type: &str, immutable: bool, content: &[u8]) {
        let write = |suffix: &str, bytes: &[u8]| {
            fs::write(self.dir.join(format!("{name}{suffix}")), bytes).expect("OUT_DIR can be written to");
        };
        write("", content);
        if content.len() >= COMPRESS_FROM {
            write(".gz", &gzip(content));
            write(".br", &brotli(content));
        }
        let hash = &hash(content)[..16];
        self.table.push_str(&format!("    ({name:?}, {content_type:?}, {hash:?}, {immutable}),\n"));
    }
}

/// A module after those that it imports, each once. The modules share one scope in the end, so a name may be
/// declared by one of them only; a browser says so at once if not.
fn module(path: &Path, done: &mut Vec<(PathBuf, String)>) {
    if done.iter().any(|(known, _)| known == path) {
        return;
    }
    let text = read(path);
    let mut kept = String::new();
    // Its place is taken before its imports are looked at, so that a circle ends.
    done.push((path.to_owned(), String::new()));
    let mut imports = Vec::new();
    for line in text.lines() {
        if let Some(import) = line.strip_prefix("import ") {
            let name = import.split(['\'', '"']).nth(1).unwrap_or_else(|| panic!("{}: an import has to be on one line", path.display()));
            let dir = path.parent().expect("a module is in a directory");
            let target = normal(&dir.join(name));
            imports.push(target);
        } else {
            kept.push_str(line.strip_prefix("export ").unwrap_or(line));
            kept.push('\n');
        }
    }
    for import in imports {
        module(&import, done);
    }
    let place = done.iter().position(|(known, _)| known == path).expect("it was put there");
    done.remove(place);
    done.push((path.to_owned(), kept));
}

/// The same path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts = Vec::new();
    for part in path.iter() {
        match part.to_str() {
            Some(".") => {}
            Some("..") => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

fn listed(dir: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{dir}: {error}"));
    entries.map(|entry| entry.expect("the directory can be read").path()).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory takes any bytes")
}

fn brotli(content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &*content, &mut packed, &params).expect("memory takes any bytes");
    packed
}
