//! An audit that is killed at any moment, and taken up again.

use std::process::Stdio;
use std::time::Instant;

use crate::audit::{Audited, honest, program, state};
use crate::folder::Folder;

/// How many times it is killed, each time a little later in its run.
const KILLS: u32 = 40;

#[test]
fn an_audit_that_is_killed_is_taken_up_again_and_comes_to_the_same() {
    let folder = Folder::new("audit-killed");
    let state = state(&folder);
    let audit = ["--state", state.as_str()];
    let mut log = honest(30);
    log.publish(&folder.path("log"));
    let began = Instant::now();
    assert_eq!(Audited::of(&folder, &audit).code, 0);
    let whole = began.elapsed();
    let mut killed = 0;
    for kill in 0..KILLS {
        for number in 0..10 {
            log.execute(&format!("kill/{kill}/{number}"));
        }
        log.publish(&folder.path("log"));
        let mut run = program(&folder, &audit);
        let mut run =
            run.arg(folder.path("log")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * kill / KILLS);
        run.kill().unwrap();
        // Without a code it was killed. With one it was done before, and the state of the round before was sound.
        match run.wait().unwrap().code() {
            None => killed += 1,
            code => assert_eq!(code, Some(0), "round {kill}"),
        }
    }
    assert!(killed > 0, "no run was killed on its way");
    let resumed = Audited::of(&folder, &audit);
    let once = Audited::of(&folder, &[]);
    let [mut resumed, mut once] = [resumed, once].map(|audited| {
        assert_eq!(audited.code, 0, "{}", audited.errors);
        audited.summary().clone()
    });
    assert_eq!((&once["entries"], &once["audited_before"]), (&log.size().into(), &0.into()));
    for summary in [&mut resumed, &mut once] {
        summary["audited_before"].take();
    }
    assert_eq!(resumed, once);
}
