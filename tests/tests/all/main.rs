//! Everything that only real processes can show.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod auditing;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod bundles;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod damaged_journal;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod detour;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod explorer;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod hammer;
#[cfg(test)]
mod history;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod logging;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod misuse;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod parties;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod readme;
#[cfg(test)]
#[path = "../../../verifier/tests/all/schema.rs"]
mod schema;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod submitting;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod threats;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod witnesses_failing;
