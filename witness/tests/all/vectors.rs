//! The published vectors, byte for byte.

use countersign_verifier::merkle::NodeHash;

use super::support::{FixedClock, Log, Served, VECTOR_TIME, vectors};
use crate::support::request;

fn read(name: &str) -> String {
    std::fs::read_to_string(vectors().join(name)).unwrap()
}

fn log() -> Log {
    Log::new("log.example/own-vectors", 1, 300)
}

#[tokio::test]
async fn the_worked_example_is_answered_as_published() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    served.client.add(log.request(0, 256)).await.cosignature(&log.head(256), &served.key);
    let answer = served.client.add(read("add-checkpoint-256-300.req")).await;
    assert_eq!((answer.status, answer.body), (200, read("add-checkpoint-256-300.resp")));
    served.stop().await;
}

#[tokio::test]
async fn every_published_head_gets_the_published_cosignature() {
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).unwrap();
    let log = log();
    assert_eq!(manifest["log_vkey"], log.key().to_string());
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    assert_eq!(manifest["w1_vkey"], served.key.to_string());
    let mut old = 0;
    for new in [0, 1, 2, 3, 7, 8, 255, 256, 257, 300] {
        let proof: Vec<NodeHash> = match manifest["consistency"][format!("{old}-{new}")].as_array() {
            Some(hashes) => {
                hashes.iter().map(|hash| NodeHash::from_base64(hash.as_str().unwrap()).unwrap()).collect()
            }
            None => Vec::new(),
        };
        assert_eq!(proof.is_empty(), old == 0, "{old}-{new}");
        let checkpoint = manifest["checkpoints"][new.to_string()].as_str().unwrap();
        let answer = served.client.add(request(old, &proof, checkpoint)).await;
        let published = manifest["w1_cosig"][new.to_string()].as_str().unwrap();
        assert_eq!((answer.status, answer.body.trim_end()), (200, published.trim_end()), "size {new}");
        let shown =
            served.client.get(&format!("/{}/checkpoint", manifest["origin_sha256"].as_str().unwrap())).await;
        assert_eq!(shown.body, format!("{checkpoint}{}", answer.body));
        old = new;
    }
    served.stop().await;
}
