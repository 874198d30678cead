//! How RocksDB is set up. The figures bound memory, and what a start has to replay.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode,
    InfoLogger, LogLevel, Options,
};

use super::layout::Family;

const MIB: usize = 1 << 20;
/// Blocks that are kept in memory, filters and indexes of the files among them.
const BLOCK_CACHE: usize = 64 * MIB;
/// What is in memory before it is written into files, all families together.
const WRITE_BUFFERS: usize = 64 * MIB;
/// Which part of a write buffer its filter takes in addition: 0.8 of 16 MiB, which is 40 bits for a row of 100 bytes.
const MEMORY_FILTER: f64 = 0.05;
/// What a start replays at most.
const WRITE_AHEAD_LOG: u64 = 64 << 20;

pub(super) fn database(create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.set_error_if_exists(create);
    options.create_missing_column_families(create);
    options.set_paranoid_checks(true);
    options.set_track_and_verify_wals_in_manifest(true);
    // A batch that was torn by a crash was never acknowledged: replay ends before it.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // After a write or sync of the write-ahead log that failed, RocksDB would write what is in memory into files, begin
    // a new log and go on. With this it takes such a failure for final; each commit still syncs before it returns.
    options.set_manual_wal_flush(true);
    // Whatever becomes of a batch, it becomes of it in all families.
    options.set_atomic_flush(true);
    options.set_max_total_wal_size(WRITE_AHEAD_LOG);
    options.set_db_write_buffer_size(WRITE_BUFFERS);
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 * MIB);
    options
}

/// For reading alone: nothing is written beside the database either.
pub(super) fn read_only() -> Options {
    let mut options = database(false);
    options.set_info_logger(InfoLogger::new_stderr_logger::<&str>(LogLevel::Fatal, None));
    options
}

pub(super) fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE);
    let families =
        Family::ALL.iter().map(|family| ColumnFamilyDescriptor::new(family.name(), of(*family, &cache)));
    families.chain([ColumnFamilyDescriptor::new("default", Options::default())]).collect()
}

fn of(family: Family, cache: &Cache) -> Options {
    let mut options = Options::default();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Indexes and filters grow with the log, and are kept with all else that is. In one piece for each file they would be
    // larger than what a shard of the cache holds, and be read and checked anew at every look-up: so they are in parts of
    // the size of a block.
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_pin_top_level_index_and_filter(true);
    options.set_compression_type(DBCompressionType::Lz4);
    match family {
        Family::Entries => {
            options.set_write_buffer_size(32 * MIB);
            table.set_block_size(16 * 1024);
        }
        Family::Tiles => {
            // Hashes do not compress, and one tile fills a block of its own.
            options.set_compression_type(DBCompressionType::None);
            options.set_write_buffer_size(8 * MIB);
            table.set_block_size(4 * 1024);
        }
        Family::Ids | Family::Marks => {
            // Most look-ups are for what is not there: the filter answers them.
            options.set_write_buffer_size(16 * MIB);
            table.set_bloom_filter(10.0, false);
            // Also of what is still in memory, where a search goes through a list of all rows.
            options.set_memtable_whole_key_filtering(true);
            options.set_memtable_prefix_bloom_ratio(MEMORY_FILTER);
        }
        Family::Edge | Family::Issuers | Family::Meta => {
            options.set_write_buffer_size(4 * MIB);
        }
    }
    options.set_block_based_table_factory(&table);
    options
}
