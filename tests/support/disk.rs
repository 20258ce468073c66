//! A small disk, which can be filled.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory. It is unmounted when this is dropped.
pub struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// A disk of so many megabytes. An error, in words, if this user may not mount one.
    pub fn new(megabytes: u64) -> Result<SmallDisk, String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(SmallDisk { dir }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Writes a file until no byte is left.
    pub fn fill(&self) {
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(self.filler()).expect("a file");
        for size in [1 << 20, 1 << 16, 1 << 12, 1] {
            let chunk = vec![7; size];
            while file.write_all(&chunk).is_ok() {}
        }
    }

    /// Removes that file.
    pub fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("the file");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
