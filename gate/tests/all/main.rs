//! The gate against a log on a real socket, with real keys, real proofs and real processes.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod client;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod enforcement;
#[cfg(test)]
mod log;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod run;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod tree;
