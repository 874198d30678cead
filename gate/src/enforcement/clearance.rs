//! The permission to execute, as a value that only the enforcement point makes.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::Head;
use countersign_verifier::statement::{UnixSeconds, Validity};

use super::{Denial, check_window};
use crate::exact::ExactCommand;

/// One command, or whatever else it is, cleared to happen once. There is no other way to make one than
/// [`Enforcement::clear`](super::Enforcement::clear), and opening it takes it.
#[derive(Debug)]
pub struct Clearance<T = ExactCommand> {
    exact: T,
    authorization: LeafHash,
    validity: Validity,
    head: Head,
    witnesses: usize,
}

impl<T> Clearance<T> {
    pub(super) fn new(
        exact: T,
        authorization: LeafHash,
        validity: Validity,
        head: Head,
        witnesses: usize,
    ) -> Self {
        Self { exact, authorization, validity, head, witnesses }
    }

    /// The entry that allows it.
    pub fn authorization(&self) -> LeafHash {
        self.authorization
    }

    /// The head in which that entry was seen.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many witnesses of the policy cosigned that head; 0 when none were asked for.
    pub fn witnesses(&self) -> usize {
        self.witnesses
    }

    /// Gives out what it is for, if the authorization still holds: time has passed since it was checked.
    pub fn open(self, now: UnixSeconds) -> Result<Cleared<T>, Denial> {
        check_window(&self.validity, now)?;
        Ok(Cleared(self.exact))
    }
}

/// What was cleared, and whose authorization held a moment ago. Of a command, it is what
/// [`execute`](crate::execute::execute) takes.
#[derive(Debug)]
pub struct Cleared<T = ExactCommand>(T);

impl<T> Cleared<T> {
    /// What may happen.
    pub fn exact(&self) -> &T {
        &self.0
    }
}
