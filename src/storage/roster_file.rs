//! Table `roster_file`: files of imports, in sealed parts.

use super::{
    StorageError,
    db::{On, execute, query_scalar},
};

/// Which file of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// What was uploaded.
    Upload,
    /// The rows that were refused.
    Refused,
}

impl FileKind {
    /// As in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Refused => "refused",
        }
    }
}

/// Adds a part.
pub async fn add(
    on: impl Into<On<'_>>,
    (import_id, kind, part): (&str, FileKind, i64),
    sealed: &str,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into roster_file (import_id, kind, part, sealed) values ($1, $2, $3, $4)
         on conflict (import_id, kind, part) do update set sealed = excluded.sealed",
        import_id,
        kind.as_str(),
        part,
        sealed
    )?;
    Ok(())
}

/// A part, sealed.
pub async fn part(
    on: impl Into<On<'_>>,
    (import_id, kind, part): (&str, FileKind, i64),
) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "select sealed from roster_file where import_id = $1 and kind = $2 and part = $3",
        import_id,
        kind.as_str(),
        part
    )
}

/// Deletes a file.
pub async fn delete(on: impl Into<On<'_>>, import_id: &str, kind: FileKind) -> Result<(), StorageError> {
    execute!(on, "delete from roster_file where import_id = $1 and kind = $2", import_id, kind.as_str())?;
    Ok(())
}
