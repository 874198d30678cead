//! Finishing what earlier runs left behind.

use super::gate::{Gate, GateError};
use super::settle::Settled;
use crate::client::Wait;

impl Gate {
    /// Finishes the executions of processes that died, and submits what waits for the log. An execution that had
    /// started gets the outcome `unknown`: nobody saw its end.
    ///
    /// An error says that the gate's own records cannot be used. That the log cannot be reached is no error here; it
    /// is told, and tried again by the next run.
    pub async fn recover(&self) -> Result<(), GateError> {
        self.enforcement.used.forget(self.clock.now())?;
        for mut journal in self.state.unfinished()? {
            self.give_up(&mut journal);
            if self.settle(journal, Wait::Sequenced).await == Settled::NotYet {
                break;
            }
        }
        Ok(())
    }
}
