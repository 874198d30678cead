//! The gate and its main line.

use std::time::Duration;

use countersign_verifier::replay::{Engine, LoadError};
use countersign_verifier::statement::ExecutionId;
use countersign_verifier::statement::payload::Entity;

use super::{Execution, Stop};
use crate::client::{Client, SubmitError, Submitted, Trust};
use crate::clock::Clock;
use crate::config::{Arguments, Config, Rules};
use crate::enforcement::{Enforcement, UsedError, UsedSet};
use crate::exact::ExactCommand;
use crate::execute::{Ended, execute};
use crate::issuer::Issuer;
use crate::report::{Event, Reporter};
use crate::state::{Journal, State, StateError};

/// How long the gate waits when the log asks to come back.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the gate waits without a word.
const SILENCE: Duration = Duration::from_secs(1);

/// Why the gate cannot begin. Nothing ran, and nothing was asked.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The gate's own records cannot be read or written.
    #[error("the gate's own records cannot be used")]
    State(#[from] StateError),
    /// The memory of used authorizations cannot be read or written.
    #[error("the memory of used authorizations cannot be used")]
    Used(#[from] UsedError),
    /// The policies that the allow list is published as cannot be applied.
    #[error("the policies of the allow list cannot be applied")]
    Policies(#[from] LoadError),
    /// The address of the log cannot be used.
    #[error("the log cannot be asked")]
    Client(#[from] SubmitError),
}

/// What became of a command.
#[derive(Debug)]
pub enum Verdict {
    /// It ran.
    Ran(Ended),
    /// It did not run.
    Denied(Stop),
}

/// The gate of one configuration.
#[derive(Debug)]
pub struct Gate {
    pub(super) client: Client,
    pub(super) requester: Issuer,
    pub(super) authority: Issuer,
    pub(super) enforcer: Issuer,
    pub(super) enforcement: Enforcement,
    pub(super) subject: Entity,
    pub(super) rules: Rules,
    pub(super) engine: Engine,
    pub(super) lifetime: u64,
    pub(super) arguments: Arguments,
    pub(super) state: State,
    pub(super) clock: Clock,
    pub(super) report: Reporter,
}

impl Gate {
    /// The gate of a configuration.
    pub fn open(config: Config, clock: Clock, report: Reporter) -> Result<Self, GateError> {
        let state = State::open(&config.state)?;
        let trust = Trust::Policy(Box::new(config.trust.clone()));
        let enforcement = Enforcement {
            trust: config.trust,
            wait: config.wait,
            authority: config.authority.name().clone(),
            authority_key: *config.authority.public_key(),
            audience: config.audience,
            clock: clock.clone(),
            used: UsedSet::open(&state.used_folder())?,
        };
        Ok(Self {
            client: Client::new(&config.log, trust)?.with_patience(PATIENCE),
            requester: config.requester,
            authority: config.authority,
            enforcer: config.enforcer,
            enforcement,
            subject: config.subject,
            engine: Engine::load(&config.rules.policies, None)?,
            rules: config.rules,
            lifetime: config.lifetime,
            arguments: config.arguments,
            state,
            clock,
            report,
        })
    }

    /// Puts one command through everything, and runs it if it may.
    ///
    /// An error says that not even the attempt could be noted; everything after that is either run or denied, and
    /// recorded.
    pub async fn run(&self, execution: &ExecutionId, command: ExactCommand) -> Result<Verdict, GateError> {
        let mut execution = self.begin(execution)?;
        let verdict = match self.execute(&mut execution, command).await {
            Ok(ended) => Verdict::Ran(ended),
            Err(stop) => {
                execution.deny(&stop);
                Verdict::Denied(stop)
            }
        };
        let (id, url) = (execution.id().clone(), execution.page());
        execution.settle().await;
        self.report.tell(&Event::Page { execution: &id, url });
        Ok(verdict)
    }

    async fn execute(&self, execution: &mut Execution<'_>, command: ExactCommand) -> Result<Ended, Stop> {
        let cleared = execution.clear(command).await?;
        self.report.tell(&Event::Runs { command: cleared.exact().argv().collect() });
        let ran = execute(cleared, &self.clock).await?;
        execution.record(ran.outcome());
        Ok(ran.ended)
    }

    /// Begins an execution, which is noted before anything is asked.
    pub fn begin(&self, execution: &ExecutionId) -> Result<Execution<'_>, GateError> {
        Ok(Execution::new(self, self.state.begin(execution)?))
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where it tells what happens.
    pub fn report(&self) -> Reporter {
        self.report
    }

    /// Notes and tells that the log has a statement. A note that is lost costs no more than sending it again.
    pub(super) fn note(&self, journal: &mut Journal, submitted: &Submitted) {
        let (entry, index) = (submitted.entry(), submitted.index());
        if let Some(step) = journal.steps().iter().find(|step| step.entry == entry) {
            let words = super::words::of(&step.statement, submitted);
            let (kind, execution) = (step.statement.kind(), Some(journal.execution()));
            self.report.tell(&Event::Logged { execution, kind, index, entry, words });
        }
        self.not_fatal(journal.logged(entry, index));
    }

    /// Asks the log, and tells whoever watches when that takes long.
    pub(super) async fn patiently<T>(&self, what: &str, asking: impl Future<Output = T>) -> T {
        let mut asking = std::pin::pin!(asking);
        if let Ok(answer) = tokio::time::timeout(SILENCE, &mut asking).await {
            return answer;
        }
        self.report.tell(&Event::Waits { what });
        asking.await
    }

    /// Tells of trouble with the journal where going on from memory is better than stopping.
    pub(super) fn not_fatal(&self, noted: Result<(), StateError>) {
        if let Err(error) = noted {
            let what = "this cannot be noted on this machine, and is sent from memory only";
            self.report.tell(&Event::Warning { what, why: &error });
        }
    }

    pub(super) fn page(&self, execution: &ExecutionId) -> String {
        let mut url = self.client.base().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("executions").extend(execution.as_str().split('/'));
        }
        url.into()
    }
}
