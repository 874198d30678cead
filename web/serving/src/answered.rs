//! How many requests were answered, and how fast.
//!
//! To ask the recorder for a figure by its labels costs more than to count. So each one is asked for once, and kept:
//! there are only so many routes, methods and statuses.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Histogram};

use crate::figures::{REQUEST_SECONDS, REQUESTS};

/// The figures of all answers.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    routes: RwLock<HashMap<Box<str>, Route>>,
}

#[derive(Debug)]
struct Route {
    seconds: Histogram,
    requests: HashMap<(&'static str, StatusCode), Counter>,
}

impl Answered {
    /// Counts one answer. `route` is a pattern of the server's own, and nothing that a client chose.
    pub(crate) fn count(&self, route: &str, method: &'static str, status: StatusCode, took: Duration) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Route { seconds, requests }) = routes.get(route)
            && let Some(requests) = requests.get(&(method, status))
        {
            requests.increment(1);
            seconds.record(took.as_secs_f64());
            return;
        }
        drop(routes);
        let requests = metrics::counter!(
            REQUESTS,
            "route" => route.to_owned(),
            "method" => method,
            "status" => status.as_u16().to_string()
        );
        let seconds = metrics::histogram!(REQUEST_SECONDS, "route" => route.to_owned());
        requests.increment(1);
        seconds.record(took.as_secs_f64());
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let route = routes.entry(route.into()).or_insert_with(|| Route { seconds, requests: HashMap::new() });
        route.requests.insert((method, status), requests);
    }
}
