//! Reading files through, so that their checksums speak.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;

use rocksdb::ReadOptions;

use super::{RocksStore, failed};
use crate::store::StoreError;

impl RocksStore {
    /// Reads everything in which one of these files has a part, and so checks what is in them against their checksums.
    /// Files that hold nothing of the store any more are passed over.
    pub(crate) fn read_through(&self, files: &HashSet<OsString>) -> Result<(), StoreError> {
        let live = self.db.live_files().map_err(|error| failed(READING, error))?;
        let mut ranges: BTreeMap<String, Vec<Range>> = BTreeMap::new();
        for file in live {
            let name = OsString::from(file.name.trim_start_matches('/'));
            if let (true, Some(first), Some(last)) = (files.contains(&name), file.start_key, file.end_key) {
                ranges.entry(file.column_family_name).or_default().push((first, last));
            }
        }
        ranges.into_iter().try_for_each(|(family, ranges)| {
            let family = self.db.cf_handle(&family).ok_or(StoreError::MissingRow { row: "a family" })?;
            united(ranges).into_iter().try_for_each(|(first, last)| {
                let mut options = ReadOptions::default();
                options.fill_cache(false);
                let mut rows = self.db.raw_iterator_cf_opt(family, options);
                rows.seek(first);
                while rows.item().is_some_and(|(key, _)| *key <= *last) {
                    rows.next();
                }
                rows.status().map_err(|error| failed(READING, error))
            })
        })
    }
}

/// From a key to a key, both within.
type Range = (Vec<u8>, Vec<u8>);

const READING: &str = "being read through";

/// The same ranges, those that touch each other as one.
fn united(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort();
    let mut united: Vec<Range> = Vec::new();
    for (first, last) in ranges {
        match united.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(std::mem::take(end)),
            _ => united.push((first, last)),
        }
    }
    united
}
