//! What readers do in a browser of their own: a real log, real witnesses, a real Chromium.

mod axe;
mod driver;

use std::path::Path;

use base64::Engine as _;
use countersign_tests::harness::{System, get};
use countersign_tests::vectors::files;
use serde_json::json;

use crate::parties::{Lineage, Parties};
use driver::{Browser, Look};

const VERDICTS: &str =
    "return [...document.querySelectorAll('[data-rung]')].map((row) => row.dataset.verdict)";
const DONE: &str = "document.querySelector('.stages')";

/// A log with one execution, and a browser.
fn stage(name: &str) -> (System, Lineage, Browser) {
    let system = System::start();
    let lineage = Parties::register(&system).execute(&system, name);
    (system, lineage, Browser::start())
}

fn verdict(stage: &str) -> String {
    format!("document.querySelector('[data-stage={stage}]')?.dataset.verdict")
}

#[track_caller]
fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_proof_is_checked_rung_by_rung_and_a_flipped_byte_is_found_where_it_is() {
    let (system, lineage, browser) = stage("rungs");
    let url = system.log.url();
    browser.go(&format!("{url}/entries/{}/proof", lineage.authorization.index));
    // Nothing is said to be checked before somebody asks for it.
    assert_eq!(browser.run("return document.body.innerText.includes('checked here')"), false);
    browser.click("[data-run]");
    browser.wait_for(DONE);
    let rungs = browser.run(VERDICTS).as_array().unwrap().len();
    assert!(rungs > 2, "the tree has several levels");
    assert_eq!(browser.run(VERDICTS), json!(vec!["pass"; rungs]));
    for stage in ["format", "inclusion", "log_signature", "witness_quorum"] {
        assert_eq!(browser.run(&format!("return {}", verdict(stage))), "pass", "{stage}");
    }
    assert_eq!(browser.run(&format!("return {}", verdict("lineage"))), "not_checked");
    assert_eq!(browser.run("return document.querySelector('.check h2 .chip').innerText"), "✓ checked here");
    browser.picture("proof-checked");

    for (place, first) in [("0", 0), ("1", 1), ("2", 2)] {
        browser.run(&format!("document.querySelector('#tamper').value = '{place}'"));
        browser.click(".tamper button");
        browser.wait_for(&format!("{} === 'fail'", verdict("inclusion")));
        let expected: Vec<&str> = (0..rungs).map(|at| if at < first { "pass" } else { "fail" }).collect();
        assert_eq!(browser.run(VERDICTS), json!(expected), "place {place}");
        assert_eq!(
            browser.run("return document.querySelector('.check h2 .chip').innerText"),
            "✗ check failed"
        );
        browser.picture(&format!("proof-tampered-{place}"));
        browser.click(".tamper button:last-of-type");
        browser.wait_for(&format!("{} === 'pass'", verdict("inclusion")));
        assert_eq!(browser.run(VERDICTS), json!(vec!["pass"; rungs]));
    }
    // The same on the entry's own page.
    browser.go(&format!("{url}/entries/{}", lineage.outcome.index));
    browser.click("[data-run]");
    browser.wait_for(&format!("{} === 'pass'", verdict("witness_quorum")));
    assert_quiet(&browser);
}

#[test]
fn files_are_checked_and_sent_nowhere() {
    let (system, lineage, browser) = stage("files");
    let url = system.log.url();
    let index = lineage.outcome.index;
    let (entry, proof) = (system.folder().join("entry"), system.folder().join("proof"));
    std::fs::write(&entry, get(url, &format!("/entries/{index}.cose")).body).unwrap();
    let proof_bytes = get(url, &format!("/entries/{index}.tlog-proof")).body;
    std::fs::write(&proof, &proof_bytes).unwrap();
    browser.go(&format!("{url}/verify"));
    browser.choose("#files", &[&entry, &proof]);
    browser.wait_for(DONE);
    let status = "document.querySelector('#status').innerText";
    assert!(browser.run(&format!("return {status}")).as_str().unwrap().starts_with("✓ checked here"));
    browser.picture("verify-proof");

    // A policy that asks for somebody else.
    let stranger = "witness x w.example+d9e31a03+BFX2mmyhXF1b8yXz0BlG1GpXxQZjNTTXl0EQjZ/wGRo1";
    let policy = format!("log {}\n", system.log.vkey());
    let strict = system.folder().join("strict.policy");
    std::fs::write(&strict, format!("{policy}quorum none\n")).unwrap();
    browser.choose("#policy-file", &[&strict]);
    browser.wait_for("document.querySelector('#policy').value.includes('quorum none')");
    browser.click("#choose button");
    browser.wait_for(
        "document.querySelector('[data-stage=witness_quorum]')?.innerText.includes('asks for no witness')",
    );
    let strict = system.folder().join("broken.policy");
    std::fs::write(&strict, format!("{policy}{stranger}\nquorum x\n")).unwrap();
    browser.choose("#policy-file", &[&strict]);
    browser.wait_for("document.querySelector('#policy').value.includes('quorum x')");
    browser.click("#choose button");
    browser.wait_for(&format!("{status}.includes('cannot be read') && {status}.includes('line 2')"));

    // In the fragment of the address, which browsers keep to themselves; one byte of the entry is another.
    browser.go(&format!("{url}/verify"));
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let mut changed = lineage.outcome.bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (bytes, expected) in [(lineage.outcome.bytes.clone(), "✓ checked here"), (changed, "✗ check failed")]
    {
        let fragment = format!("#entry={}&proof={}", encode(&bytes), encode(&proof_bytes));
        browser.run(&format!(
            "document.querySelector('#report').replaceChildren(); location.hash = '{fragment}'"
        ));
        browser.wait_for(&format!("{DONE} && {status}.startsWith('{expected}')"));
    }
    // Of checks at once the last one is shown, all of it and nothing else.
    let bundle = get(url, &format!("/executions/{}.bundle", lineage.id)).body;
    let whole = format!("#bundle={}", encode(&bundle));
    let one = format!("#entry={}&proof={}", encode(&lineage.outcome.bytes), encode(&proof_bytes));
    browser.run(&format!(
        "const {{ subtle }} = crypto, digest = subtle.digest.bind(subtle), held = [];
         subtle.digest = (...of) => new Promise((go) => held.push(() => go(digest(...of))));
         window.held = held;
         window.letGo = () => {{ for (const go of held) go(); }};
         window.letOthersBy = () => {{ subtle.digest = digest; }};
         location.hash = '{whole}'"
    ));
    browser.wait_for("window.held.length > 0");
    browser.run(&format!("window.letOthersBy(); location.hash = '{one}'"));
    browser.wait_for(&format!("{status}.includes('this entry is in the log') && {DONE}"));
    browser.run("window.letGo()");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(browser.run(&format!("return {status}")).as_str().unwrap().contains("this entry is in the log"));
    let shown = "return [...document.querySelector('#report').children].map((part) => part.tagName)";
    assert_eq!(browser.run(shown), json!(["P", "UL"]));
    // The page has asked for its own parts and for nothing else.
    let asked = browser
        .run("return performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)");
    let asked: Vec<&str> = asked.as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert!(asked.len() > 10 && asked.iter().all(|path| path.starts_with("/assets/")), "{asked:?}");
    assert_quiet(&browser);
}

#[test]
fn an_execution_is_checked_as_a_whole_and_a_tampered_bundle_fails() {
    let (system, lineage, browser) = stage("bundles");
    let url = system.log.url();
    browser.go(&format!("{url}/executions/{}", lineage.id));
    browser.click("[data-run]");
    browser.wait_for(DONE);
    for stage in
        ["format", "statement_signatures", "inclusion", "log_signature", "witness_quorum", "issuer_roles"]
    {
        assert_eq!(browser.run(&format!("return {}", verdict(stage))), "pass", "{stage}");
    }
    // The enforcer of this execution did not say when it started.
    assert_eq!(browser.run(&format!("return {}", verdict("lineage"))), "not_checked");
    browser.wait_for("document.querySelector('[data-finding=started_at_missing]')");
    browser.picture("execution-checked");

    let bundle = get(url, &format!("/executions/{}.bundle", lineage.id)).body;
    let good = system.folder().join("good.bundle");
    std::fs::write(&good, &bundle).unwrap();
    // A statement of the file is exchanged for another signature.
    let text = String::from_utf8(bundle.to_vec()).unwrap();
    let statement = base64::engine::general_purpose::STANDARD.encode(&lineage.outcome.bytes);
    let mut forged = lineage.outcome.bytes.clone();
    *forged.last_mut().unwrap() ^= 1;
    let forged = text.replace(&statement, &base64::engine::general_purpose::STANDARD.encode(&forged));
    let bad = system.folder().join("bad.bundle");
    std::fs::write(&bad, forged).unwrap();
    let choose: fn(&Browser, &Path) = |browser, file| browser.choose("#files", &[file]);
    for (file, hand_over, expected) in
        [(&good, choose, "pass"), (&bad, choose, "fail"), (&good, Browser::drop_file, "pass")]
    {
        browser.go(&format!("{url}/verify"));
        hand_over(&browser, file);
        browser.wait_for(&format!("{} === '{expected}'", verdict("statement_signatures")));
        assert_eq!(browser.run(&format!("return {}", verdict("inclusion"))), expected);
        browser.picture(&format!("verify-bundle-{expected}"));
    }
    assert_quiet(&browser);
}

#[test]
fn evidence_says_what_it_proves_and_nothing_once_a_byte_is_changed() {
    let (system, _, browser) = stage("evidence");
    let file = files().into_iter().find(|file| file.name == "evidence").unwrap();
    let case = file.cases.into_iter().find(|case| case.name == "two histories").unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = system.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let evidence = case.input["evidence"].as_str().unwrap();
    let policy = write("vectors.policy", case.input["policy"].as_str().unwrap().as_bytes());
    let good = write("good.evidence", evidence.as_bytes());
    let bad = write("bad.evidence", evidence.replacen("\\n4\\n", "\\n3\\n", 1).as_bytes());
    browser.go(&format!("{}/verify", system.log.url()));
    // Under the policy of another log it shows nothing.
    browser.choose("#files", &[&good]);
    let status = "document.querySelector('#status').innerText";
    browser.wait_for(&format!("{status}.startsWith('✗ check failed This file proves nothing')"));
    browser.choose("#policy-file", &[&policy]);
    browser.wait_for("document.querySelector('#policy').value.includes('log.example')");
    browser.click("#choose button");
    browser.wait_for("document.querySelector('[data-proven=fork]')");
    let says = browser.run(&format!("return {status}"));
    assert!(says.as_str().unwrap().contains("This proves misbehaviour of the log log.example"), "{says}");
    browser.picture("verify-evidence");
    browser.choose("#files", &[&bad]);
    browser.wait_for(&format!("{status}.startsWith('✗ check failed This file proves nothing')"));
    assert_eq!(browser.run("return document.querySelector('[data-proven]')"), json!(null));
    assert_quiet(&browser);
}

#[test]
fn pages_fit_phones_and_the_dark_and_can_be_read_by_everyone() {
    let (system, lineage, browser) = stage("looks");
    let url = system.log.url();
    let axe = axe::script();
    let pages = [
        ("console", "/".to_owned()),
        ("entries", "/entries".to_owned()),
        ("entry", format!("/entries/{}", lineage.authorization.index)),
        ("proof", format!("/entries/{}/proof", lineage.authorization.index)),
        ("executions", "/executions".to_owned()),
        ("execution", format!("/executions/{}", lineage.id)),
        ("health", "/health".to_owned()),
        ("verify", "/verify".to_owned()),
    ];
    for (name, path) in pages {
        browser.go(&format!("{url}{path}"));
        if ["entry", "proof", "execution"].contains(&name) {
            browser.click("[data-run]");
            browser.wait_for(DONE);
        }
        for (width, dark) in [(360, false), (360, true), (1280, false), (1280, true)] {
            browser.look(Look { width, dark });
            let over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.run(over), 0, "{name} at {width} pixels is wider than its window");
            let shade = if dark { "dark" } else { "light" };
            browser.picture(&format!("{name}-{width}-{shade}"));
            if let Some(axe) = &axe {
                let found = browser.run_async(&axe::question(axe));
                assert_eq!(found, json!([]), "{name} at {width} pixels, {shade}");
            }
        }
    }
    assert_quiet(&browser);
}
