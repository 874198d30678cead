//! axe-core, which knows what keeps people from reading a page. It is fetched from the registry of npm once, and where
//! that cannot be reached the test goes on without it and says so.

use std::path::Path;
use std::process::Command;

use std::io::Write as _;

/// The version whose rules the pages are held to.
const PACKAGE: &str = "axe-core@4.14.1";

/// The script, or nothing when it cannot be had here.
pub(crate) fn script() -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe-core");
    let script = folder.join("package/axe.min.js");
    if !script.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let run = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).current_dir(&folder).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let archive = run("npm", &["pack", "--silent", PACKAGE]);
        let unpacked = archive.and_then(|archive| run("tar", &["-xzf", &archive, "package/axe.min.js"]));
        if unpacked.is_none() {
            let message = "SKIPPED: axe-core, because npm cannot fetch it from here";
            writeln!(std::io::stderr(), "{message}").unwrap();
            return None;
        }
    }
    Some(std::fs::read_to_string(script).unwrap())
}

/// A script that gives what axe finds: each rule broken, with the first place where it is.
pub(crate) fn question(axe: &str) -> String {
    format!(
        "const done = arguments[arguments.length - 1];
        if (!window.axe) {{ {axe} }}
        window.axe.run(document).then(({{violations}}) =>
            done(violations.map(({{id, help, nodes}}) => [id, help, nodes[0].html])));"
    )
}
