//! Writing a policy down again.

use core::fmt;

use super::{Member, Policy, Quorum};

impl fmt::Display for Policy {
    /// A policy file that means the same: without addresses and comments, its groups under names of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for log in &self.logs {
            writeln!(f, "log {}", log.key)?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}", witness.name, witness.key)?;
        }
        for (at, group) in self.groups.iter().enumerate() {
            write!(f, "group {} {}", self.group_name(at), group.threshold)?;
            for member in &group.members {
                write!(f, " {}", self.name(*member))?;
            }
            writeln!(f)?;
        }
        match self.quorum {
            Quorum::None => writeln!(f, "quorum none"),
            Quorum::Of(member) => writeln!(f, "quorum {}", self.name(member)),
        }
    }
}

impl Policy {
    fn name(&self, member: Member) -> String {
        match member {
            Member::Witness(at) => {
                self.witnesses.get(at).map(|witness| witness.name.clone()).unwrap_or_default()
            }
            Member::Group(at) => self.group_name(at),
        }
    }

    /// A name that no witness has.
    fn group_name(&self, at: usize) -> String {
        let mut name = format!("group-{}", at.saturating_add(1));
        while self.witnesses.iter().any(|witness| witness.name == name) {
            name.push('\'');
        }
        name
    }
}
