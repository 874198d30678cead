//! One page of HTML that needs nothing else, for an audit file.

use askama::Template;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::report::Finding;
use countersign_verifier::utc::Utc;

use super::View;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    view: &'a View<'a>,
}

/// The report as a page without script.
pub(crate) fn page(view: &View<'_>) -> Result<String, Failed> {
    Page { view }
        .render()
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the report cannot be written").because(error))
}

impl Page<'_> {
    /// The class by which a stage is coloured. The word beside it says the same.
    fn class(finding: &Finding) -> &'static str {
        match finding {
            Finding::Pass(_) => "pass",
            Finding::Fail(_) => "fail",
            Finding::NotChecked(_) => "open",
        }
    }

    /// The class of the verdict.
    fn outcome(&self) -> &'static str {
        match self.view.verdict() {
            "governed" | "denied" => "pass",
            "violated" | "does not hold" => "fail",
            _ => "open",
        }
    }
}
