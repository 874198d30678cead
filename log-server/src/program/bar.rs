//! Progress, for whoever watches a terminal.

use std::time::Duration;

use countersign_log::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// A progress bar on standard error. Where that is no terminal, nothing is drawn.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar that counts `unit`s, at none yet.
    pub(super) fn of(unit: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = format!("{{bar:40}} {{human_pos}} of {{human_len}} {unit}, {{per_sec}}, {{eta}} to go");
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress for Bar {
    fn begin(&self, entries: u64) {
        self.0.set_length(entries);
    }

    fn advance(&self, entries: u64) {
        self.0.inc(entries);
    }

    fn finish(&self, with: &'static str) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            self.0.set_style(style);
        }
        self.0.set_message(with);
        self.0.enable_steady_tick(TURN);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
