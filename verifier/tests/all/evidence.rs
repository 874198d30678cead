//! Evidence: what it proves, and that nothing can be changed in it to prove more.

use countersign_verifier::audit::Tree;
use countersign_verifier::evidence::{
    AdmissionEvidence, Against, Evidence, Heads, Included, NothingProven, Prefix, Proven,
};
use countersign_verifier::merkle::{LeafHash, LeafIndex, RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner};
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::Kind;
use serde_json::json;

use crate::fake_log::{FakeLog, OVERSEER, head, policy};

fn trusted() -> Policy {
    Policy::parse(policy().as_bytes()).unwrap()
}

fn size(size: u64) -> TreeSize {
    TreeSize::new(size).unwrap()
}

fn tree(log: &FakeLog) -> Tree {
    let mut tree = Tree::default();
    for entry in &log.entries {
        assert!(tree.append(LeafHash::of(entry)));
    }
    tree
}

fn included(log: &FakeLog, index: u64) -> Included {
    let index = LeafIndex::new(index).unwrap();
    let bytes = log.entries[usize::try_from(index.get()).unwrap()].clone();
    Included { index, bytes, proof: tree(log).inclusion(index).unwrap() }
}

fn admission(log: &FakeLog, indexes: &[u64]) -> Evidence {
    let entries = indexes.iter().map(|index| included(log, *index)).collect();
    Evidence::Admission(AdmissionEvidence {
        head: head(log.size(), log.root_at(log.size())),
        entries,
        key: None,
    })
}

/// Two histories that part after seven entries, of 12 and 19 entries.
fn fork() -> (FakeLog, FakeLog) {
    let mut one = FakeLog::founded();
    let mut other = one.clone();
    one.execute("one");
    other.execute("other");
    other.execute("another");
    (one, other)
}

fn heads(smaller: &FakeLog, larger: &FakeLog) -> Heads {
    let at = size(smaller.size());
    let tree = tree(larger);
    Heads {
        smaller: head(smaller.size(), smaller.root_at(smaller.size())),
        larger: head(larger.size(), larger.root_at(larger.size())),
        prefix: Prefix { root: tree.root_at(at).unwrap(), proof: tree.consistency(at, tree.size()).unwrap() },
    }
}

/// Evidence of each kind.
fn all_kinds() -> Vec<(&'static str, Evidence)> {
    let (one, other) = fork();
    let mut same_size = other.clone();
    same_size.entries.truncate(one.entries.len());
    let mut revoked = FakeLog::founded();
    let done = revoked.execute("run");
    revoked.register(OVERSEER, "overseer", "revoked");
    revoked.state(
        OVERSEER,
        Kind::Enforcement,
        "run",
        json!({"action": "halt", "reason": "late",
        "refs": {"target": done.outcome.to_string()}}),
    );
    let mut twice = FakeLog::founded();
    let again = twice.entries[3].clone();
    twice.push(again);
    let mut nonsense = FakeLog::founded();
    nonsense.push(b"nonsense".to_vec());
    vec![
        ("fork", Evidence::Heads(heads(&one, &other))),
        ("fork", Evidence::Heads(heads(&one, &same_size))),
        ("issuer-revoked", admission(&revoked, &[0, 12, 13])),
        ("already-present", admission(&twice, &[0, 3, 5])),
        ("cose-malformed", admission(&nonsense, &[0, 5])),
    ]
}

#[test]
fn every_kind_proves_what_it_says() {
    for (code, evidence) in all_kinds() {
        let bytes = evidence.to_bytes();
        let read = Evidence::parse(&bytes).unwrap();
        assert_eq!((&read, read.to_bytes()), (&evidence, bytes));
        let proven = read.verify(&trusted()).unwrap();
        assert_eq!((proven.code, proven.against), (code, Against::Log));
        assert_eq!(proven.unless.is_some(), code == "issuer-revoked", "{proven}");
        assert_eq!(proven.witnesses.is_empty(), code != "fork");
        // Whoever does not know the log is convinced of nothing.
        let stranger = NoteSigner::from_seed(KeyName::new("log.example/other").unwrap(), false, &[9; 32]);
        let other = Policy::parse(format!("log {}\nquorum none\n", stranger.verifier()).as_bytes()).unwrap();
        assert!(matches!(read.verify(&other), Err(NothingProven::Head(_))));
    }
}

#[test]
fn nothing_can_be_changed_to_prove_more() {
    // Who else vouches for a head, the text of a proof may lose, and never gain.
    let same = |changed: &Proven, original: &Proven| {
        let gained = changed.witnesses.iter().any(|name| !original.witnesses.contains(name));
        !gained && Proven { witnesses: original.witnesses.clone(), ..changed.clone() } == *original
    };
    for (code, evidence) in all_kinds() {
        let good = evidence.to_bytes();
        let original = evidence.verify(&trusted()).unwrap();
        for at in 0..good.len() {
            let mut changed = good.clone();
            changed[at] ^= 1;
            if let Ok(changed) = Evidence::parse(&changed)
                && let Ok(proven) = changed.verify(&trusted())
            {
                assert!(same(&proven, &original), "{code}: byte {at} makes it prove {proven}");
            }
        }
        for length in (0..good.len()).step_by(7) {
            assert!(Evidence::parse(&good[..length]).is_err(), "{code} cut to {length}");
        }
    }
}

#[test]
fn there_is_one_encoding() {
    let text = String::from_utf8(all_kinds()[0].1.to_bytes()).unwrap();
    let refused = [
        text.replace("{\"checkpoints\"", "{ \"checkpoints\""),
        format!("{text}\n"),
        text.replace("\"kind\":\"heads\"", "\"kind\":\"admission\""),
        text.replace("\"kind\":\"heads\"", "\"key\":null,\"kind\":\"heads\""),
        text.replace("\"kind\":\"heads\"", "\"kind\":\"heads\",\"kind\":\"heads\""),
        text.replace("\"kind\":\"heads\"", "\"kind\":\"heads\",\"note\":\"\""),
        text.replace("\"format\"", "\"entries\":[],\"format\""),
        text.replace("evidence/v1", "evidence/v2"),
        text.replace('\u{2014}', "\\u2014"),
    ];
    for changed in refused {
        assert_ne!(changed, text);
        assert!(Evidence::parse(changed.as_bytes()).is_err(), "{changed}");
    }
}

#[test]
fn what_agrees_convicts_nobody() {
    let (one, _) = fork();
    let mut grown = one.clone();
    grown.execute("more");
    let honest = heads(&one, &grown);
    assert_eq!(Evidence::Heads(honest.clone()).verify(&trusted()), Err(NothingProven::Agree));
    // Nor does a prefix that is made up.
    let prefix = Prefix { root: RootHash::from_bytes([1; 32]), ..honest.prefix };
    let forged = Evidence::Heads(Heads { prefix, ..honest });
    assert!(matches!(forged.verify(&trusted()), Err(NothingProven::Prefix(_))));
    // An entry that is as it should be, with more or fewer of the others.
    for indexes in [&[0, 7][..], &[0, 5, 6, 7], &[0, 11], &[0]] {
        let innocent = admission(&one, indexes);
        let proven = innocent.verify(&trusted());
        assert!(
            matches!(proven, Err(NothingProven::Innocent { .. } | NothingProven::Entry { .. })),
            "{proven:?}"
        );
    }
    // Without its genesis, a log has promised nothing.
    let mut nonsense = FakeLog::founded();
    nonsense.push(b"nonsense".to_vec());
    assert!(matches!(admission(&nonsense, &[5]).verify(&trusted()), Err(NothingProven::Entry { .. })));
    assert!(matches!(admission(&nonsense, &[1, 5]).verify(&trusted()), Err(NothingProven::Entry { .. })));
}
