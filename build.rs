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
        self.plain(
            "manifest.webmanifest",
            "application/manifest+json",
            read(Path::new("web/manifest.webmanifest")).as_bytes(),
        );
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

/// Puts a module after those that it imports, each once, in a function of its own: its names stay its own, and what it
/// exports is what the function answers. An import or export is a line by itself and names what it means.
fn module(path: &Path, done: &mut Vec<(PathBuf, String)>) {
    if done.iter().any(|(known, _)| known == path) {
        return;
    }
    let mut kept = String::new();
    let mut exports = Vec::new();
    for line in read(path).lines() {
        if let Some(import) = line.strip_prefix("import ") {
            let name = import
                .split('\'')
                .nth(1)
                .unwrap_or_else(|| panic!("{}: {line}: an import is one line", path.display()));
            let target = normal(&path.parent().expect("a module is in a directory").join(name));
            module(&target, done);
            if let Some((names, _)) = import.split_once(" from ") {
                kept.push_str(&format!("const {names} = {};\n", variable(&target)));
            }
        } else if let Some(export) = line.strip_prefix("export ") {
            let words = export.strip_prefix("async ").unwrap_or(export);
            let name = words
                .split([' ', '('])
                .nth(1)
                .unwrap_or_else(|| panic!("{}: {line}: an export has a name", path.display()));
            exports.push(name.to_owned());
            kept.push_str(export);
            kept.push('\n');
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    let text =
        format!("const {} = (() => {{\n{kept}return {{ {} }};\n}})();\n", variable(path), exports.join(", "));
    done.push((path.to_owned(), text));
}

/// What a module is called in the bundle.
fn variable(path: &Path) -> String {
    let name = path.with_extension("").to_string_lossy().into_owned();
    format!("${}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
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
