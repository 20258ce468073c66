//! Debian's Chromium, driven over WebDriver. Each window has its own profile. Script errors, failed requests and violations
//! of the content security policy appear in its console, and fail the test unless they were expected.
#![allow(unreachable_pub)] // as in the rest of the support

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
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

use crate::support::{DEADLINE, program, require};

/// The accessibility checker, installed from npm once; not part of the product.
const AXE: &str = "axe-core@4.14.1";

/// Enter, and other keys, as WebDriver writes them.
pub const ENTER: &str = "\u{E007}";
pub const ESCAPE: &str = "\u{E00C}";
pub const UP: &str = "\u{E013}";
pub const CONTROL: &str = "\u{E009}";

/// JavaScript for the text of a message element `it`, without the mark of an edit.
const MESSAGE_TEXT: &str =
    "it.innerText.replace(it.querySelector('.message-edited')?.innerText ?? '', '').trim()";

/// Size, theme and language of a window.
#[derive(Clone, Copy)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    /// Emulates a phone with a touch screen.
    pub touch: bool,
    pub language: &'static str,
}

pub const DESK: Screen = Screen { width: 1280, height: 800, dark: false, touch: false, language: "en-GB" };
pub const PHONE: Screen = Screen { width: 390, height: 844, touch: true, ..DESK };

/// Runs a test with a browser, then fails if a console has unexpected entries. The test returns the server, so that it
/// outlives the windows: they would report its end as errors.
pub async fn with_browser<T>(test: impl AsyncFnOnce(&Driver) -> T) {
    let driver = Driver::start().await;
    let _server = test(&driver).await;
    let windows = std::mem::take(&mut *driver.windows.lock().unwrap());
    for window in windows {
        let complaints = window.complaints().await;
        assert!(complaints.is_empty(), "{complaints:#?}");
        window.client.close().await.unwrap();
    }
}

/// A chromedriver process with its windows.
pub struct Driver {
    child: Child,
    address: String,
    windows: Mutex<Vec<Window>>,
    _home: tempfile::TempDir,
}

impl Driver {
    async fn start() -> Driver {
        require(&["chromium", "chromedriver"]);
        // A port that was free a moment ago; if somebody else was quicker, the next one is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            // What it and its browsers write, profiles and caches, goes with it.
            let home = tempfile::tempdir().unwrap();
            let child = program("chromedriver")
                .arg(format!("--port={port}"))
                .env("HOME", home.path())
                .env("TMPDIR", home.path())
                .env_remove("XDG_CONFIG_HOME")
                .env_remove("XDG_CACHE_HOME")
                .env_remove("XDG_DATA_HOME")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("chromedriver starts");
            let address = format!("http://127.0.0.1:{port}");
            let mut driver = Driver { child, address, windows: Mutex::default(), _home: home };
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
        self.window_with(DESK).await
    }

    pub async fn window_with(&self, screen: Screen) -> Window {
        let Screen { width, height, dark, touch, language } = screen;
        let (size, language) = (format!("--window-size={width},{height}"), format!("--lang={language}"));
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
            // Sounds play without a click.
            "--autoplay-policy=no-user-gesture-required",
            &language,
            &size,
        ];
        if dark {
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let mut options = json!({ "args": arguments, "prefs": { "intl.accept_languages": screen.language } });
        if touch {
            options["mobileEmulation"] = json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "touch": true } });
        }
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities: Capabilities = serde_json::from_value(capabilities).unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .expect("Chromium opens a window");
        let window = Window { client, expected: Arc::default() };
        if !touch {
            // A window's size includes its frame; this sets the size of the page.
            let metrics =
                json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            window.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        }
        self.windows.lock().unwrap().push(window.clone());
        window
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Ends the browsers too.
        let _ = Command::new("pkill").args(["-P", &self.child.id().to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser window with its own profile.
#[derive(Clone)]
pub struct Window {
    pub client: Client,
    /// Console entries that the test causes on purpose.
    expected: Arc<Mutex<Vec<String>>>,
}

impl Window {
    pub async fn goto(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Waits for the element.
    pub async fn find(&self, css: &str) -> Element {
        self.client
            .wait()
            .at_most(DEADLINE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("no {css}: {error}"))
    }

    /// Clicks the element, and tries again if it was redrawn meanwhile.
    pub async fn click(&self, css: &str) {
        self.retry(css, async |element| element.click().await).await;
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        self.retry(css, async |element| element.send_keys(text).await).await;
    }

    /// Retries the action on the element up to [`DEADLINE`].
    async fn retry(&self, css: &str, act: impl AsyncFn(Element) -> Result<(), CmdError>) {
        let started = Instant::now();
        loop {
            match act(self.find(css).await).await {
                Ok(()) => return,
                Err(error) if started.elapsed() > DEADLINE => panic!("{css} does not take it: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Runs a script and returns its result.
    pub async fn eval(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Waits until a script returns `true`.
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

    /// Waits until the room shows a confirmed message with this text.
    pub async fn wait_for_message(&self, text: &str) {
        let script = format!(
            "return [...document.querySelectorAll('.message:not(.is-pending) .message-text')].some((it) => {MESSAGE_TEXT} === {})",
            json!(text)
        );
        self.until(&format!("{text:?} is seen"), &script).await;
    }

    /// The texts of all messages shown, in order.
    pub async fn texts(&self) -> Vec<String> {
        let script = format!(
            "return [...document.querySelectorAll('.message .message-text')].map((it) => {MESSAGE_TEXT})"
        );
        let found = self.eval(&script).await;
        serde_json::from_value(found).unwrap()
    }

    pub async fn say(&self, text: &str) {
        self.type_into(".composer-input", &format!("{text}\u{E007}")).await;
    }

    /// Console entries with this text do not fail the test.
    pub fn expect_complaint(&self, text: &str) {
        self.expected.lock().unwrap().push(text.to_owned());
    }

    /// Unexpected errors and warnings in the console since the last call.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(BrowserLog).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        let entries =
            entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let texts = entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned());
        let expected = self.expected.lock().unwrap();
        texts.filter(|text| !expected.iter().any(|known| text.contains(known))).collect()
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.client.issue_cmd(DevTools(json!({ "cmd": command, "params": parameters }))).await.unwrap()
    }

    /// Fails if axe-core finds a violation on the current screen.
    pub async fn assert_accessible(&self, what: &str) {
        self.client.execute(axe(), vec![]).await.unwrap();
        let script = "const done = arguments[0];
            const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
            axe.run(document, { runOnly, resultTypes: ['violations'] }).then(({ violations }) => done(violations.flatMap(({ id, nodes }) =>
                nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`))), (error) => done([String(error)]));";
        let found = self.client.execute_async(script, vec![]).await.unwrap();
        assert!(found.as_array().is_some_and(Vec::is_empty), "{what}: {found:#}");
    }

    /// Fails if anything overflows the window horizontally.
    pub async fn assert_fits(&self, what: &str) {
        let script = "const wide = document.documentElement.scrollWidth - innerWidth;
            return wide <= 0 ? '' : `${wide} px too wide: ` + [...document.querySelectorAll('body *')]
                .filter((it) => it.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((it) => it.outerHTML.slice(0, 120)).join(' | ')";
        let found = self.eval(script).await;
        assert_eq!(found, "", "{what}");
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

#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(self.0.to_string()))
    }
}

/// The text of axe-core.
fn axe() -> &'static str {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(AXE);
        let script = place.join("node_modules/axe-core/axe.min.js");
        if !script.exists() {
            let done = program("npm")
                .args(["install", "--no-save", "--no-audit", "--no-fund", "--no-update-notifier"])
                .args(["--ignore-scripts", "--prefix"])
                .args([place.as_os_str(), AXE.as_ref()])
                .env("npm_config_cache", concat!(env!("CARGO_TARGET_TMPDIR"), "/npm"))
                .status()
                .expect("npm starts");
            assert!(done.success(), "npm cannot install {AXE}");
        }
        std::fs::read_to_string(script).unwrap()
    })
}
