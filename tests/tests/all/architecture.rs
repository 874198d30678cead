//! What depends on what, and what nothing depends on. The invariants of ARCHITECTURE.md that are absences.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

const VERIFIER: &str = "countersign-verifier";
const SERVING: &str = "countersign-serving";

/// What cargo knows of the workspace.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .other_options(["--locked".to_owned()])
        .exec()
        .unwrap()
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name).unwrap()
}

/// What a library needs when built as it is published: without dev- and build-dependencies and optional features.
fn reached_by_default(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let nodes: HashMap<&PackageId, _> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|node| (&node.id, node)).collect();
    let root = package(metadata, name);
    let mandatory = |dependency: &str| {
        root.dependencies
            .iter()
            .any(|one| one.name == dependency && one.kind == DependencyKind::Normal && !one.optional)
    };
    let mut reached = BTreeSet::new();
    let mut waiting = vec![&root.id];
    while let Some(id) = waiting.pop() {
        for dependency in &nodes[id].deps {
            let normal = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            let name = metadata[&dependency.pkg].name.to_string();
            if normal && (*id != root.id || mandatory(&name)) && reached.insert(name) {
                waiting.push(&dependency.pkg);
            }
        }
    }
    reached
}

#[test]
fn the_verifier_reaches_no_runtime_no_network_no_database_and_no_policy_engine() {
    let reached = reached_by_default(&metadata(), VERIFIER);
    // If this walk were broken, it would see nothing.
    assert!(reached.contains("ed25519-dalek") && reached.contains("curve25519-dalek"), "{reached:?}");
    for absent in [
        "async-std",
        "axum",
        "cedar-policy",
        "clap",
        "futures-executor",
        "hyper",
        "librocksdb-sys",
        "mio",
        "reqwest",
        "rocksdb",
        "rustls",
        "smol",
        "socket2",
        "tokio",
        "toml",
        "tower",
        "ureq",
    ] {
        assert!(!reached.contains(absent), "the verifier's library reaches {absent}: {reached:?}");
    }
    let ours: Vec<_> = reached.iter().filter(|name| name.starts_with("countersign")).collect();
    assert!(ours.is_empty(), "the verifier uses other rooms: {ours:?}");
}

/// What `cargo tree` lists, a line a package, for these arguments.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // Whoever builds with the features of the whole workspace everywhere asks for more here than is asked about.
        .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION")
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    let lines = lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

/// Every package outside of the workspace, with the features that it is compiled with when these edges are followed.
fn with_features(edges: &str) -> BTreeSet<String> {
    let all = tree(&["--workspace", "--all-features", "--edges", edges, "--format", "{p} {f}"]);
    all.into_iter().filter(|line| !line.starts_with("countersign")).collect()
}

#[test]
fn selections_build_alike() {
    let (programs, tests) = (with_features("no-dev"), with_features("all"));
    assert!(programs.len() > 100 && tests.len() > programs.len());
    let twice: Vec<&String> = programs.difference(&tests).collect();
    assert!(
        twice.is_empty(),
        "./test compiles these with other features than ./run: {twice:#?}\nname what it adds in tests/Cargo.toml"
    );
}

#[test]
fn rooms_use_each_other_along_the_arrows_only() {
    let arrows = BTreeMap::from([
        (VERIFIER, vec![]),
        (SERVING, vec![VERIFIER]),
        ("countersign-web", vec![VERIFIER, SERVING]),
        ("countersign-witness", vec![VERIFIER, SERVING]),
        ("countersign-gate", vec![VERIFIER, SERVING]),
        ("countersign-log", vec![VERIFIER, SERVING, "countersign-web"]),
    ]);
    let metadata = metadata();
    let rooms: BTreeSet<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let expected: BTreeSet<&str> = arrows.keys().copied().chain(["countersign-tests"]).collect();
    assert_eq!(rooms, expected, "a new room needs its arrows here and in ARCHITECTURE.md");
    for (room, allowed) in arrows {
        for dependency in &package(&metadata, room).dependencies {
            let name = dependency.name.as_str();
            let of_ours = rooms.contains(name);
            assert_ne!(name, "countersign-tests", "{room} uses the tests");
            if of_ours && dependency.kind != DependencyKind::Development {
                assert!(allowed.contains(&name), "{room} uses {name}, and no arrow leads there");
            }
        }
    }
}

#[test]
fn only_the_log_and_the_witness_have_a_database() {
    let metadata = metadata();
    let with: BTreeSet<&str> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| package.dependencies.iter().any(|dependency| dependency.name == "rocksdb"))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(with, BTreeSet::from(["countersign-log", "countersign-witness"]));
}

#[test]
fn every_room_is_under_the_house_rules() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
        assert_eq!(package.license.as_deref(), Some("Apache-2.0"), "{}", package.name);
        assert_eq!(package.edition.as_str(), "2024", "{}", package.name);
    }
}

/// Every source file with its path from the top of the workspace.
fn sources() -> Vec<(PathBuf, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    let mut waiting: Vec<PathBuf> =
        ["verifier", "log-server", "witness", "web", "gate", "tests"].map(|room| top.join(room)).to_vec();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let inside = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            waiting.extend(inside.filter(|path| !path.ends_with("target")));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path.strip_prefix(top).unwrap().to_owned(), text));
        }
    }
    assert!(files.len() > 100, "only {} files are seen", files.len());
    files
}

#[test]
fn only_store_modules_name_the_database() {
    for (path, text) in sources() {
        let in_store = path.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part == "store" || part == "store.rs"
        });
        if in_store || path.ends_with("tests/tests/all/architecture.rs") {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            let names = code.contains("rocksdb::") || code.contains("use rocksdb");
            assert!(!names, "{}:{number} names the database outside a store module: {line}", path.display());
        }
    }
}

/// Whether a file holds tests and nothing else.
fn is_of_tests(path: &Path) -> bool {
    let in_folder =
        path.components().any(|part| part.as_os_str() == "tests") && !path.starts_with("tests/src");
    in_folder || path.ends_with("tests.rs")
}

#[test]
fn files_are_short() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_of_tests(path)) {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines: split it by concept", path.display());
    }
}

#[test]
fn lints_are_expected_and_not_allowed() {
    for (path, text) in sources() {
        if path.ends_with("tests/tests/all/architecture.rs") {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let allows = line.contains("#[allow(") || line.contains("#![allow(");
            assert!(!allows, "{}:{number} allows a lint: use #[expect(..., reason = ...)]", path.display());
        }
    }
}

/// The packages that are compiled into the verifier with these features, by name and version.
fn compiled_into_the_verifier(features: &str) -> BTreeSet<String> {
    let lines =
        tree(&["--package", VERIFIER, "--edges", "normal", "--no-default-features", "--features", features]);
    let packages = lines.iter().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    packages.filter(|package| !package.starts_with(VERIFIER)).collect()
}

#[test]
fn the_verifier_stands_on_few_packages_and_the_auditors_program_on_no_database_and_no_runtime() {
    let library = compiled_into_the_verifier("");
    assert!(library.iter().any(|package| package.starts_with("ed25519-dalek ")), "{library:?}");
    // What is stated in verifier/README.md. A new dependency needs a reason, and the number there.
    let stated = include_str!("../../../verifier/README.md");
    let count = library.len();
    assert!(stated.contains(&format!("stands on {count} packages")), "it is {count}: {library:#?}");
    let program = compiled_into_the_verifier("program,url");
    assert!(program.iter().any(|package| package.starts_with("ureq ")), "{program:?}");
    for absent in [
        "async-std",
        "axum",
        "cedar-policy",
        "hyper",
        "librocksdb-sys",
        "mio",
        "openssl",
        "rocksdb",
        "smol",
        "tokio",
    ] {
        let found = program.iter().find(|package| package.split(' ').next() == Some(absent));
        assert_eq!(found, None, "the auditor's program has {absent}");
    }
    // What links something native could not become one static file. That rayon-core says so is a trick of its own, by
    // which cargo takes one version of it only.
    let native: BTreeSet<String> = metadata()
        .packages
        .iter()
        .filter(|package| package.links.as_deref().is_some_and(|links| links != "rayon-core"))
        .map(|package| format!("{} v{}", package.name, package.version))
        .collect();
    assert!(native.iter().any(|package| package.starts_with("librocksdb-sys ")), "{native:?}");
    let linked: Vec<_> = compiled_into_the_verifier("program").intersection(&native).cloned().collect();
    assert_eq!(linked, [""; 0], "the auditor's program links something native");
}
