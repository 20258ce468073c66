//! The documentation: what it links to is there, and the README stays short.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Component, Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A page: the addresses that it links to, and the anchors of its headings.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Page {
    fn of(markdown: &str) -> Self {
        let mut page = Self::default();
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Html(html) | Event::InlineHtml(html) => page.links.extend(sources(&html)),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let count = seen.entry(anchor.clone()).or_default();
                    page.anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
                    *count += 1;
                }
                _ => {}
            }
        }
        page
    }
}

/// What `src` and `href` of a piece of HTML name.
fn sources(html: &str) -> Vec<String> {
    ["src=\"", "href=\""]
        .iter()
        .flat_map(|name| html.split(name).skip(1))
        .filter_map(|rest| rest.split_once('"').map(|(value, _)| value.to_owned()))
        .collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of the documentation, by its path.
fn pages() -> HashMap<PathBuf, Page> {
    let mut paths = vec![root().join("README.md"), root().join("benches/README.md")];
    for folder in ["docs", "docs/moving-in", ".github"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    let read = |path: PathBuf| {
        let page = Page::of(&fs::read_to_string(&path).unwrap());
        (path, page)
    };
    paths.into_iter().map(read).collect()
}

/// Where a relative link of a page leads.
fn target(page: &Path, link: &str) -> PathBuf {
    let mut target = page.parent().unwrap().to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(target.pop()),
            part => target.push(part),
        }
    }
    target
}

#[test]
fn links_and_anchors_lead_to_files_and_headings_that_exist() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut checked = 0;
    for (path, page) in &pages {
        for link in &page.links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { target(path, file) };
            let exists = target.exists()
                && (anchor.is_empty()
                    || pages.get(&target).is_some_and(|page| page.anchors.contains(anchor)));
            if !exists {
                broken.push(format!("{}: {link}", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(checked > 50, "only {checked} links were found");
    broken.sort_unstable();
    assert!(broken.is_empty(), "these links lead nowhere: {broken:#?}");
}

#[test]
fn readme_is_short_and_links_to_every_page_of_the_documentation() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let lines = readme.lines().count();
    assert!(lines <= 100, "README.md has {lines} lines; the rest belongs into docs/");
    for line in readme.lines() {
        assert!(line.chars().count() <= 120, "too long: {line}");
    }
    let linked: BTreeSet<PathBuf> = Page::of(&readme).links.iter().map(|link| target(&path, link)).collect();
    for page in fs::read_dir(root().join("docs")).unwrap() {
        let page = page.unwrap().path();
        if !page.is_dir() {
            assert!(linked.contains(&page), "README.md does not link to {}", page.display());
            continue;
        }
        // Pages of a folder are linked by the page of its name.
        let parent = page.with_extension("md");
        let text = fs::read_to_string(&parent).unwrap();
        let linked: BTreeSet<PathBuf> =
            Page::of(&text).links.iter().map(|link| target(&parent, link)).collect();
        for page in fs::read_dir(page).unwrap() {
            let page = page.unwrap().path();
            assert!(linked.contains(&page), "{} does not link to {}", parent.display(), page.display());
        }
    }
}

#[test]
fn anchors_are_those_of_github() {
    let page = Page::of("# Bots, `webhooks` & ACME (RFC 8555)\n\n## A bot's webhook\n\n## A bot's webhook\n");
    let wanted = ["a-bots-webhook", "a-bots-webhook-1", "bots-webhooks--acme-rfc-8555"];
    assert_eq!(page.anchors.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}

/// Paths and test names in the text, such as `src/http/router.rs`, that a reader would look for.
#[test]
fn architecture_names_only_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let paths = named.iter().filter(|name| {
        ["src/", "web/", "sql/", "tests/", "docs/", "benches/", ".ci/"]
            .iter()
            .any(|top| name.starts_with(top))
            && !name.contains(|c: char| c.is_whitespace() || c == '*' || c.is_ascii_uppercase())
    });
    let missing: Vec<_> = paths.filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "docs/architecture.md names what is not there: {missing:?}");
    assert!(named.len() > 100, "the text has names");
}

/// A file that its suite does not list is never compiled.
#[test]
fn test_files_are_listed_in_their_suites() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for entry in fs::read_dir(&tests).unwrap() {
        let suite = entry.unwrap().path().with_extension("rs");
        let folder = suite.with_extension("");
        if !suite.is_file() || !folder.is_dir() {
            continue;
        }
        let listed = fs::read_to_string(&suite).unwrap();
        for file in fs::read_dir(&folder).unwrap() {
            let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
            assert!(listed.contains(&format!("mod {name};")), "{} does not list {name}", suite.display());
        }
    }
}
