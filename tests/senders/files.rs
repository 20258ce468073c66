//! The names of files that clients upload to the bot API.

use std::path::Path;

use super::fetched::{node, python, script};
use crate::support::*;

/// A name with all that has to be written in another way somewhere.
const NAME: &str = "grüße \"a\" 100% 🚀.txt";

async fn bot(team: &Team) -> String {
    let made = team.ada.post("/api/bots", json!({"name": "Uploader"})).await.expect(201);
    format!("{}/rooms/{}/{}/messages", team.ada.origin(), team.room, made["key"].as_str().unwrap())
}

async fn newest(team: &Team) -> String {
    let page = team.ada.get(&format!("/api/rooms/{}/messages?limit=1", team.room)).await.expect(200);
    page["messages"][0]["attachment"]["filename"].as_str().expect("a file").to_owned()
}

#[tokio::test]
async fn names_of_files_from_curl_python_and_node() {
    let team = Team::start().await;
    let url = bot(&team).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(NAME);
    std::fs::write(&file, "x").unwrap();
    // curl reads a quoted name with escapes.
    let quoted = file.to_str().unwrap().replace('\\', "\\\\").replace('"', "\\\"");
    let curl = tokio::process::Command::new("curl")
        .args(["-sf", "-F", &format!("attachment=@\"{quoted}\""), &url])
        .output()
        .await
        .expect("curl");
    assert!(curl.status.success());
    assert_eq!(newest(&team).await, NAME, "curl");
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (client, source) in [
        (
            "requests",
            "import sys, requests\nrequests.post(sys.argv[1], files={'attachment': (sys.argv[2], b'x')}).raise_for_status()",
        ),
        (
            "httpx",
            "import sys, httpx\nhttpx.post(sys.argv[1], files={'attachment': (sys.argv[2], b'x')}).raise_for_status()",
        ),
        (
            "aiohttp",
            "import sys, asyncio, aiohttp\nasync def main():\n    form = aiohttp.FormData()\n    form.add_field('attachment', b'x', filename=sys.argv[2])\n    async with aiohttp.ClientSession() as session:\n        async with session.post(sys.argv[1], data=form) as reply:\n            reply.raise_for_status()\nasyncio.run(main())",
        ),
    ] {
        script(&python(), tmp, source, &[&url, NAME]).await;
        assert_eq!(newest(&team).await, NAME, "{client}");
    }
    let source = "import { FormData, fetch } from 'undici';\nconst form = new FormData();\nform.append('attachment', new Blob(['x']), process.argv[3]);\nconst reply = await fetch(process.argv[2], { method: 'POST', body: form });\nif (reply.status !== 201) throw new Error(await reply.text());";
    script(Path::new("node"), &node("8"), source, &[&url, NAME]).await;
    assert_eq!(newest(&team).await, NAME, "undici");
}
