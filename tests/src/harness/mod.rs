//! A log and its witnesses as processes of their own, on ports that the system chose.
//!
//! Everything here fails by panicking: it is for tests, and a test that cannot set its stage has failed. What a
//! process writes is kept, and **a line that warns, or a panic, fails the test** unless the test said before that it
//! expects it.

mod http;
mod issuers;
mod log;
mod process;
mod programs;
mod system;
mod witness;

pub use http::{expect_code, get, post, problem_code, request};
pub use issuers::{execution, issuer_name, operator, register};
pub use log::Log;
pub use process::{Process, Ran, run, run_for, run_in};
pub use programs::Program;
pub use system::{ORIGIN, Setup, Stage, System, copy};
pub use witness::Witness;
