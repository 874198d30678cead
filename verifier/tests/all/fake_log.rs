//! A log in a folder that holds whatever it is given, honest or not, under real signatures.

use std::path::{Path, PathBuf};

use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::cosignature::{Timestamp, cosign};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner, SignedNote};
use countersign_verifier::statement::{
    Claims, Draft, Kind, Subject, UnixSeconds, Validity, VerifiedStatement,
};
use countersign_verifier::tiles::{EntryBundle, Resource, TileId};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

pub(crate) const ORIGIN: &str = "log.example/audited";
const START: u64 = 1_800_000_000;

/// An issuer by name. Its key follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issuer(pub(crate) &'static str);

pub(crate) const OPERATOR: Issuer = Issuer("operator");
pub(crate) const REQUESTER: Issuer = Issuer("requester");
pub(crate) const AUTHORITY: Issuer = Issuer("authority");
pub(crate) const ENFORCER: Issuer = Issuer("enforcer");
pub(crate) const OVERSEER: Issuer = Issuer("overseer");

impl Issuer {
    pub(crate) fn key(self) -> SigningKey {
        let mut seed = [7; 32];
        seed[..self.0.len()].copy_from_slice(self.0.as_bytes());
        SigningKey::from_bytes(&seed)
    }

    pub(crate) fn public_key(self) -> PublicKey {
        PublicKey::from(&self.key())
    }

    pub(crate) fn public_key_in_base64(self) -> String {
        RootHash::from_bytes(*self.public_key().as_bytes()).to_base64()
    }
}

/// The log: entries in order, and the keys that sign its heads.
#[derive(Clone)]
pub(crate) struct FakeLog {
    pub(crate) entries: Vec<Vec<u8>>,
    /// So that no two statements are the same.
    made: u64,
}

pub(crate) fn log_key() -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(ORIGIN).unwrap(), false, &[1; 32])
}

fn witness_key(number: u8) -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(&format!("w{number}.example")).unwrap(), true, &[10 + number; 32])
}

/// A policy that asks for both witnesses.
pub(crate) fn policy() -> String {
    format!(
        "log {}\nwitness w1 {}\nwitness w2 {}\ngroup both all w1 w2\nquorum both\n",
        log_key().verifier(),
        witness_key(1).verifier(),
        witness_key(2).verifier()
    )
}

/// A head that the log signs and both witnesses cosign, true or not.
pub(crate) fn head(size: u64, root: RootHash) -> SignedNote {
    let checkpoint = Checkpoint::new(Origin::new(ORIGIN).unwrap(), TreeSize::new(size).unwrap(), root);
    let note = checkpoint.sign(&log_key());
    let mut lines = note.signatures().to_vec();
    lines
        .extend((1..=2).map(|number| {
            cosign(&checkpoint, Timestamp::new(START).unwrap(), &witness_key(number)).unwrap()
        }));
    note.with_signatures(lines)
}

impl FakeLog {
    /// A log with its genesis and one issuer of every role.
    pub(crate) fn founded() -> Self {
        let mut log = Self { entries: Vec::new(), made: 0 };
        log.state(OPERATOR, Kind::Genesis, ORIGIN, json!({
            "origin": ORIGIN, "operator": {"public_key": OPERATOR.public_key_in_base64()}, "rules": "countersign/1",
        }));
        for issuer in [REQUESTER, AUTHORITY, ENFORCER, OVERSEER] {
            log.register(issuer, issuer.0, "active");
        }
        log
    }

    pub(crate) fn register(&mut self, issuer: Issuer, role: &str, status: &str) -> LeafHash {
        self.state(OPERATOR, Kind::Issuer, &format!("issuer:{}", issuer.0), json!({
            "name": issuer.0, "public_key": issuer.public_key_in_base64(), "roles": [role], "status": status,
        }))
    }

    /// A statement that is not in the log.
    pub(crate) fn make(&mut self, by: Issuer, kind: Kind, about: &str, payload: Value) -> VerifiedStatement {
        self.made += 1;
        let seconds = |seconds| UnixSeconds::new(seconds).unwrap();
        let subject = match kind {
            Kind::Genesis => Subject::Log(Origin::new(about).unwrap()),
            Kind::Issuer => Subject::Issuer(about.strip_prefix("issuer:").unwrap().parse().unwrap()),
            Kind::Policy => Subject::Policy(about.strip_prefix("policy:").unwrap().parse().unwrap()),
            _ => Subject::Execution(about.parse().unwrap()),
        };
        let validity = (kind == Kind::Authorization).then(|| Validity {
            audience: ENFORCER.0.parse().unwrap(),
            not_before: seconds(START),
            expires: seconds(START + 600),
        });
        let mut id = [0; 16];
        id[8..].copy_from_slice(&self.made.to_be_bytes());
        let claims =
            Claims { issuer: by.0.parse().unwrap(), subject, validity, issued_at: seconds(START), id };
        let Value::Object(payload) = payload else { panic!("not an object") };
        Draft::from_json(&by.public_key(), kind, claims, &payload).unwrap().sign(&by.key()).unwrap()
    }

    /// Puts a statement into the log, whether it belongs there or not.
    pub(crate) fn state(&mut self, by: Issuer, kind: Kind, about: &str, payload: Value) -> LeafHash {
        let statement = self.make(by, kind, about, payload);
        self.push(statement.into_bytes())
    }

    pub(crate) fn push(&mut self, entry: Vec<u8>) -> LeafHash {
        let id = LeafHash::of(&entry);
        self.entries.push(entry);
        id
    }

    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    pub(crate) fn root_at(&self, size: u64) -> RootHash {
        let mut range = CompactRange::new();
        for entry in &self.entries[..usize::try_from(size).unwrap()] {
            assert!(range.append(LeafHash::of(entry), |_, _| ()));
        }
        range.root()
    }

    /// Publishes the log as it is: everything that a reader of C2SP tiles asks for.
    pub(crate) fn publish(&self, folder: &Path) {
        self.publish_under(folder, &head(self.size(), self.root_at(self.size())));
    }

    /// Publishes the entries under any head.
    pub(crate) fn publish_under(&self, folder: &Path, head: &SignedNote) {
        write(folder, "checkpoint", head.to_string().as_bytes());
        let size = TreeSize::new(self.size()).unwrap();
        let mut rows: Vec<Vec<NodeHash>> = vec![Vec::new(); 8];
        let mut range = CompactRange::new();
        for entry in &self.entries {
            assert!(range.append(LeafHash::of(entry), |node, hash| {
                if node.height % 8 == 0 {
                    rows[usize::from(node.height / 8)].push(hash);
                }
            }));
        }
        for (index, entries) in (0..).zip(self.entries.chunks(256)) {
            let width = TileId { level: 0, index }.width(size).unwrap();
            let mut bundle = Vec::new();
            for entry in entries {
                EntryBundle::write_entry(entry, &mut bundle).unwrap();
            }
            write(folder, &Resource::Entries(index, width).to_string(), &bundle);
        }
        for (level, row) in (0..).zip(&rows) {
            for (index, hashes) in (0..).zip(row.chunks(256)) {
                let tile = TileId { level, index };
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
                write(folder, &Resource::Hashes(tile, tile.width(size).unwrap()).to_string(), &bytes);
            }
        }
    }

    /// One execution from the request to its close, as it should be.
    pub(crate) fn execute(&mut self, execution: &str) -> Executed {
        let request = json!({"subject": {"type": "agent", "id": "a1"}, "action": {"name": "read"},
            "resource": {"type": "document", "id": "report.pdf"}});
        let with = |refs: Value| {
            let mut payload = request.clone();
            payload["refs"] = refs;
            payload
        };
        let policy = self.state(
            OPERATOR,
            Kind::Policy,
            "policy:reading",
            json!({"name": "reading", "version": "1",
            "engine": "cedar", "policies": [{"id": "all", "text": "permit(principal, action, resource);"}]}),
        );
        let intent = self.state(REQUESTER, Kind::Intent, execution, request.clone());
        let decision = self.state(
            AUTHORITY,
            Kind::Decision,
            execution,
            json!({"decision": "permit", "code": "permitted",
            "refs": {"intent": intent.to_string(), "policy": policy.to_string()}}),
        );
        let authorization = self.state(
            AUTHORITY,
            Kind::Authorization,
            execution,
            with(json!({
            "intent": intent.to_string(), "decision": decision.to_string(), "policy": policy.to_string()})),
        );
        let size = self.size();
        let verification = self.state(
            ENFORCER,
            Kind::Verification,
            execution,
            json!({"result": "pass", "code": "ok",
            "mode": "cosigned", "checkpoint": {"size": size, "root": self.root_at(size).to_base64()},
            "refs": {"authorization": authorization.to_string(), "intent": intent.to_string()}}),
        );
        let outcome = self.state(
            ENFORCER,
            Kind::Outcome,
            execution,
            json!({"status": "confirmed",
            "started_at": START + 1, "finished_at": START + 2, "exit_code": 0,
            "refs": {"authorization": authorization.to_string(), "verification": verification.to_string()}}),
        );
        self.state(
            ENFORCER,
            Kind::Close,
            execution,
            json!({"entries": 6, "refs": {"outcome": outcome.to_string()}}),
        );
        Executed { policy, intent, authorization, outcome }
    }
}

/// The entries of an execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    pub(crate) policy: LeafHash,
    pub(crate) intent: LeafHash,
    pub(crate) authorization: LeafHash,
    pub(crate) outcome: LeafHash,
}

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path: PathBuf = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
