//! The programs' own help: written down for those who have not installed them, and held against what documents say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use countersign_tests::harness::{Program, run};

use crate::documents::{assert_rendered, read};

const PROGRAMS: [Program; 6] = [
    Program::Log,
    Program::Witness,
    Program::Explorer,
    Program::Countersign,
    Program::Verify,
    Program::Hammer,
];

/// Where commands are named. CHANGELOG.md may name what is gone.
const DOCUMENTS: [&str; 14] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/EVIDENCE.md",
    "docs/LINEAGE.md",
    "docs/LOGGING.md",
    "docs/METRICS.md",
    "docs/OPERATIONS.md",
    "docs/THREATS.md",
    "docs/deploy/systemd/countersign-decide.service",
    "docs/deploy/systemd/countersign-explorer.service",
    "docs/deploy/systemd/countersign-log.service",
    "docs/deploy/systemd/countersign-monitor.service",
    "docs/deploy/systemd/countersign-witness.service",
];

/// A command as it is typed, and what it says of itself.
struct Command {
    words: Vec<String>,
    help: String,
}

impl Command {
    fn of(program: Program, words: &[String]) -> Vec<Self> {
        let ran = run(program, words.iter().map(String::as_str).chain(["--help"]));
        let help = ran.holds().to_owned();
        let here = [&[program.name().to_owned()], words].concat();
        let mut commands = vec![Self { words: here, help }];
        for name in commands[0].subcommands() {
            commands.extend(Self::of(program, &[words, &[name]].concat()));
        }
        commands
    }

    fn subcommands(&self) -> Vec<String> {
        let listed = self.help.split("\nCommands:\n").nth(1).unwrap_or_default().lines();
        let names = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    }

    /// The flags under "Options" and other headings, as they are typed.
    fn flags(&self) -> BTreeSet<String> {
        let lines = self.help.lines().map(str::trim_start);
        let options = lines.filter(|line| line.starts_with("--") || line.starts_with('-'));
        options.flat_map(flags_in).collect()
    }
}

fn all() -> Vec<Command> {
    PROGRAMS.into_iter().flat_map(|program| Command::of(program, &[])).collect()
}

/// The long flags in a text.
fn flags_in(text: &str) -> impl Iterator<Item = String> {
    let of_flag = |character: char| character.is_ascii_lowercase() || character == '-';
    let begins = |(at, _): &(usize, &str)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|before| " `([|=".contains(before))
    };
    let flag = move |(at, _): (usize, &str)| -> String {
        text[at..].chars().take_while(|character| of_flag(*character)).collect()
    };
    text.match_indices("--")
        .filter(begins)
        .map(flag)
        .filter(|flag| flag.len() > 2 && !flag.starts_with("---"))
}

#[test]
fn every_command_is_documented_as_it_explains_itself() {
    let mut text = "# Commands\n\n\
        What every program says of itself, for those who have not installed it yet. Each flag of a program may also come from a\n\
        variable or a file: see [Configure](OPERATIONS.md#configure). This document is rendered from the programs; a test holds\n\
        it to them.\n"
        .to_owned();
    for command in all() {
        let depth = if command.words.len() == 1 { "##" } else { "###" };
        let help: Vec<&str> = command.help.lines().map(str::trim_end).collect();
        write!(text, "\n{depth} {}\n\n```text\n{}\n```\n", command.words.join(" "), help.join("\n")).unwrap();
    }
    assert_rendered("docs/COMMANDS.md", &text);
}

/// Flags of others' programs that documents show.
const OF_OTHERS: &[&str] = &[
    "--all-features",
    "--all-targets",
    "--bins",
    "--create-dirs",
    "--data-binary",
    "--locked",
    "--no-deps",
    "--now",
    "--prefix",
    "--release",
    "--test",
    "--workspace",
];

#[test]
fn documents_name_only_flags_that_there_are() {
    let commands = all();
    let of_any: BTreeSet<String> = commands.iter().flat_map(Command::flags).collect();
    assert!(of_any.len() > 40, "{of_any:?}");
    for document in DOCUMENTS {
        for flag in flags_in(&read(document)) {
            let known = of_any.contains(&flag) || OF_OTHERS.contains(&flag.as_str());
            assert!(known, "{document} names {flag}, which no program has");
        }
    }
}

#[test]
fn documented_command_lines_have_the_flags_of_their_command() {
    let commands: BTreeMap<String, BTreeSet<String>> =
        all().iter().map(|command| (command.words.join(" "), command.flags())).collect();
    let mut seen = 0;
    for document in DOCUMENTS {
        let text = read(document).replace("\\\n", " ");
        for line in text.lines() {
            // What a line runs, up to where the next thing begins.
            let runs =
                line.split(['|', ';', '`', '&']).map(str::trim).filter(|run| run.starts_with("countersign"));
            for run in runs {
                let words: Vec<&str> = run.split_whitespace().collect();
                let named =
                    (1..=3).rev().filter_map(|length| words.get(..length)).map(|words| words.join(" "));
                let Some((name, flags)) = named.into_iter().find_map(|name| commands.get_key_value(&name))
                else {
                    continue;
                };
                for flag in flags_in(run.split(" -- ").next().unwrap_or_default()) {
                    assert!(flags.contains(&flag), "{document}: {name} has no {flag}: {run}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 40, "only {seen} flags are seen");
}
