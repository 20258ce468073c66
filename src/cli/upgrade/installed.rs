//! The installed binary: it is replaced atomically, and the previous one stays beside it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};

use super::{Failure, Version, child};

/// The suffix of the file of the previous version.
const PREVIOUS: &str = ".previous";

/// The timeout of `--version`.
const SAY_VERSION: Duration = Duration::from_secs(20);

/// The installed binary and its directory.
pub(super) struct Installed {
    pub(super) path: PathBuf,
    /// The file of the previous version, which may not exist.
    pub(super) previous: PathBuf,
    directory: PathBuf,
    name: String,
}

impl Installed {
    /// The binary of this process; if that is `campfire.previous`, the one beside it.
    pub(super) fn find() -> Result<Self, Failure> {
        let own = std::env::current_exe()
            .map_err(|error| Failure::Failed(format!("cannot find the file of this program ({error})")))?;
        let parts = own.parent().zip(own.file_name().and_then(|name| name.to_str()));
        let Some((directory, own_name)) = parts.filter(|_| own.exists()) else {
            return Err(Failure::Failed(format!(
                "{} does not exist any more; it was replaced meanwhile, so run this again",
                own.display()
            )));
        };
        let name = own_name.strip_suffix(PREVIOUS).unwrap_or(own_name).to_owned();
        let previous = directory.join(format!("{name}{PREVIOUS}"));
        Ok(Self { path: directory.join(&name), previous, directory: directory.to_owned(), name })
    }

    /// Whether this process runs the file of the previous version.
    pub(super) fn runs_as_previous(&self) -> bool {
        std::env::current_exe().is_ok_and(|own| own == self.previous)
    }

    /// Locks the directory for this process, and checks that it can be written to.
    pub(super) fn claim(&self) -> Result<Claim<'_>, Failure> {
        let refuse = |error| self.refusal(&error);
        let directory = File::open(&self.directory).map_err(refuse)?;
        // On file systems without locks it goes on without one.
        if flock(&directory, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK) {
            return Err(Failure::Failed(format!(
                "another upgrade of {} is running; wait for its end",
                self.path.display()
            )));
        }
        let new = self.directory.join(format!(".{}.upgrade", self.name));
        // An upgrade that was killed may have left one.
        let _ = fs::remove_file(&new);
        let claim = Claim { installed: self, new, directory };
        OpenOptions::new().write(true).create_new(true).mode(0o700).open(&claim.new).map_err(refuse)?;
        Ok(claim)
    }

    fn refusal(&self, error: &io::Error) -> Failure {
        let directory = self.directory.display();
        Failure::Failed(if error.kind() == ErrorKind::PermissionDenied {
            let mut command = format!("sudo {}", self.path.display());
            for argument in std::env::args_os().skip(1) {
                command = format!("{command} {}", argument.to_string_lossy());
            }
            // sudo clears the environment.
            if let Some(from) = std::env::var_os("CAMPFIRE_BASE_URL")
                && !command.contains(" --from")
            {
                command = format!("{command} --from {}", from.to_string_lossy());
            }
            format!("may not write to {directory}; nothing was changed; try: {command}")
        } else {
            format!("cannot write to {directory} ({error}); nothing was changed")
        })
    }
}

/// The locked directory of the installed binary. A new binary that was not installed is removed on drop.
pub(super) struct Claim<'a> {
    installed: &'a Installed,
    /// The file of the new binary, until it is installed.
    pub(super) new: PathBuf,
    /// Locked while it is open.
    directory: File,
}

impl Claim<'_> {
    pub(super) fn path(&self) -> &Path {
        &self.installed.path
    }

    /// Writes the new binary beside the installed one, with the same owner and permissions.
    pub(super) fn write(&self, content: &[u8]) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let old = fs::metadata(&self.installed.path)?;
            let mut file = OpenOptions::new().write(true).truncate(true).open(&self.new)?;
            file.write_all(content)?;
            let made = file.metadata()?;
            if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
                // Fails for users other than root; the file is then theirs.
                let _ = chown(&self.new, Some(old.uid()), Some(old.gid()));
            }
            file.set_permissions(old.permissions())?;
            file.sync_all()
        };
        write().map_err(|error| self.installed.refusal(&error))
    }

    /// Installs the new binary; the old one becomes the previous one.
    pub(super) fn install(&self) -> Result<(), Failure> {
        let installed = self.installed;
        let change = || -> io::Result<()> {
            // A second name first, so that `campfire` exists at every moment.
            let aside = self.new.with_extension("aside");
            let _ = fs::remove_file(&aside);
            let kept = link(&installed.path, &aside).and_then(|()| fs::rename(&aside, &installed.previous));
            if kept.is_err() {
                let _ = fs::remove_file(&aside);
            }
            kept?;
            fs::rename(&self.new, &installed.path)?;
            self.directory.sync_all()
        };
        change().map_err(|error| installed.refusal(&error))
    }

    /// Moves the previous binary back over the new one.
    pub(super) fn take_back(&self) -> Result<(), Failure> {
        let installed = self.installed;
        let change = || {
            fs::rename(&installed.previous, &installed.path)?;
            self.directory.sync_all()
        };
        change().map_err(|error: io::Error| {
            Failure::Failed(format!(
                "cannot move {} to {} ({error}); do it by hand",
                installed.previous.display(),
                installed.path.display()
            ))
        })
    }

    /// Swaps the installed binary and the previous one.
    pub(super) fn exchange(&self) -> Result<(), Failure> {
        let installed = self.installed;
        let change = || -> io::Result<()> {
            fs::remove_file(&self.new)?;
            link(&installed.path, &self.new)?;
            fs::rename(&installed.previous, &installed.path)?;
            fs::rename(&self.new, &installed.previous)?;
            self.directory.sync_all()
        };
        change().map_err(|error| installed.refusal(&error))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.new);
    }
}

/// A hard link to a file, or a copy where the file system has no hard links.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| {
        fs::copy(from, to)?;
        File::open(to)?.sync_all()
    })
}

/// The version that a binary reports, if it runs on this machine.
pub(super) fn version_of(binary: &Path) -> Result<Version, String> {
    let output = child::run(binary, &["--version".into()], SAY_VERSION)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.trim().strip_prefix("campfire ").and_then(|version| version.parse().ok());
    version.filter(|_| output.status.success()).ok_or_else(|| {
        let line: String = said.lines().next().unwrap_or_default().chars().take(80).collect();
        format!("it ends with {} and prints {line:?}", output.status)
    })
}
