//! Traces, as a collector gets them.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use super::program::{Serving, init};

/// A collector that keeps what comes to `/v1/traces`.
fn collector() -> (String, mpsc::Receiver<(HeaderMap, Bytes)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (keep, kept) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let take = move |headers: HeaderMap, body: Bytes| async move {
                let _ = keep.send((headers, body));
                StatusCode::OK
            };
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().route("/v1/traces", post(take))).await.unwrap();
        });
    });
    (url, kept)
}

fn attributes(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |one: &KeyValue| match one.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    };
    attributes.iter().filter_map(|one| Some((one.key.clone(), text(one)?))).collect()
}

#[test]
fn every_request_is_a_span_where_a_collector_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (data, witnesses) = (folder.path().join("data"), folder.path().join("witnesses"));
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    init(&data);
    let (url, kept) = collector();
    let serving = Serving::start(&data, &witnesses, &["--no-explorer", "--otlp-endpoint", &url]);
    serving.published();
    assert!(serving.get("/nowhere?token=s3cret").starts_with("HTTP/1.1 404"));
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    let mut spans = Vec::new();
    while let Ok((headers, body)) = kept.recv_timeout(Duration::from_millis(500)) {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        assert!(!body.windows(6).any(|window| window == b"s3cret"));
        for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
            assert_eq!(attributes(&resource.resource.unwrap().attributes)["service.name"], "countersign-log");
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    assert!(spans.iter().all(|span| span.name == "request"), "{spans:?}");
    let of =
        |path: &str| spans.iter().map(|span| attributes(&span.attributes)).find(|span| span["path"] == path);
    let head = of("/checkpoint").unwrap();
    assert_eq!((head["route"].as_str(), head["method"].as_str()), ("/checkpoint", "GET"));
    assert_eq!(of("/nowhere").unwrap()["status"], "404");
}

#[test]
fn a_collector_that_is_not_there_holds_up_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, witnesses) = (folder.path().join("data"), folder.path().join("witnesses"));
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    init(&data);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let serving = Serving::start(&data, &witnesses, &["--no-explorer", "--otlp-endpoint", &url]);
    serving.published();
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    let refused =
        super::program::run(&["serve", "--data", data.to_str().unwrap(), "--otlp-endpoint", "nonsense"]);
    assert_eq!(refused.status.code(), Some(1));
}
