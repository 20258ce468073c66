//! Archives as people bring them, and hostile ones.

use super::*;
use zip::write::SimpleFileOptions;

fn zipped(entries: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    (dir, path)
}

fn tarred(
    add: impl FnOnce(&mut tar::Builder<flate2::write::GzEncoder<File>>),
) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.tar.gz");
    let encoder = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    add(&mut builder);
    builder.into_inner().unwrap().finish().unwrap();
    (dir, path)
}

fn header(name: &str, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    // `set_path` refuses what a hostile archive has.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

fn refused(path: &Path) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let error = Archive::open(path, &scratch.path().join("inner")).unwrap_err().0;
    let outside: Vec<_> = fs::read_dir(scratch.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(outside.iter().all(|name| name == "inner"), "{outside:?}");
    error
}

#[test]
fn zip_folder_and_tar_have_the_same_files() {
    let (_dir, zip) = zipped(&[("channels.json", b"[]"), ("größe/2026-01-02.json", b"[1]")]);
    let (_tar_dir, tar) = tarred(|builder| {
        builder.append(&header("./channels.json", tar::EntryType::Regular, 2), &b"[]"[..]).unwrap();
        let name = "gro\u{308}ße/2026-01-02.json";
        builder.append(&header(name, tar::EntryType::Regular, 3), &b"[1]"[..]).unwrap();
    });
    let scratch = tempfile::tempdir().unwrap();
    let zip = Archive::open(&zip, scratch.path()).unwrap();
    let tar = Archive::open(&tar, scratch.path()).unwrap();
    let folder = Archive::open(&scratch.path().join("unpacked"), scratch.path()).unwrap();
    for archive in [&zip, &tar, &folder] {
        let files: Vec<_> = archive.files().collect();
        assert_eq!(files, [("channels.json", 2), ("größe/2026-01-02.json", 3)]);
        assert_eq!(archive.bytes("größe/2026-01-02.json", 10).unwrap(), b"[1]");
        assert!(archive.bytes("größe/2026-01-02.json", 2).unwrap_err().0.contains("at most 2"));
        assert_eq!(archive.files_below("größe/").count(), 1);
        assert!(archive.bytes("users.json", 10).unwrap_err().0.contains("no users.json"));
    }
}

#[test]
fn names_that_lead_out_of_an_archive_are_refused() {
    for name in ["../evil", "a/../../evil", "/etc/evil", "C:\\evil", "a\\..\\..\\evil"] {
        let (_dir, path) = zipped(&[(name, b"x")]);
        assert!(refused(&path).contains("leads out of it"), "{name}");
        let (_dir, path) = tarred(|builder| {
            builder.append(&header(name, tar::EntryType::Regular, 1), &b"x"[..]).unwrap();
        });
        assert!(refused(&path).contains("leads out of it"), "{name}");
    }
}

#[test]
fn links_and_devices_in_an_archive_are_refused() {
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Fifo, tar::EntryType::Char] {
        let (_dir, path) = tarred(|builder| {
            let mut header = header("files/x", kind, 0);
            header.set_link_name("target").unwrap();
            header.set_cksum();
            builder.append(&header, io::empty()).unwrap();
        });
        assert!(refused(&path).contains("something else than files"), "{kind:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("links.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    zip.add_symlink("users.json", "target", SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    assert!(refused(&path).contains("contains a link"));
}

#[test]
fn link_in_a_folder_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.json"), "1").unwrap();
    std::os::unix::fs::symlink("/proc/self/environ", dir.path().join("b.json")).unwrap();
    std::os::unix::fs::symlink("/", dir.path().join("c")).unwrap();
    let archive = Archive::open(dir.path(), dir.path()).unwrap();
    assert_eq!(archive.files().collect::<Vec<_>>(), [("a.json", 1)]);
}

#[test]
fn archive_that_grows_without_measure_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("grows.tar.gz");
    let encoder = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    let mut encoder = io::BufWriter::new(encoder);
    // Its header alone says so much: nothing of that size has to be made.
    encoder.write_all(header("log.json", tar::EntryType::Regular, 4 << 30).as_bytes()).unwrap();
    encoder.write_all(&[b' '; 4096]).unwrap();
    encoder.into_inner().unwrap().finish().unwrap();
    assert!(refused(&path).contains("more than 100 times"));
}

#[test]
fn damaged_archives_are_errors() {
    let (_dir, path) = zipped(&[("a.json", &[b'a'; 5_000])]);
    let bytes = fs::read(&path).unwrap();
    for length in [4, 40, bytes.len() - 10] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(refused(&path).contains("as a ZIP"), "{length}");
    }
    let (_dir, path) = tarred(|builder| {
        builder.append(&header("a", tar::EntryType::Regular, 5_000), &[b'a'; 5_000][..]).unwrap();
    });
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused(&path).contains("cannot unpack"));
}
