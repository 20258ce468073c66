//! Whether the backup directory is what it was. If a USB disk is not mounted, its mount point is an ordinary directory of the
//! disk that is to be backed up, and backups would fill that.
//!
//! The directory is never made, and the first backup leaves a marker in it. The data directory remembers that there is one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::BackupError;

/// The marker, within the backup directory.
const MARKER: &str = ".campfire-backups";

/// What names the directory with the marker, within the data directory.
const REMEMBERED: &str = "campfire.backups";

/// Fails unless backups of this data may be made here.
pub fn check_place(data: &Path, directory: &Path) -> Result<(), BackupError> {
    if !directory.is_dir() {
        return Err(BackupError::NoPlace(directory.to_owned()));
    }
    let marker = directory.join(MARKER);
    let is_known = fs::read(data.join(REMEMBERED)).is_ok_and(|known| known == name_of(directory));
    if is_known && !marker.exists() {
        return Err(BackupError::OtherPlace { directory: directory.to_owned(), marker });
    }
    Ok(())
}

/// Leaves the marker, after the first backup.
pub fn mark_place(data: &Path, directory: &Path) -> Result<(), BackupError> {
    let write = |path: PathBuf, text: &[u8]| match fs::read(&path) {
        Ok(found) if found == text => Ok(()),
        _ => fs::write(&path, text).map_err(|error: io::Error| BackupError::Write(path, error)),
    };
    write(directory.join(MARKER), b"campfire makes backups only where it finds this file again.\n")?;
    write(data.join(REMEMBERED), &name_of(directory))
}

fn name_of(directory: &Path) -> Vec<u8> {
    let full = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    full.into_os_string().into_encoded_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B20.
    #[test]
    fn place_that_lost_its_marker_is_a_disk_that_is_not_mounted() {
        let dir = tempfile::tempdir().unwrap();
        let (data, usb, other) = (dir.path().join("data"), dir.path().join("usb"), dir.path().join("other"));
        fs::create_dir(&data).unwrap();
        assert!(matches!(check_place(&data, &usb), Err(BackupError::NoPlace(_))));
        assert!(!usb.exists(), "it is not made");
        for place in [&usb, &other] {
            fs::create_dir(place).unwrap();
        }
        check_place(&data, &usb).expect("the first time");
        mark_place(&data, &usb).unwrap();
        check_place(&data, &usb).expect("it is the same");
        // The disk goes, and its mount point is left.
        fs::rename(&usb, dir.path().join("away")).unwrap();
        fs::create_dir(&usb).unwrap();
        let refused = check_place(&data, &usb).unwrap_err();
        assert!(matches!(refused, BackupError::OtherPlace { .. }));
        assert!(refused.to_string().contains("mount its disk"), "{refused}");
        check_place(&data, &other).expect("another directory in the settings");
        fs::write(usb.join(MARKER), "").unwrap();
        check_place(&data, &usb).expect("a new disk, as the sentence says");
    }
}
