//! The engine without HTTP and witnesses: `cargo bench -p countersign-log --all-features`.
//!
//! The disk is that of the temporary folder (`TMPDIR`): every batch is synced before it is answered.

#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first thing that is not as it should be")]

use std::sync::Arc;

use countersign_log::log::{Atomicity, Log, LogConfig};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{LeafIndex, TreeSize};
use countersign_verifier::program::keyfile;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::{Submission, UnixSeconds, VerifiedStatement};
use countersign_verifier::tiles::{TileId, TileWidth};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const NOW: u64 = 1_800_000_000;

fn signed(
    key: &SigningKey,
    kind: &str,
    issuer: &str,
    subject: &str,
    number: u64,
    payload: &Value,
) -> VerifiedStatement {
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let json = json!({
        "kind": kind, "iss": issuer, "sub": subject, "iat": NOW, "cti": base64(&id),
        "public_key": base64(PublicKey::from(key).as_bytes()), "payload": payload,
    });
    let submission = Submission::parse(json.to_string().as_bytes()).unwrap();
    submission.draft().clone().sign(key).unwrap()
}

/// An issuer whose intents of about a KiB no two are the same.
struct Desk {
    key: SigningKey,
    made: u64,
}

impl Desk {
    fn intents(&mut self, count: u64) -> Vec<VerifiedStatement> {
        let payload = json!({
            "subject": { "type": "Agent", "id": "bench" }, "action": { "name": "execute" },
            "resource": { "type": "Program", "id": "/usr/bin/true" }, "context": { "note": "n".repeat(700) },
        });
        let first = self.made;
        self.made += count;
        (first..self.made)
            .map(|at| signed(&self.key, "intent", "bench", &format!("bench/{at}"), at, &payload))
            .collect()
    }
}

fn engine(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new("log.example/bench").unwrap();
    Log::create(folder.path(), &origin, UnixSeconds::new(NOW).unwrap()).unwrap();
    let operator = keyfile::read_signing_key(&folder.path().join("operator.pem")).unwrap();
    let config = LogConfig::new(folder.path(), Policy::parse(b"quorum none\n").unwrap());
    let log = runtime.block_on(Log::open(config)).unwrap();
    let mut desk = Desk { key: SigningKey::from_bytes(&[9; 32]), made: 0 };
    let registration = json!({
        "name": "bench", "roles": ["requester"], "status": "active",
        "public_key": base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD, PublicKey::from(&desk.key).as_bytes()),
    });
    let registration = signed(&operator, "issuer", "operator", "issuer:bench", 0, &registration);
    let submit = |log: &Arc<Log>, statements| {
        let results = runtime.block_on(log.submit(statements, Atomicity::Each)).unwrap();
        assert!(results.iter().all(Result::is_ok));
    };
    submit(&log, vec![registration]);
    for _ in 0..64 {
        submit(&log, desk.intents(256));
    }

    let mut group = c.benchmark_group("engine");
    group.sample_size(20);
    for count in [1, 256, 1024] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("admit, sequence and sync {count}"), |b| {
            b.iter_batched(
                || desk.intents(count),
                |statements| submit(&log, statements),
                BatchSize::LargeInput,
            );
        });
    }
    group.throughput(Throughput::Elements(1));
    let size = log.sequenced_head().checkpoint.size;
    let mut at = 0;
    group.bench_function("build an inclusion proof", |b| {
        b.iter(|| {
            at = (at + 7919) % size.get();
            log.inclusion_proof(LeafIndex::new(at).unwrap(), size).unwrap()
        });
    });
    group.bench_function("build a consistency proof", |b| {
        b.iter(|| log.consistency_proof(TreeSize::new(size.get() / 3).unwrap(), size).unwrap());
    });
    let full = TileWidth::new(256).unwrap();
    group.bench_function("read a tile", |b| {
        b.iter(|| log.tile(TileId { level: 0, index: 5 }, full).unwrap().unwrap());
    });
    group.bench_function("read a bundle of 256 entries", |b| {
        b.iter(|| log.entry_bundle(5, full).unwrap().unwrap());
    });
    group.finish();
    runtime.block_on(log.shutdown());
}

criterion_group!(benches, engine);
criterion_main!(benches);
