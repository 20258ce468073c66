//! Emoji of the team's own: pictures, by the names that stand between colons in texts and boosts.

use std::collections::BTreeMap;

use super::{
    Error,
    archive::Archive,
    model::Place,
    report::{Kind, Report},
    staging::Staging,
};
use crate::{
    media::picture,
    store::{Image, Import},
    text::is_emoji_name,
};

/// Emoji of an import, at most; as many as an account has.
const MAX_EMOJI: usize = 10_000;

/// Bytes of a picture.
const MAX_PICTURE: u64 = 10 << 20;

const MISSING: &str = "not in the export: the name stays";

/// The emoji that were read.
pub(super) type Emoji = BTreeMap<String, Place>;

impl Staging<'_> {
    /// Takes an emoji, by its name without colons.
    pub(super) fn emoji(&mut self, name: &str, picture: Place) {
        let name = name.to_lowercase();
        if !is_emoji_name(&name) {
            self.leave_out(Kind::Emoji, "of a name that cannot be written here", &name);
        } else if self.emoji.contains_key(&name) {
            self.leave_out(Kind::Emoji, "twice in the export", &name);
        } else if self.emoji.len() >= MAX_EMOJI {
            self.leave_out(Kind::Emoji, "more than 10,000", &name);
        } else {
            self.report.found(Kind::Emoji, 1);
            self.emoji.insert(name, picture);
        }
    }
}

/// What a dry run finds.
pub(super) fn check(emoji: &Emoji, archive: &Archive, report: &mut Report) {
    for (name, place) in emoji {
        match place {
            Place::Archive(path) if !archive.has(path) => report.left_out(Kind::Emoji, MISSING, name),
            _ => report.taken(Kind::Emoji, 1),
        }
    }
}

/// Writes them. One that is here already stays as it is.
pub(super) fn put(
    emoji: &Emoji,
    target: &Import,
    archive: &Archive,
    report: &mut Report,
) -> Result<(), Error> {
    for (name, place) in emoji {
        let bytes = match place {
            Place::Archive(path) if !archive.has(path) => {
                report.left_out(Kind::Emoji, MISSING, name);
                continue;
            }
            Place::Archive(path) => archive.bytes(path, MAX_PICTURE),
            Place::Staged(path) => std::fs::read(path).map_err(Error::from),
        };
        // A decoder may panic on a hostile picture.
        let made = |bytes: Vec<u8>| std::panic::catch_unwind(|| picture::emoji(&bytes)).ok().flatten();
        let Some(made) = bytes.ok().and_then(made) else {
            report.left_out(Kind::Emoji, "of a format that is not read", name);
            continue;
        };
        let image = Image { content_type: made.content_type.to_owned(), bytes: made.bytes };
        match target.put_emoji(name, &image)? {
            true => report.taken(Kind::Emoji, 1),
            false => report.known(Kind::Emoji, 1),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Durability,
        import::write,
        store::{DataDir, Reader},
    };

    #[test]
    fn emoji_are_taken_once_and_what_is_left_out_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let (export, scratch) = (dir.path().join("export"), dir.path().join("scratch"));
        std::fs::create_dir_all(export.join("emoji")).unwrap();
        std::fs::create_dir(&scratch).unwrap();
        image::RgbImage::new(20, 20).save(export.join("emoji/parrot.png")).unwrap();
        std::fs::write(export.join("emoji/empty.png"), "").unwrap();
        let archive = Archive::open(&export, &scratch).unwrap();
        let data = DataDir::claim(&dir.path().join("data"), Durability::Normal).unwrap();
        let place = |name: &str| Place::Archive(format!("emoji/{name}.png"));
        let staged = |staging: &mut Staging<'_>| {
            for (name, file) in [
                ("Party_Parrot", "parrot"),
                ("日本", "parrot"),
                ("party_parrot", "parrot"),
                ("lost", "lost"),
                ("empty", "empty"),
                ("", "parrot"),
                ("a b", "parrot"),
                (&"x".repeat(65), "parrot"),
            ] {
                staging.emoji(name, place(file));
            }
        };
        for taken in [2, 0] {
            let target = Import::open(&data, "once").unwrap();
            let mut staging = Staging::new(&scratch, Some(&target)).unwrap();
            staged(&mut staging);
            let report = write::write(staging, &target, &data, &archive, &mut |_| {}).unwrap();
            let row = report.of(Kind::Emoji);
            assert_eq!((row.found, row.taken, row.known), (8, taken, 2 - taken));
            assert_eq!(report.wrong(), []);
            std::fs::remove_file(scratch.join("staging.db")).unwrap();
        }
        let reader = Reader::open(&data).unwrap();
        let names: Vec<String> = reader.emoji().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["party_parrot", "日本"]);
        assert_eq!(reader.emoji_picture("日本").unwrap().unwrap().content_type, "image/png");
        // A dry run counts what there is, without reading it.
        let mut staging = Staging::new(&scratch, None).unwrap();
        staged(&mut staging);
        let report = write::check(staging, &archive).unwrap();
        assert_eq!((report.of(Kind::Emoji).taken, report.wrong()), (3, vec![]));
    }

    #[test]
    fn import_takes_at_most_ten_thousand_emoji() {
        let dir = tempfile::tempdir().unwrap();
        let mut staging = Staging::new(dir.path(), None).unwrap();
        for n in 0..=MAX_EMOJI {
            staging.emoji(&format!("e{n}"), Place::Archive(String::new()));
        }
        let row = staging.report.of(Kind::Emoji);
        assert_eq!((row.found, row.left_out["more than 10,000"].count), (10_001, 1));
    }
}
