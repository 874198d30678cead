//! What holds for any statement.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::merkle::{LeafHash, RootHash, TreeSize};
use crate::statement::payload::*;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991..=9_007_199_254_740_991_i64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn digest() -> impl Strategy<Value = Sha256Digest> {
    any::<[u8; 32]>().prop_map(Sha256Digest::from_bytes)
}

fn free_form() -> impl Strategy<Value = Option<FreeForm>> {
    let members = prop::collection::btree_map("[^\u{0}]{2,9}", json_value(), 0..4).prop_map(|members| {
        Material::Disclosed(members.into_iter().filter(|(name, _)| name != "sha256").collect())
    });
    prop::option::of(prop_oneof![members, digest().prop_map(Material::Withheld)])
}

fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("not empty", |text| !text.is_empty())
}

fn word<T: Copy + core::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn time() -> impl Strategy<Value = UnixSeconds> {
    (0..1_u64 << 53).prop_map(seconds)
}

fn key() -> impl Strategy<Value = SigningKey> {
    any::<[u8; 32]>().prop_map(|seed| SigningKey::from_bytes(&seed))
}

fn entity() -> impl Strategy<Value = Entity> {
    (text(), text(), free_form()).prop_map(|(entity_type, id, properties)| Entity {
        entity_type,
        id,
        properties,
    })
}

fn action() -> impl Strategy<Value = Action> {
    (text(), free_form()).prop_map(|(name, properties)| Action { name, properties })
}

fn ids() -> impl Strategy<Value = Option<BTreeSet<String>>> {
    prop::option::of(prop::collection::btree_set(text(), 0..4))
}

fn references(roles: &'static [RefRole]) -> impl Strategy<Value = References> {
    prop::collection::vec(any::<[u8; 32]>(), roles.len())
        .prop_map(|ids| roles.iter().copied().zip(ids.into_iter().map(LeafHash::from_bytes)).collect())
}

fn request() -> impl Strategy<Value = (Payload, References)> {
    let intent = (entity(), action(), entity(), free_form())
        .prop_map(|(subject, action, resource, context)| {
            Payload::Intent(Intent { subject, action, resource, context, parent: None })
        })
        .prop_map(|payload| (payload, References::default()));
    let decision = (
        word(DecisionCode::ALL),
        ids(),
        ids(),
        prop::option::of(prop::collection::vec(json_value(), 0..3)),
        free_form(),
    )
        .prop_map(|(code, reasons, errors, entities, context)| {
            let permits = code == DecisionCode::Permitted;
            let decision = if permits { Verdict::Permit } else { Verdict::Deny };
            let entities = entities.map(Material::Disclosed);
            Payload::Decision(Decision { decision, code, reasons, errors, entities, context, engine: None })
        });
    let authorization = (entity(), action(), entity(), prop::option::of(digest()), free_form()).prop_map(
        |(subject, action, resource, action_digest, constraints)| {
            Payload::Authorization(Authorization { subject, action, resource, action_digest, constraints })
        },
    );
    prop_oneof![
        intent,
        (decision, references(&[RefRole::Intent, RefRole::Policy])),
        (authorization, references(&[RefRole::Decision])),
    ]
}

fn execution() -> impl Strategy<Value = (Payload, References)> {
    let head = (0..1_u64 << 53, any::<[u8; 32]>()).prop_map(|(size, root)| Head {
        size: TreeSize::new(size).unwrap(),
        root: RootHash::from_bytes(root),
    });
    let verification = (word(VerificationCode::ALL), word(Mode::ALL), prop::option::of(head), free_form())
        .prop_map(|(code, mode, checkpoint, runtime)| {
            let passes = code == VerificationCode::Ok;
            let result = if passes { VerificationResult::Pass } else { VerificationResult::Fail };
            Payload::Verification(Verification { result, code, mode, checkpoint, runtime })
        });
    let outcome =
        (word(OutcomeStatus::ALL), prop::option::of(time()), prop::option::of(-300..300_i64), free_form())
            .prop_map(|(status, started_at, exit_code, details)| {
                let (finished_at, result_digest) = (None, None);
                Payload::Outcome(Outcome {
                    status,
                    started_at,
                    finished_at,
                    exit_code,
                    result_digest,
                    details,
                })
            });
    let enforcement = (word(EnforcementAction::ALL), text())
        .prop_map(|(action, reason)| Payload::Enforcement(Enforcement { action, reason }));
    let close =
        (1..1_u64 << 53).prop_map(|entries| Payload::Close(Close { entries: entries.try_into().unwrap() }));
    prop_oneof![
        (verification, references(&[RefRole::Authorization, RefRole::Intent])),
        (outcome, references(&[RefRole::Authorization, RefRole::Verification])),
        (enforcement, references(&[RefRole::Target])),
        (close, references(&[RefRole::Outcome])),
    ]
}

fn registry() -> impl Strategy<Value = (Payload, References)> {
    let issuer = (
        "[!-~]{1,128}",
        key(),
        prop::collection::vec(word(Role::ALL), 0..6),
        word(IssuerStatus::ALL),
        prop::option::of(text()),
    )
        .prop_map(|(name, key, roles, status, note)| {
            let (public_key, roles) = (PublicKey::from(&key), roles.into_iter().collect());
            Payload::Issuer(Issuer { name: name.parse().unwrap(), public_key, roles, status, note })
        });
    let policy =
        ("[!-~]{1,128}", text(), prop::collection::btree_map(text(), text(), 1..4), prop::option::of(text()))
            .prop_map(|(name, version, policies, schema)| {
                let policies =
                    policies.into_iter().map(|(id, text)| PolicyText { id, text: Material::Disclosed(text) });
                Payload::Policy(Policy {
                    name: name.parse().unwrap(),
                    version,
                    engine: PolicyEngine::Cedar,
                    policies: policies.collect(),
                    schema: schema.map(Material::Disclosed),
                })
            });
    prop_oneof![(issuer, references(&[])), (policy, references(&[RefRole::Replaces]))]
}

/// Any statement but a genesis, with the key that is to sign it.
fn drafts() -> impl Strategy<Value = (Draft, SigningKey)> {
    let any_payload = prop_oneof![request(), execution(), registry()];
    (
        any_payload,
        key(),
        "[!-~]{1,128}",
        "[A-Za-z0-9._:/-]{1,128}",
        (time(), time(), time()),
        any::<[u8; 16]>(),
    )
        .prop_map(|((payload, references), key, issuer, execution, (a, b, issued_at), id)| {
            let issuer: IssuerName = issuer.parse().unwrap();
            let subject = payload.subject().unwrap_or_else(|| Subject::Execution(execution.parse().unwrap()));
            let validity = (payload.kind() == Kind::Authorization).then(|| Validity {
                audience: issuer.clone(),
                not_before: a.min(b),
                expires: a.max(b),
            });
            let claims = Claims { issuer, subject, validity, issued_at, id };
            let draft = Draft::new(&PublicKey::from(&key), claims.clone(), &payload, &references).unwrap();
            assert_eq!(draft.statement().claims(), &claims);
            assert_eq!(draft.statement().payload(), &payload);
            assert_eq!(draft.statement().references(), &references);
            (draft, key)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_made_is_read_verified_and_written_again((draft, key) in drafts()) {
        let signed = draft.clone().sign(&key).unwrap();
        let bytes = signed.statement().bytes();
        let read = Statement::parse(bytes).unwrap();
        prop_assert_eq!(&read, signed.statement());
        prop_assert_eq!(read.to_be_signed(), draft.to_be_signed());
        let verified = read.verify(&PublicKey::from(&key)).unwrap();
        prop_assert_eq!(&verified, &signed);
        prop_assert_eq!(verified.into_bytes(), bytes);
        let payload: Map<String, Value> = serde_json::from_slice(signed.statement().payload_json()).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_vec(&payload).unwrap(), signed.statement().payload_json());
    }

    #[test]
    fn anything_is_read_or_refused_and_never_more(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Statement::parse(&bytes).is_err());
        prop_assert!(Submission::parse(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_byte_can_be_changed((draft, key) in drafts(), change in 1..=255_u8) {
        let public = PublicKey::from(&key);
        let good = draft.sign(&key).unwrap().into_bytes();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= change;
            let accepted = Statement::parse(&bytes).is_ok_and(|statement| statement.verify(&public).is_ok());
            prop_assert!(!accepted, "byte {} changed by {:#04x}", at, change);
        }
    }

    #[test]
    fn no_byte_can_be_added_or_left_out((draft, key) in drafts(), extra in any::<u8>(), at in any::<prop::sample::Index>()) {
        let public = PublicKey::from(&key);
        let good = draft.sign(&key).unwrap().into_bytes();
        let at = at.index(good.len());
        let mut longer = good.clone();
        longer.insert(at, extra);
        let mut shorter = good.clone();
        shorter.remove(at);
        for bytes in [longer, shorter] {
            prop_assert!(bytes == good || !Statement::parse(&bytes).is_ok_and(|it| it.verify(&public).is_ok()));
        }
    }
}
