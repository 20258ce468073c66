//! A team chat server in one binary.
//!
//! Modules import only from the layers below their own; `http`, `live` and `jobs` never import one another. A test at the
//! end of this file reads every `use crate::…` and fails on an import that goes up or sideways. `docs/architecture.md`
//! follows a message through these modules and says where a new route, event or setting goes.
//!
//! | layer | modules |
//! | --- | --- |
//! | command line | [`cli`]: every command of `campfire`, from `serve` to `doctor` |
//! | process | [`server`]: listeners, TLS and ACME, worker threads, start and stop, the service manager, alerts |
//! | edges | `http`: routes, requests and responses · `live`: WebSocket connections and their protocol · `jobs`: background work off the durable list |
//! | moving in | `import`: histories of other chats, while no server runs |
//! | application | `chat`: what a person, a bot or a job may do, and what follows from it |
//! | worker | [`worker`]: what one core owns: its inbox, caches, limits, its reader and its hub |
//! | hub | `hub`: the sockets of one worker: who hears an event, queues, heartbeat, presence, draining |
//! | archives | [`backup`]: make, verify, restore and expire backups |
//! | storage | [`store`]: the writer, readers, state in memory; every line of SQL |
//! | wire | [`wire`]: everything a client sees: events, views, problems, forms, frames |
//! | settings | [`log`], [`config`] |
//! | leaves | [`text`]: Markdown, mentions, search queries, Slack's markup · [`media`]: pictures and sounds · [`outbound`]: calls to other servers · [`metrics`] · `transport`: TCP or TLS below a connection |
//! | bounds | `admission`: how many connections may be open · `memory`: how much there is, and budgets of it |
//! | types | [`types`]: ids, the model, secrets, committed events |

mod admission;
pub mod backup;
mod chat;
pub mod cli;
pub mod config;
mod http;
mod hub;
mod import;
mod jobs;
mod live;
pub mod log;
pub mod media;
mod memory;
pub mod metrics;
pub mod outbound;
pub mod server;
pub mod store;
pub mod text;
mod transport;
pub mod types;
pub mod wire;
pub mod worker;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    /// From the top; modules of one layer do not import one another.
    const LAYERS: &[&[&str]] = &[
        &["main"],
        &["cli"],
        &["server"],
        &["http", "live", "jobs"],
        &["import"],
        &["chat"],
        &["worker"],
        &["hub"],
        &["backup"],
        &["store"],
        &["wire"],
        &["log"],
        &["config"],
        &["text", "media", "outbound", "transport", "metrics"],
        &["admission", "memory"],
        &["types"],
    ];

    fn layer(module: &str) -> Option<usize> {
        LAYERS.iter().position(|layer| layer.contains(&module))
    }

    /// The first names after `crate::`, of a path or of a braced list.
    fn imports(line_and_rest: &str) -> Vec<String> {
        let name = |text: &str| {
            text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        };
        let Some(list) = line_and_rest.strip_prefix('{') else { return vec![name(line_and_rest)] };
        let (mut depth, mut names) = (0, vec![name(list)]);
        for (place, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => names.push(name(&list[place + 1..])),
                _ => {}
            }
        }
        names.retain(|name| !name.is_empty());
        names
    }

    fn check(file: &Path, module: &str, wrong: &mut Vec<String>, seen: &mut BTreeSet<String>) {
        let text = fs::read_to_string(file).unwrap();
        // A comment may name anything; line breaks stay, so that places in it are places in the file.
        let code: String = text
            .split_inclusive('\n')
            .map(|line| {
                let end = line.find("//").unwrap_or(line.trim_end_matches('\n').len());
                format!("{}\n", &line[..end])
            })
            .collect();
        let Some(own) = layer(module) else {
            return wrong.push(format!("{}: `{module}` has no layer in src/lib.rs", file.display()));
        };
        seen.insert(module.to_owned());
        for (place, found) in code.match_indices("crate::") {
            let after = &code[place + found.len()..];
            for name in imports(after).into_iter().filter(|name| name != module) {
                let goes_down = layer(&name).is_none_or(|layer| layer > own);
                if !goes_down {
                    let number = code[..place].matches('\n').count();
                    let line = text.lines().nth(number).unwrap_or_default().trim();
                    wrong.push(format!(
                        "{}:{}: `{module}` must not import `{name}`, which is not below it: {line}",
                        file.display(),
                        number + 1
                    ));
                }
            }
        }
    }

    fn walk(folder: &Path, module: Option<&str>, wrong: &mut Vec<String>, seen: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            let own = module.unwrap_or(&stem);
            if path.is_dir() {
                walk(&path, Some(own), wrong, seen);
            } else if path.extension().is_some_and(|ending| ending == "rs") && own != "lib" {
                check(&path, own, wrong, seen);
            }
        }
    }

    #[test]
    fn layers_import_only_from_below() {
        let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        walk(source, None, &mut wrong, &mut seen);
        assert!(wrong.is_empty(), "imports that go up or sideways:\n{}", wrong.join("\n"));
        let known: BTreeSet<String> =
            LAYERS.iter().copied().flatten().map(|name| (*name).to_owned()).collect();
        assert_eq!(seen, known, "every module has a layer, and every layer its modules");
    }

    #[test]
    fn imports_are_read_out_of_paths_and_lists() {
        assert_eq!(imports("types::UserId;"), ["types"]);
        assert_eq!(imports("{\n    chat::{self, Viewer},\n    wire::Problem,\n};"), ["chat", "wire"]);
        assert_eq!(imports("{store::{a, b::{c, d}}, types}"), ["store", "types"]);
    }

    #[test]
    fn files_are_short() {
        const MOST: usize = 450;
        fn longest(folder: &Path) -> (usize, std::path::PathBuf) {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let length = |path: std::path::PathBuf| match path.is_dir() {
                true => longest(&path),
                false if path.extension().is_some_and(|ending| ending == "rs") => {
                    (fs::read_to_string(&path).unwrap().lines().count(), path)
                }
                false => (0, path),
            };
            entries.map(length).max().unwrap_or_default()
        }
        let (lines, file) = longest(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        assert!(lines <= MOST, "{} has {lines} lines: look for the second thing in it", file.display());
    }
}
