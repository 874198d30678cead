//! Finishing what earlier runs left behind.

use super::gate::{Gate, GateError};
use super::settle::Settled;
use crate::client::Wait;
use crate::state::Journal;

impl Gate {
    /// Finishes the executions of processes that died, and submits what waits for the log. An execution that had
    /// started gets the outcome `unknown`: nobody saw its end.
    ///
    /// An error says that the gate's own records cannot be used. That the log cannot be reached is no error here; it
    /// is told, and tried again by the next run.
    pub async fn recover(&self) -> Result<(), GateError> {
        let left = self.take_up()?;
        self.finish(left).await;
        Ok(())
    }

    /// The first half of [`recover`](Self::recover), for which nobody is asked: takes up what earlier runs left behind.
    pub fn take_up(&self) -> Result<Vec<Journal>, GateError> {
        self.enforcement.used.forget(self.clock.now())?;
        let mut left = self.state.unfinished()?;
        for journal in &mut left {
            self.give_up(journal);
        }
        Ok(left)
    }

    /// The second half: brings what was taken up into the log, as far as it takes it.
    pub async fn finish(&self, left: Vec<Journal>) -> Settled {
        for journal in left {
            if self.settle(journal, Wait::Sequenced).await == Settled::NotYet {
                return Settled::NotYet;
            }
        }
        Settled::Yes
    }
}
