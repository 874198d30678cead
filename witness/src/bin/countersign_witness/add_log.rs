//! `countersign-witness add-log`.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use countersign_verifier::checkpoint::{CheckpointError, Origin};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_witness::roster::{self, Added, Entry, parse_list};
use serde_json::json;
use url::{Host, Url};

use crate::{Data, failed};

/// No list of logs is longer than this, in bytes.
const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// Watch a log, or all logs of a list. Works while the witness serves
///
/// Logs and keys are only ever added. A key for a log that is watched already is one more by which it may sign. A list
/// adds only logs that are not watched yet; run this again to follow a list that grows.
#[derive(Debug, Args)]
pub(crate) struct AddLog {
    #[command(flatten)]
    data: Data,
    /// The key of the log (type 0x01)
    #[arg(long, value_name = "VKEY", required_unless_present = "list", conflicts_with = "list")]
    vkey: Option<VerifierKey>,
    /// The first line of its checkpoints [default: the name in the vkey]
    #[arg(long, value_name = "ORIGIN", value_parser = origin, conflicts_with = "list")]
    origin: Option<Origin>,
    /// A list of logs in the format logs/v0: a file, or an https URL
    #[arg(long, value_name = "FILE-OR-URL")]
    list: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn origin(text: &str) -> Result<Origin, CheckpointError> {
    Origin::new(text)
}

impl AddLog {
    /// Prints what was added, and leaves what was there as it was.
    pub(crate) fn run(&self) -> Result<Exit, Failed> {
        let folder = self.data.folder();
        let own = folder.cosigner().map_err(|error| failed(error.into()))?.key().clone();
        let (entries, from_list) = match (&self.vkey, &self.list) {
            (Some(key), _) => (vec![self.entry(key)?], false),
            (None, Some(list)) => {
                let text = fetch(list)?;
                let entries = parse_list(&text).map_err(|error| {
                    Failed::new(Exit::CouldNotCheck, format!("{list} is no list of logs")).because(error)
                })?;
                (entries, true)
            }
            (None, None) => return Err(Failed::new(Exit::Usage, "expected --vkey or --list")),
        };
        let added = roster::add(&folder.logs(), &own, entries, from_list)
            .map_err(|error| Failed::new(Exit::CouldNotCheck, "nothing was added").because(error))?;
        self.report(&added)?;
        Ok(Exit::Holds)
    }

    fn entry(&self, key: &VerifierKey) -> Result<Entry, Failed> {
        let origin = match &self.origin {
            Some(origin) => origin.clone(),
            None => Origin::new(key.name().as_str()).map_err(|error| {
                Failed::new(Exit::Usage, "the name in the vkey cannot be an origin").because(error)
            })?,
        };
        Ok(Entry { key: key.clone(), origin, per_day: None, contact: None })
    }

    fn report(&self, added: &Added) -> Result<(), Failed> {
        let Added { logs, keys, known, refused } = added;
        if self.json {
            let entry =
                |entry: &Entry| json!({"origin": entry.origin.as_str(), "vkey": entry.key.to_string()});
            return print_line(json!({
                "added": logs.iter().map(entry).collect::<Vec<_>>(),
                "keys_added": keys.iter().map(entry).collect::<Vec<_>>(),
                "known": known,
                "refused": refused
                    .iter()
                    .map(|(origin, error)| json!({"origin": origin.as_str(), "reason": error.to_string()}))
                    .collect::<Vec<_>>(),
            }));
        }
        for Entry { origin, .. } in logs {
            print_line(format_args!("added {origin}"))?;
        }
        for Entry { origin, key, .. } in keys {
            print_line(format_args!("added the key {} to {origin}", key.id()))?;
        }
        for (origin, error) in refused {
            print_line(format_args!("left out {origin}: {error}"))?;
        }
        if *known > 0 {
            print_line(format_args!("{known} known already"))?;
        }
        Ok(())
    }
}

/// Gets a list from a file or a URL.
fn fetch(list: &str) -> Result<String, Failed> {
    let unreadable = || Failed::new(Exit::CouldNotCheck, format!("cannot read the list {list}"));
    let bytes = if list.starts_with("https://") || list.starts_with("http://") {
        let url = Url::parse(list).map_err(|error| unreadable().because(error))?;
        if url.scheme() != "https" && !is_this_machine(&url) {
            return Err(Failed::new(
                Exit::Usage,
                "a list comes over https, so that nobody can change it on the way",
            ));
        }
        download(url).map_err(|error| unreadable().because(error))?
    } else {
        let mut bytes = Vec::new();
        std::fs::File::open(Path::new(list))
            .and_then(|file| file.take(MAX_LIST_BYTES as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable().because(error))?;
        bytes
    };
    if bytes.len() > MAX_LIST_BYTES {
        return Err(unreadable().because(format!("it has more than {MAX_LIST_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| unreadable().because(error))
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Gets a URL, at most one byte more than [`MAX_LIST_BYTES`] of it.
fn download(url: Url) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let mut response = client.get(url).send().await?.error_for_status()?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_LIST_BYTES {
                break;
            }
        }
        Ok(bytes)
    })
}
