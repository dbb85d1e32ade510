//! A real Chromium, driven over WebDriver: what a member sees and touches.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use axum::http::Method;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource as _, KeyAction, KeyActions},
    elements::Element,
    error::CmdError,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// How long a page may take to become what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// A Chromium with a profile of its own. Every wait ends after 20 s with a panic that tells what the page
/// showed instead, and a screenshot.
pub struct Browser {
    client: Client,
    _driver: Driver, // before the profile: Chromium must be gone when its files go
    _profile: TempDir,
}

impl Browser {
    /// A phone of 390×844 points with a touch screen.
    pub async fn phone() -> Self {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2, "touch": true });
        Self::start(json!({ "mobileEmulation": { "deviceMetrics": metrics } })).await
    }

    /// A window of 1280×900.
    pub async fn desktop() -> Self {
        Self::start(json!({ "args": ["--window-size=1280,900"] })).await
    }

    /// The desktop, whose user has switched JavaScript off. A phone that is emulated answers no click then.
    pub async fn desktop_without_scripts() -> Self {
        let prefs = json!({ "profile.managed_default_content_settings.javascript": 2 });
        Self::start(json!({ "args": ["--window-size=1280,900"], "prefs": prefs })).await
    }

    /// The desktop, whose user lets frames of other sites have their cookies.
    pub async fn desktop_with_cookies_in_frames() -> Self {
        let prefs = json!({ "profile.cookie_controls_mode": 0, "profile.block_third_party_cookies": false });
        Self::start(json!({ "args": ["--window-size=1280,900"], "prefs": prefs })).await
    }

    async fn start(mut options: Value) -> Self {
        let profile = TempDir::with_prefix("kenpos-browser-").unwrap();
        let mut args: Vec<Value> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--lang=ja",
        ]
        .map(Value::from)
        .to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()).into());
        args.extend(options["args"].as_array().cloned().unwrap_or_default());
        options["args"] = args.into();
        options["binary"] = program("chromium", "chromium").to_str().into();
        options["prefs"]["intl.accept_languages"] = "ja".into();

        let driver = Driver::start();
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        Self { client, _driver: driver, _profile: profile }
    }

    /// Goes to `url` and waits for the page to load.
    pub async fn open(&self, url: &str) {
        if let Err(error) = self.client.goto(url).await {
            self.fail(&format!("{url} does not open: {error}")).await;
        }
    }

    /// Types `text` into the empty or emptied field.
    pub async fn fill(&self, css: &str, text: &str) {
        self.patiently(&format!("filling {css}"), async || {
            let Some(field) = self.ready(css).await? else { return Ok(None) };
            field.clear().await?;
            field.send_keys(text).await.map(Some)
        })
        .await;
    }

    /// Clicks what can be clicked, and waits for the next page if that leads to one.
    pub async fn click(&self, css: &str) {
        self.patiently(&format!("clicking {css}"), async || match self.ready(css).await? {
            Some(element) => element.click().await.map(Some),
            None => Ok(None),
        })
        .await;
    }

    /// Waits until the element is there and visible.
    pub async fn wait_for(&self, css: &str) -> Element {
        self.patiently(&format!("waiting for {css}"), async || {
            let element = self.client.find(Locator::Css(css)).await?;
            Ok(element.is_displayed().await?.then_some(element))
        })
        .await
    }

    /// Waits for an address that `fits`.
    pub async fn wait_for_url(&self, fits: impl Fn(&Url) -> bool) -> Url {
        self.patiently("waiting for another address", async || {
            Ok(Some(self.client.current_url().await?).filter(&fits))
        })
        .await
    }

    /// The visible text of the element, once it is there.
    pub async fn text(&self, css: &str) -> String {
        self.patiently(&format!("reading {css}"), async || {
            self.client.find(Locator::Css(css)).await?.text().await.map(Some)
        })
        .await
    }

    /// The address of the page.
    pub async fn url(&self) -> Url {
        self.client.current_url().await.unwrap()
    }

    /// What the body of a function, `js`, returns in the page.
    pub async fn script(&self, js: &str) -> Value {
        match self.client.execute(js, Vec::new()).await {
            Ok(value) => value,
            Err(error) => self.fail(&format!("the script failed: {error}\n{js}")).await,
        }
    }

    /// A picture of the full page, in `target/test-artefacts/{name}.png`.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        self.picture(name).await.unwrap_or_else(|error| panic!("no screenshot {name}: {error}"))
    }

    /// A [`Browser::screenshot`] of a page that fits its window: nothing needs scrolling sideways (WCAG 2.2, 1.4.10).
    pub async fn keep(&self, name: &str) {
        self.screenshot(name).await;
        let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(self.script(wide).await, 0, "{name} is wider than the window");
    }

    /// The same in light and in dark colours, `{name}-light` and `{name}-dark`.
    pub async fn keep_both(&self, name: &str) {
        for (scheme, dark) in [("dark", true), ("light", false)] {
            self.prefer_dark(dark).await;
            self.keep(&format!("{name}-{scheme}")).await;
        }
    }

    /// The page as a printer gets it, in `target/test-artefacts/{name}.pdf`.
    pub async fn print(&self, name: &str) -> PathBuf {
        let options = json!({ "preferCSSPageSize": true, "printBackground": true });
        let answer = self.client.issue_cmd(DevTools("Page.printToPDF", options)).await.unwrap();
        let pdf = BASE64_STANDARD.decode(answer["data"].as_str().unwrap_or_default()).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/test-artefacts/{name}.pdf"));
        std::fs::write(&path, pdf).unwrap();
        path
    }

    /// Shows pages as for a reader who prefers dark colours, or light ones again.
    pub async fn prefer_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Lays pages out for a window of this size in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Runs `js` in every page from now on, before the page's own scripts; no policy of a page forbids it.
    pub async fn inject(&self, js: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": js })).await;
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        for key in keys.chars() {
            let stroke = KeyActions::new("keyboard".to_owned());
            let stroke = stroke.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key });
            if let Err(error) = self.client.perform_actions(stroke).await {
                self.fail(&format!("{key:?} cannot be pressed: {error}")).await;
            }
        }
    }

    async fn devtools(&self, command: &'static str, parameters: Value) {
        self.client.issue_cmd(DevTools(command, parameters)).await.unwrap();
    }

    /// Ends the browser now, rather than at the end of its scope.
    pub async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// The element, if it is visible and enabled.
    async fn ready(&self, css: &str) -> Result<Option<Element>, CmdError> {
        let element = self.client.find(Locator::Css(css)).await?;
        Ok((element.is_displayed().await? && element.is_enabled().await?).then_some(element))
    }

    /// Tries until there is a value. An error is no end: elements come, go and cover each other while a page
    /// loads.
    async fn patiently<T>(&self, what: &str, attempt: impl AsyncFn() -> Result<Option<T>, CmdError>) -> T {
        let mut hindrance = String::from("not there or not ready");
        let tries = tokio::time::timeout(PATIENCE, async {
            loop {
                match attempt().await {
                    Ok(Some(value)) => break value,
                    Ok(None) => {}
                    Err(error) => hindrance = error.to_string(),
                }
                tokio::time::sleep(POLL).await;
            }
        });
        if let Ok(value) = tries.await {
            return value;
        }
        self.fail(&format!("{what} took more than {} s: {hindrance}", PATIENCE.as_secs())).await
    }

    async fn fail(&self, what: &str) -> ! {
        let url = self.client.current_url().await.map_or_else(|error| error.to_string(), String::from);
        let title = self.client.title().await.unwrap_or_default();
        let body =
            self.client.execute("return document.body.innerText", Vec::new()).await.unwrap_or_default();
        let body: String = body.as_str().unwrap_or_default().chars().take(500).collect();
        let test = std::thread::current().name().unwrap_or("unnamed").replace("::", "-");
        let picture = match self.picture(&format!("failure-{test}")).await {
            Ok(path) => path.display().to_string(),
            Err(error) => error.to_string(),
        };
        panic!("{what}\nurl: {url}\ntitle: {title}\nscreenshot: {picture}\n{body}");
    }

    async fn picture(&self, name: &str) -> Result<PathBuf, Box<dyn std::error::Error>> {
        // The picture of WebDriver stops at the edge of the window.
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.client.issue_cmd(DevTools("Page.captureScreenshot", whole)).await?;
        let png = BASE64_STANDARD.decode(answer["data"].as_str().unwrap_or_default())?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-artefacts");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, png)?;
        Ok(path)
    }
}

/// A command of the `DevTools` protocol, for what WebDriver itself cannot do.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

/// A `ChromeDriver` on a free port. It lives in a process group under a shell that ends the whole group,
/// Chromium too, as soon as its standard input closes: on drop, and also when the test process dies.
struct Driver {
    url: String,
    group: Child,
    _output: BufReader<ChildStdout>, // kept open: writing to a closed pipe would end ChromeDriver
}

impl Driver {
    fn start() -> Self {
        let mut group = Command::new("sh")
            .args(["-c", r#""$0" --port=0 & cat; kill -KILL 0"#])
            .arg(program("chromedriver", "chromium-driver"))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(group.stdout.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let before = said.len();
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "ChromeDriver does not start: {said}");
            if let Some((_, port)) = said[before..].split_once("started successfully on port ") {
                break port.trim_end().trim_end_matches('.').to_owned();
            }
        };
        Self { url: format!("http://127.0.0.1:{port}"), group, _output: output }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.group.stdin.take());
        let _ = self.group.wait();
    }
}

/// The path of a program, or a panic that names the Debian package it comes with.
fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: apt-get install {package} (or scripts/setup test)"))
}
