//! How far a log has published, looked up again and again: for logs whose answers do not wait for it.

use std::time::Duration;

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::note::SignedNote;
use tokio::sync::watch;

use crate::client::{Address, Client};

/// The time between an answer and the next look: what is measured through it comes out this much too long at most.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The size of the newest published head. Looking ends when it is dropped.
#[derive(Debug)]
pub(super) struct Publication {
    size: watch::Receiver<u64>,
    looking: tokio::task::JoinHandle<()>,
}

impl Publication {
    pub(super) fn of(log: Address) -> Self {
        let (seen, size) = watch::channel(0);
        let looking = tokio::spawn(look(Client::new(log), seen));
        Self { size, looking }
    }

    /// Waits until the head covers the entry at `index`.
    pub(super) async fn covers(&self, index: u64) {
        // The sender lives as long as the task, and the task as long as this.
        let _ = self.size.clone().wait_for(|size| *size > index).await;
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn look(mut client: Client, seen: watch::Sender<u64>) {
    loop {
        // A log that has published nothing yet has no head to show. Whether heads hold, is found out after the run.
        if let Ok(answer) = client.get("/checkpoint").await
            && let Ok(note) = SignedNote::parse(&answer.body)
            && let Ok(head) = Checkpoint::parse(note.text())
        {
            let size = head.size.get();
            seen.send_if_modified(|known| core::mem::replace(known, size) != size);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
