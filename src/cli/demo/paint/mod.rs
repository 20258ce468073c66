//! Pictures that nobody took: drawn when the demo starts, so that the binary carries some numbers instead of files.

mod canvas;
mod letters;
mod papers;
mod places;
mod portraits;

use canvas::Canvas;

/// What a picture becomes when it is saved.
#[derive(Clone, Copy)]
enum Format {
    Photo,
    Drawing,
}

/// A picture with its name. It is drawn when it is asked for.
pub(super) struct Picture {
    pub(super) name: &'static str,
    draw: fn() -> Canvas,
    format: Format,
}

impl Picture {
    /// As a file: JPEG, or PNG.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self.format {
            Format::Photo => (self.draw)().photo(),
            Format::Drawing => (self.draw)().drawing(),
        }
    }
}

const fn photo(name: &'static str, draw: fn() -> Canvas) -> Picture {
    Picture { name, draw, format: Format::Photo }
}

const fn drawing(name: &'static str, draw: fn() -> Canvas) -> Picture {
    Picture { name, draw, format: Format::Drawing }
}

/// What is posted, by the names of the files.
pub(super) static PICTURES: [Picture; 8] = [
    photo("dusk-with-cat.jpg", places::dusk),
    photo("saturday-night.jpg", places::camp),
    photo("kettle.jpg", places::kettle),
    photo("kevin.jpg", places::plant),
    drawing("load-time.png", papers::chart),
    photo("page-sketch.jpg", papers::sketch),
    photo("tie.jpg", papers::ducks),
    photo("dragon.jpg", papers::dragon),
];

/// Portraits, by first names and bots' names.
pub(super) static PORTRAITS: [Picture; 8] = [
    drawing("Ana", portraits::ana),
    drawing("Mara", portraits::mara),
    drawing("Leo", portraits::leo),
    drawing("Wanjiru", portraits::wanjiru),
    drawing("Tomasz", portraits::tomasz),
    drawing("Emeka", portraits::emeka),
    drawing("Deploy bot", portraits::robot),
    drawing("Uptime", portraits::pulse),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_a_file_of_its_kind_and_size_that_weighs_little() {
        let sizes = [
            (1_200, 800),
            (1_200, 800),
            (1_200, 900),
            (900, 1_100),
            (1_200, 800),
            (960, 1_200),
            (1_000, 750),
            (1_100, 800),
        ];
        for (picture, size) in PICTURES.iter().zip(sizes) {
            let bytes = picture.bytes();
            let image = image::load_from_memory(&bytes).unwrap();
            assert_eq!((image.width(), image.height()), size, "{}", picture.name);
            assert!(
                (8 << 10..200 << 10).contains(&bytes.len()),
                "{} has {} bytes",
                picture.name,
                bytes.len()
            );
            let kind = if picture.name.ends_with(".jpg") { "image/jpeg" } else { "image/png" };
            assert_eq!(crate::media::picture::sniff(&bytes), kind);
            if let Some(dir) = std::env::var_os("CAMPFIRE_PICTURES") {
                std::fs::write(std::path::Path::new(&dir).join(picture.name), bytes).unwrap();
            }
        }
    }

    #[test]
    fn every_portrait_becomes_an_avatar() {
        for picture in &PORTRAITS {
            let bytes = picture.bytes();
            let avatar = crate::media::picture::avatar(&bytes).unwrap();
            let image = image::load_from_memory(&avatar.bytes).unwrap();
            assert_eq!((image.width(), image.height()), (256, 256), "{}", picture.name);
            if let Some(dir) = std::env::var_os("CAMPFIRE_PICTURES") {
                std::fs::write(std::path::Path::new(&dir).join(format!("{}.png", picture.name)), bytes)
                    .unwrap();
            }
        }
    }
}
