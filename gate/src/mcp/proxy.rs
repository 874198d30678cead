//! Both directions, and what they share.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;

use countersign_verifier::statement::ExecutionId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::answer::FromServer;
use super::line::{Incoming, Line};
use super::message::{Message, MessageError, Refused};
use super::pending::{Answered, Pending};
use super::pipe::ToServer;
use super::words;
use crate::exact::ExactCommand;
use crate::lineage::{Gate, GateError, Settled};
use crate::report::{Event, Reporter};
use crate::state::Journal;

/// How long a client that does not read is waited for when all ends.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How often what the log did not take is sent again.
const AGAIN: Duration = Duration::from_secs(30);

/// How far it has come with serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Messages go both ways.
    Serving,
    /// It was told to end, or the client has no more to say: no call is passed on any more.
    Leaving,
    /// The server has ended.
    Gone,
}

/// Why a call has no journal.
#[derive(Debug, thiserror::Error)]
pub(super) enum BeginError {
    /// The id would be too long.
    #[error(transparent)]
    Id(#[from] countersign_verifier::statement::NameError),
    /// It cannot be noted.
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// What the server said that nobody asked for.
#[derive(Debug, thiserror::Error)]
#[error("it has the id {0}, which is that of no request that waits for an answer")]
struct Unasked(super::message::Id);

/// What both directions share.
#[derive(Debug)]
pub(super) struct Proxy {
    gate: Gate,
    server: Arc<ExactCommand>,
    /// What the ids of executions begin with, up to the number of the call.
    prefix: String,
    calls: AtomicU64,
    patience: Duration,
    pending: Pending,
    to_server: mpsc::Sender<ToServer>,
    to_client: mpsc::Sender<Line>,
    phase: watch::Receiver<Phase>,
    kept: AtomicBool,
}

impl Proxy {
    pub(super) fn new(
        gate: Gate,
        server: Arc<ExactCommand>,
        prefix: String,
        patience: Duration,
        to: (mpsc::Sender<ToServer>, mpsc::Sender<Line>),
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            gate,
            server,
            prefix,
            calls: AtomicU64::new(0),
            patience,
            pending: Pending::default(),
            to_server: to.0,
            to_client: to.1,
            phase,
            kept: AtomicBool::new(false),
        }
    }

    /// From the client to the server, until the client has no more to say, which `closed` is told, or all ends. It returns
    /// when every call has its end on record, as far as the log takes it. `left` is what earlier runs left behind.
    pub(super) async fn up(
        self: Arc<Self>,
        mut from_client: mpsc::Receiver<Incoming>,
        closed: oneshot::Sender<()>,
        left: Vec<Journal>,
    ) {
        let mut tasks = JoinSet::new();
        let proxy = Arc::clone(&self);
        tasks.spawn(async move { proxy.finish(left).await });
        loop {
            tokio::select! {
                line = from_client.recv() => match line {
                    Some(line) => self.hear_client(line, &mut tasks).await,
                    None => break,
                },
                // What has ended leaves no room for memory to be wasted on it.
                Some(_) = tasks.join_next() => {}
                _ = self.ending() => break,
            }
        }
        // Nobody listens when all has ended.
        let _ = closed.send(());
        while tasks.join_next().await.is_some() {}
    }

    /// From the server to the client, until the server has no more to say.
    pub(super) async fn down(self: Arc<Self>, mut from_server: mpsc::Receiver<Incoming>) {
        while let Some(line) = from_server.recv().await {
            let read = match line {
                Incoming::Line(line) => FromServer::read(line),
                Incoming::TooLong => Err(MessageError::TooLong),
                Incoming::CutOff => Err(MessageError::CutOff),
            };
            match read {
                Ok(FromServer::Other(line)) => self.to_client(line).await,
                Ok(FromServer::Answer(id, answer)) => match self.pending.answer(&id, answer) {
                    Answered::Pass(line) => self.to_client(line).await,
                    Answered::Taken => {}
                    Answered::Unasked => {
                        let what = "an answer of the server was not passed on";
                        self.report().tell(&Event::Warning { what, why: &Unasked(id) });
                    }
                },
                Err(why) => {
                    let what = "a line of the server was not passed on";
                    self.report().tell(&Event::Warning { what, why: &why });
                }
            }
        }
    }

    async fn hear_client(self: &Arc<Self>, line: Incoming, tasks: &mut JoinSet<()>) {
        let (message, line) = match line {
            Incoming::Line(line) => (Message::read(line.text()), Some(line)),
            Incoming::TooLong => (Err(Refused { id: None, why: MessageError::TooLong }), None),
            Incoming::CutOff => (Err(Refused { id: None, why: MessageError::CutOff }), None),
        };
        let (message, line) = match (message, line) {
            (Ok(message), Some(line)) => (message, line),
            (Err(refused), _) => return self.refuse(refused).await,
            (Ok(_), None) => return,
        };
        match message {
            Message::Call(call) => match self.pending.hold(call.id.clone()) {
                Ok(waiting) => {
                    let proxy = Arc::clone(self);
                    tasks.spawn(async move { proxy.govern(call, line, waiting).await });
                }
                Err(why) => self.to_client(words::no_room(&call.id, &why)).await,
            },
            Message::Request(id) => match self.pending.pass(id.clone()) {
                Ok(()) => self.pass(line).await,
                Err(why) => self.to_client(words::no_room(&id, &why)).await,
            },
            Message::Cancel(id) if !self.pending.cancel(&id) => {}
            Message::Cancel(_) | Message::Other => self.pass(line).await,
        }
    }

    async fn pass(&self, line: Line) {
        // A server that is gone gets nothing, as it would without anything between.
        self.to_server(ToServer::Message(line)).await;
    }

    async fn refuse(&self, refused: Refused) {
        let what = "a message of the client was not passed on";
        self.report().tell(&Event::Warning { what, why: &refused.why });
        // An answer to a request that waits for another one would be taken for that.
        let id = refused.id.filter(|id| !self.pending.has(id));
        self.to_client(words::refused(id.as_ref(), &refused.why)).await;
    }

    /// Sends to the server, and returns whether that was possible.
    pub(super) async fn to_server(&self, message: ToServer) -> bool {
        tokio::select! {
            sent = self.to_server.send(message) => sent.is_ok(),
            () = self.gone() => false,
        }
    }

    /// Sends to the client. One that does not read is not waited for when all ends.
    pub(super) async fn to_client(&self, line: Line) {
        let too_late = async {
            self.ending().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            biased;
            // A client that is gone gets nothing.
            _ = self.to_client.send(line) => {}
            () = too_late => {}
        }
    }

    /// How far it has come.
    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until it no longer serves.
    pub(super) async fn ending(&self) -> Phase {
        self.reaches(Phase::Leaving).await
    }

    /// Waits until the server has ended.
    pub(super) async fn gone(&self) {
        self.reaches(Phase::Gone).await;
    }

    async fn reaches(&self, phase: Phase) -> Phase {
        let mut now = self.phase.clone();
        // Without anybody who could say so, all has ended.
        now.wait_for(|now| *now >= phase).await.map_or(Phase::Gone, |now| *now)
    }

    async fn finish(&self, left: Vec<Journal>) {
        if self.gate.finish(left).await == Settled::NotYet {
            self.something_is_kept();
        }
    }

    /// Sends again what the log did not take, for ever.
    pub(super) async fn keep_sending(self: Arc<Self>) {
        loop {
            tokio::time::sleep(AGAIN).await;
            if self.kept.swap(false, Ordering::Relaxed) {
                match self.gate.take_up() {
                    Ok(left) => self.finish(left).await,
                    Err(error) => {
                        self.something_is_kept();
                        let what = "what the log did not take cannot be sent again";
                        self.report().tell(&Event::Warning { what, why: &error });
                    }
                }
            }
        }
    }

    /// The log did not take everything.
    pub(super) fn something_is_kept(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// The id of the next call.
    pub(super) fn next_execution(&self) -> Result<ExecutionId, BeginError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Ok(format!("{}/{number}", self.prefix).parse()?)
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(super) fn report(&self) -> Reporter {
        self.gate.report()
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    pub(super) fn server(&self) -> Arc<ExactCommand> {
        Arc::clone(&self.server)
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }
}
