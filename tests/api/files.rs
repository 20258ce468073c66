//! Uploads, downloads, avatars, logo and sounds.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use crate::support::{http::multipart, *};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 9]))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Its thumbnail is smaller than the file.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    RgbImage::from_fn(width, height, |_, _| Rgb([next(), next(), next()]))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn picture_is_posted_with_its_size_and_a_thumbnail() {
    let team = Team::start().await;
    let original = noise(1_600, 1_000);
    let mut socket = team.ada.socket_in(team.room).await;
    let texts = [("content", "look *here*"), ("client_message_id", "p1")];
    let message = team.ada.upload(team.room, &texts, "Grüße/aus Łódź.png", &original).await.expect(201);
    assert_eq!(
        (&message["kind"], &message["html"]),
        (&json!("attachment"), &json!("<p>look <em>here</em></p>"))
    );
    let file = &message["attachment"];
    assert_keys(
        file,
        &[
            "id",
            "filename",
            "content_type",
            "byte_size",
            "width",
            "height",
            "duration_s",
            "url",
            "thumbnail_url",
        ],
    );
    assert_eq!(file["filename"], "aus Łódź.png");
    assert_eq!(file["content_type"], "image/png", "the type is sniffed, not believed");
    assert_eq!(
        (&file["width"], &file["height"], &file["byte_size"]),
        (&json!(1_600), &json!(1_000), &json!(original.len()))
    );
    assert_eq!(socket.expect("message.created").await["message"], message);
    let got = team.ada.get(file["url"].as_str().unwrap()).await;
    assert_eq!((got.status, got.header("content-type")), (200, Some("image/png")));
    assert_eq!(got.body, original);
    assert_eq!(
        got.header("content-disposition"),
        Some("inline; filename=\"aus __d_.png\"; filename*=UTF-8''aus%20%C5%81%C3%B3d%C5%BA.png")
    );
    assert!(got.header("content-security-policy").unwrap().contains("sandbox"));
    let small = team.ada.get(file["thumbnail_url"].as_str().unwrap()).await;
    let small = image::load_from_memory(&small.body).unwrap();
    assert_eq!((small.width(), small.height()), (1_200, 750));
    // The same `client_message_id` again is the same message.
    let again = team.ada.upload(team.room, &texts, "other.png", &original).await.expect(200);
    assert_eq!(again["id"], message["id"]);
}

#[tokio::test]
async fn file_is_for_members_of_its_room_only() {
    let team = Team::start().await;
    let (grace, eve) = (team.join("Grace").await, team.join("Eve").await);
    let room = team.closed_room("Two", &[&team.ada, &grace]).await;
    let message = team.ada.upload(room, &[], "notes.txt", b"for two").await.expect(201);
    let url = message["attachment"]["url"].as_str().unwrap();
    assert_eq!(grace.get(url).await.body, "for two");
    eve.get(url).await.problem(404, "not_found");
    team.nobody().get(url).await.problem(401, "not_signed_in");
    eve.upload(room, &[], "x.txt", b"x").await.problem(404, "not_found");
    team.ada.put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id]})).await.expect(200);
    grace.get(url).await.problem(404, "not_found");
    team.ada.delete(&format!("/api/messages/{}", id(&message))).await.expect(204);
    team.ada.get(url).await.problem(404, "not_found");
}

#[tokio::test]
async fn range_requests_follow_the_rfc() {
    let team = Team::start().await;
    let text: Vec<u8> = (0..600_000).map(|n| b'a' + (n % 26) as u8).collect();
    let message = team.ada.upload(team.room, &[], "a.txt", &text).await.expect(201);
    let url = message["attachment"]["url"].as_str().unwrap();
    let part = async |range: &str| team.ada.request("GET", url).header("range", range).send().await;
    let whole = team.ada.get(url).await;
    assert_eq!((whole.header("accept-ranges"), &whole.body[..]), (Some("bytes"), &text[..]));
    let one = part("bytes=10-19").await;
    assert_eq!((one.status, one.header("content-range")), (206, Some("bytes 10-19/600000")));
    assert_eq!(&one.body[..], &text[10..20]);
    assert_eq!(part("bytes=-5").await.body, &text[599_995..]);
    assert_eq!(part("bytes=300000-").await.body, &text[300_000..]);
    let two = part("bytes=0-1,599999-").await;
    assert_eq!(two.status, 206);
    assert!(two.header("content-type").unwrap().starts_with("multipart/byteranges; boundary="));
    assert!(two.text().contains("content-range: bytes 0-1/600000\r\n\r\nab\r\n"), "{}", two.text());
    assert_eq!(part("bytes=600000-").await.refused(416)["code"], "range_not_satisfiable");
    assert_eq!(part("lines=1-2").await.status, 200);
    let etag = whole.header("etag").unwrap();
    let same = team.ada.request("GET", url).header("if-none-match", etag).send().await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    let fresh =
        team.ada.request("GET", url).header("range", "bytes=0-0").header("if-range", etag).send().await;
    assert_eq!(fresh.status, 206);
    let stale =
        team.ada.request("GET", url).header("range", "bytes=0-0").header("if-range", "\"x\"").send().await;
    assert_eq!(stale.status, 200);
}

#[tokio::test]
async fn file_that_a_browser_might_run_is_served_as_a_download() {
    let team = Team::start().await;
    for (name, bytes) in [
        ("page.png", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("thing.bin", b"\x00\x01\x02"),
    ] {
        let message = team.ada.upload(team.room, &[], name, bytes).await.expect(201);
        let got = team.ada.get(message["attachment"]["url"].as_str().unwrap()).await;
        assert_eq!(got.header("content-type"), Some("application/octet-stream"), "{name}");
        assert!(got.header("content-disposition").unwrap().starts_with("attachment;"), "{name}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn upload_too_large_or_without_a_file_is_refused_and_leaves_nothing() {
    let team = Team::with(&[("CAMPFIRE_UPLOAD_LIMIT", "1")]).await;
    team.ada.upload(team.room, &[], "big", &vec![b'x'; (1 << 20) + 1]).await.problem(413, "too_large");
    team.ada.upload(team.room, &[], "fits", &vec![b'x'; 1 << 20]).await.expect(201);
    team.ada.upload(team.room, &[], "empty", b"").await.invalid(&["file"]);
    let path = format!("/api/rooms/{}/attachments", team.room);
    let (kind, body) = multipart(&[("content", "no file")], &[]);
    team.ada.request("POST", &path).body(&kind, body).send().await.invalid(&["file"]);
    team.ada.post(&path, json!({})).await.problem(415, "unsupported_media_type");
    let broken = team
        .ada
        .request("POST", &path)
        .body("multipart/form-data; boundary=x", "--x\r\nnonsense")
        .send()
        .await;
    broken.problem(400, "malformed");
    let long = "x".repeat((64 << 10) + 1);
    team.ada.upload(team.room, &[("content", &long)], "a", b"x").await.invalid(&["content"]);
    let incoming = std::fs::read_dir(team.server.data().join("files/incoming")).unwrap().count();
    assert_eq!(incoming, 0);
}

#[tokio::test]
async fn deleted_message_removes_its_files_from_disk() {
    let team = Team::start().await;
    let message = team.ada.upload(team.room, &[], "a.png", &noise(40, 30)).await.expect(201);
    assert_eq!(files(&team), 2, "the picture and its thumbnail");
    team.ada.delete(&format!("/api/messages/{}", id(&message))).await.expect(204);
    within("the files to go", async {
        while files(&team) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// How many files are stored, without those that are incoming.
fn files(team: &Team) -> usize {
    let folders = std::fs::read_dir(team.server.data().join("files")).unwrap().map(|it| it.unwrap());
    folders
        .filter(|it| it.file_name() != "incoming")
        .map(|it| std::fs::read_dir(it.path()).unwrap().count())
        .sum()
}

#[tokio::test]
async fn orphaned_files_are_removed_after_a_crash() {
    let mut team = Team::start().await;
    team.ada.upload(team.room, &[], "a.txt", b"stays").await.expect(201);
    team.server.kill();
    let root = team.server.data().join("files");
    std::fs::create_dir_all(root.join("zz")).unwrap();
    std::fs::write(root.join("zz/zzorphan"), "x").unwrap();
    std::fs::write(root.join("incoming/half"), "x").unwrap();
    team.server.restart();
    within("the orphans to go", async {
        while root.join("zz/zzorphan").exists() || root.join("incoming/half").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(files(&team), 1);
}

#[tokio::test]
async fn filename_is_searchable_and_the_caption_can_be_edited() {
    let team = Team::start().await;
    let message = team
        .ada
        .upload(team.room, &[("content", "the plan")], "blueprint.pdf", b"%PDF-1.7")
        .await
        .expect(201);
    let found = async |q: &str| {
        team.ada.get(&format!("/api/search?q={q}")).await.expect(200)["results"].as_array().unwrap().len()
    };
    assert_eq!((found("blueprint").await, found("plan").await), (1, 1));
    let path = format!("/api/messages/{}", id(&message));
    let edited = team.ada.patch(&path, json!({"content": "a scheme"})).await.expect(200);
    assert_eq!(edited["attachment"], message["attachment"]);
    assert_eq!((found("blueprint").await, found("plan").await, found("scheme").await), (1, 0, 1));
    assert_eq!(team.ada.patch(&path, json!({"content": ""})).await.expect(200)["content"], "");
}

#[tokio::test]
async fn avatar_is_cropped_square_and_falls_back_to_initials() {
    let team = Team::start().await;
    let grace = team.join("Grace Hopper").await;
    let mine = format!("/api/users/{}/avatar", grace.id);
    let initials = team.ada.get(&format!("/avatars/{}", grace.id)).await;
    assert_eq!(initials.header("content-type"), Some("image/svg+xml"));
    assert!(initials.text().contains(">GH<"));
    let put =
        async |who: &Client, bytes: Vec<u8>| who.request("PUT", &mine).body("image/png", bytes).send().await;
    let user = put(&grace, png(900, 600)).await.expect(200);
    let url = user["avatar_url"].as_str().unwrap();
    let picture = team.ada.get(url).await;
    assert_eq!(picture.header("content-type"), Some("image/webp"));
    assert!(picture.header("cache-control").unwrap().contains("immutable"));
    let picture = image::load_from_memory(&picture.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (512, 512));
    for _ in 0..2 {
        let small = team.ada.get(&format!("{url}&size=small")).await;
        assert_eq!(small.header("content-type"), Some("image/jpeg"));
        let picture = image::load_from_memory(&small.body).unwrap();
        assert_eq!((picture.width(), picture.height()), (96, 96));
    }
    put(&grace, b"no picture".to_vec()).await.problem(415, "unsupported_media_type");
    let eve = team.join("Eve").await;
    put(&eve, png(5, 5)).await.problem(403, "forbidden");
    grace.delete(&mine).await.expect(204);
    let none = team.ada.get(&format!("/avatars/{}?size=small", grace.id)).await;
    assert_eq!(none.header("content-type"), Some("image/svg+xml"));
    assert_eq!(
        team.ada.get(&format!("/api/users/{}", grace.id)).await.expect(200)["avatar_url"],
        Value::Null
    );
    team.ada.get("/avatars/999").await.problem(404, "not_found");
}

#[tokio::test]
async fn logo_is_set_and_removed_by_administrators() {
    let team = Team::start().await;
    let put = async |who: &Client| {
        who.request("PUT", "/api/account/logo").body("image/png", png(300, 100)).send().await
    };
    team.nobody().get("/api/account/logo").await.problem(404, "not_found");
    let grace = team.join("Grace").await;
    put(&grace).await.problem(403, "forbidden");
    let account = put(&team.ada).await.expect(200);
    let logo = team.nobody().get(account["logo_url"].as_str().unwrap()).await;
    assert_eq!((logo.status, logo.header("content-type")), (200, Some("image/webp")));
    team.ada.delete("/api/account/logo").await.expect(204);
    assert_eq!(team.ada.get("/api/account").await.expect(200)["logo_url"], Value::Null);
}

#[tokio::test]
async fn sounds_are_listed_and_played() {
    let team = Team::start().await;
    let list = team.ada.get("/api/sounds").await.expect(200);
    let sounds = list["sounds"].as_array().unwrap();
    assert!(sounds.len() >= 12);
    for sound in sounds {
        let wav = team.ada.get(sound["url"].as_str().unwrap()).await;
        assert_eq!(
            (wav.status, wav.header("content-type"), &wav.body[..4]),
            (200, Some("audio/wav"), &b"RIFF"[..])
        );
    }
    assert_eq!(team.ada.say(team.room, "/play tada").await["kind"], "sound");
    // F11: phones and some layouts write such spaces.
    for space in ["\u{a0}", "\u{3000}", "  "] {
        assert_eq!(team.ada.say(team.room, &format!("/play{space}tada")).await["kind"], "sound", "{space:?}");
    }
    assert_eq!(team.ada.say(team.room, "/playtada").await["kind"], "text");
    assert_eq!(team.ada.say(team.room, "/play nothing").await["kind"], "text");
    team.ada.get("/sounds/nothing.wav").await.problem(404, "not_found");
}

#[tokio::test]
async fn deleted_room_removes_its_files_from_disk() {
    let team = Team::start().await;
    let room = team.closed_room("Short", &[&team.ada]).await;
    let message = team.ada.upload(room, &[], "a.png", &noise(40, 30)).await.expect(201);
    let kept = team.ada.upload(team.room, &[], "b.txt", b"stays").await.expect(201);
    team.ada.delete(&format!("/api/rooms/{room}")).await.expect(204);
    team.ada.get(message["attachment"]["url"].as_str().unwrap()).await.problem(404, "not_found");
    within("the files to go", async {
        while files(&team) > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(team.ada.get(kept["attachment"]["url"].as_str().unwrap()).await.body, "stays");
}

#[tokio::test]
async fn upload_that_breaks_off_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let team = Team::start().await;
    let mut stream = tokio::net::TcpStream::connect(team.ada.address()).await.unwrap();
    let head = format!(
        "POST /api/rooms/{}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 9000000\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n",
        team.room, team.ada.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 2_000_000]).await.unwrap();
    let incoming = team.server.data().join("files/incoming");
    let count = || std::fs::read_dir(&incoming).unwrap().count();
    within("the upload to begin", async {
        while count() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    })
    .await;
    drop(stream);
    within("what came of it to go", async {
        while count() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    })
    .await;
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([]));
}

/// 40. The file and its thumbnail are stored already when the rest of the form breaks off.
#[tokio::test]
async fn upload_that_breaks_off_behind_its_file_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let team = Team::start().await;
    let (kind, form) = multipart(&[], &[("file", "a.png", &noise(40, 30))]);
    let form = &form[..form.len() - "--\r\n".len()];
    for rest in ["\r\nx", "\r\ncontent-disposition: form-data; name=\"content\"\r\n\r\nnever to end"] {
        let mut stream = tokio::net::TcpStream::connect(team.ada.address()).await.unwrap();
        let head = format!(
            "POST /api/rooms/{}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 9000000\r\n\
             content-type: {kind}\r\n\r\n",
            team.room, team.ada.token
        );
        stream.write_all(&[head.as_bytes(), form, rest.as_bytes()].concat()).await.unwrap();
        within("the file and its thumbnail", async {
            while files(&team) < 2 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await;
        drop(stream);
        within("both to go", async {
            while files(&team) > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await;
    }
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([]));
    // The same where the form is complete and wrong.
    team.ada.upload(team.room, &[("reply_to_id", "424242")], "a.png", &noise(40, 30)).await.refused(422);
    within("both to go", async {
        while files(&team) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Such a download takes longer than the idle timeout of the connection.
#[tokio::test]
async fn download_by_a_slow_reader_is_complete() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let team = Team::with(&[("CAMPFIRE_IDLE_TIMEOUT", "1")]).await;
    let file = vec![7; 12 << 20];
    let message = team.ada.upload(team.room, &[], "long.bin", &file).await.expect(201);
    let url = message["attachment"]["url"].as_str().unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let mut stream = socket.connect(team.ada.address()).await.unwrap();
    let request = format!(
        "GET {url} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        team.ada.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = 0;
    let mut chunk = vec![0; 256 << 10];
    // The pauses are what is tested: four seconds in all, each shorter than the limit of one second.
    let pause = std::time::Duration::from_millis(4000 / (file.len() / chunk.len()) as u64);
    loop {
        let count = within("more of the file", stream.read(&mut chunk)).await.unwrap();
        if count == 0 {
            break;
        }
        read += count;
        if read / chunk.len() != (read - count) / chunk.len() {
            tokio::time::sleep(pause).await;
        }
    }
    assert!(read > file.len(), "it was cut off after {read} bytes");
}

#[tokio::test]
async fn upload_that_began_before_a_ban_is_not_posted_after_it() {
    use tokio::io::AsyncWriteExt;
    let team = Team::start().await;
    let eve = team.join("Eve").await;
    let (kind, body) = multipart(&[], &[("file", "late.txt", b"after the ban")]);
    let head = format!(
        "POST /api/rooms/{}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        team.room,
        eve.token,
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(team.server.address().get()).await.unwrap();
    let (first, rest) = body.split_at(body.len() - 10);
    stream.write_all(&[head.as_bytes(), first].concat()).await.unwrap();
    // Time for whichever worker has the connection to find out who uploads; without it the test is only weaker.
    for _ in 0..20 {
        eve.get("/api/session").await.expect(200);
    }
    team.ada.post(&format!("/api/users/{}/ban", eve.id), json!({})).await.expect(204);
    stream.write_all(rest).await.unwrap();
    let answer = crate::support::http::read_to_close(&mut stream).await;
    let status = crate::support::http::raw_status(&answer);
    assert!([401, 403, 404].contains(&status), "{}", String::from_utf8_lossy(&answer));
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([]));
}

#[tokio::test]
async fn picture_that_is_small_enough_is_its_own_thumbnail() {
    let team = Team::start().await;
    let message = team.ada.upload(team.room, &[], "screen.png", &png(900, 600)).await.expect(201);
    let file = &message["attachment"];
    assert_eq!((&file["thumbnail_url"], files(&team)), (&file["url"], 1));
    assert_eq!((&file["width"], &file["height"]), (&json!(900), &json!(600)));
    assert_eq!(file.get("is_animated"), None, "only of what moves");
}

#[tokio::test]
async fn picture_that_cannot_be_decoded_has_its_size_all_the_same() {
    let team = Team::start().await;
    let whole = png(64, 48);
    let mut broken = whole.clone();
    broken.truncate(40);
    let mut huge = whole.clone();
    huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    huge[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    for (name, bytes, size) in [("cut.png", broken, (64, 48)), ("huge.png", huge, (60_000, 50_000))] {
        let message = team.ada.upload(team.room, &[], name, &bytes).await.expect(201);
        let file = &message["attachment"];
        assert_eq!((&file["width"], &file["height"]), (&json!(size.0), &json!(size.1)), "{name}");
        assert_eq!(file["thumbnail_url"], Value::Null, "{name}");
    }
    // Without its end, and with a wrong checksum, there is a picture.
    let mut wrong = noise(64, 48);
    let at = wrong.len() - 14;
    wrong[at] ^= 1;
    for bytes in [&whole[..whole.len() - 12], &wrong] {
        let message = team.ada.upload(team.room, &[], "a.png", bytes).await.expect(201);
        assert_ne!(message["attachment"]["thumbnail_url"], Value::Null);
    }
}

#[tokio::test]
async fn animated_picture_is_marked_and_its_thumbnail_stands_still() {
    use image::{Frame, RgbaImage, codecs::gif::GifEncoder};
    let team = Team::start().await;
    let gif = |frames: usize| {
        let mut bytes = Vec::new();
        let frame = |n: usize| {
            let shade = |x: u32, y: u32| ((x * 31 + y * 17 + n as u32 * 99) % 251) as u8;
            Frame::new(RgbaImage::from_fn(80, 60, |x, y| image::Rgba([shade(x, y), shade(y, x), 0, 255])))
        };
        GifEncoder::new(&mut bytes).encode_frames((0..frames).map(frame)).unwrap();
        bytes
    };
    let moving = team.ada.upload(team.room, &[], "a.gif", &gif(4)).await.expect(201);
    assert_eq!(moving["attachment"]["is_animated"], true);
    let still = team.ada.get(moving["attachment"]["thumbnail_url"].as_str().unwrap()).await;
    assert_ne!(still.header("content-type"), Some("image/gif"));
    assert!(still.body.len() < gif(4).len());
    let one = team.ada.upload(team.room, &[], "b.gif", &gif(1)).await.expect(201);
    assert_eq!(one["attachment"].get("is_animated"), None);
}

/// A film of 2 seconds and 640 by 360 pixels, without its samples.
fn film() -> Vec<u8> {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    };
    let words = |words: &[u32]| words.iter().flat_map(|it| it.to_be_bytes()).collect::<Vec<_>>();
    let tkhd = words(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1 << 16, 0, 0, 0, 0, 0, 0, 0, 0, 640 << 16, 360 << 16]);
    let mvhd = boxed(b"mvhd", &words(&[0, 0, 0, 1_000, 2_000]));
    [boxed(b"ftyp", b"isom"), boxed(b"moov", &[mvhd, boxed(b"trak", &boxed(b"tkhd", &tkhd))].concat())]
        .concat()
}

#[tokio::test]
async fn film_has_its_length_and_the_poster_that_the_client_made() {
    let team = Team::start().await;
    let path = format!("/api/rooms/{}/attachments", team.room);
    let send = async |files: &[(&str, &str, &[u8])]| {
        let (kind, body) = multipart(&[], files);
        team.ada.request("POST", &path).body(&kind, body).send().await
    };
    let (film, frame) = (film(), noise(640, 360));
    for parts in [
        [("file", "a.mp4", &film[..]), ("poster", "p.png", &frame[..])],
        [("poster", "p.png", &frame[..]), ("file", "a.mp4", &film[..])],
    ] {
        let file = send(&parts).await.expect(201)["attachment"].clone();
        assert_eq!((&file["content_type"], &file["duration_s"]), (&json!("video/mp4"), &json!(2.0)));
        assert_eq!((&file["width"], &file["height"]), (&json!(640), &json!(360)));
        let poster = team.ada.get(file["thumbnail_url"].as_str().unwrap()).await;
        assert_eq!(poster.header("content-type"), Some("image/jpeg"), "made anew");
        assert_eq!(image::load_from_memory(&poster.body).unwrap().width(), 640);
    }
    assert_eq!(files(&team), 4);
    let bare = send(&[("file", "a.mp4", &film)]).await.expect(201);
    assert_eq!(bare["attachment"]["thumbnail_url"], Value::Null);
    let text = send(&[("file", "a.txt", b"no film"), ("poster", "p.png", &frame)]).await.expect(201);
    assert_eq!(text["attachment"]["thumbnail_url"], Value::Null, "of a film only");
    send(&[("file", "a.mp4", &film), ("poster", "p.svg", b"<svg/>")]).await.invalid(&["poster"]);
    send(&[("poster", "p", &frame), ("file", "a.mp4", &film), ("poster", "p", &frame)])
        .await
        .invalid(&["poster"]);
    let large = vec![0; (2 << 20) + 1];
    send(&[("file", "a.mp4", &film), ("poster", "p", &large)]).await.problem(413, "too_large");
    within("what was refused to go", async {
        while files(&team) > 6 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn sound_has_its_length_and_is_no_film() {
    let team = Team::start().await;
    let wav = team.ada.get("/sounds/tada.wav").await.body;
    let sound = team.ada.upload(team.room, &[], "tada.wav", &wav).await.expect(201);
    assert!(sound["attachment"]["duration_s"].as_f64().unwrap() > 0.1, "{sound}");
    let text = team.ada.upload(team.room, &[], "a.txt", b"words").await.expect(201);
    assert_eq!(text["attachment"]["duration_s"], Value::Null);
}
