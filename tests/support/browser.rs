//! Debian's Chromium, driven over WebDriver. Each window has a profile of its own, and keeps what its console says.
#![allow(unreachable_pub)] // as in the rest of the support

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::support::DEADLINE;

/// A chromedriver of the test's own.
pub struct Driver {
    child: Child,
    address: String,
}

impl Driver {
    pub async fn start() -> Driver {
        // A port that was free a moment ago; if somebody else was quicker, the next one is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let child = Command::new("chromedriver")
                .arg(format!("--port={port}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| {
                    panic!("chromedriver does not start ({error}): apt-get install chromium chromium-driver")
                });
            let mut driver = Driver { child, address: format!("http://127.0.0.1:{port}") };
            if driver.is_ready(port).await {
                return driver;
            }
        }
        panic!("chromedriver found no port");
    }

    async fn is_ready(&mut self, port: u16) -> bool {
        let started = Instant::now();
        while started.elapsed() < DEADLINE {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    pub async fn window(&self) -> Window {
        self.window_of(1280, 800, false).await
    }

    pub async fn window_of(&self, width: u32, height: u32, dark: bool) -> Window {
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--lang=en-GB",
        ];
        if dark {
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let size = format!("--window-size={width},{height}");
        arguments.push(&size);
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments, "mobileEmulation": if width < 500 {
                json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "touch": false } })
            } else { json!({}) } },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let mut capabilities: Capabilities = serde_json::from_value(capabilities).unwrap();
        if width >= 500 {
            capabilities["goog:chromeOptions"].as_object_mut().unwrap().remove("mobileEmulation");
        }
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .expect("Chromium opens a window (apt-get install chromium)");
        Window { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The windows go with it.
        let _ = Command::new("pkill").args(["-P", &self.child.id().to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Window {
    pub client: Client,
}

impl Window {
    pub async fn goto(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// The element, once it is there.
    pub async fn find(&self, css: &str) -> Element {
        self.client
            .wait()
            .at_most(DEADLINE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("no {css}: {error}"))
    }

    /// Clicks once it can be clicked: a list that is drawn anew meanwhile has other elements in the end.
    pub async fn click(&self, css: &str) {
        self.insist(css, async |element| element.click().await).await;
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        self.insist(css, async |element| element.send_keys(text).await).await;
    }

    /// Tries until the element takes it, or the time is up.
    async fn insist(&self, css: &str, act: impl AsyncFn(Element) -> Result<(), CmdError>) {
        let started = Instant::now();
        loop {
            match act(self.find(css).await).await {
                Ok(()) => return,
                Err(error) if started.elapsed() > DEADLINE => panic!("{css} does not take it: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// What a script answers.
    pub async fn eval(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Waits until a script answers `true`.
    pub async fn until(&self, what: &str, script: &str) {
        let started = Instant::now();
        loop {
            if self.client.execute(script, vec![]).await.is_ok_and(|found| found == true) {
                return;
            }
            if started.elapsed() > DEADLINE {
                let page = self.eval("return document.body.innerText").await;
                panic!("waited in vain until {what}; the page says {page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a message with this text is in the room, said and confirmed.
    pub async fn sees(&self, text: &str) {
        let script = format!(
            "return [...document.querySelectorAll('.message:not(.is-pending) .message-text')].some((it) => it.innerText.trim() === {})",
            json!(text)
        );
        self.until(&format!("{text:?} is seen"), &script).await;
    }

    /// The texts of all the messages, in order.
    pub async fn texts(&self) -> Vec<String> {
        let found = self.eval("return [...document.querySelectorAll('.message .message-text')].map((it) => it.innerText.trim())").await;
        serde_json::from_value(found).unwrap()
    }

    pub async fn say(&self, text: &str) {
        self.type_into(".composer-input", &format!("{text}\u{E007}")).await;
    }

    /// What the console has said since it was last asked, but for requests that were refused on purpose.
    pub async fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let log = self.client.issue_cmd(BrowserLog).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        let entries =
            entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let texts = entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned());
        texts.filter(|text| !expected.iter().any(|known| text.contains(known))).collect()
    }

    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }
}

#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
