//! The allow list: which programs may run, with which first arguments.
//!
//! It is written in the gate's configuration and published as Cedar policies, and it is these that decide: the list
//! itself decides nothing. What they are applied to, [`Exact::context`], goes into the decision, so that whoever
//! has Cedar comes to the same verdict over the published text.

use core::fmt::Write as _;
use std::collections::BTreeSet;

use countersign_verifier::statement::Material;
use countersign_verifier::statement::payload::PolicyText;

use crate::exact::{Exact, ExactCommand};

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// No rules.
    #[error("the allow list is empty: expected at least one program")]
    Empty,
    /// A rule that is empty or begins with an empty word.
    #[error("rule {0} of the allow list names no program")]
    NoProgram(usize),
    /// A program with a slash that is not an absolute path.
    #[error(
        "rule {at} of the allow list names {program:?}: expected a name without slashes or an absolute path"
    )]
    RelativeProgram {
        /// The rule, from 1.
        at: usize,
        /// What it names.
        program: String,
    },
    /// Two rules that read the same.
    #[error("two rules of the allow list read {0:?}: expected each once")]
    Twice(String),
}

/// One program, and the arguments that have to come first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    program: String,
    arguments: Vec<String>,
}

/// Rules, each of which permits; what none of them permits is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList(Vec<Rule>);

impl AllowList {
    /// Reads rules, each a program (an absolute path, or a bare name, which is any program that is found by it on the
    /// gate's search path) followed by the arguments that have to come first.
    pub fn new(rules: Vec<Vec<String>>) -> Result<Self, AllowError> {
        let mut ids = BTreeSet::new();
        let mut read = Vec::with_capacity(rules.len());
        for (at, words) in rules.into_iter().enumerate() {
            let at = at.saturating_add(1);
            let mut words = words.into_iter();
            let program =
                words.next().filter(|program| !program.is_empty()).ok_or(AllowError::NoProgram(at))?;
            if program.contains('/') && !program.starts_with('/') {
                return Err(AllowError::RelativeProgram { at, program });
            }
            let rule = Rule { program, arguments: words.collect() };
            if !ids.insert(rule.id()) {
                return Err(AllowError::Twice(rule.id()));
            }
            read.push(rule);
        }
        if read.is_empty() { Err(AllowError::Empty) } else { Ok(Self(read)) }
    }

    /// The list as Cedar policies, one a rule, the same text for the same list.
    pub fn policies(&self) -> Vec<PolicyText> {
        let text = |rule: &Rule| PolicyText { id: rule.id(), text: Material::Disclosed(rule.cedar()) };
        self.0.iter().map(text).collect()
    }
}

impl Rule {
    fn id(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|word| readable(word))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn is_path(&self) -> bool {
        self.program.starts_with('/')
    }

    fn cedar(&self) -> String {
        let mut conditions = Vec::new();
        let resource = if self.is_path() {
            format!("resource == {}::{}", ExactCommand::RESOURCE_TYPE, quoted(&self.program))
        } else {
            conditions.push(format!("context has name && context.name == {}", quoted(&self.program)));
            "resource".to_owned()
        };
        for (at, argument) in self.arguments.iter().enumerate() {
            conditions.push(format!(
                "context.arguments has \"{at}\" && context.arguments[\"{at}\"] == {}",
                quoted(argument)
            ));
        }
        permit(ExactCommand::ACTION, &resource, &conditions)
    }
}

/// A Cedar policy that permits an action on what `resource` says, when all conditions hold.
pub(crate) fn permit(action: &str, resource: &str, conditions: &[String]) -> String {
    let mut text =
        format!("permit (\n    principal,\n    action == Action::\"{action}\",\n    {resource}\n)");
    if !conditions.is_empty() {
        text.push_str(" when {\n    ");
        text.push_str(&conditions.join(" &&\n    "));
        text.push_str("\n}");
    }
    text.push_str(";\n");
    text
}

/// A word as it stands in an id: quoted when it would not be told apart otherwise.
pub(crate) fn readable(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
    if plain { word.to_owned() } else { quoted(word) }
}

/// A Cedar string literal.
pub(crate) fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            ' '..='~' => literal.push(c),
            // Writing to a string does not fail.
            other => drop(write!(literal, "\\u{{{:x}}}", u32::from(other))),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::SearchPath;
    use countersign_verifier::replay::{Engine, Evaluation, Question};
    use countersign_verifier::statement::payload::{Action, Entity};
    use countersign_verifier::statement::{DecisionCode, Verdict};
    use proptest::prelude::*;
    use std::path::{Path, PathBuf};

    fn list(rules: &[&[&str]]) -> Result<AllowList, AllowError> {
        AllowList::new(rules.iter().map(|words| words.iter().map(ToString::to_string).collect()).collect())
    }

    fn command(words: &[&str]) -> ExactCommand {
        let words: Vec<_> = words.iter().map(Into::into).collect();
        ExactCommand::resolve(&words, Path::new("/"), &SearchPath::new([PathBuf::from("/bin")])).unwrap()
    }

    fn decide(list: &AllowList, command: &ExactCommand) -> Evaluation {
        let entity = |entity_type: &str, id: &str| Entity {
            entity_type: entity_type.to_owned(),
            id: id.to_owned(),
            properties: None,
        };
        let action = Action { name: ExactCommand::ACTION.to_owned(), properties: None };
        Engine::load(&list.policies(), None).unwrap().evaluate(&Question {
            subject: &entity("Agent", "one"),
            action: &action,
            resource: &entity(ExactCommand::RESOURCE_TYPE, command.program()),
            context: &command.context(),
            entities: &[],
        })
    }

    #[test]
    fn a_rule_permits_its_program_with_its_first_arguments() {
        let list = list(&[&["sh", "-c"], &["/bin/ls"], &["ls", "-l"]]).unwrap();
        let reasons = |words: &[&str]| decide(&list, &command(words)).reasons.into_iter().collect::<Vec<_>>();
        assert_eq!(reasons(&["sh", "-c", "true"]), ["sh -c"]);
        assert_eq!(reasons(&["/bin/sh", "-c"]), ["sh -c"]);
        assert_eq!(reasons(&["ls", "-l"]), ["/bin/ls", "ls -l"]);
        assert_eq!(reasons(&["ls"]), ["/bin/ls"]);
        for denied in [&["sh"][..], &["sh", "true", "-c"], &["sh", "-cx"], &["cat"]] {
            let ruling = decide(&list, &command(denied));
            assert_eq!(ruling.verdict, Verdict::Deny, "{denied:?}");
            assert_eq!(ruling.code, DecisionCode::NoPolicyPermits);
        }
    }

    #[test]
    fn the_cedar_text_is_what_it_was() {
        let list = list(&[&["git", "log"], &["/usr/bin/id"], &["echo", "a\"\n\\é"]]).unwrap();
        let texts: Vec<_> = list.policies().into_iter().map(|policy| policy.text).collect();
        assert_eq!(
            texts[0],
            Material::Disclosed(
                "permit (\n    principal,\n    action == Action::\"execute\",\n    resource\n) when {\n    \
                 context has name && context.name == \"git\" &&\n    \
                 context.arguments has \"0\" && context.arguments[\"0\"] == \"log\"\n};\n"
                    .to_owned()
            )
        );
        assert_eq!(
            texts[1],
            Material::Disclosed(
                "permit (\n    principal,\n    action == Action::\"execute\",\n    \
                 resource == Program::\"/usr/bin/id\"\n);\n"
                    .to_owned()
            )
        );
        assert!(texts[2].disclosed().unwrap().contains(r#"== "a\"\u{a}\\\u{e9}""#));
        assert_eq!(list.policies()[2].id, r#"echo "a\"\u{a}\\\u{e9}""#);
    }

    #[test]
    fn lists_that_say_nothing_or_twice_the_same_are_refused() {
        assert_eq!(list(&[]), Err(AllowError::Empty));
        assert_eq!(list(&[&["a"], &[]]), Err(AllowError::NoProgram(2)));
        assert_eq!(list(&[&[""]]), Err(AllowError::NoProgram(1)));
        let relative = AllowError::RelativeProgram { at: 1, program: "./a".to_owned() };
        assert_eq!(list(&[&["./a"]]), Err(relative));
        assert_eq!(list(&[&["a", "b"], &["a", "b"]]), Err(AllowError::Twice("a b".to_owned())));
        assert!(list(&[&["a", "b"], &["a b"]]).is_ok(), "a space inside a word is told apart");
    }

    proptest! {
        /// Whatever the words of rules and commands are, Cedar reads the rules as they are meant.
        #[test]
        fn cedar_permits_what_a_rule_means(rule in prop::collection::vec("[a-c\"\\\\*é\n${]{0,3}", 0..3), given in prop::collection::vec("[a-c\"\\\\*é\n${]{0,3}", 0..4)) {
            let words = |arguments: &[String]| [&["sh".to_owned()][..], arguments].concat();
            let list = AllowList::new(vec![words(&rule)]).unwrap();
            let given_words = words(&given);
            let found = decide(&list, &command(&given_words.iter().map(String::as_str).collect::<Vec<_>>()));
            prop_assert_eq!(found.verdict == Verdict::Permit, given.starts_with(&rule));
        }

        #[test]
        fn ids_tell_rules_apart(a in prop::collection::vec("[a\" \\\\é]{0,3}", 1..4), b in prop::collection::vec("[a\" \\\\é]{0,3}", 1..4)) {
            let id = |words: &[String]| Rule { program: words[0].clone(), arguments: words[1..].to_vec() }.id();
            prop_assert_eq!(id(&a) == id(&b), a == b);
        }
    }
}
