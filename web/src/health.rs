//! Health: whether the log goes on, who vouches for it, and what has ever been wrong with it.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use countersign_verifier::causes::with_causes;
use countersign_verifier::note::KeyKind;
use countersign_verifier::quorum::VerifiedCheckpoint;
use serde::Serialize;

use crate::explorer::Explorer;
use crate::mirror::{Evidence, Known, Mirror};
use crate::page::{Ask, Cache, Frame, Section, Sentence, Stamp, Text, page, span};

/// The state of the log as this explorer sees it.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    pub(crate) state: Condition,
    pub(crate) summary: Sentence,
    pub(crate) log: Option<Text>,
    pub(crate) size: Option<u64>,
    /// Base64, as in the checkpoint.
    pub(crate) root: Option<String>,
    pub(crate) read_up_to: u64,
    pub(crate) witnesses: Vec<WitnessLine>,
    pub(crate) cosigned: usize,
    pub(crate) cosigned_at: Option<Stamp>,
    pub(crate) looked_at: Option<Stamp>,
    pub(crate) agreed_at: Option<Stamp>,
    pub(crate) needs_no_witness: bool,
}

/// The state in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// The newest head was accepted, and all entries under it are read.
    Following,
    /// The newest head was accepted, and entries under it are still being read.
    Reading,
    /// The log has not published a head yet.
    Waiting,
    /// The newest head could not be read or was not accepted.
    Unreadable,
    /// The log contradicts itself.
    Contradiction,
}

impl Condition {
    pub(crate) fn of(known: &Known) -> Self {
        match known.trouble() {
            _ if !known.evidence().is_empty() => Self::Contradiction,
            Some(trouble) if trouble.is_alarm() => Self::Contradiction,
            Some(trouble) if trouble.is_beginning() => Self::Waiting,
            Some(_) => Self::Unreadable,
            None if known.head().is_none() => Self::Waiting,
            None if known.is_reading() => Self::Reading,
            None => Self::Following,
        }
    }

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Reading => "reading",
            Self::Waiting => "waiting for the first head",
            Self::Unreadable => "cannot follow",
            Self::Contradiction => "contradiction",
        }
    }

    /// How loudly to say it: a class of the stylesheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Following | Self::Reading | Self::Waiting => "unknown",
            Self::Unreadable => "warning",
            Self::Contradiction => "failed",
        }
    }
}

/// One witness of the trust policy.
#[derive(Debug, Serialize)]
pub(crate) struct WitnessLine {
    pub(crate) name: Text,
    pub(crate) key: Text,
    pub(crate) state: WitnessState,
    pub(crate) cosigned_at: Option<Stamp>,
    /// How long before now, in words.
    #[serde(skip)]
    pub(crate) age: Option<String>,
}

/// What a witness has to do with the newest head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WitnessState {
    /// Its cosignature stands under the head.
    Cosigned,
    /// Its cosignature does not stand under the head.
    Absent,
    /// Its key is of a type that is not checked here, and does not count.
    NotChecked,
}

impl WitnessState {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Cosigned => "cosigned the newest head",
            Self::Absent => "no cosignature under the newest head",
            Self::NotChecked => "not checked: a type of key that does not count here",
        }
    }
}

impl Health {
    pub(crate) fn of(mirror: &Mirror, known: &Known) -> Self {
        let now = mirror.now();
        let head = known.head().map(|head| &head.verified);
        let cosignatures = head.map(VerifiedCheckpoint::cosignatures).unwrap_or_default();
        let witnesses = mirror.policy().witnesses().iter().map(|witness| {
            let found = cosignatures.iter().find(|cosigned| cosigned.witness == witness.name);
            let cosigned_at = found.map(|cosigned| Stamp(cosigned.time.get()));
            WitnessLine {
                name: Text::new(witness.name.as_str()),
                key: Text::new(witness.key.name().to_string()),
                state: match (found, witness.key.kind()) {
                    (Some(_), _) => WitnessState::Cosigned,
                    (None, KeyKind::CosignatureV1) => WitnessState::Absent,
                    (None, _) => WitnessState::NotChecked,
                },
                cosigned_at,
                age: cosigned_at.and_then(|at| now.checked_sub(at.0)).map(span),
            }
        });
        let state = Condition::of(known);
        let cosigned_at = cosignatures.iter().map(|cosigned| Stamp(cosigned.time.get())).max();
        Self {
            state,
            summary: summary(state, known, mirror, cosigned_at),
            log: head.map(|head| Text::new(head.checkpoint().origin.as_str())),
            size: head.map(|head| head.checkpoint().size.get()),
            root: head.map(|head| head.checkpoint().root.to_base64()),
            read_up_to: known.read_up_to().get(),
            witnesses: witnesses.collect(),
            cosigned: cosignatures.len(),
            cosigned_at,
            looked_at: known.looked_at().map(Stamp),
            agreed_at: known.agreed_at().map(Stamp),
            needs_no_witness: mirror.policy().needs_no_witness(),
        }
    }
}

fn summary(state: Condition, known: &Known, mirror: &Mirror, cosigned_at: Option<Stamp>) -> Sentence {
    let reason =
        || known.trouble().map(|trouble| Text::new(with_causes(trouble)).to_string()).unwrap_or_default();
    let Some(head) = known.head() else {
        return match state {
            Condition::Waiting => Sentence::of(
                "The log has not published a head yet: it does so once a quorum of its witnesses has cosigned one.",
            ),
            _ => Sentence::of(format!("Nothing could be read from the log yet: {}.", reason())),
        };
    };
    match state {
        Condition::Contradiction => Sentence::of(
            "The log has contradicted itself. Both sides are kept below, and nothing that it served in between is shown.",
        ),
        Condition::Unreadable => {
            Sentence::of(format!("The newest state of the log cannot be followed: {}. ", reason()))
                .words("What was verified before is still shown.")
        }
        Condition::Following | Condition::Reading | Condition::Waiting => {
            let witnesses = mirror.policy().witnesses().len();
            let cosigned = head.verified.cosignatures().len();
            let sentence =
                Sentence::of("The newest head covers ").number(head.verified.checkpoint().size.get());
            let sentence = match cosigned_at {
                Some(at) => sentence
                    .words(format!(" entries and carries the cosignatures of {cosigned} of {witnesses} witnesses, the last from "))
                    .time(at.0)
                    .words("."),
                None => sentence.words(" entries. The trust policy of this explorer asks for no witness."),
            };
            let behind = head.verified.checkpoint().size.get().saturating_sub(known.read_up_to().get());
            if behind == 0 {
                sentence
            } else {
                sentence.words(" ").number(behind).words(" of them are still being read.")
            }
        }
    }
}

#[derive(Template, Serialize)]
#[template(path = "health.html")]
struct HealthPage {
    #[serde(skip)]
    frame: Frame,
    #[serde(flatten)]
    health: Health,
    #[serde(skip)]
    log_base: String,
    /// The newest accepted head, as it was served.
    checkpoint: Option<Text>,
    contradictions: Vec<Contradiction>,
}

#[derive(Serialize)]
struct Contradiction {
    seen_at: Stamp,
    what: Text,
    known: Option<Text>,
    served: Text,
}

impl From<&Evidence> for Contradiction {
    fn from(evidence: &Evidence) -> Self {
        Self {
            seen_at: Stamp(evidence.seen_at),
            what: Text::new(with_causes(&evidence.trouble)),
            known: evidence.known.as_deref().map(Text::lines),
            served: Text::lines(evidence.served.as_str()),
        }
    }
}

pub(crate) async fn show(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let mirror = explorer.mirror();
    let known = mirror.known();
    let health = HealthPage {
        frame: Frame::new(&known, Section::Health, "Health of the log", "/health").json("/health.json"),
        health: Health::of(mirror, &known),
        log_base: mirror.source().base().to_owned(),
        checkpoint: known.head().map(|head| Text::lines(head.verified.to_note().to_string())),
        contradictions: known.evidence().iter().map(Contradiction::from).collect(),
    };
    page(&ask, Cache::Never, &health, &health)
}
