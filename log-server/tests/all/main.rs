//! What the log server promises, over real sockets, a real database and real processes.

#[cfg(test)]
mod engine;
#[cfg(test)]
mod http;
