//! The allow list of tools: which may be called, on which server, with which arguments.
//!
//! As the [list of programs](crate::allow), it is published as Cedar policies, and it is these that decide.

use std::collections::{BTreeMap, BTreeSet};

use countersign_verifier::statement::Material;
use countersign_verifier::statement::payload::PolicyText;
use serde::Deserialize;
use serde_json::Value;

use super::call::{ExactCall, ToolName, ToolNameError, can_be_ruled};
use crate::allow::{permit, quoted, readable};
use crate::exact::Exact as _;

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolListError {
    /// No rules.
    #[error("the list of tools is empty: expected at least one [[tool]]")]
    Empty,
    /// A name that no tool can have.
    #[error("tool {at}: {source}")]
    Name {
        /// The rule, from 1.
        at: usize,
        /// What is wrong with it.
        source: ToolNameError,
    },
    /// A server with a slash that is not an absolute path, or without a name.
    #[error("tool {at} is of the server {server:?}: expected a name without slashes or an absolute path")]
    Server {
        /// The rule, from 1.
        at: usize,
        /// What it names.
        server: String,
    },
    /// An argument of a kind that no rule can speak of.
    #[error(
        "tool {at} has the argument {name:?}: expected a text, an integer within ±(2^53-1), true or false"
    )]
    Argument {
        /// The rule, from 1.
        at: usize,
        /// The name of the argument.
        name: String,
    },
    /// Two rules that read the same.
    #[error("two tools of the list read {0:?}: expected each once")]
    Twice(String),
}

/// A rule as it is configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    /// The tool.
    pub name: String,
    /// The program of the server: an absolute path, or a bare name, which is any program that is found by it on the
    /// gate's search path. Without it, the tool may be called on any server.
    pub server: Option<String>,
    /// Arguments that the call must have, with exactly these values; it may have more.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    tool: ToolName,
    server: Option<String>,
    arguments: BTreeMap<String, Value>,
}

/// Rules, each of which permits; what none of them permits is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolList(Vec<Rule>);

impl ToolList {
    /// Reads rules.
    pub fn new(rules: Vec<ToolRule>) -> Result<Self, ToolListError> {
        let mut ids = BTreeSet::new();
        let mut read = Vec::with_capacity(rules.len());
        for (at, rule) in rules.into_iter().enumerate() {
            let rule = Rule::read(at.saturating_add(1), rule)?;
            if !ids.insert(rule.id()) {
                return Err(ToolListError::Twice(rule.id()));
            }
            read.push(rule);
        }
        if read.is_empty() { Err(ToolListError::Empty) } else { Ok(Self(read)) }
    }

    /// The list as Cedar policies, one a rule, the same text for the same list.
    pub fn policies(&self) -> Vec<PolicyText> {
        let text = |rule: &Rule| PolicyText { id: rule.id(), text: Material::Disclosed(rule.cedar()) };
        self.0.iter().map(text).collect()
    }
}

impl Rule {
    fn read(at: usize, rule: ToolRule) -> Result<Self, ToolListError> {
        let ToolRule { name, server, arguments } = rule;
        let tool = name.parse().map_err(|source| ToolListError::Name { at, source })?;
        if let Some(server) = &server
            && (server.is_empty() || server.contains('/') && !server.starts_with('/'))
        {
            return Err(ToolListError::Server { at, server: server.clone() });
        }
        if let Some((name, _)) = arguments.iter().find(|(_, value)| !can_be_ruled(value)) {
            return Err(ToolListError::Argument { at, name: name.clone() });
        }
        Ok(Self { tool, server, arguments })
    }

    /// Two rules have the same id only when they are the same: texts are quoted, and nothing else is.
    fn id(&self) -> String {
        let tool = readable(self.tool.as_str());
        let server = self.server.iter().map(|server| format!("server={}", readable(server)));
        let arguments = self
            .arguments
            .iter()
            .map(|(name, value)| format!("arguments.{}={}", readable(name), literal(value)));
        std::iter::once(tool).chain(server).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    fn cedar(&self) -> String {
        let resource = format!("resource == {}::{}", ExactCall::RESOURCE_TYPE, quoted(self.tool.as_str()));
        let mut conditions = Vec::new();
        if let Some(server) = &self.server {
            let server_is = quoted(server);
            conditions.push(if server.starts_with('/') {
                format!("context.server.program == {server_is}")
            } else {
                format!("context.server has name && context.server.name == {server_is}")
            });
        }
        for (name, value) in &self.arguments {
            let (name, value) = (quoted(name), literal(value));
            conditions.push(format!("context.arguments has {name} && context.arguments[{name}] == {value}"));
        }
        permit(ExactCall::ACTION, &resource, &conditions)
    }
}

/// A text, an integer, true or false, as Cedar has it.
fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), quoted)
}

#[cfg(test)]
mod tests {
    use super::super::line::Line;
    use super::*;
    use crate::exact::{ExactCommand, SearchPath};
    use countersign_verifier::replay::{Engine, Question};
    use countersign_verifier::statement::Verdict;
    use countersign_verifier::statement::payload::{Action, Entity};
    use proptest::prelude::*;
    use serde_json::{Map, json};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    fn list(rules: &Value) -> Result<ToolList, ToolListError> {
        ToolList::new(serde_json::from_value(rules.clone()).unwrap())
    }

    fn call(tool: &str, arguments: &Value) -> ExactCall {
        let search = SearchPath::new([PathBuf::from("/bin")]);
        let server = ExactCommand::resolve(&["sh".into()], Path::new("/"), &search).unwrap();
        let arguments = arguments.as_object().cloned().unwrap_or_else(Map::new);
        ExactCall::new(Arc::new(server), tool.parse().unwrap(), arguments, Line::new(b"{}".to_vec())).unwrap()
    }

    fn permits(list: &ToolList, call: &ExactCall) -> bool {
        let entity = |entity_type: &str, id: &str| Entity {
            entity_type: entity_type.to_owned(),
            id: id.to_owned(),
            properties: None,
        };
        let ruling = Engine::load(&list.policies(), None).unwrap().evaluate(&Question {
            subject: &entity("Agent", "one"),
            action: &Action { name: ExactCall::ACTION.to_owned(), properties: None },
            resource: &entity(ExactCall::RESOURCE_TYPE, call.resource()),
            context: &call.context(),
            entities: &[],
        });
        ruling.verdict == Verdict::Permit
    }

    #[test]
    fn a_rule_permits_its_tool_on_its_server_with_its_arguments() {
        let rules = list(&json!([
            { "name": "read", "arguments": { "path": "/a", "lines": 3, "follow": false } },
            { "name": "list", "server": "sh" },
            { "name": "drop", "server": "/bin/other" },
            { "name": "any" },
        ]))
        .unwrap();
        for (permitted, tool, arguments) in [
            (true, "read", json!({ "path": "/a", "lines": 3, "follow": false, "more": [1.5, null] })),
            (false, "read", json!({ "path": "/a", "lines": 3 })),
            (false, "read", json!({ "path": "/a", "lines": "3", "follow": false })),
            (false, "read", json!({ "path": "/b", "lines": 3, "follow": false })),
            (false, "read", json!({ "path": ["/a"], "lines": 3, "follow": false })),
            (true, "list", json!({})),
            (false, "drop", json!({})),
            (true, "any", json!({ "deep": { "er": 0.1 }, "large": 9_007_199_254_740_993_u64 })),
            (false, "Any", json!({})),
            // To Cedar this is an entity, and not what it is called with: it has none of the arguments that a rule asks for.
            (false, "read", json!({ "__entity": "Agent::\"one\"" })),
        ] {
            assert_eq!(permits(&rules, &call(tool, &arguments)), permitted, "{tool} {arguments}");
        }
    }

    #[test]
    fn the_cedar_text_is_what_it_was() {
        let rules =
            list(&json!([{ "name": "read", "server": "files", "arguments": { "a b": "\"\n", "n": -1 } }]))
                .unwrap();
        let [policy] = <[PolicyText; 1]>::try_from(rules.policies()).unwrap();
        assert_eq!(policy.id, r#"read server=files arguments."a b"="\"\u{a}" arguments.n=-1"#);
        let expected = "permit (\n    principal,\n    action == Action::\"call\",\n    resource == Tool::\"read\"\n) \
             when {\n    context.server has name && context.server.name == \"files\" &&\n    \
             context.arguments has \"a b\" && context.arguments[\"a b\"] == \"\\\"\\u{a}\" &&\n    \
             context.arguments has \"n\" && context.arguments[\"n\"] == -1\n};\n";
        assert_eq!(policy.text, Material::Disclosed(expected.to_owned()));
    }

    #[test]
    fn lists_that_say_nothing_or_twice_the_same_are_refused() {
        let refused = |rules| list(&rules).unwrap_err();
        assert_eq!(refused(json!([])), ToolListError::Empty);
        for name in ["", "a b", "é", &"x".repeat(129)] {
            assert!(
                matches!(refused(json!([{ "name": name }])), ToolListError::Name { at: 1, .. }),
                "{name}"
            );
        }
        for server in ["", "./a", "a/b"] {
            let rule = json!([{ "name": "a", "server": server }]);
            assert_eq!(refused(rule), ToolListError::Server { at: 1, server: server.to_owned() });
        }
        for value in [json!(1.5), json!(null), json!([]), json!({}), json!(9_007_199_254_740_992_u64)] {
            let rule = json!([{ "name": "a" }, { "name": "b", "arguments": { "x": value } }]);
            assert_eq!(refused(rule), ToolListError::Argument { at: 2, name: "x".to_owned() });
        }
        assert_eq!(refused(json!([{ "name": "a" }, { "name": "a" }])), ToolListError::Twice("a".to_owned()));
        assert!(
            list(&json!([{ "name": "a", "server": "s" }, { "name": "a", "arguments": { "server": "s" } }]))
                .is_ok()
        );
    }

    proptest! {
        /// Whatever names and values are, Cedar reads the rules as they are meant.
        #[test]
        fn cedar_permits_what_a_tool_rule_means(
            rule in prop::collection::btree_map("[a\"\\\\é\n${]{0,2}", "[a\"\\\\*é\n${]{0,2}", 0..3),
            given in prop::collection::btree_map("[a\"\\\\é\n${]{0,2}", "[a\"\\\\*é\n${]{0,2}", 0..4),
        ) {
            let rules = list(&json!([{ "name": "t", "arguments": rule }])).unwrap();
            let meant = rule.iter().all(|(name, value)| given.get(name) == Some(value));
            prop_assert_eq!(permits(&rules, &call("t", &json!(given))), meant);
        }
    }
}
