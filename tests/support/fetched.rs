//! Fetches what tests start, once, into a folder of `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The output of a command that has to succeed.
pub fn run(what: &str, command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(output.status.success(), "{what}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// What a command printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folder of this name.
pub fn folder(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    target.join("fetched").join(name)
}

/// Makes a folder by a function, unless it was made before by the same version of it.
pub fn once(name: &str, version: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let folder = folder(name);
    let mark = folder.join("version");
    if std::fs::read_to_string(&mark).is_ok_and(|made| made == version) {
        return folder;
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    make(&folder);
    std::fs::write(mark, version).expect("a mark");
    folder
}

/// Unpacks packages of Debian into a folder. Installed, they would start services.
pub fn debian(folder: &Path, packages: &[&str]) {
    let download = || Command::new("apt-get").arg("download").args(packages).current_dir(folder).output();
    if !download().expect("apt-get").status.success() {
        // No list of packages yet.
        let _ = Command::new("apt-get").args(["update", "-q"]).output();
        let output = download().expect("apt-get");
        assert!(output.status.success(), "apt-get download: {}", text(&output.stderr));
    }
    for file in std::fs::read_dir(folder).expect("the folder").flatten() {
        if file.path().extension().is_some_and(|ending| ending == "deb") {
            run("dpkg", Command::new("dpkg").arg("-x").arg(file.path()).arg(folder));
        }
    }
}
