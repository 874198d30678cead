//! Documents that are rendered from the code, and held to it.

use std::path::{Path, PathBuf};

/// Set to anything, documents are written instead of compared.
const WRITE: &str = "COUNTERSIGN_TESTS_WRITE_DOCUMENTS";

/// Where a file of the project is.
pub(crate) fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// A file of the project.
#[track_caller]
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Asserts that a document says what the code does.
#[track_caller]
pub(crate) fn assert_rendered(path: &str, rendered: &str) {
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(place(path), rendered).unwrap();
    }
    let found = read(path);
    let differs = found.lines().zip(rendered.lines()).find(|(found, expected)| found != expected);
    assert!(
        found == rendered,
        "{path} is not what the programs say: {differs:#?}\nrun this test again with {WRITE}=1, and commit the file"
    );
}

/// Asserts that what stands between a heading and the next empty line is what the code does.
#[track_caller]
pub(crate) fn assert_rendered_below(heading: &str, path: &str, rendered: &str) {
    let text = read(path);
    let (before, rest) = text.split_once(&format!("\n{heading}\n\n")).unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    assert_rendered(path, &format!("{before}\n{heading}\n\n{}\n\n{after}", rendered.trim_end()));
}
