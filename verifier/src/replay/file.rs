//! Files with policies, as authors write them: several in one, each under a name.

use std::str::FromStr as _;

use cedar_policy::{PolicyId, PolicySet};

use super::depth;
use super::engine::{LoadError, on_a_stack_of_its_own, unbounded};
use crate::statement::Material;
use crate::statement::payload::PolicyText;

/// The annotation by which an author names a policy: `@id("readers")`.
const ID: &str = "id";

/// The policies of a file in Cedar's own notation, in their order, as they are published.
///
/// The id of a policy is its annotation `@id`. One without has `name`, or, where the file has several, `name-0`, `name-1`
/// and so on by its place. What stands around policies, such as comments, is kept where there is only one. That ids differ and that the policies fit a schema is for [`Engine::load`](super::Engine::load).
/// A file without policies is refused, because by none everything is denied; so are templates.
pub fn read_policies(name: &str, text: &str) -> Result<Vec<PolicyText>, LoadError> {
    on_a_stack_of_its_own(|| read_here(name, text))
}

fn read_here(name: &str, text: &str) -> Result<Vec<PolicyText>, LoadError> {
    let what = format!("the policy file {name:?}");
    depth::check(text).map_err(|error| unbounded(&what, &error))?;
    let set = PolicySet::from_str(text)
        .map_err(|source| LoadError::Policy { id: name.to_owned(), source: Box::new(source) })?;
    if set.templates().next().is_some() {
        return Err(LoadError::Misfit(format!("{what} has a template, expected policies alone")));
    }
    let count = set.policies().count();
    if count == 0 {
        return Err(LoadError::Misfit(format!("{what} has no policy, expected at least one")));
    }
    // Cedar numbers them by their place.
    let numbered = (0..count).filter_map(|at| Some((at, set.policy(&PolicyId::new(format!("policy{at}")))?)));
    let policies: Vec<PolicyText> = numbered
        .map(|(at, policy)| {
            let unnamed = || if count == 1 { name.to_owned() } else { format!("{name}-{at}") };
            let id = policy.annotation(ID).map_or_else(unnamed, str::to_owned);
            // Of a file with one policy, what its author wrote around it is published as well.
            let text = if count == 1 { text.to_owned() } else { policy.to_string() };
            PolicyText { id, text: Material::Disclosed(text) }
        })
        .collect();
    if policies.len() == count {
        Ok(policies)
    } else {
        Err(LoadError::Misfit(format!("{what} cannot be taken apart")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Engine;

    const TWO: &str = "// Who may read.\n@id(\"readers\")\npermit (principal, action == Action::\"read\", resource);\n\n\
                       forbid (principal, action, resource)\nwhen { context has no && context.no };\n";

    fn ids(policies: &[PolicyText]) -> Vec<&str> {
        policies.iter().map(|policy| policy.id.as_str()).collect()
    }

    #[test]
    fn a_file_is_taken_apart_and_its_parts_are_policies_again() {
        let policies = read_policies("files", TWO).unwrap();
        assert_eq!(ids(&policies), ["readers", "files-1"]);
        assert!(Engine::load(&policies, None).is_ok());
        for policy in &policies {
            let text = policy.text.disclosed().unwrap();
            assert!(TWO.contains(text.trim()), "{text:?} is not as it was written");
            assert_eq!(read_policies(&policy.id, text).unwrap(), std::slice::from_ref(policy));
        }
        let text = "// Everybody.\npermit (principal, action, resource);\n";
        let one = read_policies("all", text).unwrap();
        assert_eq!((ids(&one), one[0].text.disclosed().unwrap().as_str()), (vec!["all"], text));
    }

    #[test]
    fn what_is_no_file_of_policies_is_refused() {
        let deep = format!(
            "permit (principal, action, resource) when {{ {}1{} }};",
            "(".repeat(9999),
            ")".repeat(9999)
        );
        for text in ["", "// nothing", "permit", "permit (principal == ?principal, action, resource);", &deep]
        {
            assert!(read_policies("x", text).is_err(), "{}", text.get(..40).unwrap_or(text));
        }
        let twice = read_policies("x", &format!("{TWO}{TWO}")).unwrap();
        assert!(matches!(Engine::load(&twice, None), Err(LoadError::Set(_))));
    }
}
