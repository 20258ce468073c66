//! Makes the page ready to be compiled in: the modules that the first view needs in one file and the styles in another
//! (few requests), each lazy part in a file of its own, names that carry a hash of the content, and each file compressed
//! beforehand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Below this, compressing saves nothing.
const COMPRESS_FROM: usize = 1024;

/// A module that several lazy parts need goes into the core if it is this small: a request costs more than its bytes.
const SHARED_IN_CORE: usize = 3_000;

/// How a lazy part comes in: its files are fetched at the same time, and made one after the other, since each may need
/// what is in those before it.
const LOADER: &str = "$.load = async (name) => {
const parts = await Promise.all($.files[name].map((file) => import(file)));
for (const part of parts) part.make($);
return $[name];
};
";

const SCRIPT: &str = "text/javascript; charset=utf-8";

fn main() {
    println!("cargo::rerun-if-changed=web");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names it"));
    let site = Site { dir: out.join("web"), table: String::new(), versions: Sha256::new() };
    let _ = fs::remove_dir_all(&site.dir);
    for dir in ["assets", "icons"] {
        fs::create_dir_all(site.dir.join(dir)).expect("OUT_DIR can be written to");
    }
    site.make(&out);
    pack_relocations();
}

/// A static-pie has a relocation for each pointer in its data: 24 bytes each, or a few bits when they are packed (DT_RELR),
/// in the file and in memory. Whoever links has to know how, and the startup code of glibc has since 2.36.
fn pack_relocations() {
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    let native = std::env::var("HOST").ok() == std::env::var("TARGET").ok();
    if !(native && is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        return;
    }
    let asked = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let version = asked.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let mut parts =
        version.trim().trim_start_matches("glibc ").split('.').map_while(|part| part.parse::<u32>().ok());
    if (parts.next(), parts.next()) >= (Some(2), Some(36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

struct Site {
    dir: PathBuf,
    table: String,
    /// Of all that was put: a new page has another.
    versions: Sha256,
}

impl Site {
    fn make(mut self, out: &Path) {
        let (script, lazy) = self.scripts();
        let mut styles: Vec<PathBuf> = listed("web/styles");
        // The tokens come first; the rest is in the order of the names.
        styles.sort_by_key(|path| (!path.ends_with("tokens.css"), path.clone()));
        let styles: String = styles.iter().map(|path| stripped_styles(&read(path))).collect();
        let styles = self.hashed("app", "css", "text/css; charset=utf-8", styles.as_bytes());
        let icon = read(Path::new("web/favicon.svg"));
        // In the page itself the icon costs no request.
        let page = read(Path::new("web/index.html"))
            .replace("/app.js", &script)
            .replace("/app.css", &styles)
            .replace("/favicon.svg", &data_address(&icon));
        self.plain("index.html", "text/html; charset=utf-8", page.as_bytes());
        self.plain("favicon.svg", "image/svg+xml", icon.as_bytes());
        self.plain("favicon.ico", "image/svg+xml", icon.as_bytes());
        for path in listed("web/icons") {
            let name = path.file_name().and_then(|name| name.to_str()).expect("our names are plain");
            let place = if name.starts_with("apple") { name.to_owned() } else { format!("icons/{name}") };
            self.plain(&place, "image/png", &fs::read(&path).expect("the icon can be read"));
        }
        let manifest = read(Path::new("web/manifest.webmanifest"));
        self.plain("manifest.webmanifest", "application/manifest+json", manifest.as_bytes());
        let texts = lazy.iter().filter(|file| file.starts_with("/assets/de-"));
        let shell: Vec<&str> = ["/", &script, &styles].into_iter().chain(texts.map(String::as_str)).collect();
        let worker = service_worker(&hex(self.versions.clone().finalize())[..12], &shell);
        self.plain("sw.js", SCRIPT, worker.as_bytes());
        fs::write(out.join("assets.rs"), format!("&[\n{}]", self.table)).expect("OUT_DIR can be written to");
    }

    /// The core's file, and those of the lazy parts.
    fn scripts(&mut self) -> (String, BTreeSet<String>) {
        let sources = Sources::from(Path::new("web/app.js"));
        let (core, alone) = sources.divided();
        let in_core: BTreeSet<&PathBuf> = core.iter().collect();
        // What several parts need has a file of its own; the rest of a part is in one.
        let mut shared = BTreeMap::new();
        for path in &alone {
            let text = part(&sources.modules[path].text);
            shared.insert(path, self.hashed(&stem(path), "js", SCRIPT, text.as_bytes()));
        }
        let (mut table, mut all) = (String::new(), BTreeSet::new());
        for entry in &sources.lazy {
            let needed = sources.closure(entry);
            let mut files: Vec<String> = needed.iter().filter_map(|path| shared.get(path).cloned()).collect();
            let own = needed.iter().filter(|path| !in_core.contains(path) && !alone.contains(*path));
            let own: String = own.map(|path| sources.modules[path].text.as_str()).collect();
            if !own.is_empty() {
                files.push(self.hashed(&stem(entry), "js", SCRIPT, part(&own).as_bytes()));
            }
            table.push_str(&format!("{:?}: {files:?},\n", name_of(entry)));
            all.extend(files);
        }
        let modules: String = core.iter().map(|path| sources.modules[path].text.as_str()).collect();
        let text = format!("const $ = {{}};\n$.files = {{\n{table}}};\n{LOADER}{modules}");
        (self.hashed("app", "js", SCRIPT, text.as_bytes()), all)
    }

    /// A file whose name carries its hash, so that it never changes. Answers its address.
    fn hashed(&mut self, stem: &str, extension: &str, content_type: &str, content: &[u8]) -> String {
        let name = format!("assets/{stem}-{}.{extension}", &hex(Sha256::digest(content))[..8]);
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
        // What is there compressed is not kept as it is too: the server unpacks it for the few who want it so.
        if content.len() >= COMPRESS_FROM && content_type != "image/png" {
            write(".gz", &gzip(content));
            write(".br", &brotli(content));
        } else {
            write("", content);
        }
        let hash = hex(Sha256::digest(content));
        self.versions.update(&hash);
        self.table.push_str(&format!("    ({name:?}, {content_type:?}, {:?}, {immutable}),\n", &hash[..16]));
    }
}

/// All modules that can be reached from the first one.
#[derive(Default)]
struct Sources {
    modules: BTreeMap<PathBuf, Module>,
    /// What is imported where it is wanted.
    lazy: BTreeSet<PathBuf>,
}

struct Module {
    /// A function of its own, so that its names stay its own; what it answers is what it exports.
    text: String,
    exports: BTreeSet<String>,
    imports: Vec<PathBuf>,
}

impl Sources {
    fn from(entry: &Path) -> Self {
        let mut sources = Self::default();
        let mut next = Some(entry.to_owned());
        while let Some(path) = next {
            sources.add(&path, &mut Vec::new());
            next = sources.lazy.iter().find(|path| !sources.modules.contains_key(*path)).cloned();
        }
        sources
    }

    /// Reads a module after those that it imports. An import or export is a line by itself and names what it means.
    fn add(&mut self, path: &Path, above: &mut Vec<PathBuf>) {
        if self.modules.contains_key(path) {
            return;
        }
        above.push(path.to_owned());
        let (mut kept, mut exports) = (String::new(), BTreeSet::new());
        let mut imports = Vec::new();
        let source = read(path);
        for (place, line) in stripped_script(&source) {
            let refuse = |why: &str| -> ! { refuse(&format!("{}:{place}: {why}", path.display())) };
            if let Some(import) = line.strip_prefix("import ") {
                let (names, target) = static_import(import).unwrap_or_else(|| {
                    refuse("an import is one line: import { a, b } from './file.js'; or import './file.js';")
                });
                let target = beside(path, target);
                if above.contains(&target) {
                    refuse(&format!("{} is imported in a circle", target.display()));
                }
                if !target.exists() {
                    refuse(&format!("{} is not there", target.display()));
                }
                self.add(&target, above);
                for name in &names {
                    if !self.modules[&target].exports.contains(*name) {
                        refuse(&format!("{} does not export {name}", target.display()));
                    }
                }
                if !names.is_empty() {
                    kept.push_str(&format!(
                        "const {{ {} }} = $[{:?}];\n",
                        names.join(", "),
                        name_of(&target)
                    ));
                }
                imports.push(target);
                continue;
            }
            let mut line = line;
            if let Some(export) = line.strip_prefix("export ") {
                let name = exported(export).unwrap_or_else(|| {
                    refuse("an export is export const, function, async function or class NAME")
                });
                exports.insert(name.to_owned());
                line = export;
            }
            let mut parts = line.split("import(");
            kept.push_str(parts.next().unwrap_or_default());
            for rest in parts {
                let found = rest.strip_prefix('\'').and_then(|rest| rest.split_once("')"));
                let Some((target, rest)) = found.filter(|(target, _)| target.starts_with('.')) else {
                    refuse("a lazy import names its file: import('./file.js')")
                };
                let target = beside(path, target);
                if !target.exists() {
                    refuse(&format!("{} is not there", target.display()));
                }
                kept.push_str(&format!("$.load({:?}){rest}", name_of(&target)));
                self.lazy.insert(target);
            }
            kept.push('\n');
        }
        above.pop();
        let names: Vec<&str> = exports.iter().map(String::as_str).collect();
        let text =
            format!("$[{:?}] = (() => {{\n{kept}return {{ {} }};\n}})();\n", name_of(path), names.join(", "));
        self.modules.insert(path.to_owned(), Module { text, exports, imports });
    }

    /// A module after all that it imports, each once.
    fn closure(&self, entry: &Path) -> Vec<PathBuf> {
        fn walk(sources: &Sources, path: &Path, done: &mut Vec<PathBuf>) {
            if done.iter().any(|known| known == path) {
                return;
            }
            for import in &sources.modules[path].imports {
                walk(sources, import, done);
            }
            done.push(path.to_owned());
        }
        let mut done = Vec::new();
        walk(self, entry, &mut done);
        done
    }

    /// The modules of the core in their order, and those outside it that several lazy parts need.
    fn divided(&self) -> (Vec<PathBuf>, BTreeSet<PathBuf>) {
        let mut core = self.closure(Path::new("web/app.js"));
        let mut users: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for path in self.lazy.iter().flat_map(|entry| self.closure(entry)) {
            *users.entry(path).or_default() += 1;
        }
        let mut alone = BTreeSet::new();
        // One that goes into the core takes along what it imports.
        let shared = users.into_iter().filter(|(_, count)| *count > 1).map(|(path, _)| path);
        for path in shared.collect::<Vec<_>>() {
            let needed = self.closure(&path);
            let new = needed.iter().filter(|path| !core.contains(path));
            if new.clone().map(|path| self.modules[path].text.len()).sum::<usize>() > SHARED_IN_CORE {
                alone.insert(path);
            } else {
                let new: Vec<PathBuf> = new.cloned().collect();
                core.extend(new);
            }
        }
        alone.retain(|path| !core.contains(path));
        (core, alone)
    }
}

/// `{ a, b } from './x.js';` or `'./x.js';`
fn static_import(import: &str) -> Option<(Vec<&str>, &str)> {
    let (names, target) = import.split_once(" from ").unwrap_or(("", import));
    let target = target.strip_prefix('\'')?.strip_suffix("';")?;
    let names = match names {
        "" => Vec::new(),
        names => names.strip_prefix("{ ")?.strip_suffix(" }")?.split(", ").collect(),
    };
    let is_plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (target.starts_with('.') && names.iter().all(is_plain)).then_some((names, target))
}

fn exported(export: &str) -> Option<&str> {
    let rest = ["const ", "function ", "async function ", "class "]
        .iter()
        .find_map(|kind| export.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

/// The lines with their places, without comments that have a line to themselves and without indentation. Where a
/// template may go over lines, the spaces may be meant: such a file stays as it is.
fn stripped_script(source: &str) -> Vec<(usize, &str)> {
    let lines = source.lines().enumerate().map(|(place, line)| (place + 1, line));
    let opens = |line: &str| line.replace("'`'", "").replace("'```'", "").matches('`').count() % 2 == 1;
    if source.lines().any(opens) {
        return lines.collect();
    }
    let mut within = false;
    let trimmed = lines.map(|(place, line)| (place, line.trim()));
    let kept = trimmed.filter(|(_, line)| {
        let begins = line.starts_with("/*") && (line.ends_with("*/") || !line.contains("*/"));
        let is_comment = within || begins || line.starts_with("//");
        within = (within || begins) && !line.ends_with("*/");
        !is_comment && !line.is_empty()
    });
    kept.collect()
}

/// The same of styles, where a comment may be anywhere.
fn stripped_styles(source: &str) -> String {
    let mut parts = source.split("/*");
    let first = parts.next().unwrap_or_default();
    let without: String = std::iter::once(first)
        .chain(parts.map(|part| part.split_once("*/").map_or("", |(_, after)| after)))
        .collect();
    without.lines().map(str::trim).filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}

/// A file of modules that come later. It makes them once.
fn part(modules: &str) -> String {
    format!(
        "let made = false;\nexport const make = ($) => {{\nif (made) return;\nmade = true;\n{modules}}};\n"
    )
}

/// The service worker with what it keeps written in.
fn service_worker(version: &str, shell: &[&str]) -> String {
    let mut text = read(Path::new("web/sw.js"));
    for (before, after) in [
        ("const VERSION = 'development';", format!("const VERSION = {version:?};")),
        ("const SHELL = [];", format!("const SHELL = {shell:?};")),
    ] {
        if !text.contains(before) {
            refuse(&format!("web/sw.js has no line {before}"));
        }
        text = text.replace(before, &after);
    }
    stripped_script(&text).into_iter().flat_map(|(_, line)| [line, "\n"]).collect()
}

/// What a module is called among the others.
fn name_of(path: &Path) -> String {
    let path = path.strip_prefix("web").unwrap_or(path).with_extension("");
    path.to_string_lossy().replace('\\', "/")
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The path that a module means, without `.` and `..`.
fn beside(module: &Path, name: &str) -> PathBuf {
    let mut parts: Vec<&str> =
        module.parent().into_iter().flatten().filter_map(|part| part.to_str()).collect();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

/// A picture as an address.
fn data_address(svg: &str) -> String {
    let escaped = svg.trim().replace('%', "%25").replace('#', "%23").replace('"', "'");
    format!("data:image/svg+xml,{}", escaped.replace('<', "%3C").replace('>', "%3E"))
}

fn refuse(why: &str) -> ! {
    println!("cargo::error={why}");
    std::process::exit(1)
}

fn listed(dir: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| refuse(&format!("{dir}: {error}")));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the directory can be read").path()).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| refuse(&format!("{}: {error}", path.display())))
}

fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory takes any bytes")
}

fn brotli(content: &[u8]) -> Vec<u8> {
    // The last tenth takes most of the time, and only releases are worth it.
    let quality = if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") { 11 } else { 5 };
    let mut packed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality, ..Default::default() };
    brotli::BrotliCompress(&mut &*content, &mut packed, &params).expect("memory takes any bytes");
    packed
}
