//! A real Chromium, driven over `WebDriver`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// How long a page may take to do what it was asked for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A window of its own, with nothing remembered. Dropping it ends both processes.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    driver: Child,
    _profile: TempDir,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let (driver, address) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let user_data = format!("--user-data-dir={}", profile.path().display());
        let args: Vec<&str> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &user_data,
        ]
        .into();
        let capabilities = HashMap::from([
            ("goog:chromeOptions".to_owned(), json!({ "args": args })),
            ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"})),
        ]);
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.into_iter().collect()).connect(&address).await
        });
        let client = client.unwrap_or_else(|error| panic!("chromium does not start: {error}"));
        Self { runtime, client: Some(client), driver, _profile: profile }
    }

    fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    pub(crate) fn go(&self, address: &str) {
        self.runtime
            .block_on(self.client().goto(address))
            .unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    /// Runs a script in the page and returns what it returns. It is not bound by the page's security policy.
    pub(crate) fn run(&self, script: &str) -> Value {
        let result = self.runtime.block_on(self.client().execute(script, Vec::new()));
        result.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script that gives its result to a function, its last argument.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        let result = self.runtime.block_on(self.client().execute_async(script, Vec::new()));
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub(crate) fn wait_for(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(&format!("return Boolean({expression})")) != true {
            let page = self.run("return document.querySelector('main').innerText");
            assert!(Instant::now() < deadline, "{expression} does not come true: {}", page.as_str().unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn click(&self, selector: &str) {
        self.runtime.block_on(async {
            let element = self.client().find(Locator::Css(selector)).await;
            element.unwrap_or_else(|error| panic!("{selector}: {error}")).click().await.unwrap();
        });
    }

    /// Chooses files in a field for files.
    pub(crate) fn choose(&self, selector: &str, files: &[&Path]) {
        let paths: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
        self.runtime.block_on(async {
            let element = self.client().find(Locator::Css(selector)).await.unwrap();
            element.send_keys(&paths.join("\n")).await.unwrap();
        });
    }

    /// Drops a file in the middle of the page, as from a window of the desktop.
    pub(crate) fn drop_file(&self, file: &Path) {
        let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
        for step in ["dragEnter", "dragOver", "drop"] {
            let event = json!({"type": step, "x": 200, "y": 200, "data": data});
            self.devtools("Input.dispatchDragEvent", &event);
        }
    }

    /// Looks at pages from now on in this way.
    pub(crate) fn look(&self, Look { width, dark }: Look) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Keeps a picture of the whole page in the folder of the tests.
    pub(crate) fn picture(&self, name: &str) {
        let size = self.devtools("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let picture =
            self.devtools("Page.captureScreenshot", &json!({"captureBeyondViewport": true, "clip": clip}));
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(pictures().join(name).with_extension("png"), bytes).unwrap();
    }

    /// What the page has written to the console since this was last asked: errors, and violations of its policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.command("se/log", json!({"type": "browser"}));
        let lines = lines.as_array().unwrap().iter();
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    fn devtools(&self, command: &str, params: &Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": command, "params": params}))
    }

    fn command(&self, path: &'static str, body: Value) -> Value {
        let result = self.runtime.block_on(self.client().issue_cmd(Extra { path, body }));
        result.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts chromedriver on a port that it chooses.
fn start_driver() -> (Child, String) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "chromedriver does not start: it is required (Debian: chromium and chromium-driver): {error}"
            )
        });
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.map_while(Result::ok).find_map(|line| {
        line.split_once("started successfully on port ")
            .map(|(_, port)| port.trim_end_matches('.').to_owned())
    });
    (driver, format!("http://127.0.0.1:{}", port.expect("chromedriver says on which port it answers")))
}

/// Where pictures of pages are kept, to be looked at.
pub(crate) fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A command that chromedriver has beyond `WebDriver`.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
