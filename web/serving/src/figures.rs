//! The figures of a server, for Prometheus: each one with what it means, and what to do when it goes wrong.
//!
//! A server lists its figures in a table of [`Figure`]s and feeds them by the macros of `metrics`. The manual is made
//! from the same tables. No label has values from outside: otherwise anybody could fill the memory.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// What a figure does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It grows, until the server is started again.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is a distribution, in buckets.
    Histogram,
}

/// One figure.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What it does over time.
    pub sort: Sort,
    /// What it counts in.
    pub unit: Unit,
    /// Its labels, each with the values that it takes. There are only so many of them.
    pub labels: &'static [(&'static str, &'static str)],
    /// What it says.
    pub meaning: &'static str,
    /// How it looks when all is well.
    pub normal: &'static str,
    /// How it looks when something is wrong, and what to do then.
    pub trouble: &'static str,
}

/// Requests answered.
pub const REQUESTS: &str = "countersign_http_requests_total";
/// How long answers took.
pub const REQUEST_SECONDS: &str = "countersign_http_request_seconds";
/// Refusals.
pub const REFUSALS: &str = "countersign_refusals_total";
/// Connections that are open.
pub const CONNECTIONS: &str = "countersign_connections";
/// Connections that came.
pub const ACCEPTED: &str = "countersign_connections_accepted_total";
/// Handshakes that came to nothing.
pub const HANDSHAKE_FAILURES: &str = "countersign_tls_handshake_failures_total";
/// Certificates read.
pub const CERTIFICATES_LOADED: &str = "countersign_tls_certificates_loaded_total";
/// Certificates that could not be used.
pub const CERTIFICATES_REFUSED: &str = "countersign_tls_certificates_refused_total";
const BUILD: &str = "countersign_build_info";
const UPTIME: &str = "countersign_uptime_seconds";

/// The figures that every server has.
pub const EVERYWHERE: &[Figure] = &[
    Figure {
        name: BUILD,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("program", "the program"), ("version", "its version")],
        meaning: "Always 1: which program this is, in its labels.",
        normal: "1, with the version that you installed.",
        trouble: "Servers of one kind that differ in version: an upgrade was left half done.",
    },
    Figure {
        name: UPTIME,
        sort: Sort::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        meaning: "For how long the process has been running.",
        normal: "It grows until the next upgrade.",
        trouble: "It falls without an upgrade: the process was ended or crashed. The system's journal says by what.",
    },
    Figure {
        name: REQUESTS,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[
            ("route", "the pattern of the address, `other` for pages and for what does not exist"),
            ("method", "the usual methods, and `other`"),
            ("status", "the status of the answer"),
        ],
        meaning: "Requests answered.",
        normal: "Mostly status 200 and 201; some 4xx, since clients make mistakes.",
        trouble: "Status 500 at all: search the log file for its request id. Much 503: the queue is full or the server stopped, see /readyz.",
    },
    Figure {
        name: REQUEST_SECONDS,
        sort: Sort::Histogram,
        unit: Unit::Seconds,
        labels: &[("route", "as above")],
        meaning: "Time from the end of a request's header to the beginning of its answer. Submissions that wait for a quorum wait inside of it.",
        normal: "Milliseconds for what is read; for submissions what the sync and the quorum take.",
        trouble: "Reading grows slow: the disk or the processors are busy, or memory is too small for what is asked.",
    },
    Figure {
        name: REFUSALS,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[("code", "the code of the problem, which is listed at /errors")],
        meaning: "Refusals; in a batch each refused statement counts.",
        normal: "A few now and then, of many codes.",
        trouble: "One code rises: its page at /errors says what clients do wrong. `overloaded` and `too-many-...`: see Limits in OPERATIONS.md.",
    },
    Figure {
        name: CONNECTIONS,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "Connections that are open.",
        normal: "As many as there are clients at work, and those that they keep open.",
        trouble: "Near --max-connections: clients that do not reuse connections, or an attack. Raise the number, or put a proxy in front.",
    },
    Figure {
        name: ACCEPTED,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[],
        meaning: "Connections that came, those that were turned away among them.",
        normal: "It grows much slower than the requests do.",
        trouble: "It grows as fast as the requests: clients open a connection for each request.",
    },
    Figure {
        name: HANDSHAKE_FAILURES,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[],
        meaning: "TLS handshakes that failed or took too long.",
        normal: "0 without TLS; a few a day on an address that the world can reach.",
        trouble: "It rises after a certificate was renewed: clients refuse the new one. Otherwise it is scanners.",
    },
    Figure {
        name: CERTIFICATES_LOADED,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[],
        meaning: "Times that a certificate was read and taken into use, the first one included.",
        normal: "0 without TLS; 1 after the start, and one more with each renewal.",
        trouble: "It stays although the certificate was renewed: the renewed files lie somewhere else.",
    },
    Figure {
        name: CERTIFICATES_REFUSED,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[],
        meaning: "Times that a certificate on disk could not be used, and the one before stayed.",
        normal: "0.",
        trouble: "At all: the log file says what is wrong with the files. Put them right before the old certificate ends.",
    },
];

/// Upper bounds of the buckets of times, in seconds: from what a fast disk allows to what a client gives up at.
const BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0,
];

/// How often observed times are sorted.
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder is one for the process, as the macros that feed it are.
static RECORDER: LazyLock<Option<PrometheusHandle>> =
    LazyLock::new(|| PrometheusBuilder::new().set_buckets(BUCKETS).ok()?.install_recorder().ok());

/// When the process began to count.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The figures of the process. `None` inside when somebody else installed a recorder before: then the figures go
/// there.
#[derive(Debug, Clone)]
pub struct Figures {
    handle: Option<PrometheusHandle>,
    program: &'static str,
    version: &'static str,
}

/// Makes sure that what is counted from now on is not lost.
pub(crate) fn begin() {
    LazyLock::force(&BEGAN);
    LazyLock::force(&RECORDER);
}

impl Figures {
    /// Begins to count, for a program that has the figures of `tables` beside those of all servers.
    pub fn start(program: &'static str, version: &'static str, tables: &[&[Figure]]) -> Self {
        begin();
        let handle = RECORDER.clone();
        for Figure { name, sort, unit, labels, meaning, .. } in
            tables.iter().copied().chain([EVERYWHERE]).flatten()
        {
            match sort {
                Sort::Counter => {
                    describe_counter!(*name, *unit, *meaning);
                    // What counts from nought is seen to rise also at the first time.
                    if labels.is_empty() {
                        counter!(*name).increment(0);
                    }
                }
                Sort::Gauge => describe_gauge!(*name, *unit, *meaning),
                Sort::Histogram => describe_histogram!(*name, *unit, *meaning),
            }
        }
        Self { handle, program, version }
    }

    /// Sorts observed times into their buckets, for ever. Until then each one takes memory of its own, so it has to
    /// happen every few seconds, also when nobody asks for the figures.
    pub async fn look_after(self) {
        let Some(handle) = self.handle else { return };
        let mut interval = tokio::time::interval(UPKEEP);
        loop {
            interval.tick().await;
            handle.run_upkeep();
        }
    }

    /// The answer to `GET /metrics`. Gauges of the server are set before.
    pub fn render(&self) -> Response {
        gauge!(BUILD, "program" => self.program, "version" => self.version).set(1.0);
        gauge!(UPTIME).set(BEGAN.elapsed().as_secs_f64());
        let text = self.handle.as_ref().map(PrometheusHandle::render);
        let mut response = text.unwrap_or_default().into_response();
        let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Prometheus counts in doubles: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
pub fn approximately(count: u64) -> f64 {
    count as f64
}

/// What the manual says of these figures. `alarms` knows by which alarms one is watched.
pub fn manual<'a>(
    figures: impl IntoIterator<Item = &'a Figure>,
    alarms: impl Fn(&Figure) -> Vec<String>,
) -> String {
    let mut text = String::new();
    for figure in figures {
        let Figure { name, sort, unit, labels, meaning, normal, trouble } = figure;
        let sort = format!("{sort:?}").to_lowercase();
        let unit = match unit {
            Unit::Count => String::new(),
            Unit::CountPerSecond => ", a second".to_owned(),
            unit => format!(", in {}", unit.as_str()),
        };
        // Writing to a text does not fail.
        let _ = write!(text, "### {name}\n\n{meaning} *({sort}{unit})*\n\n");
        for (label, values) in *labels {
            let _ = writeln!(text, "- `{label}`: {values}");
        }
        if !labels.is_empty() {
            text.push('\n');
        }
        let _ = write!(text, "**Normal.** {normal}\n**When it goes wrong.** {trouble}\n");
        let alarms = alarms(figure);
        if !alarms.is_empty() {
            let _ = writeln!(text, "**Alarms.** {}", alarms.join(", "));
        }
        text.push('\n');
    }
    text
}
