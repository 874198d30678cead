//! The enforcement point: each single thing that is wrong denies, with its code, and leaves no clearance.

use std::path::PathBuf;

use countersign_gate::client::Wait;
use countersign_gate::clock::Clock;
use countersign_gate::enforcement::{Attempt, Clearance, Denial, Enforcement, UsedSet, constraints};
use countersign_gate::exact::{ExactCommand, SearchPath};
use countersign_gate::execute::{Ended, execute};
use countersign_gate::issuer::Issuer;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::statement::payload::{Action, Authorization, Entity, Intent};
use countersign_verifier::statement::{
    FreeForm, Material, Payload, References, Role, Sha256Digest, Statement, Subject, UnixSeconds, Validity,
    VerificationCode,
};
use serde_json::json;
use tempfile::TempDir;

use crate::setup::exists;
use crate::tree::{Tree, issuer, note_signer};

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

thread_local! {
    /// Where the commands of one test would leave their traces.
    static FOLDER: TempDir = tempfile::tempdir().unwrap();
}

fn in_folder(name: &str) -> PathBuf {
    FOLDER.with(|folder| folder.path().join(name))
}

fn command(words: &[&str]) -> ExactCommand {
    let words: Vec<_> = words.iter().map(Into::into).collect();
    ExactCommand::resolve(&words, &in_folder(""), &SearchPath::new(["/bin".into()])).unwrap()
}

fn entity(entity_type: &str, id: &str) -> Entity {
    Entity { entity_type: entity_type.to_owned(), id: id.to_owned(), properties: None }
}

/// All that an authorization is made of, to be made wrong one by one.
struct Ask {
    by: Issuer,
    execution: &'static str,
    validity: Validity,
    payload: Authorization,
}

struct Bench {
    tree: Tree,
    enforcement: Enforcement,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let mut tree = Tree::new();
        for (name, seed) in [("authority", [2; 32]), ("other", [3; 32])] {
            tree.register(name, issuer(name, seed).public_key(), &[Role::Authority, Role::Requester]);
        }
        // The same name with another key, registered as well: the log takes it, the enforcement point must not.
        tree.register("authority", issuer("authority", [4; 32]).public_key(), &[Role::Authority]);
        let folder = tempfile::tempdir().unwrap();
        let enforcement = Enforcement {
            trust: tree.parsed_policy(),
            wait: Wait::Cosigned,
            authority: "authority".parse().unwrap(),
            authority_key: *issuer("authority", [2; 32]).public_key(),
            audience: "here".parse().unwrap(),
            clock: Clock::new(|| at(NOW)),
            used: UsedSet::open(folder.path()).unwrap(),
        };
        Self { tree, enforcement, folder }
    }

    fn ask() -> Ask {
        let command = command(&["touch", "a"]);
        Ask {
            by: issuer("authority", [2; 32]),
            execution: "e-1",
            validity: Validity {
                audience: "here".parse().unwrap(),
                not_before: at(NOW),
                expires: at(NOW + 60),
            },
            payload: Authorization {
                subject: entity("Agent", "bot"),
                action: Action { name: "execute".to_owned(), properties: None },
                resource: entity("Program", command.program()),
                action_digest: Some(command.digest()),
                constraints: Some(Material::Disclosed(constraints(Wait::Cosigned))),
            },
        }
    }

    fn attempt() -> Attempt {
        Attempt {
            execution: "e-1".parse().unwrap(),
            subject: entity("Agent", "bot"),
            exact: command(&["touch", "a"]),
        }
    }

    fn log(&mut self, ask: &Ask) -> (Statement, LeafIndex) {
        let subject = Subject::Execution(ask.execution.parse().unwrap());
        let payload = Payload::Authorization(ask.payload.clone());
        let validity = Some(ask.validity.clone());
        let signed = ask.by.state(at(NOW), subject, validity, &payload, &References::default()).unwrap();
        let index = self.tree.append(signed.statement()).unwrap();
        (signed.statement().clone(), index)
    }

    fn clear(&mut self, ask: &Ask) -> Result<Clearance, Denial> {
        let (statement, index) = self.log(ask);
        let proof = self.tree.proof(index, 2).to_string();
        self.enforcement.clear(statement.bytes(), proof.as_bytes(), Self::attempt())
    }
}

/// Does what a gate does with the answer: runs what was cleared, and nothing else.
fn go(answer: Result<Clearance, Denial>, now: u64) -> Result<(), VerificationCode> {
    let cleared = answer.and_then(|clearance| clearance.open(at(now))).map_err(|denial| denial.code())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ran = runtime.block_on(execute(cleared, &Clock::system())).unwrap();
    assert_eq!(ran.ended, Ended::Code(0));
    Ok(())
}

/// The code of a denial, after which the command has left no trace.
#[track_caller]
fn code(answer: Result<Clearance, Denial>) -> VerificationCode {
    let denied = go(answer, NOW).unwrap_err();
    assert!(!exists(&in_folder("a")), "it was denied and ran");
    denied
}

#[test]
fn what_is_right_runs_once() {
    let mut bench = Bench::new();
    let (statement, index) = bench.log(&Bench::ask());
    let proof = bench.tree.proof(index, 2).to_string();
    let clear = |attempt| bench.enforcement.clear(statement.bytes(), proof.as_bytes(), attempt);
    let clearance = clear(Bench::attempt()).unwrap();
    assert_eq!(clearance.witnesses(), 2);
    assert_eq!(clearance.head().size.get(), index.get() + 1);
    // Whoever comes second with it is denied, also before the first has run.
    assert_eq!(code(clear(Bench::attempt())), VerificationCode::Replayed);
    go(Ok(clearance), NOW + 59).unwrap();
    assert!(exists(&in_folder("a")));
}

#[test]
fn a_clearance_ends_with_its_authorization() {
    let mut bench = Bench::new();
    let late = bench.clear(&Bench::ask());
    assert_eq!(go(late, NOW + 60), Err(VerificationCode::Expired));
    assert!(!exists(&in_folder("a")));
}

#[test]
fn a_denied_attempt_does_not_use_the_authorization_up() {
    let mut bench = Bench::new();
    let (statement, index) = bench.log(&Bench::ask());
    let (too_few, enough) = (bench.tree.proof(index, 1).to_string(), bench.tree.proof(index, 2).to_string());
    let clear = |proof: &str| bench.enforcement.clear(statement.bytes(), proof.as_bytes(), Bench::attempt());
    assert_eq!(code(clear(&too_few)), VerificationCode::QuorumMissing);
    clear(&enough).unwrap();
}

#[test]
fn each_wrong_authorization_is_denied_with_its_code() {
    use VerificationCode as Code;
    type Spoil = fn(&mut Ask);
    let digest_of = |words: &[&str]| Some(command(words).digest());
    assert_ne!(digest_of(&["touch", "a"]), digest_of(&["touch", "b"]));
    let wrong: &[(&str, Code, Spoil)] = &[
        ("another name", Code::AuthorizationMissing, |ask| ask.by = issuer("other", [3; 32])),
        ("another key", Code::AuthorizationMissing, |ask| ask.by = issuer("authority", [4; 32])),
        ("another execution", Code::ContinuityBroken, |ask| ask.execution = "e-2"),
        ("another audience", Code::ScopeInvalid, |ask| ask.validity.audience = "there".parse().unwrap()),
        ("too early", Code::NotYetValid, |ask| ask.validity.not_before = at(NOW + 1)),
        ("too late", Code::Expired, |ask| {
            (ask.validity.not_before, ask.validity.expires) = (at(NOW - 60), at(NOW));
        }),
        ("other arguments", Code::RuntimeMismatch, |ask| {
            ask.payload.action_digest = Some(command(&["touch", "b"]).digest());
        }),
        ("no digest", Code::RuntimeMismatch, |ask| ask.payload.action_digest = None),
        ("an invented digest", Code::RuntimeMismatch, |ask| {
            ask.payload.action_digest = Some(Sha256Digest::from_bytes([0; 32]));
        }),
        ("another subject", Code::ScopeInvalid, |ask| ask.payload.subject = entity("Agent", "robot")),
        ("another subject type", Code::ScopeInvalid, |ask| ask.payload.subject = entity("User", "bot")),
        ("another action", Code::ScopeInvalid, |ask| ask.payload.action.name = "read".to_owned()),
        ("another resource", Code::ScopeInvalid, |ask| {
            ask.payload.resource = entity("Program", "/bin/other");
        }),
        ("more uses", Code::ScopeInvalid, |ask| ask.payload.constraints = disclosed(&json!({ "uses": 2 }))),
        ("an unknown constraint", Code::ScopeInvalid, |ask| {
            ask.payload.constraints = disclosed(&json!({ "only_on": "sunday" }));
        }),
        ("a mode that is none", Code::ScopeInvalid, |ask| {
            ask.payload.constraints = disclosed(&json!({ "mode": "async" }));
        }),
        ("withheld constraints", Code::ScopeInvalid, |ask| {
            ask.payload.constraints = Some(Material::Withheld(Sha256Digest::from_bytes([0; 32])));
        }),
    ];
    for (what, expected, spoil) in wrong {
        let mut bench = Bench::new();
        let mut ask = Bench::ask();
        spoil(&mut ask);
        assert_eq!(code(bench.clear(&ask)), *expected, "{what}");
        assert!(bench.clear(&Bench::ask()).is_ok(), "{what}");
    }
}

fn disclosed(constraints: &serde_json::Value) -> Option<FreeForm> {
    constraints.as_object().cloned().map(Material::Disclosed)
}

#[test]
fn each_wrong_attempt_is_denied_with_its_code() {
    use VerificationCode as Code;
    for (expected, spoil) in [
        (Code::RuntimeMismatch, (|attempt| attempt.exact = command(&["touch", "b"])) as fn(&mut Attempt)),
        (Code::RuntimeMismatch, |attempt| attempt.exact = command(&["touch", "a", ""])),
        (Code::RuntimeMismatch, |attempt| attempt.exact = command(&["rm", "a"])),
        (Code::ContinuityBroken, |attempt| attempt.execution = "e-2".parse().unwrap()),
        (Code::ScopeInvalid, |attempt| attempt.subject = entity("Agent", "mallory")),
    ] {
        let mut bench = Bench::new();
        let (statement, index) = bench.log(&Bench::ask());
        let proof = bench.tree.proof(index, 2).to_string();
        let mut attempt = Bench::attempt();
        spoil(&mut attempt);
        let denied = bench.enforcement.clear(statement.bytes(), proof.as_bytes(), attempt);
        assert_eq!(code(denied), expected);
    }
}

#[test]
fn each_wrong_proof_is_denied_with_its_code() {
    use VerificationCode as Code;
    let mut bench = Bench::new();
    let (_, other) = bench.log(&Bench::ask());
    let (statement, index) = bench.log(&Bench::ask());
    let right = bench.tree.proof(index, 2);
    let mut moved = right.clone();
    moved.index = other;
    let mut cut = right.clone();
    cut.hashes.pop();
    let mut impostor = right.clone();
    let head = countersign_verifier::checkpoint::Checkpoint::parse(right.checkpoint.text()).unwrap();
    impostor.checkpoint = head.sign(&note_signer(crate::tree::ORIGIN, false, 66));
    let forged = right.to_string().replace("\u{2014} w1.example ", "\u{2014} w2.example ");
    for (what, expected, proof) in [
        ("nothing", Code::ContinuityBroken, String::new()),
        ("the proof of another entry", Code::ContinuityBroken, bench.tree.proof(other, 2).to_string()),
        ("another place", Code::ContinuityBroken, moved.to_string()),
        ("a hash less", Code::ContinuityBroken, cut.to_string()),
        ("another log's key", Code::ContinuityBroken, impostor.to_string()),
        ("no witness", Code::QuorumMissing, bench.tree.proof(index, 0).to_string()),
        ("one witness", Code::QuorumMissing, bench.tree.proof(index, 1).to_string()),
        ("one witness twice", Code::QuorumMissing, forged),
    ] {
        let denied = bench.enforcement.clear(statement.bytes(), proof.as_bytes(), Bench::attempt());
        assert_eq!(code(denied), expected, "{what}");
    }
    let right = right.to_string();
    assert!(bench.enforcement.clear(statement.bytes(), right.as_bytes(), Bench::attempt()).is_ok());
}

#[test]
fn no_changed_byte_of_an_authorization_is_cleared() {
    let mut bench = Bench::new();
    let (statement, index) = bench.log(&Bench::ask());
    let proof = bench.tree.proof(index, 2).to_string();
    for at in 0..statement.bytes().len() {
        let mut changed = statement.bytes().to_vec();
        changed[at] ^= 1;
        let denied = bench.enforcement.clear(&changed, proof.as_bytes(), Bench::attempt());
        assert_eq!(code(denied), VerificationCode::AuthorizationMissing, "byte {at}");
    }
}

#[test]
fn a_statement_of_another_kind_authorizes_nothing() {
    let mut bench = Bench::new();
    let payload = Payload::Intent(Intent {
        subject: entity("Agent", "bot"),
        action: Action { name: "execute".to_owned(), properties: None },
        resource: entity("Program", "/bin/touch"),
        context: None,
        parent: None,
    });
    let subject = Subject::Execution("e-1".parse().unwrap());
    let by = issuer("authority", [2; 32]);
    let signed = by.state(at(NOW), subject, None, &payload, &References::default()).unwrap();
    let index = bench.tree.append(signed.statement()).unwrap();
    let proof = bench.tree.proof(index, 2).to_string();
    let denied = bench.enforcement.clear(signed.statement().bytes(), proof.as_bytes(), Bench::attempt());
    assert_eq!(code(denied), VerificationCode::AuthorizationMissing);
}

#[test]
fn an_authorization_for_cosigned_heads_is_not_good_for_less() {
    let mut bench = Bench::new();
    bench.enforcement.wait = Wait::Sequenced;
    assert_eq!(code(bench.clear(&Bench::ask())), VerificationCode::QuorumMissing);
    let mut ask = Bench::ask();
    ask.payload.constraints = Some(Material::Disclosed(constraints(Wait::Sequenced)));
    let (statement, index) = bench.log(&ask);
    let proof = bench.tree.proof(index, 0).to_string();
    let clearance = bench.enforcement.clear(statement.bytes(), proof.as_bytes(), Bench::attempt()).unwrap();
    assert_eq!(clearance.witnesses(), 0);
}

#[test]
fn a_memory_that_cannot_be_written_denies() {
    let mut bench = Bench::new();
    std::fs::remove_dir_all(bench.folder.path()).unwrap();
    assert_eq!(code(bench.clear(&Bench::ask())), VerificationCode::Replayed);
}
