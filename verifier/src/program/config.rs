//! Flags from the command line, from `COUNTERSIGN_*` variables and from a TOML file, in this order of precedence.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, Command, Parser, ValueHint};

use super::{Exit, Failed};

const CONFIG: &str = "config";

/// Reads the flags of a program.
///
/// Every command that has no `--config` of its own gets one: a TOML file whose keys are flag names without the
/// dashes, at the top level for all commands that know them, or in a table named like the command. A flag that is
/// neither on the command line nor in the file is looked up as `COUNTERSIGN_<FLAG>`, in capitals with underscores.
/// Help and version are printed and end the program, as does a wrong command line, with exit code 1.
pub fn parse<A: Parser>() -> Result<A, Failed> {
    match parse_from(&std::env::args_os().collect::<Vec<_>>(), |name| std::env::var_os(name)) {
        Ok(args) => Ok(args),
        Err(NotParsed::Clap(error)) => end_with(&error),
        Err(NotParsed::Failed(failed)) => Err(failed),
    }
}

#[expect(clippy::exit, reason = "help, version and usage errors end every program before it begins")]
fn end_with(error: &clap::Error) -> ! {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Holds,
        _ => Exit::Usage,
    };
    // Nothing can be said any more if this cannot be printed.
    let _ = error.print();
    std::process::exit(exit as i32)
}

enum NotParsed {
    Clap(clap::Error),
    Failed(Failed),
}

fn parse_from<A: Parser>(args: &[OsString], env: impl Fn(&str) -> Option<OsString>) -> Result<A, NotParsed> {
    let mut command = with_config_flag(A::command());
    let (path, rest) = split_at_leaf(&command, args);
    let leaf = path.iter().skip(1).try_fold(&command, |command, name| command.find_subcommand(name));
    let own_config = A::command();
    let own_config = path
        .iter()
        .skip(1)
        .try_fold(&own_config, |command, name| command.find_subcommand(name))
        .is_some_and(|leaf| leaf.get_arguments().any(|arg| arg.get_id() == CONFIG));
    let injected = match leaf {
        Some(leaf) => inject(&command, leaf, own_config, rest, env).map_err(NotParsed::Failed)?,
        None => Vec::new(),
    };
    let all = path.iter().chain(&injected).chain(rest).cloned().collect::<Vec<_>>();
    let matches = command.try_get_matches_from_mut(all).map_err(NotParsed::Clap)?;
    A::from_arg_matches(&matches).map_err(|error| NotParsed::Clap(error.format(&mut command)))
}

/// Adds `--config` to every command that runs something and has none of its own.
fn with_config_flag(command: Command) -> Command {
    if command.has_subcommands() {
        return command.mut_subcommands(with_config_flag);
    }
    if command.get_arguments().any(|arg| arg.get_id() == CONFIG) {
        return command;
    }
    command.arg(
        Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .help("TOML file with flags; COUNTERSIGN_<FLAG> variables and the command line go before it"),
    )
}

/// The program and its subcommands, and what follows them.
fn split_at_leaf<'a>(command: &Command, args: &'a [OsString]) -> (&'a [OsString], &'a [OsString]) {
    let mut command = command;
    let mut depth = 1;
    while let Some(next) = args.get(depth).and_then(|arg| command.find_subcommand(arg)) {
        command = next;
        depth = depth.saturating_add(1);
    }
    args.split_at(depth.min(args.len()))
}

/// The flags that the environment and the file add to the command line.
fn inject(
    program: &Command,
    leaf: &Command,
    own_config: bool,
    given: &[OsString],
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<OsString>, Failed> {
    let file =
        if own_config { None } else { find_value(given, CONFIG).or_else(|| env("COUNTERSIGN_CONFIG")) };
    let mut file = match file {
        Some(file) => ConfigFile::read(Path::new(&file), program, leaf)?,
        None => ConfigFile::default(),
    };
    let mut injected = Vec::new();
    for arg in leaf.get_arguments() {
        let Some(long) = arg.get_long().filter(|long| !matches!(*long, CONFIG | "help" | "version")) else {
            continue;
        };
        let from_file = file.take(long);
        if is_given(given, long) {
            continue;
        }
        let takes_value = arg.get_action().takes_values();
        if let Some(value) = env(&format!("COUNTERSIGN_{}", long.to_uppercase().replace('-', "_"))) {
            push(&mut injected, long, takes_value, &value)?;
        } else if let Some(value) = from_file {
            for value in scalars(long, value)? {
                push(&mut injected, long, takes_value, OsStr::new(&value))?;
            }
        }
    }
    file.check_own(leaf)?;
    Ok(injected)
}

fn push(args: &mut Vec<OsString>, long: &str, takes_value: bool, value: &OsStr) -> Result<(), Failed> {
    if takes_value {
        let mut arg = OsString::from(format!("--{long}="));
        arg.push(value);
        args.push(arg);
        return Ok(());
    }
    match value.to_str() {
        Some("true" | "1") => args.push(OsString::from(format!("--{long}"))),
        Some("false" | "0" | "") => {}
        _ => return Err(Failed::new(Exit::Usage, format!("{long} is a switch: expected true or false"))),
    }
    Ok(())
}

/// What a file says to one command.
#[derive(Default)]
struct ConfigFile {
    /// The table named like the command.
    own: toml::Table,
    /// The keys at the top level, for every command that knows the flag.
    shared: toml::Table,
}

impl ConfigFile {
    /// Reads a file in which every table is a command of the program, and every key at the top level a flag of one.
    fn read(path: &Path, program: &Command, leaf: &Command) -> Result<Self, Failed> {
        let unreadable =
            || Failed::new(Exit::Usage, format!("cannot read the configuration {}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| unreadable().because(error))?;
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| unreadable().because(error))?;
        let mut file = Self::default();
        let (commands, flags) = known(program);
        for (key, value) in table {
            match value {
                toml::Value::Table(own) if key == leaf.get_name() => file.own = own,
                toml::Value::Table(_) if commands.contains(key.as_str()) => {}
                toml::Value::Table(_) => {
                    let what = format!("the configuration has a table {key:?}, which is no command");
                    let commands = commands.into_iter().collect::<Vec<_>>().join(", ");
                    return Err(Failed::new(Exit::Usage, what).hint(format!("there are {commands}")));
                }
                value if flags.contains(key.as_str()) => {
                    file.shared.insert(key, value);
                }
                _ => return Err(no_flag(&key, program)),
            }
        }
        Ok(file)
    }

    fn take(&mut self, long: &str) -> Option<toml::Value> {
        let shared = self.shared.remove(long);
        self.own.remove(long).or(shared)
    }

    /// Whether all keys of the command's own table were flags of it.
    fn check_own(&self, leaf: &Command) -> Result<(), Failed> {
        self.own.keys().next().map_or(Ok(()), |key| Err(no_flag(key, leaf)))
    }
}

fn no_flag(key: &str, command: &Command) -> Failed {
    let name = command.get_name();
    Failed::new(Exit::Usage, format!("the configuration has {key:?}, which is not a flag of {name}"))
        .hint(format!("{name} --help lists the flags"))
}

/// The names of all commands below a program, its own among them, and of their flags.
fn known(program: &Command) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let mut commands = BTreeSet::from([program.get_name()]);
    let mut flags: BTreeSet<&str> = program.get_arguments().filter_map(Arg::get_long).collect();
    for below in program.get_subcommands() {
        let (names, longs) = known(below);
        commands.extend(names);
        flags.extend(longs);
    }
    (commands, flags)
}

fn scalars(long: &str, value: toml::Value) -> Result<Vec<String>, Failed> {
    match value {
        toml::Value::String(text) => Ok(vec![text]),
        toml::Value::Integer(number) => Ok(vec![number.to_string()]),
        toml::Value::Boolean(switch) => Ok(vec![switch.to_string()]),
        toml::Value::Array(values) => {
            Ok(values.into_iter().map(|value| scalars(long, value)).collect::<Result<Vec<_>, _>>()?.concat())
        }
        _ => Err(Failed::new(
            Exit::Usage,
            format!("the configuration of {long:?} is neither text, number, switch nor a list of them"),
        )),
    }
}

/// The part of the command line that is flags: what follows `--` is somebody else's.
fn flags(given: &[OsString]) -> impl Iterator<Item = &OsString> {
    given.iter().take_while(|arg| *arg != "--")
}

fn is_given(given: &[OsString], long: &str) -> bool {
    flags(given)
        .filter_map(|arg| arg.to_str()?.strip_prefix("--"))
        .any(|arg| arg.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
}

fn find_value(given: &[OsString], long: &str) -> Option<OsString> {
    let mut args = flags(given);
    while let Some(arg) = args.next() {
        let Some(rest) = arg.to_str().and_then(|arg| arg.strip_prefix("--")?.strip_prefix(long)) else {
            continue;
        };
        match rest.strip_prefix('=') {
            Some(value) => return Some(value.into()),
            None if rest.is_empty() => return args.next().cloned(),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Parser, Debug, PartialEq)]
    #[command(name = "program")]
    enum Args {
        Serve {
            #[arg(long)]
            listen: String,
            #[arg(long)]
            quiet: bool,
            #[arg(long)]
            peer: Vec<String>,
        },
        Run {
            #[arg(long)]
            config: String,
        },
        Check {
            #[arg(long)]
            limit: Option<u8>,
        },
    }

    fn parse(args: &[&str], env: &[(&str, &str)]) -> Result<Args, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        parse_from(&args, env).map_err(|error| match error {
            NotParsed::Clap(error) => error.to_string(),
            NotParsed::Failed(failed) => failed.to_string(),
        })
    }

    fn serve(listen: &str, quiet: bool, peer: &[&str]) -> Args {
        Args::Serve { listen: listen.into(), quiet, peer: peer.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
        let dir = std::env::temp_dir().join(format!("countersign-config-{}", std::process::id()));
        std::fs::write(
            &dir,
            "listen = \"file\"\n[serve]\nquiet = true\npeer = [\"a\", \"b\"]\n[check]\nlimit = 1\n",
        )
        .unwrap();
        let file = dir.to_str().unwrap();
        let with = |more: &[&str], env| parse(&[&["program", "serve", "--config", file], more].concat(), env);
        assert_eq!(with(&[], &[]), Ok(serve("file", true, &["a", "b"])));
        assert_eq!(with(&[], &[("COUNTERSIGN_LISTEN", "env")]), Ok(serve("env", true, &["a", "b"])));
        let env = &[("COUNTERSIGN_LISTEN", "env"), ("COUNTERSIGN_QUIET", "false")];
        assert_eq!(with(&["--listen=line", "--peer", "c"], env), Ok(serve("line", false, &["c"])));
        std::fs::write(&dir, "listen = \"file\"\nlimit = 7\n").unwrap();
        assert_eq!(with(&[], &[]), Ok(serve("file", false, &[])), "a flag of another command");
        assert_eq!(parse(&["program", "check", "--config", file], &[]), Ok(Args::Check { limit: Some(7) }));
        for (text, said) in [
            ("listn = \"typo\"\n", "\"listn\", which is not a flag of program"),
            ("[serve]\nlimit = 7\n", "\"limit\", which is not a flag of serve"),
            ("[serv]\nquiet = true\n", "\"serv\", which is no command"),
        ] {
            std::fs::write(&dir, text).unwrap();
            let refused = with(&[], &[]).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        std::fs::remove_file(&dir).unwrap();
        assert!(with(&[], &[]).unwrap_err().contains("cannot read the configuration"));
    }

    #[test]
    fn a_command_with_its_own_config_keeps_it() {
        assert_eq!(
            parse(&["program", "run", "--config", "/nowhere"], &[]),
            Ok(Args::Run { config: "/nowhere".into() })
        );
    }
}
