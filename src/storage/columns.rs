//! The columns of a row by their place. A statement that is run for every token has many, and to look each up by
//! its name costs more than to read it.

use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

/// A value as both engines store it.
pub(super) trait Stored:
    Type<Postgres> + for<'r> Decode<'r, Postgres> + Type<Sqlite> + for<'r> Decode<'r, Sqlite>
{
}

impl<T> Stored for T where
    T: Type<Postgres> + for<'r> Decode<'r, Postgres> + Type<Sqlite> + for<'r> Decode<'r, Sqlite>
{
}

/// A row of either engine.
pub(super) trait AnyRow {
    /// The value at a place, from 0.
    fn at<T: Stored>(&self, place: usize) -> Result<T, sqlx::Error>;
}

impl AnyRow for PgRow {
    fn at<T: Stored>(&self, place: usize) -> Result<T, sqlx::Error> {
        self.try_get(place)
    }
}

impl AnyRow for SqliteRow {
    fn at<T: Stored>(&self, place: usize) -> Result<T, sqlx::Error> {
        self.try_get(place)
    }
}

/// Columns that are read one after the other.
pub(super) struct Columns<'r, R> {
    row: &'r R,
    next: usize,
}

impl<'r, R: AnyRow> Columns<'r, R> {
    /// From the first one on.
    pub(super) const fn of(row: &'r R) -> Self {
        Self { row, next: 0 }
    }

    /// The next one.
    pub(super) fn next<T: Stored>(&mut self) -> Result<T, sqlx::Error> {
        let value = self.row.at(self.next);
        self.next += 1;
        value
    }
}
