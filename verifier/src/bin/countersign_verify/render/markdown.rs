//! Markdown, for an audit file.

use core::fmt::{self, Write as _};

use super::{View, words};

/// The report as a Markdown document.
pub(crate) fn page(view: &View<'_>) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = write(view, &mut text);
    text
}

fn write(view: &View<'_>, text: &mut String) -> fmt::Result {
    writeln!(text, "# {}: {}\n\n{}", Plain(&view.title), view.verdict(), view.conclusion)?;
    if let Some(judged) = view.report.lineage.as_ref().filter(|judged| !judged.findings.is_empty()) {
        writeln!(text, "\n## What was found\n\n| severity | code | entry | |\n|---|---|---|---|")?;
        for finding in &judged.findings {
            let (code, severity) = (finding.code, finding.code.severity());
            writeln!(text, "| {severity} | `{code}` | {} | {} |", finding.index, Plain(&finding.sentence))?;
        }
    }
    for (question, told) in &view.answers {
        writeln!(text, "\n## {}\n", question.words())?;
        if told.is_empty() {
            writeln!(text, "{}", question.unanswered())?;
        }
        for one in told {
            writeln!(text, "- Entry {}: {}", one.index, Plain(&one.sentence))?;
        }
    }
    if let Some(recorded) = view.recorded.as_ref().filter(|_| !view.answers.is_empty()) {
        writeln!(text, "\n{}", Plain(recorded))?;
    }
    writeln!(text, "\n## How it was checked\n\n| | stage | |\n|---|---|---|")?;
    for line in &view.report.stages {
        let (word, reason) = words(&line.finding);
        writeln!(text, "| {word} | {} | {} |", line.stage, Plain(reason))?;
    }
    writeln!(text, "\n## What this does not prove\n")?;
    view.report.not_checked.iter().try_for_each(|line| writeln!(text, "- {line}"))?;
    writeln!(text, "\nSHA-256 of the bundle: `{}`", view.report.sha256)
}

/// A text whose characters all stand for themselves: nothing in a statement becomes markup. It never begins a line.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = ' ';
        for character in self.0.chars() {
            match character {
                // HTML that a renderer lets through.
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => write!(f, "\\{character}")?,
                // What makes addresses that become links by themselves: `http://`, `www.`, `a@b`.
                '/' if before == ':' => f.write_str("&#47;")?,
                '.' if before.eq_ignore_ascii_case(&'w') => f.write_str("&#46;")?,
                '@' => f.write_str("&#64;")?,
                '\n' | '\r' => f.write_char(' ')?,
                other => f.write_char(other)?,
            }
            before = character;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        for (text, plain) in [
            ("a *b* _c_ `d` [e](f)", "a \\*b\\* \\_c\\_ \\`d\\` \\[e\\](f)"),
            ("<script>&", "&lt;script&gt;&amp;"),
            ("a|b\n# c", "a\\|b # c"),
            ("http://x www.y WWW.z a@b", "http:&#47;/x www&#46;y WWW&#46;z a&#64;b"),
            ("at 08:00:00, v1.2", "at 08:00:00, v1.2"),
        ] {
            assert_eq!(Plain(text).to_string(), plain);
        }
    }
}
