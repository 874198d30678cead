//! The MCP project's own client and server, where they are installed.

use std::process::Command;

use countersign_tests::harness::Program;
use serde_json::Value;

use super::client::node;
use crate::gate::{Gate, text};

/// The folder where `npm install @modelcontextprotocol/sdk @modelcontextprotocol/server-everything` was run.
const FOLDER: &str = "COUNTERSIGN_TESTS_MCP_SDK";

#[test]
fn the_projects_own_client_and_server_work_with_the_gate_between_them() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else {
        eprintln!(
            "SKIPPED: {FOLDER} names no folder with the MCP SDK and its server-everything (npm install)"
        );
        return;
    };
    let gate = Gate::start();
    gate.configure("", "[[tool]]\nname = \"echo\"\n");
    let server = folder.join("node_modules/@modelcontextprotocol/server-everything/dist/index.js");
    let script = super::client::script().with_file_name("mcp-interop.mjs");
    let ran = Command::new(node())
        .args([&script, &folder, &Program::Countersign.path()])
        .args(["mcp", "--config", text(&gate.config), "--", text(&node()), text(&server), "stdio"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    let saw: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(saw["tools"].as_array().unwrap().len() > 5, "{saw:#}");
    let said = |which: &str| saw[which]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(said("permitted").contains("hello") && saw["permitted"]["isError"] != true, "{saw:#}");
    assert!(
        said("denied").contains("policy_validation_failed") && saw["denied"]["isError"] == true,
        "{saw:#}"
    );
}
