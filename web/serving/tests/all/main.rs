//! What only real sockets can show.

#[cfg(test)]
mod crowds;
#[cfg(test)]
mod observing;
#[cfg(test)]
mod renewing;
#[cfg(test)]
mod support;
