//! `countersign-witness init`.

use clap::Args;
use countersign_verifier::note::{KeyError, KeyName};
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_witness::folder::FolderError;

use crate::{Data, failed};

/// Make a key and an empty data folder, and print the vkey
#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    data: Data,
    /// The name of the witness, such as witness.example/w1: no white space, no plus sign
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: KeyName,
}

fn name(text: &str) -> Result<KeyName, KeyError> {
    KeyName::new(text)
}

impl Init {
    /// Prints the vkey alone: it goes into the policies of those who trust the witness.
    pub(crate) fn run(&self) -> Result<Exit, Failed> {
        let key = self.data.folder().init(&self.name).map_err(|error| match error {
            error @ FolderError::Key(_) => Failed::new(Exit::Usage, "the witness is not set up")
                .because(error)
                .hint("a data folder holds one witness for ever: choose another folder"),
            error => failed(error.into()),
        })?;
        print_line(key)?;
        Ok(Exit::Holds)
    }
}
