//! What the library and the auditor's program do, seen from outside.

#[cfg(test)]
mod c2sp;
#[cfg(feature = "program")]
#[cfg(test)]
mod program;
