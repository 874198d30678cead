//! The commands of README.md, run as they stand there.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign_tests::harness::{Program, System};

use crate::decide::Point;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("README.md");
    std::fs::read_to_string(path).unwrap()
}

/// The blocks of commands, in their order.
fn commands(readme: &str) -> Vec<String> {
    readme
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split_once("```").expect("a block of commands ends").0.to_owned())
        .collect()
}

/// Puts `new` in the place of `old`, which has to be there.
#[track_caller]
fn put(script: &str, old: &str, new: &str) -> String {
    assert!(script.contains(old), "README.md has no {old:?} any more");
    script.replace(old, new)
}

/// An address that nobody listens on at this moment.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A folder as `./run` leaves it beside a running log.
fn beside(system: &System) -> PathBuf {
    let folder = system.folder().join("readme");
    std::fs::create_dir_all(folder.join("data")).unwrap();
    symlink(system.log.data(), folder.join("data/log")).unwrap();
    std::fs::copy(system.policy_file(), folder.join("data/trust.policy")).unwrap();
    folder
}

#[test]
fn the_commands_run_as_written() {
    let point = Point::start();
    let system = &point.system;
    let folder = beside(system);
    let blocks = commands(&readme());
    assert!(blocks.len() >= 6, "README.md has {} blocks of commands", blocks.len());
    // Where things are is all that is put in: another test may be running beside this one.
    let mut script = blocks.join("\n");
    script = put(&script, "LOG=http://127.0.0.1:8080", &format!("LOG={}", system.log.url()));
    script = put(&script, "PDP=http://127.0.0.1:8082", &format!("PDP={}", point.url));
    for address in ["127.0.0.1:8090", "127.0.0.1:8091"] {
        script = put(&script, address, &free_address());
    }
    let [log, witness, countersign, verify] =
        [Program::Log, Program::Witness, Program::Countersign, Program::Verify].map(Program::path);
    for program in [&log, &witness, &countersign, &verify] {
        assert_eq!(program.parent(), log.parent());
    }
    let programs = log.parent().unwrap().display();
    let script = format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{script}\nexport PATH\n"
    );
    // The first block puts the programs of the default folder on the path; those under test go before them.
    let export = script.lines().find(|line| line.starts_with("export PATH=")).unwrap().to_owned();
    let script = put(&script, &export, &format!("{export}\nexport PATH=\"{programs}:$PATH\""));
    std::fs::write(folder.join("readme.sh"), &script).unwrap();
    let output = Command::new("bash")
        .arg("readme.sh")
        .current_dir(&folder)
        .stdin(Stdio::null())
        .env_remove("COUNTERSIGN_TESTS_PROGRAMS")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n--- stdout\n{out}\n--- stderr\n{err}");
    // What the text around the commands promises.
    assert!(out.contains("\"decision\":true"), "what is permitted was not answered so:\n{out}");
    assert!(out.contains("refused, exit code 3"), "the forged proof was not refused:\n{out}");
    assert!(out.contains("not decided, exit code 2"), "the bundle of an open execution was not read:\n{out}");
    let html = std::fs::read_to_string(folder.join("two.html")).unwrap();
    assert!(html.contains("Execution readme/two"), "{html}");
    assert!(out.contains("localhost/mine\n1\n"), "the log of one's own shows no head of size 1:\n{out}");
    assert!(folder.join("intent.cose.tlog-proof").exists() && folder.join("two.tlog-proof").exists());
    let secret = std::fs::metadata(folder.join("me.pem")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secret) & 0o077, 0);
}

#[test]
fn the_files_it_points_to_are_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = readme();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local: Vec<&str> = links.filter(|link| !link.contains("://") && !link.starts_with('#')).collect();
    assert!(!local.is_empty());
    for link in local {
        assert!(top.join(link).exists(), "README.md points to {link}, which is not there");
    }
    for program in ["run", "test"] {
        assert!(top.join(program).is_file() && readme.contains(&format!("./{program}")));
    }
}
