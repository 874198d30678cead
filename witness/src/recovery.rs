//! Looking at a data folder from outside, and mending it when database and high-water mark have come apart.

use std::sync::Arc;

use countersign_verifier::checkpoint::Origin;

use crate::cosigned::Cosigned;
use crate::folder::Folder;
use crate::high_water::{self, HighWaterError};
use crate::ledger::{self, Ledger, LedgerError, Positions};
use crate::roster::{Logs, Roster};
use crate::store::Store;
use crate::witness::StartError;

/// What a data folder says at this moment.
#[derive(Debug)]
pub struct Inspection {
    /// The logs that are watched.
    pub logs: Arc<Logs>,
    /// Where each log stands of which anything was cosigned.
    pub positions: Positions,
}

/// What mending came to.
#[derive(Debug)]
pub struct Recovered {
    /// The logs that will be cosigned again, each from this head on.
    pub lifted: Vec<Arc<Cosigned>>,
    /// The logs whose database and mark tell two different histories. Nothing can be signed for them any more: a
    /// witness with a new key must take over.
    pub irreconcilable: Vec<Origin>,
}

/// Looks at a data folder, also while a witness serves it, and compares its database with its high-water mark.
pub fn inspect(folder: &Folder) -> Result<Inspection, StartError> {
    let cosigner = folder.cosigner()?;
    let logs = Roster::open(&folder.logs(), cosigner.key())?.logs();
    let positions = ledger::inspect(&folder.database(), folder.high_water(), &cosigner)?;
    Ok(Inspection { logs, positions })
}

/// Lifts a database that is missing, or an older copy, to what the high-water mark says. Every head in the mark was cosigned by this
/// witness, so that no fork can come of it.
pub fn from_high_water(folder: &Folder) -> Result<Recovered, StartError> {
    let cosigner = folder.cosigner()?;
    let _lock = folder.lock()?;
    if !Store::exists(&folder.database()) {
        Store::create(&folder.database(), cosigner.key()).map_err(LedgerError::from)?;
    }
    let (ledger, positions) = Ledger::open(&folder.database(), folder.high_water(), &cosigner)?;
    let lifted = ledger.lift_to_marks(&positions)?;
    let irreconcilable = positions
        .into_iter()
        .filter(|(_, position)| position.rollback.as_ref().is_some_and(|rollback| !rollback.can_be_lifted()))
        .map(|(origin, _)| origin)
        .collect();
    Ok(Recovered { lifted, irreconcilable })
}

/// Writes a high-water mark anew from the database, where it is missing or damaged. A mark that can be read is left
/// alone: it may know more than the database.
///
/// Only right when the database is the newest there ever was. Nothing on this machine can tell whether it is.
pub fn from_database(folder: &Folder) -> Result<Recovered, StartError> {
    let cosigner = folder.cosigner()?;
    let _lock = folder.lock()?;
    let path = folder.high_water();
    match high_water::read(path, cosigner.key()) {
        Ok(_) => return Ok(Recovered { lifted: Vec::new(), irreconcilable: Vec::new() }),
        Err(HighWaterError::Missing(_)) => {}
        Err(HighWaterError::Damaged { .. }) => {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".damaged");
            std::fs::rename(path, aside)
                .map_err(|source| LedgerError::from(HighWaterError::Io { path: path.to_owned(), source }))?;
        }
        Err(error) => return Err(LedgerError::from(error).into()),
    }
    let marks = ledger::marks_of_database(&folder.database(), &cosigner)?;
    high_water::create(path, cosigner.key(), &marks).map_err(LedgerError::from)?;
    Ok(Recovered { lifted: marks.into_values().collect(), irreconcilable: Vec::new() })
}
