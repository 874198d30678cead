//! A log with executions of every sort: done, denied, failed, stopped, open, with a step left out, and hostile.

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::{Claims, Draft, Kind, Subject, UnixSeconds, Validity};
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

use crate::log::{COSIGNED_AT, ORIGIN, TestLog};

/// Texts that try to be more than texts.
pub(crate) const HOSTILE: &str = "</title></b><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{0}\u{200b}\n\"' onload='x {{7*7}} &lt;";

/// Makes statements, one second after another.
pub(crate) struct Issuers<'a> {
    log: &'a TestLog,
    now: u64,
    made: u8,
}

impl<'a> Issuers<'a> {
    pub(crate) fn new(log: &'a TestLog) -> Self {
        Self { log, now: COSIGNED_AT - 5_000, made: 0 }
    }

    /// Appends a statement and answers with its entry id.
    pub(crate) fn state(&mut self, kind: Kind, issuer: &str, subject: &str, payload: Value) -> String {
        let key = key(issuer);
        self.now += 7;
        self.made = self.made.wrapping_add(1);
        let validity = (kind == Kind::Authorization).then(|| Validity {
            audience: "gate-1".parse().unwrap(),
            not_before: UnixSeconds::new(self.now).unwrap(),
            expires: UnixSeconds::new(self.now + 300).unwrap(),
        });
        let claims = Claims {
            issuer: issuer.parse().unwrap(),
            subject: match kind {
                Kind::Genesis => {
                    Subject::Log(countersign_verifier::checkpoint::Origin::new(subject).unwrap())
                }
                Kind::Issuer => Subject::Issuer(subject.parse().unwrap()),
                Kind::Policy => Subject::Policy(subject.parse().unwrap()),
                _ => Subject::Execution(subject.parse().unwrap()),
            },
            validity,
            issued_at: UnixSeconds::new(self.now).unwrap(),
            id: [self.made; 16],
        };
        let payload: Map<String, Value> = serde_json::from_value(payload).unwrap();
        let draft = Draft::from_json(&PublicKey::from(&key), kind, claims, &payload).unwrap();
        let statement = draft.sign(&key).unwrap();
        let id = statement.entry_id().to_string();
        self.log.append(statement.into_bytes());
        id
    }

    pub(crate) fn found(&mut self) {
        self.state(
            Kind::Genesis,
            "operator",
            ORIGIN,
            json!({"origin": ORIGIN, "operator": {"public_key": base64(&key("operator"))}, "rules": "countersign/1"}),
        );
        for (name, role) in [
            ("build-agent", "requester"),
            ("pdp-1", "authority"),
            ("gate-1", "enforcer"),
            ("on-call", "overseer"),
        ] {
            self.register(name, role);
        }
    }

    pub(crate) fn register(&mut self, name: &str, role: &str) {
        let public_key = base64(&key(name));
        self.state(
            Kind::Issuer,
            "operator",
            name,
            json!({"name": name, "public_key": public_key, "roles": [role], "status": "active"}),
        );
    }

    pub(crate) fn ask(&mut self, execution: &str, action: &str, resource: &str) -> String {
        self.state(Kind::Intent, "build-agent", execution, request(action, resource))
    }

    pub(crate) fn decide(&mut self, execution: &str, intent: &str, policy: &str, code: &str) -> String {
        let decision = if code == "permitted" { "permit" } else { "deny" };
        self.state(
            Kind::Decision,
            "pdp-1",
            execution,
            json!({"decision": decision, "code": code, "reasons": ["read-only"],
                "engine": {"name": "cedar", "sdk": "4.14.1", "language": "4.6.0"},
                "refs": {"intent": intent, "policy": policy}}),
        )
    }

    pub(crate) fn authorize(&mut self, execution: &str, refs: Value, action: &str, resource: &str) -> String {
        let mut payload = request(action, resource);
        payload["refs"] = refs;
        payload["action_digest"] = json!({"sha256": "ab".repeat(32)});
        self.state(Kind::Authorization, "pdp-1", execution, payload)
    }

    pub(crate) fn check(&mut self, execution: &str, authorization: &str, code: &str) -> String {
        let result = if code == "ok" { "pass" } else { "fail" };
        self.state(
            Kind::Verification,
            "gate-1",
            execution,
            json!({"result": result, "code": code, "mode": "cosigned", "refs": {"authorization": authorization},
                "checkpoint": {"size": 9, "root": "Zm9yIHRoZSBsb29rIG9mIGl0LCAzMiBieXRlcyBubyE="}}),
        )
    }

    pub(crate) fn report(
        &mut self,
        execution: &str,
        status: &str,
        refs: &Value,
        exit_code: Option<i64>,
    ) -> String {
        let mut payload = json!({"status": status, "refs": refs});
        if let Some(code) = exit_code {
            payload["exit_code"] = code.into();
            payload["started_at"] = (self.now + 1).into();
            payload["finished_at"] = (self.now + 3).into();
        }
        self.state(Kind::Outcome, "gate-1", execution, payload)
    }

    pub(crate) fn close(&mut self, execution: &str, entries: u64) {
        self.state(Kind::Close, "gate-1", execution, json!({"entries": entries}));
    }
}

/// Fills a log. Does not publish it.
pub(crate) fn fill(log: &TestLog) {
    let mut issuers = Issuers::new(log);
    issuers.found();
    let policy = issuers.state(
        Kind::Policy,
        "operator",
        "build-machines",
        json!({"name": "build-machines", "version": "2026-11-01", "engine": "cedar", "policies": [
            {"id": "read-only", "text": "// Reading is always fine.\npermit (\n  principal,\n  action == Action::\"execute\",\n  resource\n) when { context.reads_only };"},
            {"id": "no-network", "text": "forbid (principal, action, resource) when { context.network };"}]}),
    );

    let run = "run:2026-11-23/git-log";
    let intent = issuers.ask(run, "execute", "git log --oneline");
    let decision = issuers.decide(run, &intent, &policy, "permitted");
    let refs = json!({"intent": intent, "decision": decision, "policy": policy});
    let authorization = issuers.authorize(run, refs, "execute", "git log --oneline");
    let verification = issuers.check(run, &authorization, "ok");
    issuers.report(
        run,
        "confirmed",
        &json!({"authorization": authorization, "verification": verification}),
        Some(0),
    );
    issuers.close(run, 6);

    let run = "run:2026-11-23/upload";
    let intent = issuers.ask(run, "execute", "curl -T build.tar https://example.com/");
    issuers.decide(run, &intent, &policy, "denied_by_policy");
    issuers.report(run, "not_executed", &json!({"intent": intent}), None);

    let run = "run:2026-11-23/test";
    let intent = issuers.ask(run, "execute", "cargo test");
    let decision = issuers.decide(run, &intent, &policy, "permitted");
    let authorization =
        issuers.authorize(run, json!({"intent": intent, "decision": decision}), "execute", "cargo test");
    let outcome = issuers.report(run, "failed", &json!({"authorization": authorization}), Some(101));
    let reason = json!({"action": "quarantine", "reason": "The tests wrote outside of their folder.", "refs": {"target": outcome}});
    issuers.state(Kind::Enforcement, "on-call", run, reason);

    let run = "smallest/use";
    let authorization = issuers.authorize(run, json!({}), "send", "invoice 2041");
    issuers.report(run, "confirmed", &json!({"authorization": authorization}), None);

    let run = "hostile/1";
    issuers.register("<script>alert(2)</script>", "requester");
    let hostile = json!({"type": HOSTILE, "id": HOSTILE, "properties": {(HOSTILE): HOSTILE}});
    issuers.state(
        Kind::Intent,
        "<script>alert(2)</script>",
        run,
        json!({"subject": hostile, "action": {"name": HOSTILE}, "resource": hostile, "context": {(HOSTILE): [HOSTILE]}}),
    );
    let text = json!([{"id": HOSTILE, "text": HOSTILE}]);
    issuers.state(
        Kind::Policy,
        "operator",
        "\"onmouseover=alert(3)//<",
        json!({"name": "\"onmouseover=alert(3)//<", "version": HOSTILE, "engine": "cedar", "policies": text}),
    );
    log.append(HOSTILE.as_bytes().to_vec());

    let run = "run:2026-11-23/deploy";
    let intent = issuers.ask(run, "execute", "make deploy");
    issuers.decide(run, &intent, &policy, "needs_approval");
}

/// A log with all of that in it, published.
pub(crate) fn sample() -> TestLog {
    let log = TestLog::new();
    fill(&log);
    log.publish();
    log
}

fn request(action: &str, resource: &str) -> Value {
    json!({"subject": {"type": "agent", "id": "build-agent"}, "action": {"name": action},
        "resource": {"type": "command", "id": resource}})
}

fn key(issuer: &str) -> SigningKey {
    let mut seed = [0; 32];
    for (at, byte) in issuer.bytes().enumerate() {
        seed[at % 32] ^= byte;
    }
    SigningKey::from_bytes(&seed)
}

fn base64(key: &SigningKey) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(key.verifying_key().as_bytes())
}
