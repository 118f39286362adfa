//! Opening the file: flags, pragmas, migrations, and the checks before anything is trusted.
//!
//! Decides how every connection is set up. WAL with `synchronous=FULL`, so that a COMMIT which returned is on the disk;
//! no memory map; checkpoints only where the writer asks for them, so that a reader's close never does one.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::StoreError;

/// The migrations, oldest first; the position, from 1, is the schema's number.
pub(crate) const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/0001_begin.sql"),
    include_str!("migrations/0002_checkins.sql"),
    include_str!("migrations/0003_memory.sql"),
    include_str!("migrations/0004_conversations.sql"),
];

/// The number of the newest schema that this program knows.
pub const SCHEMA_VERSION: u32 = 4;

/// Up to this size of the file every page is looked at when it is opened; above, `audit verify` does so.
const CHECKED_AT_OPEN_MAX: i64 = 256 * 1024 * 1024;

/// How many prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 96;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The one that writes.
    Write,
    /// One that only reads.
    Read,
}

/// Opens a connection to an existing file.
pub(crate) fn open(path: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    let access = match purpose {
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags =
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| StoreError::from(error).at(path))?;
    set_up(&connection).map_err(|error| error.at(path))?;
    Ok(connection)
}

/// Makes an empty file into a store of the present schema.
pub(crate) fn make(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| StoreError::from(error).at(path))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    set_up(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Makes a store in memory.
pub(crate) fn make_in_memory() -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    set_up(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    Ok(())
}

/// Returns the schema's number.
pub(crate) fn schema(connection: &Connection) -> Result<u32, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Refuses a store that a newer program made.
pub(crate) fn check_schema(connection: &Connection) -> Result<(), StoreError> {
    let (found, known) = (schema(connection)?, SCHEMA_VERSION);
    if found > known { Err(StoreError::NewerSchema { found, known }) } else { Ok(()) }
}

/// Brings a store forward to the present schema, one transaction a step.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    check_schema(connection)?;
    let done = schema(connection)?;
    for (number, sql) in (1_u32..).zip(MIGRATIONS).filter(|(number, _)| *number > done) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", number)?;
        step.commit()?;
    }
    Ok(())
}

/// Looks at every page of a file that is not too large for that.
pub(crate) fn check_pages(connection: &Connection) -> Result<(), StoreError> {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    if pages.saturating_mul(size) > CHECKED_AT_OPEN_MAX {
        return Ok(());
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(StoreError::Corrupt { why: said }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(connection: &Connection) -> Vec<(String, String, String)> {
        let mut found =
            connection.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name").unwrap();
        found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn all_migrations_together_make_the_schema_that_is_shown() {
        let migrated = make_in_memory().unwrap();
        let shown = Connection::open_in_memory().unwrap();
        shown.execute_batch(include_str!("schema.sql")).unwrap();
        assert_eq!(objects(&migrated), objects(&shown));
        assert_eq!(schema(&migrated).unwrap(), SCHEMA_VERSION);
        assert_eq!(usize::try_from(SCHEMA_VERSION).unwrap(), MIGRATIONS.len());
    }

    #[test]
    fn every_migration_opens_with_its_reason_and_every_table_is_strict() {
        for (number, sql) in MIGRATIONS.iter().enumerate() {
            assert!(sql.starts_with(&format!("-- {:04}:", number + 1)), "{number}");
            assert!(sql.lines().nth(1).unwrap().starts_with("-- Why:"), "{number}");
        }
        for (sort, name, sql) in objects(&make_in_memory().unwrap()) {
            // The index of Memory's words is the search engine's own, with the tables that it keeps.
            let words = name == "memory" || name.starts_with("memory_");
            assert!(sort != "table" || words || sql.contains(") STRICT"), "{name}");
        }
    }

    #[test]
    fn a_migration_that_was_cut_off_halfway_left_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        // A name in the way makes the step fail at its end, after most of its tables were made.
        connection.execute_batch("CREATE TABLE heartbeat (x)").unwrap();
        assert!(migrate(&mut connection).is_err());
        assert_eq!(schema(&connection).unwrap(), 0);
        assert_eq!(objects(&connection).len(), 1);
        connection.execute_batch("DROP TABLE heartbeat").unwrap();
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn the_bundled_sqlite_is_new_enough_for_two_connections_on_one_wal() {
        assert!(rusqlite::version_number() >= 3_051_003);
    }
}
