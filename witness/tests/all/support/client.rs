//! Asking a witness.

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::cosignature::{self, Timestamp};
use countersign_verifier::note::{SignedNote, VerifierKey, parse_signature_lines};
use reqwest::{Method, StatusCode};

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) url: String,
    http: reqwest::Client,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url: url.to_owned(), http }
    }

    pub(crate) async fn try_send(&self, method: Method, path: &str, body: String) -> reqwest::Result<Answer> {
        let response = self.http.request(method, format!("{}{path}", self.url)).body(body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status: status.as_u16(), headers, body: response.text().await? })
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> Answer {
        self.try_send(method, path, body.into()).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn add(&self, body: impl Into<String>) -> Answer {
        self.send(Method::POST, "/add-checkpoint", body).await
    }

    pub(crate) async fn try_add(&self, body: String) -> reqwest::Result<Answer> {
        self.try_send(Method::POST, "/add-checkpoint", body).await
    }

    /// The monitoring route.
    pub(crate) async fn monitor(&self, origin: &Origin) -> Answer {
        self.get(&format!("/{}/checkpoint", origin.hash())).await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the problem document that this must be.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let document: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(document["status"], self.status);
        document["type"].as_str().unwrap().strip_prefix("/errors/").unwrap().to_owned()
    }

    /// Checks that this is exactly one line by `key` over the text of `head`, and returns its time.
    pub(crate) fn cosignature(&self, head: &str, key: &VerifierKey) -> Timestamp {
        assert_eq!(self.status, StatusCode::OK.as_u16(), "{}", self.body);
        let lines = parse_signature_lines(&self.body).unwrap();
        let [line] = lines.as_slice() else { panic!("one line was expected: {}", self.body) };
        let note = SignedNote::parse(head.as_bytes()).unwrap();
        cosignature::verify(note.text(), line, key).unwrap()
    }
}
