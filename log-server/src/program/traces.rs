//! Traces for an OpenTelemetry collector (OTLP over HTTP), where one is named.
//!
//! Every request is a span, with its id, route, status, issuer and entry. Spans are sent in batches, by a thread that
//! nobody waits for: what a collector does not take is dropped, and a request never is.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use countersign_serving::logging::Listener;
use countersign_verifier::program::{Exit, Failed};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use url::Url;

/// How long sending a batch may take, and how long the last one may at the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where traces are sent.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Send a trace of every request to this OpenTelemetry collector: the base of its OTLP/HTTP, such as
    /// <http://127.0.0.1:4318>
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<Url>,
}

impl Flags {
    /// Starts sending, if a collector is named. To be called on a runtime.
    pub(super) fn start(&self) -> Result<(Option<Traces>, Option<Listener>), Failed> {
        Ok(self.otlp_endpoint.as_ref().map(Traces::start).transpose()?.unzip())
    }
}

/// Spans on their way to a collector.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    fn start(endpoint: &Url) -> Result<(Self, Listener), Failed> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Failed::new(Exit::Usage, "traces cannot be sent").because(error).hint(
                "--otlp-endpoint takes the base of a collector's OTLP/HTTP, such as http://127.0.0.1:4318",
            )
        };
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(error.into()))?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .with_http_client(client)
            .build()
            .map_err(|error| failed(error.into()))?;
        let exporter = OnRuntime { exporter: Arc::new(exporter), runtime: Handle::current() };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name("countersign-log").build())
            .build();
        let tracer = provider.tracer("countersign-log");
        // Spans of libraries stay out of it: sending a batch would make some, and so another batch, without end.
        let ours = filter_fn(|of| of.target() == "request" || of.target().starts_with("countersign"));
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours).boxed();
        Ok((Self(provider), layer))
    }

    /// Sends what is left, within a bound.
    pub(super) async fn end(self) {
        // It waits for the thread that sends, which waits for this runtime.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::info!("the last traces were not taken by the collector");
        }
    }
}

/// Sends on the runtime, which the client needs and the thread that collects spans is not on.
#[derive(Debug)]
struct OnRuntime<E> {
    exporter: Arc<E>,
    runtime: Handle,
}

impl<E: SpanExporter + 'static> SpanExporter for OnRuntime<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sent = self.runtime.spawn(async move { exporter.export(batch).await }).await;
        sent.unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}
