//! Executions with ids that are made of what addresses are made of.

use countersign_verifier::bundle::Bundle;
use countersign_verifier::statement::Kind;
use serde_json::json;
use url::Url;

use crate::ask::{ask, explorer};
use crate::html::tags;
use crate::log::TestLog;
use crate::sample::Issuers;

#[tokio::test]
async fn every_execution_is_reached_from_the_list() {
    let ids = [
        "a",
        ".",
        "..",
        "/",
        "//",
        "a/",
        "/a",
        "a//b",
        "a/./b",
        "a/../b",
        "..a",
        "x.json",
        "x.html",
        "x.json.html",
        "x.svg",
        "x.bundle",
        ".json",
        "a:b/c.d_e-f",
        "list.json/x",
    ];
    let log = TestLog::new();
    let mut issuers = Issuers::new(&log);
    issuers.found();
    for id in ids {
        issuers.ask(id, "execute", "true");
    }
    log.publish();
    let pages = explorer(&log);
    let list = ask(&pages, "/executions").await;
    let base = Url::parse("http://log.example/executions").unwrap();
    let mut reached = Vec::new();
    for tag in tags(list.text()) {
        let Some(href) = tag.attribute("href").filter(|href| href.starts_with("/executions/")) else {
            continue;
        };
        // What a browser makes of it.
        let address = base.join(href).unwrap();
        let page = ask(&pages, address.path()).await;
        assert_eq!(page.status.as_u16(), 200, "{href}");
        let twin = tags(page.text())
            .into_iter()
            .find(|tag| tag.attribute("type") == Some("application/json"))
            .unwrap();
        let twin = base.join(twin.attribute("href").unwrap()).unwrap();
        let json = ask(&pages, twin.path()).await.json();
        let id = json["id"].as_str().unwrap().to_owned();
        let bundle = base.join(json["bundle"].as_str().unwrap()).unwrap();
        let bundle = Bundle::parse(&ask(&pages, bundle.path()).await.bytes).unwrap();
        assert_eq!(bundle.execution().as_str(), id);
        reached.push(id);
    }
    reached.reverse();
    assert_eq!(reached, ids);
}

#[tokio::test]
async fn an_execution_of_many_entries_is_cut_and_says_so() {
    let log = TestLog::new();
    let mut issuers = Issuers::new(&log);
    let target = issuers.ask("long", "execute", "true");
    for number in 0..150 {
        let payload =
            json!({"action": "halt", "reason": format!("again {number}"), "refs": {"target": target}});
        issuers.state(Kind::Enforcement, "on-call", "long", payload);
    }
    log.publish();
    let pages = explorer(&log);
    let json = ask(&pages, "/executions/long.json").await.json();
    assert_eq!((json["entries"].as_u64(), json["cut"].as_bool()), (Some(151), Some(true)));
    let steps = json["steps"].as_array().unwrap();
    let missing = steps.iter().filter(|step| step.get("missing").is_some()).count();
    assert_eq!((steps.len(), missing, &json["lineage"]), (100, 0, &serde_json::Value::Null));
    assert_eq!(json["state"], "stopped");
    let page = ask(&pages, "/executions/long").await;
    assert!(page.text().contains("all entries of this execution"));
    assert!(page.text().contains("It is not judged on this page"));
}
