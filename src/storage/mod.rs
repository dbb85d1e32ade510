//! Durable records: one file a record, concrete functions that take `&Db` or `&mut Tx`.

pub mod db;
pub mod roster;
pub mod roster_import;

pub use db::{Db, StorageError, Tx};
