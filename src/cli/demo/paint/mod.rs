//! The demo's pictures. They are drawn when it starts, so that the binary holds coordinates instead of image files.

mod canvas;
mod drawings;
mod letters;
mod portraits;
mod scenes;

use canvas::Canvas;

/// The format in which a picture is saved: a photo as JPEG, a drawing as PNG.
#[derive(Clone, Copy)]
enum Format {
    Photo,
    Drawing,
}

/// A picture and its name. It is drawn on demand.
pub(super) struct Picture {
    pub(super) name: &'static str,
    draw: fn() -> Canvas,
    format: Format,
}

impl Picture {
    /// The file, as JPEG or PNG.
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

/// The pictures that are posted, by file name.
pub(super) static PICTURES: [Picture; 8] = [
    photo("dusk-with-cat.jpg", scenes::dusk),
    photo("saturday-night.jpg", scenes::camp),
    photo("kettle.jpg", scenes::kettle),
    photo("kevin.jpg", scenes::plant),
    drawing("load-time.png", drawings::chart),
    photo("page-sketch.jpg", drawings::sketch),
    photo("tie.jpg", drawings::ducks),
    photo("dragon.jpg", drawings::dragon),
];

/// The portraits, by first name or name of the bot.
pub(super) static PORTRAITS: [Picture; 8] = [
    drawing("Ana", portraits::ana),
    drawing("Mara", portraits::mara),
    drawing("Leo", portraits::leo),
    drawing("Wanjiru", portraits::wanjiru),
    drawing("Tomasz", portraits::tomasz),
    drawing("Emeka", portraits::emeka),
    drawing("Deploy bot", portraits::robot),
    drawing("Uptime", portraits::monitor),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_files_have_their_type_dimensions_and_a_small_size() {
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
    fn portraits_become_avatars() {
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
