//! An error with its causes, on one line: for a log, for an operator, for a report.
//!
//! Messages of this project do not repeat their source, so whoever shows an error has to walk the chain. Some of other
//! libraries do; what the line ends with already is not said again.

use core::error::Error;

/// The message of `error` and of all its causes, the outermost first, each after a colon.
pub fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !line.ends_with(&next) {
            line.push_str(": ");
            line.push_str(&next);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Self>>);

    #[test]
    fn the_chain_is_walked_to_its_end_and_nothing_is_said_twice() {
        let disk = Layer("the disk is full", None);
        let store = Layer("the store cannot be written", Some(Box::new(disk)));
        assert_eq!(with_causes(&store), "the store cannot be written: the disk is full");
        assert_eq!(with_causes(&Layer("alone", None)), "alone");
        let repeated = Layer("cannot read: no such file", Some(Box::new(Layer("no such file", None))));
        assert_eq!(with_causes(&repeated), "cannot read: no such file");
    }
}
