//! A copy of the embedded database, made while others read and write it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    Db, StorageError,
    db::{execute, query_scalar},
};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has tools of its own.
    #[error("this command is for SQLite; a PostgreSQL database is backed up with pg_dump")]
    NotEmbedded,
    /// There is nothing to copy, as where `database.url` names another file than was meant.
    #[error("the database is empty; does database.url name the right file?")]
    Empty,
    /// The file of the copy cannot be written, or is there already.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Writes the database as it is at this instant, whole and compact, to a new file that only its owner can
/// read, and gives its size in bytes. When this returns, the copy outlives a power cut.
pub async fn write(db: &Db, path: &Path) -> Result<u64, BackupError> {
    if matches!(db, Db::Postgres(..)) {
        return Err(BackupError::NotEmbedded);
    }
    let tables: i64 =
        query_scalar!(db, fetch_one, "select count(*) from sqlite_master where name = 'member'")?;
    if tables == 0 {
        return Err(BackupError::Empty);
    }
    let wrong = |error| BackupError::File { path: path.to_owned(), error };
    let name = path.to_str().ok_or_else(|| wrong(io::Error::other("the name must be UTF-8")))?;
    // SQLite fills a file that is there and empty; made by it, others could read it.
    let file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
    if let Err(error) = execute!(db, "vacuum into $1", name) {
        // Half a copy must not be taken for one.
        let _ = fs::remove_file(path);
        return Err(error.into());
    }
    file.sync_all().map_err(wrong)?;
    Ok(file.metadata().map_err(wrong)?.len())
}
