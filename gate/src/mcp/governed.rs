//! One call of a tool: held, cleared, passed on once, and recorded before its answer is.

use core::time::Duration;

use countersign_verifier::statement::payload::Outcome;
use countersign_verifier::statement::{Material, OutcomeStatus, UnixSeconds};

use super::ExactCall;
use super::answer::Answer;
use super::line::Line;
use super::message::{Call, Id};
use super::pending::Waiting;
use super::pipe::ToServer;
use super::proxy::{Phase, Proxy};
use super::words;
use crate::enforcement::Cleared;
use crate::lineage::{Execution, Settled, Stop};
use crate::report::Event;

/// How long the answer to a cancelled call is waited for. Servers are told not to send one.
const GRACE: Duration = Duration::from_secs(5);

/// Why a call is not made although nothing speaks against it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Unwanted {
    #[error("the client cancelled the call before it was passed on")]
    Cancelled,
    #[error(
        "the client closed its end, or the enforcement point was told to end, before the call was passed on"
    )]
    Leaving,
    #[error("the server took no more messages")]
    Gone,
}

/// The way to the server, or what ended it.
enum Way {
    Yes(Box<Cleared<ExactCall>>),
    Denied(Stop),
    Unwanted(Unwanted),
}

/// Why nothing is known of a call that the server has.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Lost {
    #[error("the server ended before it answered")]
    Gone,
    #[error("no answer came within {0} seconds")]
    TooLate(u64),
    #[error("it was cancelled after that, and the server did not say what became of it")]
    Cancelled,
}

impl Proxy {
    /// Puts a call through everything. The client gets one answer, unless it cancelled the call.
    pub(super) async fn govern(&self, call: Call, line: Line, mut waiting: Waiting) {
        let Call { id, tool, arguments } = call;
        let begun = self.next_execution().and_then(|execution| Ok(self.gate().begin(&execution)?));
        let mut execution = match begun {
            Ok(execution) => execution,
            Err(error) => {
                let what = "a call cannot be noted, and was not passed on";
                self.report().tell(&Event::Warning { what, why: &error });
                return self.answered(&id, false, Some(words::not_noted(&id, &error))).await;
            }
        };
        let cleared = match ExactCall::new(self.server(), tool, arguments, line) {
            Ok(exact) => self.clear(&mut execution, exact, &waiting).await,
            Err(error) => Way::Denied(error.into()),
        };
        let answer = match cleared {
            Way::Yes(cleared) => return self.forward(&id, execution, *cleared, &mut waiting).await,
            Way::Denied(stop) => {
                execution.deny(&stop);
                Some(words::denied(&id, &stop, &execution))
            }
            Way::Unwanted(why) => self.abandon(&id, &mut execution, why),
        };
        self.answered(&id, false, answer).await;
        self.settle(execution).await;
    }

    async fn clear(&self, execution: &mut Execution<'_>, exact: ExactCall, waiting: &Waiting) -> Way {
        tokio::select! {
            biased;
            () = waiting.cancelled.notified() => Way::Unwanted(Unwanted::Cancelled),
            phase = self.ending() => Way::Unwanted(match phase {
                Phase::Gone => Unwanted::Gone,
                Phase::Serving | Phase::Leaving => Unwanted::Leaving,
            }),
            cleared = execution.clear(exact) => match cleared {
                Ok(cleared) => Way::Yes(Box::new(cleared)),
                Err(stop) => Way::Denied(stop),
            },
        }
    }

    /// Notes that the call is not made. A client that cancelled it expects no answer.
    fn abandon(&self, id: &Id, execution: &mut Execution<'_>, why: Unwanted) -> Option<Line> {
        self.report().tell(&Event::Warning { what: "a call was not passed on", why: &why });
        execution.abandon(&why.to_string());
        match why {
            Unwanted::Cancelled => None,
            Unwanted::Leaving | Unwanted::Gone => Some(words::not_executed(
                id,
                &why.to_string(),
                "It can be made again, by a client that waits for the answer.",
                execution,
            )),
        }
    }

    /// Passes a cleared call on, waits for its answer, and records what came of it before the client hears of it.
    async fn forward(
        &self,
        id: &Id,
        mut execution: Execution<'_>,
        cleared: Cleared<ExactCall>,
        waiting: &mut Waiting,
    ) {
        let tool = cleared.exact().tool().to_string();
        self.report().tell(&Event::Calls { execution: execution.id(), tool: &tool });
        self.pending().forward(id);
        let started_at = self.gate().clock().now();
        if !self.to_server(ToServer::Call(cleared)).await {
            let answer = self.abandon(id, &mut execution, Unwanted::Gone);
            self.answered(id, false, answer).await;
            return self.settle(execution).await;
        }
        let found = self.answer(waiting).await;
        let finished_at = self.gate().clock().now();
        let (outcome, answer) = match found {
            Ok(answer) => (answer.outcome(started_at, finished_at), Some(answer.into_line())),
            Err(why) => {
                self.pending().give_up(id);
                self.report().tell(&Event::Warning { what: "what became of a call is not known", why: &why });
                let answer = match why {
                    Lost::Cancelled => None,
                    Lost::Gone | Lost::TooLate(_) => Some(words::unknown(id, &why.to_string(), &execution)),
                };
                (lost(started_at, why), answer)
            }
        };
        let keeps_id = outcome.status == OutcomeStatus::Unknown && outcome.result_digest.is_none();
        // No answer without a record: on this machine's disk, or where that fails in the log.
        if execution.record(outcome) {
            self.answered(id, keeps_id, answer).await;
            self.settle(execution).await;
        } else {
            self.settle(execution).await;
            self.answered(id, keeps_id, answer).await;
        }
    }

    async fn answer(&self, waiting: &mut Waiting) -> Result<Answer, Lost> {
        let patience = self.patience();
        let cancelled = async {
            waiting.cancelled.notified().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            answer = &mut waiting.answer => answer.map_err(|_| Lost::Gone),
            () = self.gone() => Err(Lost::Gone),
            () = cancelled => Err(Lost::Cancelled),
            () = tokio::time::sleep(patience) => Err(Lost::TooLate(patience.as_secs())),
        }
    }

    /// Answers the client. An id for which the server may still send something stays taken.
    async fn answered(&self, id: &Id, keeps_id: bool, answer: Option<Line>) {
        if !keeps_id {
            self.pending().end(id);
        }
        if let Some(answer) = answer {
            self.to_client(answer).await;
        }
    }

    async fn settle(&self, mut execution: Execution<'_>) {
        if self.phase() != Phase::Serving {
            execution.hurry();
        }
        let (id, url) = (execution.id().clone(), execution.page());
        if execution.settle().await == Settled::NotYet {
            self.something_is_kept();
        }
        self.report().tell(&Event::Page { execution: &id, url });
    }
}

/// The outcome of a call that the server has, and of which nothing more is known.
fn lost(started_at: UnixSeconds, why: Lost) -> Outcome {
    let details = [("reason".to_owned(), why.to_string().into())].into_iter().collect();
    Outcome {
        status: OutcomeStatus::Unknown,
        started_at: Some(started_at),
        finished_at: None,
        exit_code: None,
        result_digest: None,
        details: Some(Material::Disclosed(details)),
    }
}
