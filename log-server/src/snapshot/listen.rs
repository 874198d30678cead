//! The side of the process that serves the log.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_verifier::causes::with_causes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::take::take;
use super::{FAILED, FOLDER, HERE, REQUEST, SOCKET};
use crate::store::RocksStore;

/// How long to wait when nobody can be heard.
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

/// Gives snapshots to whoever may read the data folder as its owner.
#[derive(Debug)]
pub struct Listener {
    ground: Arc<Ground>,
    socket: UnixListener,
}

#[derive(Debug)]
struct Ground {
    data: PathBuf,
    store: Arc<RocksStore>,
    made: AtomicU64,
}

impl Listener {
    /// Begins to listen in the data folder of a log that this process serves, whose store is `store`. Snapshots that an
    /// earlier process left are removed.
    pub fn bind(data: &Path, store: Arc<RocksStore>) -> io::Result<Self> {
        remove(&data.join(FOLDER))?;
        // It gets its name only when nobody else can connect any more.
        let (unborn, path) = (data.join("control.new"), data.join(SOCKET));
        match fs::remove_file(&unborn) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(&unborn)?;
        fs::set_permissions(&unborn, Permissions::from_mode(0o600))?;
        fs::rename(&unborn, path)?;
        let ground = Ground { data: data.to_owned(), store, made: AtomicU64::new(0) };
        Ok(Self { ground: Arc::new(ground), socket })
    }

    /// Answers for as long as it is polled. Then the snapshots that are in use are left to their end.
    pub async fn run(self) {
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = requests.join_next(), if !requests.is_empty() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => {
                        requests.spawn(answer(Arc::clone(&self.ground), stream));
                    }
                    // Such as too many open files: it may pass, and the next one has to wait for it.
                    Err(error) => {
                        tracing::warn!(%error, "a request for a snapshot was not heard");
                        tokio::time::sleep(AFTER_AN_ERROR).await;
                    }
                },
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Whoever connects to a socket that nobody listens on any more is told so all the same.
        let _ = fs::remove_file(self.ground.data.join(SOCKET));
    }
}

async fn answer(ground: Arc<Ground>, mut stream: UnixStream) {
    let mut request = [0; REQUEST.len()];
    if stream.read_exact(&mut request).await.is_err() || request != *REQUEST.as_bytes() {
        return;
    }
    let name = ground.made.fetch_add(1, Ordering::Relaxed).to_string();
    let folder = Removed(ground.data.join(FOLDER).join(&name));
    let to = folder.0.clone();
    let taken = tokio::task::spawn_blocking(move || take(&ground.data, &ground.store, &to)).await;
    let line = match taken {
        Ok(Ok(())) => {
            tracing::info!(snapshot = %folder.0.display(), "a snapshot is in use");
            format!("{HERE}{name}\n")
        }
        Ok(Err(error)) => {
            tracing::warn!("no snapshot could be made: {}", with_causes(&error));
            format!("{FAILED}{}\n", with_causes(&error).replace('\n', " "))
        }
        Err(_) => format!("{FAILED}the process failed\n"),
    };
    if stream.write_all(line.as_bytes()).await.is_ok() {
        // It is kept until the connection is closed, by whatever end of the other side.
        let _ = stream.read(&mut [0]).await;
    }
    drop(folder);
}

/// A folder that is removed with this.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.0) {
            tracing::warn!(snapshot = %self.0.display(), %error, "a snapshot cannot be removed");
        }
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
