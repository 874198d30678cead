//! What the library and the auditor's program do, seen from outside.

#[cfg(feature = "program")]
#[cfg(test)]
mod audit;
#[cfg(test)]
mod c2sp;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod fake_log;
#[cfg(feature = "program")]
#[cfg(test)]
mod folder;
#[cfg(feature = "program")]
#[cfg(test)]
mod killed;
#[cfg(test)]
mod memory;
#[cfg(feature = "program")]
#[cfg(test)]
mod program;
#[cfg(feature = "program")]
#[cfg(test)]
mod schema;
