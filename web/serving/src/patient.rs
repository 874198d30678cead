//! A stream whose patience with its reader is bounded.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream that gives up on a client that does not read what it is sent, or reads it too slowly.
///
/// Its patience runs out while writes wait, and comes back, up to the whole, with what is written, at the least pace.
/// So neither one long pause nor many short ones hold a place for long, while a client that reads steadily is waited
/// for.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    pace: u32,
    /// How much longer writes may wait.
    left: Duration,
    /// Since when a write waits for the client, and when that becomes too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Patient<S> {
    /// `pace` is in bytes a second.
    pub(crate) const fn new(stream: S, patience: Duration, pace: u32) -> Self {
        Self { stream, patience, pace, left: patience, waiting: None }
    }

    fn bounded(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            let waited = self.waiting.take().map_or(Duration::ZERO, |(since, _)| since.elapsed());
            let bytes = u32::try_from(*written.as_ref().unwrap_or(&0)).unwrap_or(u32::MAX);
            let earned = Duration::from_secs_f64(f64::from(bytes) / f64::from(self.pace.max(1)));
            self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.patience);
            return Poll::Ready(written);
        }
        let (_, end) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(tokio::time::sleep_until(now.checked_add(self.left).unwrap_or(now))))
        });
        match end.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Sends 100 KB to a client that reads so much, then pauses, and so on. Says how much time passed and whether all of it was sent.
    async fn send(reads: usize, pause: Duration) -> (bool, Duration) {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let mut ours = Patient::new(ours, PATIENCE, 1000);
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; reads];
            while theirs.read_exact(&mut buffer).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        });
        let began = Instant::now();
        let sent = ours.write_all(&vec![0; 100_000]).await.is_ok();
        drop(ours);
        reader.abort();
        (sent, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_reading_is_left_after_the_patience() {
        let (sent, took) = send(1000, Duration::from_hours(24)).await;
        assert!(!sent && took >= PATIENCE && took < PATIENCE + Duration::from_secs(5), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_a_little_now_and_then_is_left_too() {
        // Each pause alone is far below the patience.
        let (sent, took) = send(10, Duration::from_secs(10)).await;
        assert!(!sent && took < 2 * PATIENCE, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_at_its_pace_is_waited_for() {
        let (sent, took) = send(1000, Duration::from_secs(1)).await;
        assert!(sent && took > 2 * PATIENCE, "{took:?}");
    }
}
