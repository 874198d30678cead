//! A webhook: whoever answers POST requests at a URL.

use std::thread::sleep;
use std::time::Duration;

use countersign_verifier::program::{Exit, Failed};
use serde_json::{Value, json};
use ureq::Agent;
use url::Url;

use crate::log::Told;

/// How often it is tried before what there is to say counts as unsaid.
const TRIES: u32 = 4;
/// How long to wait after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// How much is said at once.
const AT_ONCE: usize = 500;
/// How many sentences are in the text for people.
const SENTENCES: usize = 20;

/// Where to post.
pub(super) struct Webhook {
    url: Url,
    agent: Agent,
}

impl Webhook {
    pub(super) fn new(url: &str) -> Result<Self, Failed> {
        // The path of a webhook is often a secret, so messages name its host only.
        let unfit = || Failed::new(Exit::Usage, "--webhook is no URL that can be posted to");
        let url = Url::parse(url).map_err(|error| unfit().because(error))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(unfit().hint("expected http:// or https://, a host and a path"));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("countersign-verify/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { url, agent: config.into() })
    }

    /// Posts all of it, in order. Any answer of the 200s counts as heard.
    pub(super) fn post(&self, origin: &str, news: &[Told]) -> Result<(), Failed> {
        news.chunks(AT_ONCE).try_for_each(|part| {
            let events = part.iter().map(|told| serde_json::from_str(&told.json).unwrap_or(Value::Null));
            let mut sentences: Vec<String> = part.iter().map(|told| told.text.clone()).collect();
            if sentences.len() > SENTENCES {
                let more = sentences.len().saturating_sub(SENTENCES);
                sentences.truncate(SENTENCES);
                sentences.push(format!("and {more} more"));
            }
            let text = format!("{origin}\n{}", sentences.join("\n"));
            let body = json!({ "log": origin, "text": text, "events": events.collect::<Vec<_>>() });
            self.deliver(body.to_string().as_bytes())
        })
    }

    fn deliver(&self, body: &[u8]) -> Result<(), Failed> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            if self.send(body).is_ok() {
                return Ok(());
            }
            sleep(wait);
            wait = wait.saturating_mul(2);
        }
        self.send(body).map_err(|why| {
            let host = self.url.host_str().unwrap_or_default();
            Failed::new(Exit::CouldNotCheck, format!("the webhook at {host} does not take what was found"))
                .because(why)
        })
    }

    fn send(&self, body: &[u8]) -> Result<(), String> {
        let request = self.agent.post(self.url.as_str()).header("content-type", "application/json");
        match request.send(body) {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("it answers {}, expected a status of the 200s", answer.status())),
            Err(ureq::Error::BadUri(_)) => Err("its URL cannot be used".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
