//! Texts that are made to end the process that reads them.

use std::thread;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::tests::{decision, evaluate, ids, intent, policy};
use super::{Engine, Evaluation, LoadError, Question, Replay, replay};
use crate::statement::payload::Policy;
use crate::statement::{DecisionCode, Verdict};

/// The stack that Rust gives to a thread, and the one that a main thread mostly has.
const STACKS: [usize; 2] = [2 << 20, 8 << 20];

fn on_stack<T: Send>(size: usize, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(size).spawn_scoped(scope, work).unwrap();
        thread.join().unwrap()
    })
}

/// Loads, applies and drops.
fn apply(policy: &Policy) -> Result<Evaluation, LoadError> {
    let intent = intent("read", None);
    let engine = Engine::load(&policy.policies, policy.schema.as_ref())?;
    Ok(engine.evaluate(&Question {
        subject: &intent.subject,
        action: &intent.action,
        resource: &intent.resource,
        context: &Map::new(),
        entities: &[],
    }))
}

fn permit_when(condition: &str) -> String {
    format!("permit (principal, action, resource) when {{ {condition} }};")
}

/// A condition that has something so many times within itself; nearly all would hold.
fn conditions(times: usize) -> Vec<(&'static str, String)> {
    let within = |open: &str, middle: &str, close: &str| {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    let agent = r#"principal == Agent::"a""#;
    vec![
        ("brackets", within("(", "true", ")")),
        ("brackets, open", "(".repeat(times)),
        ("sets", within("[", "1", "]") + " != 2"),
        ("records", within("{a: ", "1", "}") + " != 2"),
        ("calls", within("ip(", "\"\"", ")") + " != 1"),
        ("not brackets", within("!(", "true", ")")),
        ("mixed", within("!([{a: (", "1", ")}].isEmpty())")),
        ("strings and comments between", within("(\"(\" == \"\\\"\" || // ]\n", "true", ")")),
        ("minus", within("-", "1 != 2", "")),
        ("not", within("!", "true", "")),
        ("if", within("if true then ", "true", " else true")),
        ("else if", within("if action == Action::\"x\" then true else ", "true", "")),
        ("if if", within("if ", "true", " then true else true")),
        ("and", within("action == Action::\"read\" && ", "true", "")),
        ("or", within("action == Action::\"x\" || ", "true", "")),
        ("plus", within("1 + ", "1 != 0", "")),
        ("plus behind brackets", format!("{} != 0", within("(", "1", " + 1 + 1)"))),
        ("attributes", format!("!({agent} && context{} == 1)", within(".a", "", ""))),
        ("methods", format!("!({agent} && context{})", within(".contains(1)", "", ""))),
        ("places", format!("!({agent} && context{} == 1)", within("[\"a\"]", "", ""))),
        ("has", format!("!(context has a{})", within(".a", "", ""))),
        // Cedar's parser goes on behind an error.
        ("errors", within("[),", "1", "]")),
        ("errors in if", within("if , then , else ", "1", "")),
    ]
}

#[test]
fn a_policy_that_nests_without_end_is_denied_like_any_other_that_cannot_be_read() {
    let permitted = Evaluation {
        verdict: Verdict::Permit,
        code: DecisionCode::Permitted,
        reasons: ids(&["p"]),
        errors: ids(&[]),
    };
    for times in [300, 2_000, 28_000] {
        let whens = "when { action == Action::\"read\" } ".repeat(times);
        let mut texts: Vec<_> =
            conditions(times).into_iter().map(|(name, text)| (name, permit_when(&text))).collect();
        texts.push(("whens", format!("permit (principal, action, resource) {whens};")));
        for (name, text) in texts {
            let policy = policy(&[("p", &text)], None);
            let loaded = on_stack(STACKS[0], || apply(&policy));
            assert!(
                matches!(&loaded, Err(LoadError::Misfit(why)) if why.starts_with("policy \"p\"")),
                "{name}: {loaded:?}"
            );
            let stated = decision(permitted.clone(), None, Vec::new());
            let answer = on_stack(STACKS[0], || replay(&policy, &intent("read", None), &stated));
            assert!(matches!(answer, Replay::Different { .. }), "{name}: {answer:?}");
            let stated = decision(Evaluation::unreadable(), None, Vec::new());
            let answer = on_stack(STACKS[0], || replay(&policy, &intent("read", None), &stated));
            assert_eq!(answer, Replay::Same(Evaluation::unreadable()), "{name}");
        }
    }
}

/// Cedar leaves off evaluating when the stack runs low: what is admitted must not come near that.
#[test]
fn what_is_within_the_bounds_comes_to_the_same_on_every_stack() {
    let mut applied = 0;
    for times in [1, 4, 14, 28, 60, 63, 82, 84, 120, 126, 250, 254] {
        for (name, text) in conditions(times) {
            let policy = policy(&[("p", &permit_when(&text))], None);
            let [small, large] = STACKS.map(|stack| on_stack(stack, || apply(&policy)));
            assert_eq!(format!("{small:?}"), format!("{large:?}"), "{times} {name}");
            applied += usize::from(small.is_ok_and(|found| found.errors.is_empty()));
        }
    }
    assert!(applied > 80, "of so many texts only {applied} were applied");
}

#[test]
fn brackets_that_only_stand_in_strings_and_comments_count_for_nothing() {
    let brackets = "([{!-if ".repeat(200);
    let text = permit_when(&format!("\"{brackets}\\\"{brackets}\" != \"\" // {brackets}\n && true"));
    assert_eq!(apply(&policy(&[("p", &text)], None)).unwrap().verdict, Verdict::Permit);
    let wide: Vec<String> = (0..2_000).map(|at| format!("[{at}, 1 + 1]")).collect();
    let text = permit_when(&format!("[{}].contains([7, 2])", wide.join(", ")));
    assert_eq!(apply(&policy(&[("p", &text)], None)).unwrap().verdict, Verdict::Permit);
}

#[test]
fn what_a_decision_and_an_intent_state_ends_no_process() {
    let all = policy(&[("p", &permit_when("!(context has a && context.a == principal)"))], None);
    let brackets = format!("{}1{}", "(".repeat(28_000), ")".repeat(28_000));
    // As deep as JSON is read, and as long as an entry has room.
    let deep = |open: &str, close: &str| {
        let text = format!("{}1{}", open.repeat(120), close.repeat(120));
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let escapes = ["__expr", "__extn", "__entity"].map(|tag| json!({ tag: brackets }));
    let mut values =
        vec![deep("[", "]"), deep("{\"a\":", "}"), json!({ "__extn": { "fn": "ip", "arg": brackets } })];
    values.extend(escapes);
    for value in values {
        let context = json!({ "a": value });
        let entities = [json!({ "uid": { "type": "Agent", "id": "a" }, "attrs": context, "parents": [] })];
        let [small, large] = STACKS.map(|stack| {
            on_stack(stack, || evaluate(&all, &intent("read", None), context.clone(), &entities))
        });
        assert_eq!(small, large);
    }
    let uid = |at: usize| json!({ "type": "A", "id": at.to_string() });
    let row: Vec<Value> =
        (0..1_500).map(|at| json!({ "uid": uid(at), "attrs": {}, "parents": [uid(at + 1)] })).collect();
    let found = on_stack(STACKS[0], || evaluate(&all, &intent("read", None), json!({}), &row));
    assert_eq!(found.code, DecisionCode::Permitted);
    let mut odd = intent(&brackets, None);
    odd.subject.entity_type = brackets.clone();
    let found = on_stack(STACKS[0], || evaluate(&all, &odd, json!({}), &[]));
    assert_eq!(found.code, DecisionCode::EvaluationError);
}

fn names(count: usize) -> String {
    (0..count).map(|at| format!("A{at}")).collect::<Vec<_>>().join(",")
}

/// Definitions `A0`, `A1` and so on, each by the next one.
fn chain(count: usize, one: impl Fn(usize, usize) -> String) -> String {
    let one = |at: usize| one(at, at + 1);
    (0..count).map(one).collect::<String>() + &format!("type A{count} = Long;")
}

#[test]
fn a_schema_that_comes_to_too_much_is_refused_at_once() {
    let laughs = |count| chain(count, |at, next| format!("type A{at} = {{x: A{next}, y: A{next}}};"));
    let schemas = [
        ("nested sets", format!("entity A = {{ a: {}Long{} }};", "Set<".repeat(9_000), ">".repeat(9_000))),
        ("nested records", format!("entity A = {{ a: {}Long{} }};", "{a:".repeat(9_000), "}".repeat(9_000))),
        ("laughs", laughs(40)),
        ("laughs, backwards", laughs(40).split_inclusive(';').rev().collect()),
        ("laughs in namespaces", format!("namespace N {{ {} }}", laughs(40).replace(": A", ": N::A"))),
        ("a row of types", chain(1_000, |at, next| format!("type A{at} = Set<A{next}>;"))),
        ("a deep row of types", chain(40, |at, next| format!("type A{at} = Set<Set<A{next}>>;"))),
        ("round types", "type A = B; type B = A;".to_owned()),
        ("names", format!("entity {};", names(5_000))),
        ("names in names", format!("entity {0}; entity B, {0} in [{0}];", names(900))),
        ("annotated", format!("entity {0}; @a(\"x\") entity B,{0} in [{0}];", names(900))),
        ("in a namespace", format!("namespace in::N {{ entity {0} in [{0}]; }}", names(900))),
        (
            "with attributes",
            format!("entity {0} {{ {1}: Long }};", names(300), names(300).replace(',', ": Long,")),
        ),
        (
            "combinations",
            format!("entity {0}; action {0} appliesTo {{ principal: [{0}], resource: [{0}] }};", names(250)),
        ),
    ];
    for (name, schema) in schemas {
        let policy = policy(&[("p", "permit (principal, action, resource);")], Some(&schema));
        let began = std::time::Instant::now();
        let loaded = on_stack(STACKS[0], || apply(&policy));
        assert!(
            matches!(&loaded, Err(LoadError::Misfit(why)) if why.starts_with("the schema")),
            "{name}: {loaded:?}"
        );
        assert!(began.elapsed().as_secs() < 20, "{name}");
    }
    // A policy of many octets takes as long as many policies.
    let schema =
        format!("entity {0}; action read appliesTo {{ principal: [{0}], resource: [{0}] }};", names(100));
    let text = permit_when(&format!("[{}].contains(1)", "1,".repeat(10_000)));
    let loaded = apply(&policy(&[("p", &text)], Some(&schema)));
    assert!(matches!(&loaded, Err(LoadError::Misfit(why)) if why.contains("20")), "{loaded:?}");
    assert!(apply(&policy(&[("p", &permit_when("true"))], Some(&schema))).is_ok());
}

#[test]
fn a_schema_as_people_write_them_is_taken() {
    let actions: Vec<String> = (0..40).map(|at| format!("\"action {at}, it does\"")).collect();
    let attributes: Vec<String> =
        (0..60).map(|at| format!("a{at}?: Set<{}>", if at < 20 { "Address" } else { "String" })).collect();
    let schema = format!(
        r#"namespace Shop::Front {{
            @doc("one, two, three")
            type Address = {{ street: String, city: City, owner?: {{ owner: User }} }};
            type City = {{ name: String, at: {{ lat: decimal, lon: decimal }} }};
            entity User, Robot in [Group] = {{ Address: Address, {attributes} }} tags Set<String>;
            entity Group, Team in Team;
            entity Colour enum ["red", "green"];
            action {actions} in ["any, of, them"] appliesTo {{
                principal: [User, Robot], resource: [Group, Team], context: {{ address?: Address, {attributes} }}
            }};
            action "any, of, them";
        }}
        entity Agent; entity File;
        action read appliesTo {{ principal: Agent, resource: File }};"#,
        actions = actions.join(", "),
        attributes = attributes.join(", "),
    );
    assert_eq!(
        apply(&policy(&[("p", &permit_when("true"))], Some(&schema))).unwrap().code,
        DecisionCode::Permitted
    );
}

/// Pieces of both languages, whole and broken.
const PIECES: [&str; 48] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "!",
    "-",
    "if ",
    " then ",
    " else ",
    "&&",
    "||",
    "+",
    "*",
    "==",
    ".a",
    "a",
    "a:",
    ",",
    ";",
    "::",
    "\"",
    "\"([{\"",
    "\\",
    "// ([{ \"\n",
    "//",
    "\n",
    " in ",
    " has ",
    " like ",
    " is ",
    "1",
    "true",
    "ip(",
    "[\"a\"]",
    "when {",
    "permit (principal, action, resource)",
    "entity A",
    " = {",
    "type A = ",
    "Set<",
    "namespace N {",
    "é",
    "?",
    "@a(\"x\")",
];

/// Runs of pieces, and runs of two in turn, some of them closed again.
fn pieces() -> impl Strategy<Value = String> {
    let piece = || prop::sample::select(&PIECES[..]);
    let times = prop_oneof![4 => 1_usize..4, 1 => 1_usize..80, 1 => 1_usize..4_000];
    prop::collection::vec((piece(), piece(), piece(), times), 1..6).prop_map(|runs| {
        let (mut front, mut back) = (String::new(), String::new());
        for (a, b, c, times) in runs {
            front.push_str(&format!("{a}{b}").repeat(times));
            back.insert_str(0, &c.repeat(times));
        }
        front + "true" + &back
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_ends_the_process(text in pieces(), schema in pieces(), whole in any::<bool>(), with in any::<bool>()) {
        let text = if whole { text } else { permit_when(&text) };
        let policy = policy(&[("p", &text)], with.then_some(schema.as_str()));
        let [small, large] = STACKS.map(|stack| on_stack(stack, || apply(&policy)));
        prop_assert_eq!(format!("{small:?}"), format!("{large:?}"));
        let stated = decision(Evaluation::unreadable(), None, Vec::new());
        let _ = on_stack(STACKS[0], || replay(&policy, &intent("read", None), &stated));
    }
}
