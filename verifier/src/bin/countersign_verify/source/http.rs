//! A log over HTTP.

use std::thread::sleep;
use std::time::Duration;

use countersign_verifier::program::{Exit, Failed};
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::RETRY_AFTER;
use url::Url;

use super::{Source, SourceError};

/// How often something is asked for before it counts as unreadable.
const TRIES: u32 = 6;
/// How long to wait after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait, whatever the log asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The files of a log below a URL.
pub(crate) struct Http {
    base: Url,
    agent: Agent,
}

/// Why one request led to nothing.
enum Failure {
    /// It is final.
    Final(SourceError),
    /// It may go better later, perhaps after so long.
    Passing(SourceError, Option<Duration>),
}

impl Http {
    pub(crate) fn new(url: &str) -> Result<Self, Failed> {
        let unfit = || Failed::new(Exit::Usage, format!("{url} is not the URL of a log"));
        let mut base = Url::parse(url).map_err(|error| unfit().because(error))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(unfit().hint("expected the URL below which checkpoint and tile/ are served"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let config = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_global(Some(Duration::from_mins(2)))
            .http_status_as_error(false)
            .user_agent(concat!("countersign-verify/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { base, agent: config.into() })
    }

    fn get(&self, url: &Url, limit: usize) -> Result<Vec<u8>, Failure> {
        let what = || url.to_string();
        let unreadable = |cause: ureq::Error| SourceError::Unreadable { what: what(), cause: cause.into() };
        let mut answer =
            self.agent.get(url.as_str()).call().map_err(|error| Failure::Passing(unreadable(error), None))?;
        let status = answer.status();
        if status == StatusCode::NOT_FOUND || status == StatusCode::GONE {
            return Err(Failure::Final(SourceError::Missing(what())));
        }
        if status != StatusCode::OK {
            let error = unreadable(ureq::Error::StatusCode(status.as_u16()));
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                let seconds =
                    answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                return Err(Failure::Passing(error, seconds.map(Duration::from_secs)));
            }
            return Err(Failure::Final(error));
        }
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let body = answer.body_mut().with_config().limit(most).read_to_vec();
        match body {
            Ok(bytes) if bytes.len() <= limit => Ok(bytes),
            Ok(_) | Err(ureq::Error::BodyExceedsLimit(_)) => {
                Err(Failure::Final(SourceError::TooLarge { what: what(), limit }))
            }
            Err(error) => Err(Failure::Passing(unreadable(error), None)),
        }
    }
}

impl Source for Http {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
        let url = self
            .base
            .join(path)
            .map_err(|cause| SourceError::Unreadable { what: path.to_owned(), cause: cause.into() })?;
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.get(&url, limit) {
                Ok(bytes) => return Ok(bytes),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(_, asked)) => sleep(asked.unwrap_or(wait).min(LONGEST_WAIT)),
            }
            wait = wait.saturating_mul(2);
        }
        self.get(&url, limit).map_err(|failure| match failure {
            Failure::Final(error) | Failure::Passing(error, _) => error,
        })
    }

    fn at_once(&self) -> usize {
        8
    }
}
