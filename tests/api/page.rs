//! The page as it is served: its parts and their size, the service worker and the manifest.

use sha2::{Digest, Sha256};

use crate::support::{http::Reply, *};

/// The limit of compressed bytes for the first view, without the messages.
const FIRST_VIEW: usize = 100 * 1024;

async fn fetched(client: &Client, path: &str) -> Reply {
    let reply = client.request("GET", path).header("accept-encoding", "br, gzip").send().await;
    assert_eq!(reply.status, 200, "{path}");
    reply
}

/// The paths of assets that a text contains.
fn asset_paths(text: &str) -> Vec<String> {
    let quoted = text.split(['"', '\'']).filter(|it| it.starts_with("/assets/") && it.contains('.'));
    let mut all: Vec<String> = quoted.map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

/// Asserts what holds for every asset with a hash in its name; returns its text.
async fn asset(client: &Client, path: &str) -> String {
    let packed = fetched(client, path).await;
    assert!(packed.header("cache-control").is_some_and(|it| it.contains("immutable")), "{path}");
    let plain = client.get(path).await;
    if plain.body.len() >= 1024 {
        assert_eq!(packed.header("content-encoding"), Some("br"), "{path}");
        assert!(packed.body.len() < plain.body.len(), "{path}");
    }
    let hash: String = Sha256::digest(&plain.body).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    assert!(path.contains(&hash), "{path} is not named by its content");
    plain.text()
}

#[tokio::test]
async fn first_view_is_small_and_in_few_requests() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let page = fetched(&nobody, "/").await;
    let policy = page.header("content-security-policy").expect("a policy");
    for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.split("; ").any(|it| it == rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = nobody.get("/").await.text();
    // With the page, the session and the newest messages of a room these are five requests.
    let parts = asset_paths(&html);
    assert_eq!(parts.len(), 2, "{html}");
    assert!(html.contains(r#"<link rel="icon" href="data:image/svg+xml,"#), "{html}");
    let mut weight = page.body.len();
    for part in &parts {
        asset(&nobody, part).await;
        weight += fetched(&nobody, part).await.body.len();
    }
    assert!(weight <= FIRST_VIEW, "{weight} bytes");
}

#[tokio::test]
async fn lazy_parts_are_all_served_and_no_import_is_left() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let html = nobody.get("/").await.text();
    let core = asset_paths(&html).into_iter().find(|it| it.ends_with(".js")).expect("a script");
    let core = asset(&nobody, &core).await;
    let parts = asset_paths(&core);
    assert!(parts.iter().any(|it| it.starts_with("/assets/settings-")), "{parts:?}");
    let mut texts = vec![core];
    for part in &parts {
        let text = asset(&nobody, part).await;
        assert!(text.contains("export const make = ($) =>"), "{part}");
        texts.push(text);
    }
    for text in &texts {
        let lines = || text.lines().map(str::trim_start);
        assert!(!lines().any(|it| it.starts_with("import ")), "an import was not taken apart");
        assert!(!text.contains("import('."), "a lazy import was not taken apart");
        // The core knows each lazy part that is loaded.
        for load in text.split("$.load(\"").skip(1) {
            let name = load.split('"').next().unwrap();
            assert!(texts[0].contains(&format!("\n\"{name}\": [")), "{name} is not in the table");
        }
    }
}

#[tokio::test]
async fn service_worker_lists_the_assets_and_is_revalidated() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let worker = nobody.get("/sw.js").await;
    assert_eq!(worker.header("cache-control"), Some("no-cache"));
    assert!(worker.header("content-type").is_some_and(|it| it.starts_with("text/javascript")));
    let text = worker.text();
    assert!(!text.contains("'development'"), "no version was written in");
    let shell = asset_paths(&text);
    let page = asset_paths(&nobody.get("/").await.text());
    assert!(page.iter().all(|it| shell.contains(it)), "{shell:?} has not all of {page:?}");
    for part in &shell {
        asset(&nobody, part).await;
    }
}

#[tokio::test]
async fn manifest_has_icons_and_a_shortcut_that_are_served() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let reply = nobody.get("/manifest.webmanifest").await;
    assert_eq!(reply.header("content-type"), Some("application/manifest+json"));
    let manifest = reply.json();
    assert_eq!(
        (&manifest["id"], &manifest["scope"], &manifest["display"]),
        (&json!("/"), &json!("/"), &json!("standalone"))
    );
    let icons = manifest["icons"].as_array().unwrap();
    for purpose in ["any", "maskable", "monochrome"] {
        assert!(icons.iter().any(|it| it["purpose"] == purpose), "{purpose}");
    }
    for icon in icons {
        let path = icon["src"].as_str().unwrap();
        let reply = fetched(&nobody, path).await;
        assert_eq!(reply.header("content-type"), icon["type"].as_str(), "{path}");
        if icon["type"] == "image/png" {
            assert_eq!(png_size(&reply.body), icon["sizes"], "{path}");
        }
    }
    let shortcut = manifest["shortcuts"][0]["url"].as_str().unwrap();
    assert_eq!(nobody.get(shortcut).await.status, 200);
    assert_eq!(png_size(&fetched(&nobody, "/apple-touch-icon.png").await.body), "180x180");
    assert!(nobody.get("/").await.text().contains(r#"rel="apple-touch-icon" href="/apple-touch-icon.png""#));
    nobody.get("/icons/none.png").await.problem(404, "not_found");
}

/// A logo: a wide bar on a transparent ground.
fn logo(color: [u8; 4]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_fn(320, 200, |x, _| image::Rgba(if x > 20 && x < 300 { color } else { [0; 4] }))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn manifest_and_icons_have_the_name_and_the_logo_of_the_account() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let flame = nobody.get("/icons/icon-192.png").await;
    let before = nobody.get("/manifest.webmanifest").await;
    assert_eq!(before.json()["name"], team.ada.get("/api/account").await.expect(200)["name"]);
    let name = "Lighthouse “7” & Söhne";
    team.ada.patch("/api/account", json!({ "name": name })).await.expect(200);
    let put = team.ada.request("PUT", "/api/account/logo").body("image/png", logo([10, 90, 200, 255])).send();
    put.await.expect(200);
    let reply = nobody.get("/manifest.webmanifest").await;
    assert_eq!(reply.header("content-type"), Some("application/manifest+json"));
    let etag = reply.header("etag").unwrap().to_owned();
    assert_ne!(before.header("etag"), Some(&*etag));
    let same = nobody.request("GET", "/manifest.webmanifest").header("if-none-match", &etag).send().await;
    assert_eq!(same.status, 304);
    let manifest = reply.json();
    assert_eq!((&manifest["name"], &manifest["short_name"]), (&json!(name), &json!(name)));
    let mut shown = 0;
    for icon in manifest["icons"].as_array().unwrap() {
        let reply = nobody.get(icon["src"].as_str().unwrap()).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, icon["type"].as_str()));
        assert_eq!(png_size(&reply.body), icon["sizes"]);
        if icon["purpose"] == "monochrome" {
            continue;
        }
        shown += 1;
        let image = image::load_from_memory(&reply.body).unwrap().to_rgba8();
        assert_eq!(image.get_pixel(image.width() / 2, image.height() / 2).0, [10, 90, 200, 255]);
        let corner = image.get_pixel(0, 0).0[3];
        assert_eq!(corner, if icon["purpose"] == "maskable" { 255 } else { 0 });
    }
    assert_eq!(shown, 3);
    let apple = nobody.get("/apple-touch-icon.png").await;
    let image = image::load_from_memory(&apple.body).unwrap().to_rgba8();
    assert!(image.pixels().all(|pixel| pixel.0[3] == 255), "what is transparent would be black");
    assert_eq!(image.dimensions(), (180, 180));
    // Another logo has other icons under the same addresses; without one the flame is back.
    let icon = nobody.get("/icons/icon-192.png").await;
    let put = team.ada.request("PUT", "/api/account/logo").body("image/png", logo([200, 0, 0, 255])).send();
    put.await.expect(200);
    assert_ne!(nobody.get("/icons/icon-192.png").await.body, icon.body);
    team.ada.delete("/api/account/logo").await.expect(204);
    assert_eq!(nobody.get("/icons/icon-192.png").await.body, flame.body);
}

/// Width and height from the header of a PNG file.
fn png_size(bytes: &[u8]) -> String {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    format!("{}x{}", number(16), number(20))
}
