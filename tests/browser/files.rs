//! Choosing, sending and viewing files.

use std::path::{Path, PathBuf};

use crate::{
    driver::{ENTER, ESCAPE, Window, with_browser},
    support::Team,
    windows::two_windows,
};

/// A small PNG of one colour, made by the browser.
async fn picture(window: &Window, dir: &Path, name: &str, colour: &str) -> PathBuf {
    let script = format!(
        "const canvas = document.createElement('canvas'); canvas.width = 320; canvas.height = 200;
        const pen = canvas.getContext('2d'); pen.fillStyle = {colour:?}; pen.fillRect(0, 0, 320, 200);
        return canvas.toDataURL('image/png').split(',')[1]"
    );
    let coded = window.eval(&script).await;
    let path = dir.join(name);
    std::fs::write(&path, base64(coded.as_str().unwrap())).unwrap();
    path
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut word, mut bytes) = (0, 0u32, Vec::new());
    for value in text.bytes().filter_map(|byte| ALPHABET.iter().position(|known| *known == byte)) {
        word = word << 6 | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
        }
    }
    bytes
}

async fn choose(window: &Window, files: &[&Path]) {
    let paths: Vec<_> = files.iter().map(|path| path.to_str().unwrap()).collect();
    window.find(".composer-input").await;
    let input = window.client.find(fantoccini::Locator::Css(".composer input[type=file]")).await.unwrap();
    input.send_keys(&paths.join("\n")).await.unwrap();
}

#[tokio::test]
async fn pictures_are_sent_with_text_and_open_in_the_lightbox() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        let dir = tempfile::tempdir().unwrap();
        let ember = picture(&first, dir.path(), "ember.png", "#c2410c").await;
        let night = picture(&first, dir.path(), "night.png", "#181512").await;
        choose(&first, &[&ember, &night]).await;
        first.until("both are chosen", "return document.querySelectorAll('.chosen-file').length === 2").await;
        first.type_into(".composer-input", &format!("two evenings{ENTER}")).await;
        second.wait_for_message("two evenings").await;
        second
            .until(
                "both pictures are there",
                "return document.querySelectorAll('.picture.is-here').length === 2",
            )
            .await;
        first.until("nothing is on its way", "return !document.querySelector('.upload, .chosen-file')").await;
        // The lightbox goes to the next picture, and Escape closes it.
        second.click(".picture").await;
        second
            .until("it is open", "return /1.*2/.test(document.querySelector('.lightbox-count')?.textContent)")
            .await;
        second.client.active_element().await.unwrap().send_keys("\u{E014}").await.unwrap();
        second
            .until(
                "the next is shown",
                "return /2.*2/.test(document.querySelector('.lightbox-count').textContent)",
            )
            .await;
        second.assert_accessible("the lightbox").await;
        second.client.active_element().await.unwrap().send_keys(ESCAPE).await.unwrap();
        second.until("it is closed", "return !document.querySelector('.lightbox')").await;
        team
    })
    .await;
}

#[tokio::test]
async fn file_too_large_is_refused_with_the_limit_when_it_is_chosen() {
    with_browser(async |driver| {
        let team = Team::with(&[("CAMPFIRE_UPLOAD_LIMIT", "1")]).await;
        let (_, first, second) = two_windows(&team, driver).await;
        let dir = tempfile::tempdir().unwrap();
        let (large, small) = (dir.path().join("large.bin"), dir.path().join("small.bin"));
        std::fs::write(&large, vec![7; (1 << 20) + 1]).unwrap();
        std::fs::write(&small, vec![7; 1 << 20]).unwrap();
        choose(&first, &[&large, &small]).await;
        first
            .until(
                "it says which and why",
                "const note = document.querySelector('.composer-note.is-wrong:not([hidden])')?.textContent ?? ''; \
                 return note.includes('large.bin') && note.includes('1 MB')",
            )
            .await;
        let chosen = "return document.querySelectorAll('.chosen-file').length === 1";
        first.until("the other is chosen", chosen).await;
        first.click(".send-button").await;
        second
            .until("and arrives", "return document.querySelector('.file-name')?.textContent === 'small.bin'")
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn file_card_shows_the_name() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        let dir = tempfile::tempdir().unwrap();
        let notes = dir.path().join("notes <b> of & the evening.txt");
        std::fs::write(&notes, "kindling, matches, patience").unwrap();
        choose(&first, &[&notes]).await;
        first.find(".chosen-file").await;
        first.click(".send-button").await;
        second
            .until("its card is there", "return document.querySelector('.file-name')?.textContent === 'notes <b> of & the evening.txt'")
            .await;
        team
    })
    .await;
}

/// A film is made by the browser, of a canvas.
#[tokio::test]
async fn film_is_sent_with_a_poster() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.find(".composer-input").await;
        first
            .eval(
                "const canvas = document.createElement('canvas'); canvas.width = 320; canvas.height = 180;
                const pen = canvas.getContext('2d'); let at = 0;
                const draw = setInterval(() => { pen.fillStyle = '#c2410c'; pen.fillRect(at += 1, 0, 320, 180); }, 20);
                const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm' });
                const parts = [];
                recorder.ondataavailable = ({ data }) => parts.push(data);
                recorder.onstop = () => {
                    clearInterval(draw);
                    const files = new DataTransfer();
                    files.items.add(new File(parts, 'clip.webm', { type: 'video/webm' }));
                    const input = document.querySelector('.composer input[type=file]');
                    input.files = files.files;
                    input.dispatchEvent(new Event('change', { bubbles: true }));
                };
                recorder.start();
                setTimeout(() => recorder.stop(), 700);",
            )
            .await;
        first.until("it is chosen", "return document.querySelectorAll('.chosen-file').length === 1").await;
        first.type_into(".composer-input", ENTER).await;
        second
            .until(
                "the film is there with its poster",
                "return /thumbnail$/.test(document.querySelector('.video video')?.getAttribute('poster') || '')",
            )
            .await;
        second
            .until(
                "the poster is a picture of the film",
                "const video = document.querySelector('.video video');
                const image = window.poster ??= Object.assign(new Image(), { src: video.poster });
                return image.naturalWidth === 320 && video.style.aspectRatio === '320 / 180'",
            )
            .await;
        team
    })
    .await;
}
