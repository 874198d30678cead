//! Exactly what is to be executed: a program, its arguments, a folder.
//!
//! The digest of these is what an authorization is for. It says nothing about the environment, the standard input
//! and the content of the program's file. [`Exact`] is what the gate needs of anything that it lets happen, of which a
//! command is one.

use core::fmt;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign_verifier::statement::Sha256Digest;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Why there is no exact command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No words.
    #[error("no command is given")]
    Empty,
    /// A word or the folder is not UTF-8, and a statement can only state UTF-8.
    #[error("{what} is not UTF-8, so that it cannot be stated exactly")]
    NotUtf8 {
        /// Which.
        what: &'static str,
    },
    /// No executable file at that path.
    #[error("no executable file {0:?} was found")]
    NotFound(String),
    /// No executable file of that name.
    #[error(
        "no executable file {name:?} was found in {search}: bare names are looked for in the search_path of the gate's \
         configuration, not in PATH"
    )]
    NotOnSearchPath {
        /// The name.
        name: String,
        /// Where it was looked for.
        search: SearchPath,
    },
    /// The folder to run in cannot be told.
    #[error("the folder to run in is not an absolute path")]
    Folder,
    /// The command has no canonical form.
    #[error("the command has no RFC 8785 form")]
    NoCanonicalForm,
}

/// Where programs that are given by a bare name are looked for: absolute folders, in their order.
///
/// A rule that allows a name allows what is found by it. So this is the configuration's to say, and never the caller's
/// `PATH`: whoever asks for a command could choose the program by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath(Vec<PathBuf>);

impl Default for SearchPath {
    /// Where only the administrator of a machine puts programs.
    fn default() -> Self {
        Self::new(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from))
    }
}

impl fmt::Display for SearchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, folder) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ":" }, folder.display())?;
        }
        if self.0.is_empty() { f.write_str("no folder") } else { Ok(()) }
    }
}

impl SearchPath {
    /// The absolute ones of `folders`; relative ones would find another program in every folder.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(folders.into_iter().filter(|folder| folder.is_absolute()).collect())
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        self.0.iter().map(|folder| folder.join(name)).find(|path| is_executable(path))
    }
}

/// Something that can be asked for, authorized, and held against the authorization: nothing about it is left open.
pub trait Exact {
    /// The name of the action, as statements and policies have it.
    const ACTION: &'static str;
    /// The type of the resources.
    const RESOURCE_TYPE: &'static str;

    /// The id of the resource.
    fn resource(&self) -> &str;

    /// What an authorization for this, and for nothing else, names.
    fn digest(&self) -> Sha256Digest;

    /// What statements say of the action beyond its name.
    fn properties(&self) -> Map<String, Value>;

    /// What the policies are about, as their context.
    fn context(&self) -> Map<String, Value>;

    /// What no rule permits, in a few words.
    fn words(&self) -> String;
}

/// A command with nothing left open: the program by absolute path, every argument, the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactCommand {
    program: String,
    name: Option<String>,
    arguments: Vec<String>,
    folder: String,
    digest: Sha256Digest,
}

impl ExactCommand {
    /// Resolves `words`, the program first, as they would be executed in `folder`. A program without a slash is
    /// looked for in `search`; one with a slash is relative to `folder`. Symbolic links are kept as they are.
    pub fn resolve(words: &[OsString], folder: &Path, search: &SearchPath) -> Result<Self, ResolveError> {
        let (program, arguments) = words.split_first().ok_or(ResolveError::Empty)?;
        let not_utf8 = |what| ResolveError::NotUtf8 { what };
        let program = program.to_str().ok_or(not_utf8("the program"))?;
        let arguments: Option<Vec<String>> =
            arguments.iter().map(|word| word.to_str().map(str::to_owned)).collect();
        let arguments = arguments.ok_or(not_utf8("an argument"))?;
        if !folder.is_absolute() {
            return Err(ResolveError::Folder);
        }
        let path = if program.contains('/') {
            let path = Some(folder.join(program)).filter(|path| is_executable(path));
            path.ok_or_else(|| ResolveError::NotFound(program.to_owned()))?
        } else {
            search.find(program).ok_or_else(|| ResolveError::NotOnSearchPath {
                name: program.to_owned(),
                search: search.clone(),
            })?
        };
        let path = std::path::absolute(path).map_err(|_| ResolveError::Folder)?;
        // A program has a name when that name alone would find it.
        let name = path.file_name().and_then(OsStr::to_str);
        let name =
            name.filter(|name| search.find(name).as_deref() == Some(path.as_path())).map(str::to_owned);
        let program = path.to_str().ok_or(not_utf8("the path of the program"))?.to_owned();
        let folder = folder.to_str().ok_or(not_utf8("the folder to run in"))?.to_owned();
        let digest = digest(&program, &arguments, &folder)?;
        Ok(Self { program, name, arguments, folder, digest })
    }

    /// The absolute path of the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The bare name that finds the program, if one does.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The arguments, the program not among them.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The program and its arguments.
    pub fn argv(&self) -> impl Iterator<Item = &str> {
        core::iter::once(self.program.as_str()).chain(self.arguments.iter().map(String::as_str))
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// SHA-256 over the RFC 8785 form of `{"argv": [program, arguments...], "cwd": folder}`.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }
}

impl Exact for ExactCommand {
    const ACTION: &'static str = "execute";
    const RESOURCE_TYPE: &'static str = "Program";

    fn resource(&self) -> &str {
        &self.program
    }

    fn digest(&self) -> Sha256Digest {
        self.digest
    }

    fn properties(&self) -> Map<String, Value> {
        [("arguments".to_owned(), json!(self.arguments)), ("cwd".to_owned(), json!(self.folder))]
            .into_iter()
            .collect()
    }

    fn context(&self) -> Map<String, Value> {
        let numbered = self.arguments.iter().enumerate();
        let arguments: Map<String, Value> =
            numbered.map(|(at, argument)| (at.to_string(), argument.clone().into())).collect();
        let mut context = Map::new();
        context.insert("arguments".to_owned(), Value::Object(arguments));
        if let Some(name) = &self.name {
            context.insert("name".to_owned(), json!(name));
        }
        context
    }

    fn words(&self) -> String {
        format!("{} with these arguments", self.program)
    }
}

fn digest(program: &str, arguments: &[String], folder: &str) -> Result<Sha256Digest, ResolveError> {
    let argv: Vec<&str> = std::iter::once(program).chain(arguments.iter().map(String::as_str)).collect();
    canonical_digest(&json!({ "argv": argv, "cwd": folder })).ok_or(ResolveError::NoCanonicalForm)
}

/// SHA-256 over the RFC 8785 form of a value, if it has one.
pub fn canonical_digest(value: &Value) -> Option<Sha256Digest> {
    let bytes = serde_json_canonicalizer::to_vec(value).ok()?;
    Some(Sha256Digest::from_bytes(Sha256::digest(bytes).into()))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn command(program: &str, arguments: &[&str], folder: &str) -> Sha256Digest {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        digest(program, &arguments, folder).unwrap()
    }

    #[test]
    fn the_digest_is_over_the_canonical_form() {
        // printf '%s' '{"argv":["/bin/echo","a b","é\n"],"cwd":"/tmp"}' | sha256sum, with the é as UTF-8 and the
        // line feed as the two characters \n
        let expected = Sha256::digest("{\"argv\":[\"/bin/echo\",\"a b\",\"é\\n\"],\"cwd\":\"/tmp\"}");
        assert_eq!(command("/bin/echo", &["a b", "é\n"], "/tmp").as_bytes(), expected.as_slice());
    }

    #[test]
    fn names_are_found_on_the_search_path_only() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, work) = (folder.path().join("bin"), folder.path().join("work"));
        for at in [&bin, &work] {
            std::fs::create_dir(at).unwrap();
            for (name, mode) in [("tool", 0o755), ("data", 0o644)] {
                std::fs::write(at.join(name), "").unwrap();
                std::fs::set_permissions(at.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        let search = SearchPath::new([PathBuf::from("work"), PathBuf::new(), bin.clone()]);
        let resolve = |program: &str| ExactCommand::resolve(&words(&[program]), &work, &search);
        let tool = bin.join("tool");
        let tool = tool.to_str().unwrap();
        assert_eq!(resolve("tool").unwrap().program(), tool);
        assert_eq!(resolve("tool").unwrap().name(), Some("tool"));
        assert_eq!(resolve(tool).unwrap(), resolve("tool").unwrap());
        // The same name elsewhere is another program, without a name.
        let other = resolve("./tool").unwrap();
        assert_eq!((other.program(), other.name()), (work.join("tool").to_str().unwrap(), None));
        for missing in ["./data", "/"] {
            assert_eq!(resolve(missing), Err(ResolveError::NotFound(missing.to_owned())), "{missing:?}");
        }
        for missing in ["data", "nothing", "..", ""] {
            let expected = ResolveError::NotOnSearchPath { name: missing.to_owned(), search: search.clone() };
            assert_eq!(resolve(missing), Err(expected), "{missing:?}");
        }
        assert_eq!(ExactCommand::resolve(&[], &work, &search), Err(ResolveError::Empty));
        let relative = ExactCommand::resolve(&words(&["tool"]), Path::new("work"), &search);
        assert_eq!(relative, Err(ResolveError::Folder));
    }

    #[test]
    fn what_is_not_utf8_is_not_guessed_at() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = OsString::from_vec(vec![b'a', 0xff]);
        let search = SearchPath::new([PathBuf::from("/bin")]);
        let resolve = |words: &[OsString]| ExactCommand::resolve(words, Path::new("/"), &search);
        assert_eq!(resolve(std::slice::from_ref(&odd)), Err(ResolveError::NotUtf8 { what: "the program" }));
        assert_eq!(resolve(&["sh".into(), odd]), Err(ResolveError::NotUtf8 { what: "an argument" }));
    }

    proptest! {
        #[test]
        fn two_commands_have_one_digest_only_when_they_are_one(
            a in ("[a-c/ \"\\\\]{0,4}", prop::collection::vec("[a-c/ \"\\\\]{0,4}", 0..4), "[a-c/]{0,3}"),
            b in ("[a-c/ \"\\\\]{0,4}", prop::collection::vec("[a-c/ \"\\\\]{0,4}", 0..4), "[a-c/]{0,3}"),
        ) {
            let same = digest(&a.0, &a.1, &a.2).unwrap() == digest(&b.0, &b.1, &b.2).unwrap();
            prop_assert_eq!(same, a == b);
        }

        #[test]
        fn moving_a_byte_from_one_argument_to_the_next_changes_the_digest(text in "[a-z ]{2,12}", cut in 1_usize..11) {
            let cut = cut.min(text.len() - 1);
            let (left, right) = text.split_at(cut);
            prop_assert_ne!(command("/p", &[left, right], "/"), command("/p", &[&text], "/"));
            prop_assert_ne!(command("/p", &[left, right], "/"), command("/p", &[&text, ""], "/"));
        }
    }
}
