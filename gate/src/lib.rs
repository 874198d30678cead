//! The issuers' side of Countersign: keys, statements, submission, and the enforcement point around a command.
//!
//! It is what the program `countersign` is made of. It is **not** a sandbox: it decides whether a command is started,
//! records that it was, and does not follow what it does. It is not a policy engine either: what may run is an allow
//! list, and what a decision point answers follows from policies; Cedar decides by both.
//!
//! | module | what it is |
//! |---|---|
//! | [`issuer`] | a name and a key to make statements by |
//! | [`client`] | the log's submission interface, with every answer verified |
//! | [`config`] | the configuration of `countersign run` and `countersign mcp` |
//! | [`decide`] | the decision point, over HTTP |
//! | [`exact`] | exactly what is to be executed, and its digest |
//! | [`allow`] | the allow list and its Cedar text |
//! | [`enforcement`] | the enforcement point: no proof, no run |
//! | [`execute`] | running a cleared command |
//! | [`mcp`] | the enforcement point between an MCP client and an MCP server |
//! | [`lineage`] | one execution from intent to close |
//! | [`publish`] | publishing a policy, once |
//! | [`state`] | what survives a crash of the gate |
//! | [`report`] | what whoever runs it is told |
//! | [`rfc3339`] | times on a command line |
//! | [`clock`] | the one place that asks what time it is |

pub mod allow;
pub mod client;
pub mod clock;
pub mod config;
pub mod decide;
pub mod enforcement;
pub mod exact;
pub mod execute;
pub mod issuer;
pub mod lineage;
pub mod mcp;
pub mod publish;
pub mod report;
pub mod rfc3339;
pub mod state;
