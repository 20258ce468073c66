//! The files and avatars of the demo: pictures, and some files of other kinds. They are made when the demo starts.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread,
};

use super::{
    paint::{PICTURES, PORTRAITS, Picture},
    people::{Avatar, avatar},
};
use crate::{
    chat::files::keep_bytes,
    media::{picture, sounds},
    store::{Folder, Image, NewFile},
};

/// More threads would take more memory for little time.
const MAX_THREADS: usize = 4;

/// A page that is linked to, and what its preview shows.
pub(super) struct Page {
    pub(super) url: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) site_name: &'static str,
    /// The name of one of the drawn pictures.
    picture: &'static str,
}

/// The one link that has a preview.
pub(super) const PAGE: Page = Page {
    url: "https://example.org/notes",
    title: "Northwind 4.0: quieter, faster, yours",
    description: "Everything that changed since spring, in two minutes.",
    site_name: "Northwind",
    picture: "dusk-with-cat.jpg",
};

const NOTES: &str = "Northwind 4.0

New
- A page that opens before you let go of the key (61 KB)
- Dark mode, for the eyes and for the mood
- Help in three languages

Better
- Exports of very large teams: 40 s -> 90 ms
- Pictures are 40 % lighter, and look the same
- The button is 44 px high, so that thumbs find it

Mended
- The bell no longer slides under the menu
- The last row of an export is back. It missed you.
";

const PLAN: [&str; 7] = [
    "Spring plan",
    "",
    "Launch of 4.0: the 14th, at ten.",
    "Help pages: three languages, one comma to go.",
    "Support: first answer within 40 minutes.",
    "Cake: booked. Plan B: another cake.",
    "Moose on the cable: no plan, only hope.",
];

/// The made files and avatars, by name.
pub(super) struct Files {
    files: Vec<(&'static str, NewFile)>,
    pub(super) avatars: Vec<Avatar>,
    pub(super) preview: Option<Image>,
}

type Make = fn() -> Vec<u8>;

/// A file or an avatar that is to be made.
enum Task {
    Picture(&'static Picture),
    Portrait(&'static Picture),
    File(&'static str, Make),
}

fn tasks() -> impl Iterator<Item = Task> {
    let files: [(&str, Make); 3] = [
        ("release-notes-4.0.txt", || NOTES.into()),
        ("spring-plan.pdf", || pdf(&PLAN)),
        ("standup-jingle.wav", || sounds::find("tada").map(|sound| sound.wav().to_vec()).unwrap_or_default()),
    ];
    PICTURES
        .iter()
        .map(Task::Picture)
        .chain(PORTRAITS.iter().map(Task::Portrait))
        .chain(files.into_iter().map(|(name, make)| Task::File(name, make)))
}

impl Files {
    /// Makes all of them on up to `MAX_THREADS` threads, and stores the files as uploads.
    pub(super) fn make(folder: &Folder) -> io::Result<Self> {
        let made = Mutex::new(Self { files: Vec::new(), avatars: Vec::new(), preview: None });
        let tasks = Mutex::new(tasks());
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> io::Result<()> {
            while let Some(task) = next() {
                task.run(folder, &made)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().map_err(|_| io::Error::other("a thread that makes pictures panicked"))?
            })
        })?;
        Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn file(&self, name: &str) -> Option<NewFile> {
        self.files.iter().find(|(known, _)| *known == name).map(|(_, file)| file.clone())
    }
}

impl Task {
    fn run(self, folder: &Folder, made: &Mutex<Files>) -> io::Result<()> {
        let made = || made.lock().unwrap_or_else(PoisonError::into_inner);
        match self {
            Self::Picture(picture) => {
                let bytes = picture.bytes();
                let (file, kept) = keep_bytes(folder, &bytes, picture.name)?;
                kept.stay();
                made().files.push((picture.name, file));
                if picture.name == PAGE.picture {
                    let small = picture::preview(&bytes);
                    made().preview = small
                        .map(|small| Image { content_type: small.content_type.into(), bytes: small.bytes });
                }
            }
            Self::File(name, make) => {
                let (file, kept) = keep_bytes(folder, &make(), name)?;
                kept.stay();
                made().files.push((name, file));
            }
            Self::Portrait(portrait) => {
                let avatar = avatar(portrait);
                made().avatars.extend(avatar);
            }
        }
        Ok(())
    }
}

/// A page of text as a PDF (ISO 32000-1, 7.5: objects, their offsets, the trailer).
fn pdf(lines: &[&str]) -> Vec<u8> {
    use std::fmt::Write;
    let mut text = String::from("BT /F1 15 Tf 24 TL 72 740 Td");
    for line in lines {
        let line = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, " ({line}) Tj T*");
    }
    text.push_str(" ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = String::new();
    for (number, object) in (1..).zip(&objects) {
        let _ = write!(offsets, "{:010} 00000 n\r\n", file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let (start, count) = (file.len(), objects.len() + 1);
    let _ = write!(
        file,
        "xref\n0 {count}\n0000000000 65535 f\r\n{offsets}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pdf_has_the_offset_of_each_object() {
        let file = String::from_utf8(pdf(&["One (of two)", "Two"])).unwrap();
        assert_eq!(picture::sniff(file.as_bytes()), "application/pdf");
        assert!(file.contains(r"(One \(of two\)) Tj"));
        let (_, table) = file.split_once("0000000000 65535 f\r\n").unwrap();
        for (number, line) in (1..=5).zip(table.lines()) {
            let offset: usize = line[..10].parse().unwrap();
            assert!(file[offset..].starts_with(&format!("{number} 0 obj")), "{line}");
        }
        let start: usize = file.lines().rev().nth(1).unwrap().parse().unwrap();
        assert!(file[start..].starts_with("xref"));
    }

    #[test]
    fn files_are_stored_as_uploads() {
        let tmp = std::env::temp_dir().join(format!("campfire-demo-files-{}", std::process::id()));
        let folder = Folder::open(&tmp).unwrap();
        let files = Files::make(&folder).unwrap();
        assert_eq!((files.files.len(), files.avatars.len()), (11, 8));
        for (name, file) in &files.files {
            assert!(folder.file(&file.key).is_ok(), "{name}");
            let has_thumbnail = file.thumbnail.is_some() || file.is_own_thumbnail;
            assert_eq!(has_thumbnail, file.content_type.starts_with("image/"), "{name}");
        }
        assert_eq!(files.file("standup-jingle.wav").unwrap().content_type, "audio/wav");
        assert!(files.preview.is_some());
        std::fs::remove_dir_all(tmp).unwrap();
    }
}
