//! `countersign-witness status`.

use std::collections::BTreeSet;

use clap::Args;
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_witness::ledger::Position;
use countersign_witness::recovery::{self, Inspection};
use serde_json::{Value, json};

use crate::{Data, failed};

/// Say which logs are watched and where each stands. Works while the witness serves
///
/// Ends with exit code 4 when the database is older than the high-water mark for any log.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    data: Data,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Prints one line a log, or one JSON document.
    pub(crate) fn run(&self) -> Result<Exit, Failed> {
        let folder = self.data.folder();
        let key = folder.cosigner().map_err(|error| failed(error.into()))?.key().clone();
        let inspection = recovery::inspect(&folder).map_err(failed)?;
        let Inspection { logs, positions } = &inspection;
        // Also logs that are no longer in the list: what was cosigned is never forgotten.
        let origins: BTreeSet<_> = logs.iter().map(|(origin, _)| origin).chain(positions.keys()).collect();
        if self.json {
            let logs = origins.iter().map(|origin| {
                let log = logs.get(origin);
                json!({
                    "origin": origin.as_str(),
                    "origin_hash": origin.hash(),
                    "watched": log.is_some(),
                    "vkeys": log.map(|log| log.keys.iter().map(ToString::to_string).collect::<Vec<_>>()),
                    "qpd": log.and_then(|log| log.per_day),
                    "contact": log.and_then(|log| log.contact.as_deref()),
                    "cosigned": positions.get(*origin).and_then(|position| position.head.as_deref()).map(|head| json!({
                        "size": head.size().get(),
                        "root": head.root().to_base64(),
                        "time": head.time().get(),
                    })),
                    "rolled_back": rollback(positions.get(*origin)),
                })
            });
            print_line(json!({
                "name": key.name().as_str(),
                "vkey": key.to_string(),
                "logs": logs.collect::<Vec<_>>(),
            }))?;
        } else {
            print_line(&key)?;
            for origin in origins {
                let standing = match positions.get(origin) {
                    Some(Position { rollback: Some(rollback), .. }) => format!("ROLLED BACK: {rollback}"),
                    Some(Position { head: Some(head), .. }) => {
                        format!(
                            "size {} root {} cosigned at {}",
                            head.size(),
                            head.root().to_base64(),
                            head.time()
                        )
                    }
                    _ => "nothing cosigned".to_owned(),
                };
                let watched = if logs.get(origin).is_some() { "" } else { " (no longer watched)" };
                print_line(format_args!("{origin}{watched}: {standing}"))?;
            }
        }
        let rolled_back = positions.values().filter(|position| position.rollback.is_some()).count();
        if rolled_back == 0 {
            return Ok(Exit::Holds);
        }
        Err(Failed::new(
            Exit::StateDamaged,
            format!("the database is older than the high-water mark for {rolled_back} of the logs"),
        )
        .hint(
            "stop the witness, run countersign-witness recover --data DIR --from high-water, start it again",
        ))
    }
}

fn rollback(position: Option<&Position>) -> Option<Value> {
    position
        .and_then(|position| position.rollback.as_ref())
        .map(|rollback| Value::String(rollback.to_string()))
}
