//! What an auditor, and a log at its door, do millions of times: `cargo bench -p countersign-verifier --all-features`.

#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first thing that is not as it should be")]

use std::hint::black_box;

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, NodeHash, NodeId, ProofPlan, TreeSize, verify_inclusion,
};
use countersign_verifier::note::SignedNote;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::{Statement, Submission};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::SigningKey;
use std::collections::HashMap;

const CHECKPOINT: &[u8] = include_bytes!("../../tests/vectors/c2sp/log/checkpoint");
const POLICY: &[u8] = include_bytes!("../../tests/vectors/c2sp/policy");

/// An intent with about a KiB of context, and the key that signed it.
fn intent() -> (Vec<u8>, PublicKey) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = PublicKey::from(&key);
    let json = serde_json::json!({
        "kind": "intent", "iss": "bench", "sub": "bench/1", "iat": 1_800_000_000,
        "cti": "MDEyMzQ1Njc4OWFiY2RlZg==",
        "public_key": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, public.as_bytes()),
        "payload": {
            "subject": { "type": "Agent", "id": "bench" }, "action": { "name": "execute" },
            "resource": { "type": "Program", "id": "/usr/bin/true" }, "context": { "note": "n".repeat(700) },
        },
    });
    let submission = Submission::parse(json.to_string().as_bytes()).unwrap();
    let signed = submission.draft().clone().sign(&key).unwrap();
    (signed.into_bytes(), public)
}

fn statements(c: &mut Criterion) {
    let (bytes, key) = intent();
    let mut group = c.benchmark_group("statement");
    group.throughput(Throughput::Elements(1));
    group.bench_function("parse", |b| b.iter(|| Statement::parse(black_box(&bytes)).unwrap()));
    group.bench_function("verify", |b| {
        let parsed = Statement::parse(&bytes).unwrap();
        b.iter_batched(|| parsed.clone(), |parsed| parsed.verify(&key).unwrap(), BatchSize::SmallInput);
    });
}

fn trees(c: &mut Criterion) {
    let (bytes, _) = intent();
    let mut group = c.benchmark_group("merkle");
    group.bench_function("leaf hash of a KiB", |b| b.iter(|| LeafHash::of(black_box(&bytes))));
    let leaf = LeafHash::of(&bytes);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("append 1000 leaves", |b| {
        b.iter(|| {
            let mut range = CompactRange::new();
            for _ in 0..1000 {
                assert!(range.append(black_box(leaf), |_, _| ()));
            }
            range.root()
        });
    });
    group.throughput(Throughput::Elements(1));
    let mut nodes: HashMap<NodeId, NodeHash> = HashMap::new();
    let mut range = CompactRange::new();
    for index in 0..100_000_u64 {
        let leaf = LeafHash::of(&index.to_be_bytes());
        assert!(range.append(leaf, |id, hash| {
            nodes.insert(id, hash);
        }));
    }
    let (size, root) = (range.size(), range.root());
    let index = LeafIndex::new(54_321).unwrap();
    let plan = ProofPlan::inclusion(index, size).unwrap();
    let given: Vec<NodeHash> = plan.nodes().iter().map(|node| *nodes.get(node).unwrap()).collect();
    let proof = plan.build(&given).unwrap();
    let leaf = LeafHash::of(&54_321_u64.to_be_bytes());
    group.bench_function("verify inclusion in 100,000", |b| {
        b.iter(|| verify_inclusion(black_box(leaf), index, size, &proof, root).unwrap());
    });
    group.bench_function("plan an inclusion proof in 2^40", |b| {
        let size = TreeSize::new(1 << 40).unwrap();
        b.iter(|| ProofPlan::inclusion(black_box(index), size).unwrap());
    });
}

fn notes(c: &mut Criterion) {
    let policy = Policy::parse(POLICY).unwrap();
    let mut group = c.benchmark_group("note");
    group.bench_function("parse a head with its cosignatures", |b| {
        b.iter(|| SignedNote::parse(black_box(CHECKPOINT)).unwrap());
    });
    let note = SignedNote::parse(CHECKPOINT).unwrap();
    group.bench_function("verify a head and its quorum", |b| {
        b.iter(|| policy.verify(black_box(&note)).unwrap());
    });
}

criterion_group!(benches, statements, trees, notes);
criterion_main!(benches);
