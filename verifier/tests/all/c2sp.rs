//! The C2SP vectors: a log of 300 entries, its heads, cosignatures, tiles and proofs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use countersign_verifier::checkpoint::{Checkpoint, LogSigned, Origin};
use countersign_verifier::cosignature::{self, Timestamp};
use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, NodeHash, NodeId, ProofPlan, RootHash, Subtree, TreeSize,
    verify_consistency, verify_inclusion, verify_subtree,
};
use countersign_verifier::note::{KeyKind, NoteSigner, SignedNote, VerifierKey, parse_signature_lines};
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use countersign_verifier::tiles::{EntryBundle, HashTile, Resource, TileId};
use countersign_verifier::witnessing::AddCheckpoint;
use serde_json::Value;

fn file(path: impl AsRef<Path>) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/c2sp");
    let path = folder.join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest() -> Value {
    serde_json::from_slice(&file("manifest.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn seed(value: &Value, name: &str) -> [u8; 32] {
    hex::decode(text(value, name)).unwrap().try_into().unwrap()
}

fn size(n: u64) -> TreeSize {
    TreeSize::new(n).unwrap()
}

fn hashes(value: &Value) -> Vec<NodeHash> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| NodeHash::from_base64(hash.as_str().unwrap()).unwrap())
        .collect()
}

/// `"3-7"` or `"3@7"`.
fn pair(key: &str) -> (u64, u64) {
    let (a, b) = key.split_once(['-', '@']).unwrap();
    (a.parse().unwrap(), b.parse().unwrap())
}

struct Tree {
    nodes: BTreeMap<NodeId, NodeHash>,
    roots: Vec<RootHash>,
}

fn tree() -> Tree {
    let mut range = CompactRange::new();
    let mut nodes = BTreeMap::new();
    let mut roots = vec![range.root()];
    for i in 0..300 {
        assert!(range.append(leaf(i), |id, hash| assert!(nodes.insert(id, hash).is_none())));
        roots.push(range.root());
    }
    Tree { nodes, roots }
}

fn leaf(i: u64) -> LeafHash {
    LeafHash::of(format!("entry-{i}").as_bytes())
}

impl Tree {
    fn root(&self, n: u64) -> RootHash {
        self.roots[usize::try_from(n).unwrap()]
    }

    fn build(&self, plan: &ProofPlan) -> Vec<NodeHash> {
        plan.build(&plan.nodes().iter().map(|id| self.nodes[id]).collect::<Vec<_>>()).unwrap()
    }
}

#[test]
fn roots_and_proofs() {
    let (manifest, tree) = (manifest(), tree());
    for (n, root) in manifest["roots"].as_object().unwrap() {
        assert_eq!(tree.root(n.parse().unwrap()).to_base64(), root.as_str().unwrap(), "size {n}");
    }
    for (key, proof) in manifest["consistency"].as_object().unwrap() {
        let ((m, n), proof) = (pair(key), hashes(proof));
        assert_eq!(tree.build(&ProofPlan::consistency(size(m), size(n)).unwrap()), proof, "{key}");
        verify_consistency(size(m), tree.root(m), size(n), tree.root(n), &proof).unwrap();
    }
    for (key, proof) in manifest["inclusion"].as_object().unwrap() {
        let ((at, n), proof) = (pair(key), hashes(proof));
        let index = LeafIndex::new(at).unwrap();
        assert_eq!(tree.build(&ProofPlan::inclusion(index, size(n)).unwrap()), proof, "{key}");
        verify_inclusion(leaf(at), index, size(n), &proof, tree.root(n)).unwrap();
    }
    for (key, subtree) in manifest["subtrees"].as_object().unwrap() {
        // "[8,13)@300"
        let (range, n) = key.split_once('@').unwrap();
        let (start, end) = range.trim_matches(['[', ')']).split_once(',').unwrap();
        let (start, end, n) = (start.parse().unwrap(), end.parse().unwrap(), n.parse().unwrap());
        let place = Subtree::new(start, end, size(n)).unwrap();
        let proof = hashes(&subtree["proof"]);
        assert_eq!(tree.build(&ProofPlan::subtree(place)), proof, "{key}");
        let node = NodeHash::from_base64(text(subtree, "hash")).unwrap();
        verify_subtree(place, node, &proof, tree.root(n)).unwrap();
    }
}

#[test]
fn keys_heads_and_cosignatures_are_reproduced_to_the_byte() {
    let (manifest, tree) = (manifest(), tree());
    let log = NoteSigner::parse(text(&manifest, "log_skey")).unwrap();
    assert_eq!(log.verifier().to_string(), text(&manifest, "log_vkey"));
    let origin = Origin::new(text(&manifest, "origin")).unwrap();
    assert_eq!(origin.hash(), text(&manifest, "origin_sha256"));
    let time = Timestamp::new(manifest["timestamp"].as_u64().unwrap()).unwrap();
    for (n, note) in manifest["checkpoints"].as_object().unwrap() {
        let n: u64 = n.parse().unwrap();
        let head = Checkpoint::new(origin.clone(), size(n), tree.root(n));
        assert_eq!(head.sign(&log).to_string(), note.as_str().unwrap(), "size {n}");
        let parsed = SignedNote::parse(note.as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(LogSigned::open(&parsed, &[log.verifier().clone()]).unwrap().checkpoint(), &head);
        for name in ["w1", "w2"] {
            let vkey: VerifierKey = text(&manifest, &format!("{name}_vkey")).parse().unwrap();
            let seed = seed(&manifest, &format!("{name}_seed"));
            let signer = NoteSigner::from_seed(vkey.name().clone(), true, &seed);
            assert_eq!(signer.verifier(), &vkey);
            let Some(published) = manifest[format!("{name}_cosig")][n.to_string()].as_str() else { continue };
            let line = cosignature::cosign(&head, time, &signer).unwrap();
            assert_eq!(line.to_string(), published);
            assert_eq!(cosignature::verify(&head.to_string(), &line, &vkey), Ok(time));
        }
    }
}

#[test]
fn tiles_and_bundles() {
    let tree = tree();
    let mut tiles = 0;
    for name in manifest()["tiles_sha256"].as_object().unwrap().keys() {
        let bytes = file(PathBuf::from("log").join(name));
        match Resource::parse(name).unwrap() {
            Resource::Hashes(id, width) => {
                assert_eq!(id.width(size(300)), Some(width), "{name}");
                let tile = HashTile::parse(id, width, &bytes).unwrap();
                for (node, hash) in tree.nodes.iter().filter(|(node, _)| TileId::of(**node) == id) {
                    // Nodes above the leaves of a partial tile are computed; none is missing.
                    assert_eq!(tile.node(*node).unwrap(), *hash, "{name} {node:?}");
                }
            }
            Resource::Entries(index, width) => {
                let bundle = EntryBundle::parse(width, &bytes).unwrap();
                for (entry, i) in bundle.entries().iter().zip(index * 256..) {
                    assert_eq!(LeafHash::of(entry), leaf(i), "{name} {i}");
                }
            }
        }
        tiles += 1;
    }
    assert_eq!(tiles, 5);
}

#[test]
fn the_policy_and_the_served_head() {
    let policy = Policy::parse(&file("policy")).unwrap();
    let kinds: Vec<KeyKind> = policy.witnesses().iter().map(|witness| witness.key.kind()).collect();
    assert_eq!(kinds, [KeyKind::CosignatureV1, KeyKind::CosignatureV1, KeyKind::MlDsa44]);
    let w3: VerifierKey = core::str::from_utf8(&file("w3.vkey")).unwrap().trim_end().parse().unwrap();
    assert_eq!(w3, policy.witnesses()[2].key);
    assert_eq!(w3.id().to_string(), text(&manifest(), "w3_key_id"));

    let note = SignedNote::parse(&file("log/checkpoint")).unwrap();
    let head = policy.verify(&note).unwrap();
    assert_eq!(head.checkpoint().size, size(300));
    // The ML-DSA-44 line is there; it is not checked, and it does not count.
    assert!(note.signatures().iter().any(|line| line.names(&w3)));
    assert_eq!(head.cosignatures().iter().map(|c| c.witness.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn proofs_verify_and_no_changed_byte_does() {
    let policy = Policy::parse(&file("policy")).unwrap();
    for (name, i) in [("entry-256.tlog-proof", 256), ("entry-0-extra.tlog-proof", 0)] {
        let bytes = file(name);
        let proof = TlogProof::parse(&bytes).unwrap();
        assert_eq!(proof.to_string().as_bytes(), bytes);
        let verified = proof.verify(leaf(i), &policy).unwrap();
        assert_eq!(verified.index().get(), i);
        assert_eq!(verified.head().checkpoint().size, size(300));
        assert!(proof.verify(leaf(i + 1), &policy).is_err());

        // `extra` is the one line that nothing authenticates.
        let extra = bytes.split(|byte| *byte == b'\n').nth(1).filter(|line| line.starts_with(b"extra "));
        let unauthenticated = extra.map_or(0..0, |line| {
            let start = b"c2sp.org/tlog-proof@v1\nextra ".len();
            start..start + line.len() - b"extra ".len()
        });
        // A line that names no key of the policy is ignored, so a change to a name may drop a cosignature: with
        // two of three required and two checked, that must be refused too. Only the line of the third, which is
        // not checked, may change.
        let text = core::str::from_utf8(&bytes).unwrap();
        let third =
            text.find("— w3.example").map_or(0..0, |start| start..start + text[start..].find('\n').unwrap());
        for at in (0..bytes.len()).filter(|at| !unauthenticated.contains(at) && !third.contains(at)) {
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                let verdict = TlogProof::parse(&changed).ok().map(|proof| proof.verify(leaf(i), &policy));
                assert!(!matches!(verdict, Some(Ok(_))), "{name}: byte {at} ^ {bit:#x}");
            }
        }
        for end in 0..bytes.len() - third.len() - usize::from(!third.is_empty()) {
            let verdict = TlogProof::parse(&bytes[..end]).ok().map(|proof| proof.verify(leaf(i), &policy));
            assert!(!matches!(verdict, Some(Ok(_))), "{name}: cut at {end}");
        }
    }
}

#[test]
fn the_exchange_with_a_witness() {
    let tree = tree();
    let bytes = file("add-checkpoint-256-300.req");
    let request = AddCheckpoint::parse(&bytes).unwrap();
    assert_eq!(request.to_string().as_bytes(), bytes);
    let head = Checkpoint::parse(request.checkpoint.text()).unwrap();
    verify_consistency(request.old, tree.root(256), head.size, head.root, &request.proof).unwrap();
    let response = file("add-checkpoint-256-300.resp");
    let lines = parse_signature_lines(core::str::from_utf8(&response).unwrap()).unwrap();
    let vkey: VerifierKey = text(&manifest(), "w1_vkey").parse().unwrap();
    assert!(lines.iter().any(|line| cosignature::verify(request.checkpoint.text(), line, &vkey).is_ok()));

    for (body, what) in [
        ("", "empty"),
        ("old 0\n", "no blank line"),
        ("old 00\n\n", "leading zero"),
        ("old +0\n\n", "sign"),
        ("old -1\n\n", "negative"),
        ("old 9223372036854775808\n\n", "too large"),
        ("old 0 \n\n", "trailing space"),
        ("old 0\r\n\r\n", "carriage return"),
        ("old 0\nAAAA\n\n", "short hash"),
        ("size 0\n\n", "keyword"),
    ] {
        let body = format!("{body}{}", request.checkpoint);
        assert!(AddCheckpoint::parse(body.as_bytes()).is_err(), "{what}");
    }
    let many =
        format!("old 1\n{}\n{}", format!("{}\n", tree.root(1).to_base64()).repeat(64), request.checkpoint);
    assert!(AddCheckpoint::parse(many.as_bytes()).is_err());
}
