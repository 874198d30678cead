//! The witness as others meet it: over real sockets, as a real process, on a real database.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rollback;
#[cfg(test)]
mod support;

#[cfg(test)]
mod vectors;
