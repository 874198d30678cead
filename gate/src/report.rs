//! What the gate tells whoever runs it, on standard error: the standard output belongs to the command, or the client.
//!
//! For people it is one line a step, the mark first, plain ASCII. With `--json` it is one JSON object a line, between
//! the lines of the command's own standard error.

use std::error::Error;
use std::io::Write as _;

use countersign_verifier::causes::with_causes;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::{ExecutionId, Kind, VerificationCode};
use serde_json::{Value, json};

/// Something worth telling.
#[derive(Debug)]
pub enum Event<'a> {
    /// A statement is in the log.
    Logged {
        /// The execution that it belongs to, if it belongs to one.
        execution: Option<&'a ExecutionId>,
        /// Its kind.
        kind: Kind,
        /// Where it is.
        index: Option<LeafIndex>,
        /// Its entry.
        entry: LeafHash,
        /// What it says, in a few words.
        words: String,
    },
    /// The log has not answered for a while.
    Waits {
        /// What for.
        what: &'a str,
    },
    /// The command begins.
    Runs {
        /// The program and its arguments.
        command: Vec<&'a str>,
    },
    /// A call of a tool is passed on.
    Calls {
        /// Its execution.
        execution: &'a ExecutionId,
        /// The tool.
        tool: &'a str,
    },
    /// The command, or the call, does not run.
    Denied {
        /// Its execution.
        execution: &'a ExecutionId,
        /// The code that is recorded.
        code: VerificationCode,
        /// Why.
        why: &'a dyn Error,
    },
    /// An execution that was cut off earlier is being finished.
    Unfinished {
        /// Which.
        execution: &'a ExecutionId,
        /// What it is of: a command or a call.
        what: &'static str,
        /// Whether that had been started.
        started: bool,
    },
    /// Statements wait on this machine because the log did not take them.
    Kept {
        /// The execution that they belong to.
        execution: &'a ExecutionId,
        /// How many.
        statements: usize,
        /// Why.
        why: &'a dyn Error,
    },
    /// A statement that the log refuses for good.
    Refused {
        /// The execution that it belongs to.
        execution: &'a ExecutionId,
        /// Its kind.
        kind: Kind,
        /// Why.
        why: &'a dyn Error,
    },
    /// Something else that should not be missed.
    Warning {
        /// What.
        what: &'a str,
        /// Why.
        why: &'a dyn Error,
    },
    /// Where the execution can be seen.
    Page {
        /// The execution.
        execution: &'a ExecutionId,
        /// Its page.
        url: String,
    },
}

/// Where events go.
#[derive(Debug, Clone, Copy)]
pub struct Reporter {
    json: bool,
    of_calls: bool,
}

impl Reporter {
    /// For people, or as JSON lines.
    pub fn new(json: bool) -> Self {
        Self { json, of_calls: false }
    }

    /// The same, of calls of tools: several go on at once, so that each line says which execution it is about.
    #[must_use]
    pub fn of_calls(self) -> Self {
        Self { of_calls: true, ..self }
    }

    /// Tells an event.
    pub fn tell(self, event: &Event<'_>) {
        let lines = if self.json { event.as_json().to_string() } else { event.for_people(self.of_calls) };
        // With standard error closed there is nobody to tell, and the work goes on.
        let _ = writeln!(std::io::stderr().lock(), "{lines}");
    }
}

impl Event<'_> {
    fn for_people(&self, of_calls: bool) -> String {
        let mut line = self.headline();
        if of_calls && let Some(execution) = self.execution() {
            line.push_str("  (");
            line.push_str(execution.as_str());
            line.push(')');
        }
        let consequence = match self {
            Self::Denied { .. } if of_calls => "the call was not passed on",
            Self::Denied { .. } => "the command did not run",
            Self::Kept { .. } if of_calls => "they are kept on this machine, and submitted later",
            Self::Kept { .. } => "they are kept on this machine, and the next run submits them",
            _ => return harmless(&line),
        };
        format!("{}\n        {consequence}", harmless(&line))
    }

    /// The execution that it is about, where the headline does not name it.
    fn execution(&self) -> Option<&ExecutionId> {
        match self {
            Self::Logged { execution, .. } => *execution,
            Self::Calls { execution, .. }
            | Self::Denied { execution, .. }
            | Self::Refused { execution, .. } => Some(execution),
            _ => None,
        }
    }

    fn headline(&self) -> String {
        match self {
            Self::Logged { kind, index, words, .. } => {
                let index = index.map_or_else(|| "?".to_owned(), |index| index.to_string());
                format!("[ok]    {:<13} {index:>8}  {words}", kind.as_str())
            }
            Self::Waits { what } => format!("[...]   waiting for {what}"),
            Self::Runs { command } => format!("[run]   {}", shown(command)),
            Self::Calls { tool, .. } => format!("[call]  {tool}"),
            Self::Denied { code, why, .. } => format!("[deny]  {code}: {}", with_causes(*why)),
            Self::Unfinished { execution, what, started: true } => format!(
                "[!!]    the execution {execution} was cut off after its {what} had started: what became of it is \
                 recorded as unknown"
            ),
            Self::Unfinished { execution, what, started: false } => {
                format!(
                    "[!!]    the execution {execution} was cut off before its {what} started, and is closed"
                )
            }
            Self::Kept { execution, statements, why } => format!(
                "[!!]    {statements} statements of the execution {execution} are not in the log yet: {}",
                with_causes(*why)
            ),
            Self::Refused { kind, why, .. } => {
                format!("[!!]    the {kind} is put aside for good: {}", with_causes(*why))
            }
            Self::Warning { what, why } => format!("[!!]    {what}: {}", with_causes(*why)),
            Self::Page { url, .. } => format!("        {url}"),
        }
    }

    fn as_json(&self) -> Value {
        match self {
            Self::Logged { execution, kind, index, entry, words } => json!({
                "event": "logged",
                "execution": execution,
                "kind": kind,
                "index": index.map(LeafIndex::get),
                "entry": entry.to_string(),
                "words": words,
            }),
            Self::Waits { what } => json!({ "event": "waits", "what": what }),
            Self::Runs { command } => json!({ "event": "runs", "command": command }),
            Self::Calls { execution, tool } => {
                json!({ "event": "calls", "execution": execution, "tool": tool })
            }
            Self::Denied { execution, code, why } => {
                json!({ "event": "denied", "execution": execution, "code": code, "why": with_causes(*why) })
            }
            Self::Unfinished { execution, what, started } => {
                json!({ "event": "unfinished", "execution": execution, "what": what, "started": started })
            }
            Self::Kept { execution, statements, why } => {
                json!({ "event": "kept", "execution": execution, "statements": statements, "why": with_causes(*why) })
            }
            Self::Refused { execution, kind, why } => {
                json!({ "event": "refused", "execution": execution, "kind": kind, "why": with_causes(*why) })
            }
            Self::Warning { what, why } => {
                json!({ "event": "warning", "what": what, "why": with_causes(*why) })
            }
            Self::Page { execution, url } => json!({ "event": "page", "execution": execution, "url": url }),
        }
    }
}

/// One line that cannot move the cursor or pass for several: names of programs come from whoever asks.
fn harmless(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A command line to look at: words that would be misread are quoted.
fn shown(command: &[&str]) -> String {
    let word = |word: &&str| {
        let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() && c != '\'' && c != '"');
        if plain { (*word).to_owned() } else { format!("{word:?}") }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no rule permits {0}")]
    struct Why(&'static str);

    #[test]
    fn names_cannot_forge_lines() {
        let why = Why("/tmp/x\n[ok]    outcome\u{1b}[2J");
        let execution = "e-1".parse().unwrap();
        let event = Event::Denied {
            execution: &execution,
            code: VerificationCode::PolicyValidationFailed,
            why: &why,
        };
        assert_eq!(
            event.for_people(false),
            "[deny]  policy_validation_failed: no rule permits /tmp/x\u{fffd}[ok]    outcome\u{fffd}[2J\n        \
             the command did not run"
        );
        assert!(!event.as_json().to_string().contains('\n'));
    }

    #[test]
    fn lines_about_calls_say_which() {
        let execution = "mcp/a/1".parse().unwrap();
        let event = Event::Calls { execution: &execution, tool: "read" };
        assert_eq!(event.for_people(true), "[call]  read  (mcp/a/1)");
        assert_eq!(event.for_people(false), "[call]  read");
        let why = Why("read");
        let code = VerificationCode::PolicyValidationFailed;
        let event = Event::Denied { execution: &execution, code, why: &why };
        assert!(event.for_people(true).ends_with("(mcp/a/1)\n        the call was not passed on"));
    }

    #[test]
    fn a_command_line_shows_where_its_words_end() {
        assert_eq!(shown(&["/bin/sh", "-c", "a b", "", "it's"]), r#"/bin/sh -c "a b" "" "it's""#);
    }
}
