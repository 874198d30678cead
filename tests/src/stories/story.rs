//! What is said in a story, in which order, and how it is changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::{
    Claims, Kind, RefRole, Subject, UnixSeconds, Validity, VerifiedStatement,
};
use serde_json::{Map, Value, json};

use super::parties::{Party, registrations};
use crate::statements::request;

/// When the stories begin, in seconds since 1970.
pub(super) const BEGIN: u64 = 1_800_000_000;

/// The execution that the stories tell of.
pub(super) const EXECUTION: &str = "story/one";

/// One thing said, before it is signed.
#[derive(Debug, Clone)]
pub struct Said {
    /// By what others in the story call it.
    pub label: String,
    /// What it is.
    pub kind: Kind,
    /// Who says it.
    pub by: Party,
    /// What it says, without references.
    pub payload: Map<String, Value>,
    /// What it names, by label. A label that nobody has stands for an entry that nobody has.
    pub refs: Vec<(RefRole, String)>,
    /// `iat`, after `BEGIN`.
    pub at: u64,
    /// `aud`, `nbf` and `exp` of an authorization, the times after `BEGIN`.
    pub window: (Party, u64, u64),
}

impl Said {
    /// Something said at the beginning that names nothing.
    pub fn new(label: &str, kind: Kind, by: Party, payload: Value) -> Self {
        let Value::Object(payload) = payload else { panic!("a payload is an object") };
        let window = (Party::Enforcer, 1, 601);
        Self { label: label.to_owned(), kind, by, payload, refs: Vec::new(), at: 0, window }
    }

    /// The same at another time.
    #[must_use]
    pub fn at(mut self, at: u64) -> Self {
        self.at = at;
        self
    }

    /// The same with a reference more.
    #[must_use]
    pub fn naming(mut self, role: RefRole, label: &str) -> Self {
        self.refs.push((role, label.to_owned()));
        self
    }
}

/// A story: a log that tells of one execution, `story/one`.
#[derive(Debug, Clone)]
pub struct Story {
    said: Vec<Said>,
    /// Labels whose entries change places after they were signed.
    swapped: Option<(String, String)>,
}

/// A story, signed: the entries of a log from 0 on.
#[derive(Debug, Clone)]
pub struct Told {
    /// The entries.
    pub entries: Vec<VerifiedStatement>,
    labels: Vec<String>,
}

impl Story {
    /// Asked, permitted, authorized, verified, done, closed.
    pub fn governed() -> Self {
        let allowed = Value::Object(request());
        let mut said = Self::prologue();
        said.push(Said::new("intent", Kind::Intent, Party::Requester, allowed.clone()));
        said.push(
            Said::new(
                "decision",
                Kind::Decision,
                Party::Authority,
                json!({"decision": "permit", "code": "permitted"}),
            )
            .at(1)
            .naming(RefRole::Intent, "intent")
            .naming(RefRole::Policy, "policy"),
        );
        said.push(
            Said::new("authorization", Kind::Authorization, Party::Authority, allowed)
                .at(1)
                .naming(RefRole::Intent, "intent")
                .naming(RefRole::Decision, "decision")
                .naming(RefRole::Policy, "policy"),
        );
        said.push(
            Said::new(
                "verification",
                Kind::Verification,
                Party::Enforcer,
                json!({"result": "pass", "code": "ok", "mode": "cosigned", "checkpoint": {"root": root()}}),
            )
            .at(2)
            .naming(RefRole::Authorization, "authorization")
            .naming(RefRole::Intent, "intent"),
        );
        said.push(
            Said::new(
                "outcome",
                Kind::Outcome,
                Party::Enforcer,
                json!({"status": "confirmed", "started_at": BEGIN + 3, "finished_at": BEGIN + 4, "exit_code": 0}),
            )
            .at(4)
            .naming(RefRole::Authorization, "authorization")
            .naming(RefRole::Verification, "verification")
            .naming(RefRole::Decision, "decision")
            .naming(RefRole::Intent, "intent"),
        );
        said.push(
            Said::new("close", Kind::Close, Party::Enforcer, json!({}))
                .at(5)
                .naming(RefRole::Outcome, "outcome"),
        );
        Self { said, swapped: None }
    }

    /// Asked, denied by the policy, not done, closed.
    pub fn denied() -> Self {
        Self::governed()
            .without("authorization")
            .set("decision", json!({"decision": "deny", "code": "no_policy_permits"}))
            .set(
                "verification",
                json!({"result": "fail", "code": "policy_validation_failed", "checkpoint": null}),
            )
            .set(
                "outcome",
                json!({"status": "not_executed", "started_at": null, "finished_at": null, "exit_code": null}),
            )
    }

    /// Several governed strands in one execution, told into each other: `order` says, five times for each strand,
    /// whose next step comes. The labels are those of the governed story with the strand behind, as in `intent/0`.
    pub fn strands(order: &[usize]) -> Self {
        let steps = ["intent", "decision", "authorization", "verification", "outcome"];
        let one = Self::governed();
        let mut story = Self { said: Self::prologue(), swapped: None };
        for (at, strand) in order.iter().enumerate() {
            let told = order.iter().take(at).filter(|other| *other == strand).count();
            let label = steps.get(told).expect("a strand has five steps");
            let mut said = one.copy(label, &format!("{label}/{strand}"));
            for (_, to) in said.refs.iter_mut().filter(|(_, to)| steps.contains(&to.as_str())) {
                *to = format!("{to}/{strand}");
            }
            story.said.push(said);
        }
        story.then(Said::new("close", Kind::Close, Party::Enforcer, json!({})).at(5))
    }

    fn prologue() -> Vec<Said> {
        let mut said = registrations();
        said.push(Said::new(
            "policy",
            Kind::Policy,
            Party::Authority,
            json!({"name": "reading", "version": "1", "engine": "cedar",
                "policies": [{"id": "read", "text": "permit(principal, action == Action::\"read\", resource);"}]}),
        ));
        said
    }

    /// What is said under a label.
    pub fn said(&mut self, label: &str) -> &mut Said {
        self.said.iter_mut().find(|said| said.label == label).expect("the story has this label")
    }

    fn place(&self, label: &str) -> usize {
        self.said.iter().position(|said| said.label == label).expect("the story has this label")
    }

    /// Sets members of a payload; null takes one away.
    #[must_use]
    pub fn set(mut self, label: &str, members: Value) -> Self {
        let Value::Object(members) = members else { panic!("members are an object") };
        let payload = &mut self.said(label).payload;
        for (name, value) in members {
            match value {
                Value::Null => drop(payload.remove(&name)),
                value => drop(payload.insert(name, value)),
            }
        }
        self
    }

    /// Names another entry in a role.
    #[must_use]
    pub fn refer(self, label: &str, role: RefRole, to: &str) -> Self {
        let mut story = self.unrefer(label, role);
        story.said(label).refs.push((role, to.to_owned()));
        story
    }

    /// Names no entry in a role.
    #[must_use]
    pub fn unrefer(mut self, label: &str, role: RefRole) -> Self {
        self.said(label).refs.retain(|(other, _)| *other != role);
        self
    }

    /// Changes claims and signer.
    #[must_use]
    pub fn change(mut self, label: &str, change: impl FnOnce(&mut Said)) -> Self {
        change(self.said(label));
        self
    }

    /// Leaves an entry out, and every reference to it.
    #[must_use]
    pub fn without(mut self, label: &str) -> Self {
        self.said.retain(|said| said.label != label);
        for said in &mut self.said {
            said.refs.retain(|(_, to)| to != label);
        }
        self
    }

    /// Leaves an entry out, and keeps the references to it.
    #[must_use]
    pub fn lost(mut self, label: &str) -> Self {
        self.said.retain(|said| said.label != label);
        self
    }

    /// Says something before what has a label.
    #[must_use]
    pub fn before(mut self, label: &str, said: Said) -> Self {
        let at = self.place(label);
        self.said.insert(at, said);
        self
    }

    /// Says something at the end.
    #[must_use]
    pub fn then(mut self, said: Said) -> Self {
        self.said.push(said);
        self
    }

    /// The same again under another label, at the end of the labels so far or before another one.
    pub fn copy(&self, label: &str, as_label: &str) -> Said {
        let mut said =
            self.said.iter().find(|said| said.label == label).expect("the story has this label").clone();
        as_label.clone_into(&mut said.label);
        said
    }

    /// Exchanges the places of two entries after they were signed.
    #[must_use]
    pub fn swapped(mut self, one: &str, other: &str) -> Self {
        self.swapped = Some((one.to_owned(), other.to_owned()));
        self
    }

    /// Signs everything. A close that does not say how many entries there are counts rightly, and a verification whose
    /// head has no size names the one of all entries before it.
    pub fn tell(&self) -> Told {
        let mut told = Told { entries: Vec::new(), labels: Vec::new() };
        let mut steps = 0_u64;
        for (index, said) in (0_u64..).zip(&self.said) {
            let mut payload = said.payload.clone();
            steps += u64::from(!is_outside(said.kind));
            if said.kind == Kind::Close && !payload.contains_key("entries") {
                payload.insert("entries".into(), steps.into());
            }
            if let Some(Value::Object(head)) = payload.get_mut("checkpoint")
                && !head.contains_key("size")
            {
                head.insert("size".into(), index.into());
            }
            if !said.refs.is_empty() {
                let named =
                    said.refs.iter().map(|(role, to)| (role.to_string(), told.entry(to).to_string().into()));
                payload.insert("refs".into(), Value::Object(named.collect()));
            }
            let statement = said.by.issuer().sign(said.kind, claims(said, index), Value::Object(payload));
            told.entries.push(statement.expect("a story is well-formed"));
            told.labels.push(said.label.clone());
        }
        if let Some((one, other)) = &self.swapped {
            let (one, other) = (self.place(one), self.place(other));
            told.entries.swap(one, other);
            told.labels.swap(one, other);
        }
        told
    }
}

impl Told {
    /// The id of the entry with a label, or of an entry that nobody has.
    fn entry(&self, label: &str) -> LeafHash {
        let at = self.labels.iter().position(|other| other == label);
        let entry = at.and_then(|at| self.entries.get(at)).map(VerifiedStatement::entry_id);
        entry.unwrap_or_else(|| LeafHash::of(label.as_bytes()))
    }

    /// Where the entry with a label is.
    pub fn index(&self, label: &str) -> LeafIndex {
        let at = self.labels.iter().position(|other| other == label).expect("the story has this label");
        LeafIndex::new(at as u64).expect("a story is short")
    }

    /// The entries with their places.
    pub fn indexed(&self) -> impl Iterator<Item = (LeafIndex, &VerifiedStatement)> {
        (0..).map_while(LeafIndex::new).zip(&self.entries)
    }
}

const fn is_outside(kind: Kind) -> bool {
    matches!(kind, Kind::Genesis | Kind::Issuer | Kind::Policy)
}

fn root() -> String {
    STANDARD.encode([7; 32])
}

fn claims(said: &Said, index: u64) -> Claims {
    let text = |member: &str| said.payload.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |after: u64| UnixSeconds::new(BEGIN + after).expect("a time of the stories");
    let subject = match said.kind {
        Kind::Genesis => {
            countersign_verifier::checkpoint::Origin::new(&text("origin")).map(Subject::Log).ok()
        }
        Kind::Issuer => text("name").parse().map(Subject::Issuer).ok(),
        Kind::Policy => text("name").parse().map(Subject::Policy).ok(),
        _ => EXECUTION.parse().map(Subject::Execution).ok(),
    };
    let (audience, from, until) = said.window;
    let validity = (said.kind == Kind::Authorization).then(|| Validity {
        audience: audience.issuer().name().clone(),
        not_before: time(from),
        expires: time(until),
    });
    let mut id = [0; 16];
    id[8..].copy_from_slice(&index.to_be_bytes());
    Claims {
        issuer: said.by.issuer().name().clone(),
        subject: subject.expect("a story names what it is about"),
        validity,
        issued_at: time(said.at),
        id,
    }
}
