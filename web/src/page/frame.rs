//! What stands around every page: head, navigation, and what the reader must know before anything else.

use super::assets::{Asset, ICON, STYLE, script};
use super::stamp::thousands;
use super::text::Text;
use crate::mirror::{Known, Trouble};
use countersign_verifier::causes::with_causes;

/// The parts of the site that the navigation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Console,
    Entries,
    Executions,
    Health,
    Verify,
    None,
}

/// The frame of a page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    /// The address that stays: what a copied link should say.
    pub(crate) path: String,
    /// Other forms of the same page: address, media type and name.
    pub(crate) alternates: Vec<(String, &'static str, &'static str)>,
    pub(crate) section: Section,
    pub(crate) log: Option<Text>,
    pub(crate) banner: Option<Banner>,
    /// What stands in the search field.
    pub(crate) query: Text,
    pub(crate) style: &'static Asset,
    pub(crate) icon: &'static Asset,
    /// The script of the page, if it has one.
    pub(crate) script: Option<&'static Asset>,
}

/// What the reader must know before anything else.
#[derive(Debug)]
pub(crate) struct Banner {
    /// Whether the log contradicts itself.
    pub(crate) alarm: bool,
    pub(crate) title: &'static str,
    pub(crate) detail: Text,
}

impl Frame {
    pub(crate) fn new(
        known: &Known,
        section: Section,
        title: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        let origin = known.head().map(|head| Text::new(head.verified.checkpoint().origin.as_str()));
        Self {
            title: title.into(),
            path: path.into(),
            alternates: Vec::new(),
            section,
            log: origin,
            banner: Banner::of(known),
            query: Text::default(),
            style: &STYLE,
            icon: &ICON,
            script: None,
        }
    }

    /// Names the page's twin in JSON.
    #[must_use]
    pub(crate) fn json(self, path: impl Into<String>) -> Self {
        self.alternate(path, "application/json", "JSON")
    }

    /// Lets the reader's own machine check what is on the page.
    #[must_use]
    pub(crate) fn checking(self) -> Self {
        self.with_script("check.mjs")
    }

    /// Gives the page a script, by its path below `static`.
    #[must_use]
    pub(crate) fn with_script(mut self, path: &str) -> Self {
        self.script = script(path);
        self
    }

    /// Names another form of the page.
    #[must_use]
    pub(crate) fn alternate(
        mut self,
        path: impl Into<String>,
        media: &'static str,
        name: &'static str,
    ) -> Self {
        self.alternates.push((path.into(), media, name));
        self
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(
            (self.section, name),
            (Section::Console, "console")
                | (Section::Entries, "entries")
                | (Section::Executions, "executions")
                | (Section::Health, "health")
                | (Section::Verify, "verify")
        )
    }
}

impl Banner {
    fn of(known: &Known) -> Option<Self> {
        if let Some(trouble) = known.trouble().filter(|trouble| !trouble.is_beginning()) {
            let title = if trouble.is_alarm() {
                "The log contradicts itself. These pages show only what was verified before."
            } else {
                "The newest state of the log could not be read. These pages show what was verified before."
            };
            return Some(Self { alarm: trouble.is_alarm(), title, detail: Text::new(with_causes(trouble)) });
        }
        if let Some(evidence) = known.evidence().first() {
            let title = "This log has contradicted itself since this explorer was started.";
            return Some(Self { alarm: true, title, detail: Text::new(with_causes(&evidence.trouble)) });
        }
        let size = known.head()?.verified.checkpoint().size.get();
        let behind = size.checked_sub(known.read_up_to().get()).filter(|behind| *behind > 0)?;
        let detail = format!(
            "{} of {} entries are read and verified so far, {} are to come.",
            thousands(known.read_up_to().get()),
            thousands(size),
            thousands(behind)
        );
        Some(Self {
            alarm: false,
            title: "This explorer is still reading the log.",
            detail: Text::new(detail),
        })
    }
}

/// Whether a log that has no head yet is the reason for there being nothing to show.
pub(super) fn is_beginning(known: &Known) -> bool {
    known.head().is_none() && known.trouble().is_none_or(Trouble::is_beginning)
}
