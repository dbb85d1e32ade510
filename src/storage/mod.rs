//! Durable records: one file a record, concrete functions that take `&Db` or `&mut Tx`.

pub mod db;
pub mod outbox;

pub use db::{Db, StorageError, Tx};
