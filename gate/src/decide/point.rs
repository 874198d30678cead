//! Deciding: one request at a time, many at once.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use countersign_verifier::causes::with_causes;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::durable;
use countersign_verifier::replay::{Engine, Evaluation, Question};
use countersign_verifier::statement::payload::Policy;
use countersign_verifier::statement::{
    ExecutionId, IssuerName, Kind, Payload, RefRole, References, Statement, Subject, UnixSeconds, Validity,
    Verdict,
};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::config::Config;
use super::doubt::Doubt;
use super::facts::Store;
use super::intent;
use super::record::{self, Decided, Place, Recorded, Stated};
use super::request::Request;
use crate::client::{Client, SubmitError, Submitted, Trust, Wait};
use crate::clock::Clock;
use crate::issuer::{Issuer, random};
use crate::publish::{PublishError, Publisher};
use crate::state::{Published, StateError};

/// What is kept of the published policies, in the state folder.
const PUBLISHED: &str = "decide.json";
/// How long to wait before the policies are published again, first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A decision point.
#[derive(Debug)]
pub struct DecisionPoint {
    pub(super) client: Client,
    pub(super) requester: Issuer,
    pub(super) authority: Issuer,
    audience: IssuerName,
    lifetime: u64,
    wait: Wait,
    pub(super) policy: Policy,
    engine: Engine,
    store: Store,
    caller_properties: bool,
    timeout: Duration,
    state: PathBuf,
    clock: Clock,
    cited: OnceLock<Place>,
    /// Why the policies are not published, as far as it was tried.
    trouble: Mutex<String>,
    /// The doubt that the operator was told of last.
    told: Mutex<Option<&'static str>>,
    ending: watch::Receiver<bool>,
}

impl DecisionPoint {
    /// The decision point of a configuration. Once `ending` is true, what is under way is denied at once.
    ///
    /// Everything is denied until the policies are [published](Self::publish).
    pub fn open(config: Config, clock: Clock, ending: watch::Receiver<bool>) -> Result<Self, SubmitError> {
        let trust = Trust::Policy(Box::new(config.trust));
        Ok(Self {
            client: Client::new(&config.log, trust)?.with_patience(config.timeout),
            requester: config.requester,
            authority: config.authority,
            audience: config.audience,
            lifetime: config.lifetime,
            wait: config.wait,
            policy: config.policy,
            engine: config.engine,
            store: config.store,
            caller_properties: config.caller_properties,
            timeout: config.timeout,
            state: config.state,
            clock,
            cited: OnceLock::new(),
            trouble: Mutex::new("it was not tried yet".to_owned()),
            told: Mutex::new(None),
            ending,
        })
    }

    /// Puts the policies into the log, unless they are there as they are configured. Only then is anything permitted.
    pub async fn publish(&self) -> Result<Place, PublishError> {
        let io = |source| StateError::Io { path: self.state.clone(), source };
        durable::create_folder(&self.state, 0o700).map_err(io)?;
        let published = Published::open(&self.state.join(PUBLISHED))?;
        let (client, authority, clock) = (&self.client, &self.authority, &self.clock);
        let taken = Publisher { client, authority, clock, published }.publish(&self.policy).await?;
        match taken.submitted {
            Submitted::Logged(receipt) => {
                let place = Place { entry: receipt.entry, index: receipt.index };
                Ok(*self.cited.get_or_init(|| place))
            }
            Submitted::Accepted { .. } => Err(PublishError::NotShown),
        }
    }

    /// Tries to publish, again and again, until the policies are in the log.
    pub async fn keep_publishing(&self) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.publish().await {
            let trouble = with_causes(&error);
            tracing::warn!("everything is denied, because the policies are not published: {trouble}");
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Why the policies are not published.
    pub(super) fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the published policies are, once it is known that the log has them.
    pub fn cited(&self) -> Option<Place> {
        self.cited.get().copied()
    }

    /// Decides, and answers with `true` only when the log was shown to have the authorization.
    pub async fn decide(&self, request: &Request) -> Answer {
        let began = Instant::now();
        let deadline = began.checked_add(self.timeout).unwrap_or(began);
        let answer = match self.within(deadline, self.state_it(request)).await {
            Err(doubt) => Answer::in_doubt(&self.policy, self.cited(), None, &doubt, self.told(&doubt)),
            Ok(decided) => match self.within(deadline, self.record(&decided)).await {
                Ok(recorded) => {
                    self.all_is_well();
                    Answer::recorded(&self.policy, self.cited(), &decided, &recorded)
                }
                Err(doubt) => {
                    Answer::in_doubt(&self.policy, self.cited(), Some(&decided), &doubt, self.told(&doubt))
                }
            },
        };
        answer.count(began.elapsed());
        answer
    }

    /// Tells the operator of a doubt, once as long as it stays the same: callers must not be able to fill the log file. What is
    /// returned is for the caller.
    fn told(&self, doubt: &Doubt) -> String {
        let code = doubt.code();
        let news = !doubt.is_the_callers()
            && self.told.lock().unwrap_or_else(PoisonError::into_inner).replace(code) != Some(code);
        if news {
            tracing::warn!(code, "denied in doubt: {}", with_causes(doubt));
        } else {
            tracing::debug!(code, "denied in doubt: {}", with_causes(doubt));
        }
        doubt.to_string()
    }

    fn all_is_well(&self) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("decisions are on record again");
        }
    }

    /// Waits for something, until it takes too long or the process ends.
    async fn within<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Doubt>>,
    ) -> Result<T, Doubt> {
        tokio::select! {
            done = timeout_at(deadline, work) => done.unwrap_or(Err(Doubt::TimedOut(self.timeout.as_secs()))),
            () = self.ended() => Err(Doubt::Ending),
        }
    }

    async fn ended(&self) {
        if self.ending.clone().wait_for(|ending| *ending).await.is_err() {
            // Nobody is left who could say so.
            std::future::pending::<()>().await;
        }
    }

    /// Decides, and makes the statements about it.
    async fn state_it(&self, request: &Request) -> Result<Decided, Doubt> {
        let cited = self.cited().ok_or(Doubt::NotPublished)?;
        let asked = intent::of(request);
        let (execution, intent) = if let Some(entry) = request.intent {
            let (execution, place) = intent::named(&self.client, request, entry, self.wait).await?;
            (execution, Stated::ByCaller(place))
        } else {
            let execution = random_execution()?;
            let payload = Payload::Intent(asked.clone());
            let statement =
                self.about(&execution, &self.requester, None, &payload, &References::default())?;
            (execution, Stated::Here(Box::new(statement)))
        };
        let context = request.context_for_policies();
        let facts = self.store.facts(request, &context, self.caller_properties);
        let evaluation = if facts.is_too_much {
            Evaluation::unreadable()
        } else {
            self.engine.evaluate(&Question {
                subject: &asked.subject,
                action: &asked.action,
                resource: &asked.resource,
                context: &context,
                entities: &facts.entities,
            })
        };
        let conflicts = facts.conflicts.clone();
        let stands_on = [(RefRole::Intent, intent.entry()), (RefRole::Policy, cited.entry)];
        let decision = record::decision(&evaluation, context, facts)?;
        let decision =
            self.about(&execution, &self.authority, None, &decision, &stands_on.into_iter().collect())?;
        let authorization = if evaluation.verdict == Verdict::Permit && conflicts.is_empty() {
            let decided = (RefRole::Decision, LeafHash::of(decision.bytes()));
            let stands_on = stands_on.into_iter().chain([decided]).collect();
            let payload = record::authorization(&asked, self.wait);
            let validity = Some(self.validity(self.clock.now()));
            Some(self.about(&execution, &self.authority, validity, &payload, &stands_on)?)
        } else {
            None
        };
        Ok(Decided { execution, intent, decision, authorization, evaluation, conflicts })
    }

    /// Puts it into the log, all or none, and waits until the log shows that it has it.
    async fn record(&self, decided: &Decided) -> Result<Recorded, Doubt> {
        let wait = decided.wait(self.wait);
        let answers = self.client.submit_all_or_none(&decided.batch(), wait).await?;
        let (mut taken, mut refused) = (Vec::with_capacity(answers.len()), None);
        for answer in answers {
            match answer {
                Ok(submitted) => taken.push(submitted),
                // The one that says why goes before those that were not taken for its sake.
                Err(error) if refused.as_ref().is_none_or(SubmitError::is_for_anothers_sake) => {
                    refused = Some(error);
                }
                Err(_) => {}
            }
        }
        match refused {
            Some(error) => Err(error.into()),
            None => decided.recorded(taken, wait, self.clock.now()),
        }
    }

    fn validity(&self, now: UnixSeconds) -> Validity {
        let expires = UnixSeconds::new(now.get().saturating_add(self.lifetime)).unwrap_or(now);
        Validity { audience: self.audience.clone(), not_before: now, expires }
    }

    fn about(
        &self,
        execution: &ExecutionId,
        issuer: &Issuer,
        validity: Option<Validity>,
        payload: &Payload,
        references: &References,
    ) -> Result<Statement, Doubt> {
        let subject = Subject::Execution(execution.clone());
        Ok(issuer.state(self.clock.now(), subject, validity, payload, references)?.statement().clone())
    }
}

/// An id that no other execution has.
fn random_execution() -> Result<ExecutionId, Doubt> {
    let random: [u8; 16] = random()?;
    format!("access-{}", hex::encode(random)).parse().map_err(|_| Doubt::NotShown(Kind::Intent))
}
