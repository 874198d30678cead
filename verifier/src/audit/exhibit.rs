//! From an execution to the bundle that shows it to others.

use core::error::Error;
use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::lineages::known_entry;
use super::replay::{AuditError, Entries};
use crate::bundle::{Bundle, BundleError, MAX_BUNDLE_BYTES, MAX_ENTRIES, Need, Needs, Unproven};
use crate::merkle::{LeafIndex, PlanError};
use crate::note::SignedNote;
use crate::statement::{ExecutionId, Statement};

/// Why an audit makes no bundle of an execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExhibitError<E: Error + 'static> {
    /// An entry could not be read again, or is not what it was.
    #[error(transparent)]
    Audit(#[from] AuditError<E>),
    /// The execution does not fit into a bundle, or stands on something that was not admitted.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Ledger {
    /// The bundle of an execution, under a head over exactly the entries that the ledger has, whose root is the
    /// ledger's. It has all entries that count as statements of the execution, and the newest registrations before
    /// them that were admitted; the same log, execution and head always give the same bytes.
    ///
    /// A success says nothing about the execution: that is for whoever [checks](crate::report::check_bundle) the bundle.
    pub fn bundle<E: Entries>(
        &self,
        execution: &ExecutionId,
        head: &SignedNote,
        entries: &E,
    ) -> Result<Bundle, ExhibitError<E::Error>> {
        let unknown = || BundleError::NoExecution(execution.clone());
        let number = self.number_of(execution.as_str()).ok_or_else(unknown)?;
        let indexes = self.entries_of(number, None);
        if indexes.len() > MAX_ENTRIES {
            return Err(BundleError::TooManyEntries(indexes.len()).into());
        }
        let mut gathered = BTreeMap::new();
        let (mut needs, mut bytes) = (Needs::default(), 0_usize);
        let mut take = |index: LeafIndex, needs: &mut Needs| -> Result<(), ExhibitError<E::Error>> {
            let entry = known_entry(self, entries, index)?;
            bytes = bytes.saturating_add(entry.len());
            if bytes > MAX_BUNDLE_BYTES {
                return Err(BundleError::TooLarge(bytes).into());
            }
            let statement =
                Statement::parse(&entry).map_err(|cause| BundleError::Statement { index, cause })?;
            needs.show(index, &statement);
            gathered.insert(index, statement);
            Ok(())
        };
        for index in &indexes {
            take(*index, &mut needs)?;
        }
        let mut there: std::collections::BTreeSet<LeafIndex> = indexes.into_iter().collect();
        while let Some(need) = needs.next() {
            let index = match &need {
                Need::Genesis => LeafIndex::new(0),
                Need::Registration { issuer, before } => self.registration_before(issuer, *before),
                Need::Policy { entry, .. } => self.place(entry).and_then(|at| LeafIndex::new(u64::from(at))),
            };
            let index = index.ok_or(BundleError::Missing(need))?;
            if there.insert(index) {
                take(index, &mut needs)?;
            }
        }
        let unproven = Unproven::new(execution.clone(), head.clone(), gathered)?;
        let plan = unproven.plan();
        let none = PlanError::WrongNodes { want: plan.nodes().len(), got: 0 };
        let nodes = self.tree().nodes(plan).ok_or(BundleError::Plan(none))?;
        let bundle = unproven.prove(&nodes).map_err(BundleError::Plan)?;
        match bundle.to_bytes().len() {
            length if length > MAX_BUNDLE_BYTES => Err(BundleError::TooLarge(length).into()),
            _ => Ok(bundle),
        }
    }
}
