//! A release: its version, and its binary, whose checksum is verified.

use std::{
    cmp::Ordering,
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use bytes::Bytes;
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::Failure;
use crate::outbound::{Answer, Call, CallError, Outside, Policy, Redirects, Scope};

/// The URL of releases, unless `--from` or `CAMPFIRE_BASE_URL` gives another.
const RELEASES: &str = "https://example.org/campfire/releases/latest/download";

/// The largest VERSION file, in bytes: one line.
const MAX_VERSION: usize = 1 << 10;

/// The largest SHA256SUMS file, in bytes: one line for each file.
const MAX_SUMS: usize = 256 << 10;

/// The largest binary, in bytes: several times the actual size. It is kept in memory until it is verified.
const MAX_BINARY: usize = 256 << 20;

const CONNECT: Duration = Duration::from_secs(15);

/// The timeout of the small files.
const SHORT: Duration = Duration::from_secs(30);

/// The timeout of the binary, which at 128 kbit/s loads 28 MB.
const LONG: Duration = Duration::from_secs(30 * 60);

/// Release sites redirect downloads.
const MAX_REDIRECTS: u32 = 5;

/// A version like `0.2.0` or `0.2.0-rc.1`, in the order of semantic versioning. It is safe in a file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    numbers: [u64; 3],
    /// The parts of the pre-release; empty for a release.
    pre: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Version {
    pub(super) fn own() -> Self {
        env!("CARGO_PKG_VERSION").parse().expect("Cargo accepts no other versions")
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (release, pre) = text.split_once('-').map_or((text, None), |(release, pre)| (release, Some(pre)));
        let numbers = release.split('.').map(number).collect::<Option<Vec<_>>>().ok_or(())?;
        let part = |text: &str| match number(text) {
            Some(number) => Ok(Part::Number(number)),
            None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                Ok(Part::Word(text.to_owned()))
            }
            None => Err(()),
        };
        let pre = pre.map_or(Ok(Vec::new()), |pre| pre.split('.').map(part).collect())?;
        Ok(Self { numbers: numbers.try_into().map_err(drop)?, pre })
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            (false, false) => self.pre.cmp(&other.pre),
            (is_release, other_is) => is_release.cmp(&other_is),
        };
        self.numbers.cmp(&other.numbers).then_with(pre)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (index, part) in self.pre.iter().enumerate() {
            f.write_str(if index == 0 { "-" } else { "." })?;
            match part {
                Part::Number(number) => write!(f, "{number}")?,
                Part::Word(word) => f.write_str(word)?,
            }
        }
        Ok(())
    }
}

/// Where a release is.
enum Location {
    Directory(PathBuf),
    Address(String),
}

/// The source of a release.
pub(super) struct Source {
    location: Location,
    outside: Outside,
    runtime: tokio::runtime::Runtime,
}

impl Source {
    /// `named` is a URL or a directory; without it, `RELEASES`.
    pub(super) fn new(named: Option<&str>, policy: Policy) -> Result<Self, Failure> {
        let named = named.unwrap_or(RELEASES).trim_end_matches('/');
        let location = if named.starts_with("https://") || is_local(named) {
            Location::Address(named.to_owned())
        } else if named.starts_with("http://") {
            return Err(Failure::Usage(format!(
                "--from (or CAMPFIRE_BASE_URL) is {named}, but what comes by http can be replaced on its way, with its checksums; use https or a directory"
            )));
        } else if let Some(path) = named.strip_prefix("file://") {
            Location::Directory(path.into())
        } else if named.is_empty() || named.contains("://") {
            return Err(Failure::Usage(format!(
                "--from (or CAMPFIRE_BASE_URL) has to be an http URL or a directory, not {named:?}"
            )));
        } else {
            Location::Directory(named.into())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::Failed(format!("cannot start a download ({error})")))?;
        Ok(Self { location, outside: Outside::new(policy), runtime })
    }

    pub(super) fn version(&self) -> Result<Version, Failure> {
        let found = self.fetch("VERSION", MAX_VERSION, SHORT)?;
        let text = String::from_utf8_lossy(&found);
        text.trim().parse().map_err(|()| {
            let line: String = text.lines().next().unwrap_or_default().chars().take(40).collect();
            Failure::Failed(format!("VERSION of {self} has to be a version like 0.2.0, but is {line:?}"))
        })
    }

    /// The binary for this processor, if its checksum matches `SHA256SUMS`.
    pub(super) fn binary(&self) -> Result<Bytes, Failure> {
        let name = binary_name()?;
        let sums = self.fetch("SHA256SUMS", MAX_SUMS, SHORT)?;
        let wanted = sum_of(&String::from_utf8_lossy(&sums), name).ok_or_else(|| {
            Failure::Failed(format!(
                "SHA256SUMS of {self} has not one line for {name}, so it cannot be verified; nothing was changed"
            ))
        })?;
        let binary = self.fetch(name, MAX_BINARY, LONG)?;
        let found = crate::types::hex(&Sha256::digest(&binary));
        if found == wanted {
            Ok(binary)
        } else {
            Err(Failure::Failed(format!(
                "{name} has the SHA-256 {found} and not {wanted}: it was damaged or tampered with in transit; nothing was changed"
            )))
        }
    }

    fn fetch(&self, name: &str, most: usize, within: Duration) -> Result<Bytes, Failure> {
        match &self.location {
            Location::Directory(directory) => read(&directory.join(name), most),
            Location::Address(base) => self.download(&format!("{base}/{name}"), most, within),
        }
        .map_err(|why| Failure::Failed(format!("{why}; nothing was changed")))
    }

    fn download(&self, url: &str, most: usize, within: Duration) -> Result<Bytes, String> {
        let call = Call {
            method: Method::GET,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            scope: Scope::Anywhere,
            redirects: Redirects::FollowSecurely(MAX_REDIRECTS),
            connect: CONNECT,
            total: within,
            max_body: most,
        };
        match self.runtime.block_on(self.outside.call(&call)) {
            Ok(Answer { truncated: true, .. }) => {
                Err(format!("{url} is larger than the limit of {most} bytes"))
            }
            Ok(Answer { status: StatusCode::OK, body, .. }) => Ok(body),
            Ok(Answer { status, .. }) => Err(format!("{url} is answered with {status}; is the URL right?")),
            Err(CallError::Timeout) => {
                Err(format!("downloading {url} took longer than {} s; try again", within.as_secs()))
            }
            Err(error) => Err(format!("cannot download {url} ({error}); try again")),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Directory(path) => path.display().fmt(f),
            Location::Address(url) => f.write_str(url),
        }
    }
}

fn read(path: &Path, most: usize) -> Result<Bytes, String> {
    let mut content = Vec::new();
    let reading = fs::File::open(path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut content));
    reading.map_err(|error| format!("cannot read {} ({error})", path.display()))?;
    if content.len() > most {
        return Err(format!("{} is larger than the limit of {most} bytes", path.display()));
    }
    Ok(content.into())
}

/// Whether a URL is plain HTTP to this machine.
fn is_local(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        url.scheme() == "http"
            && match url.host() {
                Some(url::Host::Domain(name)) => name == "localhost",
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    })
}

/// The file name of the binary for this machine.
fn binary_name() -> Result<&'static str, Failure> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("campfire-x86_64-linux"),
        ("linux", "aarch64") => Ok("campfire-aarch64-linux"),
        ("linux", "arm") => Ok("campfire-armv7-linux"),
        (system, processor) => Err(Failure::Failed(format!(
            "releases have no binary for {system} on {processor}; build it from a checkout with ./install.sh"
        ))),
    }
}

/// The checksum of a file in the format of `sha256sum`, in lower case; None if there are several.
fn sum_of(sums: &str, name: &str) -> Option<String> {
    let mut found = sums.lines().filter_map(|line| {
        let (sum, rest) = line.split_at_checked(64)?;
        let named = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
        (named == name && sum.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| sum.to_ascii_lowercase())
    });
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_order_of_semantic_versioning() {
        let ordered =
            ["0.1.0", "0.2.0-alpha.9", "0.2.0-rc", "0.2.0-rc.2", "0.2.0-rc.10", "0.2.0", "0.10.0", "1.0.0"];
        let versions: Vec<Version> = ordered.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
        assert!(versions.iter().zip(ordered).all(|(version, text)| version.to_string() == text));
    }

    #[test]
    fn version_refuses_other_texts() {
        for text in
            ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "1..3", "1.2.3-", "1.2.3-../x", "<html>", "1.+2.3"]
        {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    /// 37.
    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in ["http://127.0.0.1:80/x", "http://localhost", "http://[::1]:3000/"] {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.example.org",
            "http://localhost.example",
            "http://10.0.0.1",
            "https://localhost",
        ] {
            assert!(!is_local(url), "{url}");
        }
        let refused = Source::new(Some("http://example.org/releases"), Policy::default()).err();
        assert!(matches!(refused, Some(Failure::Usage(why)) if why.contains("use https or a directory")));
    }

    #[test]
    fn checksum_is_that_of_the_exact_file_name() {
        let (one, two) = ("A1".repeat(32), "b2".repeat(32));
        let sums = format!("{two}  campfire-x\n{one} *campfire\n{two}  dir/campfire\nnonsense\n");
        assert_eq!(sum_of(&sums, "campfire"), Some("a1".repeat(32)));
        assert_eq!(sum_of(&sums, "camp"), None);
        assert_eq!(sum_of(&format!("{sums}{two}  campfire\n"), "campfire"), None, "which one is it?");
        assert_eq!(sum_of(&format!("{}  campfire\n", "z".repeat(64)), "campfire"), None);
    }
}
