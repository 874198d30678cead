//! What an entry says, in plain words, each of them from the entry itself.

use countersign_verifier::statement::payload::{
    Authorization, Close, Decision, Enforcement, Entity, Genesis, Intent, Issuer, Outcome, Policy,
    Verification,
};
use countersign_verifier::statement::{
    Claims, EnforcementAction, FreeForm, IssuerStatus, Material, Payload, Role, Sha256Digest, Statement,
    UnixSeconds, Verdict, VerificationResult,
};

use serde_json::Value;

use crate::page::{Fact, Sentence, Text};
use crate::words;

/// The sentence that says what a statement says.
pub(crate) fn sentence(statement: &Statement) -> Sentence {
    let claims = statement.claims();
    let issuer = claims.issuer.as_str();
    match statement.payload() {
        Payload::Genesis(genesis) => Sentence::of("The log ")
            .value(genesis.origin.as_str())
            .words(" was founded, with the admission rules ")
            .value(genesis.rules.as_str())
            .words("."),
        Payload::Issuer(registration) => issuer_sentence(issuer, registration),
        Payload::Policy(policy) => Sentence::default()
            .issuer(issuer)
            .words(" published version ")
            .value(&policy.version)
            .words(" of the policy ")
            .value(policy.name.as_str())
            .words(match policy.policies.len() {
                1 => ", one rule set.".to_owned(),
                count => format!(", {count} rule sets."),
            }),
        Payload::Intent(intent) => intent_sentence(issuer, intent),
        Payload::Decision(decision) => Sentence::default().issuer(issuer).words(match decision.decision {
            Verdict::Permit => " decided to permit it: a policy permits it and none forbids it.".to_owned(),
            Verdict::Deny => {
                let reason = words::decision(decision.code);
                format!(
                    " decided not to permit it: {}.",
                    reason.split_once(": ").map_or(reason, |(_, reason)| reason)
                )
            }
        }),
        Payload::Authorization(authorization) => authorization_sentence(issuer, claims, authorization),
        Payload::Verification(verification) => {
            let begun = Sentence::default().issuer(issuer);
            match verification.result {
                VerificationResult::Pass => begun
                    .words(" recorded that the authorization held before anything ran. It ")
                    .words(words::mode(verification.mode))
                    .words("."),
                VerificationResult::Fail => {
                    let reason = words::verification(verification.code);
                    let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
                    begun.words(format!(" recorded that nothing may run: {reason}."))
                }
            }
        }
        Payload::Outcome(outcome) => {
            let sentence = Sentence::default()
                .issuer(issuer)
                .words(format!(" recorded the outcome: {}", words::outcome(outcome.status)));
            match outcome.exit_code {
                Some(code) => sentence.words(format!(" (exit code {code}).")),
                None => sentence.words("."),
            }
        }
        Payload::Enforcement(enforcement) => enforcement_sentence(issuer, enforcement),
        Payload::Close(close) => Sentence::default()
            .issuer(issuer)
            .words(" closed the execution and counted ")
            .number(close.entries.get())
            .words(" entries, this one included."),
    }
}

fn issuer_sentence(issuer: &str, registration: &Issuer) -> Sentence {
    let sentence = Sentence::default().issuer(issuer);
    let sentence = match registration.status {
        IssuerStatus::Active => sentence.words(" registered a key of "),
        IssuerStatus::Revoked => sentence.words(" revoked a key of "),
    };
    let sentence = sentence.issuer(registration.name.as_str());
    let roles: Vec<&str> = registration.roles.iter().map(Role::as_str).collect();
    match registration.status {
        IssuerStatus::Active if !roles.is_empty() => sentence.words(format!(" as {}.", roles.join(", "))),
        IssuerStatus::Active => sentence.words(", with no role."),
        IssuerStatus::Revoked => sentence.words(": it may sign nothing any more."),
    }
}

fn intent_sentence(issuer: &str, intent: &Intent) -> Sentence {
    let sentence = entity(Sentence::default().issuer(issuer).words(" asked to let the "), &intent.subject);
    performs(sentence.words(" perform "), &intent.action.name, &intent.resource).words(".")
}

fn authorization_sentence(issuer: &str, claims: &Claims, authorization: &Authorization) -> Sentence {
    let sentence =
        entity(Sentence::default().issuer(issuer).words(" authorized the "), &authorization.subject);
    let sentence =
        performs(sentence.words(" to perform "), &authorization.action.name, &authorization.resource);
    match &claims.validity {
        Some(validity) => sentence
            .words(", under the control of ")
            .issuer(validity.audience.as_str())
            .words(", from ")
            .time(validity.not_before.get())
            .words(" to ")
            .time(validity.expires.get())
            .words("."),
        None => sentence.words("."),
    }
}

fn enforcement_sentence(issuer: &str, enforcement: &Enforcement) -> Sentence {
    let verb = match enforcement.action {
        EnforcementAction::Revoke => " withdrew an authorization",
        EnforcementAction::Halt => " stopped the execution",
        EnforcementAction::Quarantine => " isolated the results",
        EnforcementAction::Release => " lifted an earlier measure",
    };
    Sentence::default()
        .issuer(issuer)
        .words(verb)
        .words(", giving as the reason: ")
        .value(&enforcement.reason)
}

/// A subject or a resource: its type, then its id.
fn entity(sentence: Sentence, entity: &Entity) -> Sentence {
    sentence.sort(&entity.entity_type).words(" ").value(&entity.id)
}

fn performs(sentence: Sentence, action: &str, resource: &Entity) -> Sentence {
    entity(sentence.value(action).words(" on the "), resource)
}

/// What the payload says, member by member, as far as it says it in one value. The whole payload stands below.
pub(crate) fn facts(statement: &Statement) -> Vec<Fact> {
    let mut facts = Facts::default();
    match statement.payload() {
        Payload::Genesis(Genesis { origin, operator, rules }) => {
            facts.value("Log", origin.as_str());
            facts.code("Operator's key", hex::encode(operator.public_key.as_bytes()));
            facts.value("Admission rules", rules.as_str());
        }
        Payload::Issuer(issuer) => {
            facts.add("Name", Sentence::default().issuer(issuer.name.as_str()));
            let roles: Vec<&str> = issuer.roles.iter().map(words::role).collect();
            facts.words("Roles", if roles.is_empty() { "none".to_owned() } else { roles.join("; ") });
            facts.words("Status", issuer.status.as_str());
            facts.code("Public key", hex::encode(issuer.public_key.as_bytes()));
            facts.optional("Note", issuer.note.as_deref());
        }
        Payload::Policy(Policy { name, version, engine, policies, .. }) => {
            facts.value("Policy", name.as_str());
            facts.value("Version", version);
            facts.words("Language", engine.as_str());
            let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
            facts.value("Rule sets", &ids.join(", "));
        }
        Payload::Intent(intent) => {
            facts.request(&intent.subject, &intent.action.name, &intent.resource);
            if let Some(parent) = &intent.parent {
                facts.add("Part of", Sentence::default().execution(parent.as_str()));
            }
            facts.free_form("Circumstances", intent.context.as_ref());
        }
        Payload::Decision(decision) => facts.decision(decision),
        Payload::Authorization(authorization) => {
            facts.request(&authorization.subject, &authorization.action.name, &authorization.resource);
            if let Some(validity) = &statement.claims().validity {
                facts.add("For", Sentence::default().issuer(validity.audience.as_str()).words(" to enforce"));
                facts.time("Holds from", Some(validity.not_before));
                facts.time("Holds until", Some(validity.expires));
            }
            facts.digest("Digest of what may run", authorization.action_digest.as_ref());
            facts.free_form("Limits", authorization.constraints.as_ref());
        }
        Payload::Verification(verification) => facts.verification(verification),
        Payload::Outcome(outcome) => facts.outcome(outcome),
        Payload::Enforcement(enforcement) => {
            facts.words("Measure", words::enforcement(enforcement.action));
            facts.value("Reason", &enforcement.reason);
        }
        Payload::Close(Close { entries }) => {
            facts.add("Entries counted", Sentence::default().number(entries.get()));
        }
    }
    facts.0
}

/// The texts in a payload that are written in lines: policies.
pub(crate) fn listings(statement: &Statement) -> Vec<(Text, Text)> {
    let Payload::Policy(policy) = statement.payload() else { return Vec::new() };
    let shown = |id: &str, text: &Material<String>| {
        text.disclosed().map(|text| (Text::new(id), Text::lines(text.as_str()).cut(LISTING)))
    };
    let policies = policy.policies.iter().filter_map(|text| shown(&text.id, &text.text));
    policies.chain(policy.schema.as_ref().and_then(|schema| shown("schema", schema))).collect()
}

/// How much of a listing stands on a page.
const LISTING: usize = 6_000;

#[derive(Default)]
struct Facts(Vec<Fact>);

/// How long a text is, in bytes, that is shown where it is named.
const SHORT: usize = 120;

impl Facts {
    fn add(&mut self, label: &'static str, value: Sentence) {
        self.0.push(Fact { label, value });
    }

    fn words(&mut self, label: &'static str, words: impl Into<String>) {
        self.add(label, Sentence::of(words));
    }

    fn value(&mut self, label: &'static str, value: &str) {
        self.add(label, Sentence::default().value(value));
    }

    fn optional(&mut self, label: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.value(label, value);
        }
    }

    fn code(&mut self, label: &'static str, value: String) {
        self.add(label, Sentence::default().code(value));
    }

    fn time(&mut self, label: &'static str, time: Option<UnixSeconds>) {
        if let Some(time) = time {
            self.add(label, Sentence::default().time(time.get()));
        }
    }

    fn digest(&mut self, label: &'static str, digest: Option<&Sha256Digest>) {
        if let Some(digest) = digest {
            self.code(label, hex::encode(digest.as_bytes()));
        }
    }

    fn free_form(&mut self, label: &'static str, members: Option<&FreeForm>) {
        match members {
            Some(Material::Withheld(digest)) => {
                let sentence = Sentence::of("withheld; only its SHA-256 is in the log: ");
                self.add(label, sentence.code(hex::encode(digest.as_bytes())));
            }
            Some(Material::Disclosed(members)) if !members.is_empty() => {
                let shown = |(name, value): (&String, &Value)| match value {
                    Value::String(text) if text.len() <= SHORT => format!("{name}: {text}"),
                    _ => name.clone(),
                };
                let all: Vec<String> = members.iter().map(shown).collect();
                self.add(label, Sentence::default().value(&all.join(", ")).words(" (whole in its payload)"));
            }
            Some(Material::Disclosed(_)) | None => {}
        }
    }

    fn request(&mut self, subject: &Entity, action: &str, resource: &Entity) {
        self.add("Who", entity(Sentence::default(), subject));
        self.value("Action", action);
        self.add("On what", entity(Sentence::default(), resource));
    }

    fn decision(&mut self, decision: &Decision) {
        self.words("Decision", decision.decision.as_str());
        self.words("Reason", words::decision(decision.code));
        let list = |ids: &Option<std::collections::BTreeSet<String>>| {
            ids.as_ref().map(|ids| ids.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        self.optional(
            "Rules that decided",
            list(&decision.reasons).as_deref().filter(|text| !text.is_empty()),
        );
        self.optional("Rules in error", list(&decision.errors).as_deref().filter(|text| !text.is_empty()));
        if let Some(engine) = &decision.engine {
            self.value(
                "Decided by",
                &format!("{} {} (language {})", engine.name, engine.sdk, engine.language),
            );
        }
        self.free_form("Circumstances", decision.context.as_ref());
    }

    fn verification(&mut self, verification: &Verification) {
        self.words("Result", words::verification(verification.code));
        self.words("How it knew", format!("it {}", words::mode(verification.mode)));
        if let Some(head) = &verification.checkpoint {
            let sentence = Sentence::of("size ").number(head.size.get()).words(", root ");
            self.add("Head it relied on", sentence.code(head.root.to_base64()));
        }
        self.free_form("About what would run", verification.runtime.as_ref());
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.words("Outcome", words::outcome(outcome.status));
        self.time("Started", outcome.started_at);
        self.time("Finished", outcome.finished_at);
        if let Some(code) = outcome.exit_code {
            self.words("Exit code", code.to_string());
        }
        self.digest("Digest of the result", outcome.result_digest.as_ref());
        self.free_form("Details", outcome.details.as_ref());
    }
}
