//! How much of a disk a folder takes.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Bytes that the files below a folder take on the disk, as `du` counts them: in whole blocks, holes left out.
///
/// What is deleted while it is counted is not counted.
pub fn used(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => used(&entry.path()).saturating_add(blocks(&data)),
        Ok(data) => blocks(&data),
        Err(_) => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

fn blocks(data: &std::fs::Metadata) -> u64 {
    data.blocks().saturating_mul(512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_counts_whole_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let before = used(folder.path());
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner").join("file"), vec![1; 10_000]).unwrap();
        let grown = used(folder.path()) - before;
        assert!((10_000..100_000).contains(&grown), "{grown}");
        assert_eq!(used(&folder.path().join("missing")), 0);
    }
}
