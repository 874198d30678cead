//! What is said about requests.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

use super::support::{observed, proxies};

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

async fn ask(path: &[u8], id: &str) -> String {
    let uri = axum::http::Uri::try_from(path).unwrap();
    let request = Request::get(uri).header("x-request-id", id).header("authorization", "Bearer s3cret");
    let response = observed(None, proxies(&[])).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    response.headers()["x-request-id"].to_str().unwrap().to_owned()
}

const PATHS: &[&[u8]] =
    &[b"/", b"/a%0a%1b[31mred?token=s3cret", b"/\"quoted\"\\", "/\u{85}\u{2028}next line".as_bytes()];

fn tried(path: &[u8]) -> bool {
    axum::http::Uri::try_from(path).is_ok()
}

#[tokio::test]
async fn a_request_is_one_line_with_nothing_secret_and_nothing_unescaped() {
    for json in [false, true] {
        let lines = Lines::default();
        let layer =
            tracing_subscriber::fmt().with_writer(lines.clone()).with_max_level(tracing::Level::DEBUG);
        let subscriber: Box<dyn tracing::Subscriber + Send + Sync> = if json {
            Box::new(layer.json().flatten_event(true).with_span_list(false).finish())
        } else {
            Box::new(layer.with_ansi(false).finish())
        };
        let guard = tracing::subscriber::set_default(subscriber);
        let mut asked = 0;
        for path in PATHS.iter().filter(|path| tried(path)) {
            assert!(ask(path, "id-of-mine").await.starts_with("00000abc-"), "the server's own id");
            asked += 1;
        }
        drop(guard);
        let text = lines.text();
        assert_eq!(text.lines().count(), asked, "one line a request:\n{text}");
        assert!(!text.contains("s3cret") && !text.contains("id-of-mine"), "{text}");
        for line in text.lines() {
            assert!(!line.contains(|character: char| character.is_control()), "{line:?}");
            if json {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!((&line["message"], &line["target"]), (&"answered".into(), &"request".into()));
                assert!(line["span"]["status"].is_u64() && line["micros"].is_u64(), "{line}");
                assert!(line["span"]["id"].is_string() && line["span"]["route"].is_string(), "{line}");
            } else {
                assert!(line.contains("status=") && line.contains("route=\""), "{line}");
            }
        }
    }
}
