//! Where a monitor says what it has seen: standard output, and a webhook.

use countersign_verifier::program::{Failed, print_line};

use super::webhook::Webhook;
use crate::log::Told;

/// Standard output, and a webhook if there is one.
pub(super) struct Outlet {
    json: bool,
    webhook: Option<Webhook>,
}

impl Outlet {
    /// Neither is tried yet.
    pub(super) fn new(json: bool, webhook: Option<&str>) -> Result<Self, Failed> {
        Ok(Self { json, webhook: webhook.map(Webhook::new).transpose()? })
    }

    /// Posts it to the webhook, if there is one. When this returns, it was heard.
    pub(super) fn post(&self, origin: &str, news: &[Told]) -> Result<(), Failed> {
        self.webhook.as_ref().map_or(Ok(()), |webhook| webhook.post(origin, news))
    }

    /// Prints it, a line each.
    pub(super) fn print(&self, news: &[Told]) -> Result<(), Failed> {
        news.iter().try_for_each(|told| print_line(if self.json { &told.json } else { &told.text }))
    }
}
