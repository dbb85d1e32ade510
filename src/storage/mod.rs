//! Durable records: one file a record, concrete functions that take `&Db` or `&mut Tx`.

pub mod activation_code;
pub mod activation_notice;
pub mod audit;
pub mod audit_chain;
pub mod audit_feed;
pub mod audit_search;
pub mod backup;
pub mod bounce;
pub mod client;
pub mod client_registration;
mod columns;
pub mod consent;
pub mod db;
pub mod deletion_request;
pub mod delivery;
pub mod document;
pub mod eligibility;
pub mod email_change;
mod gather;
pub mod held;
pub mod initial_access_token;
mod kept;
pub mod member;
pub mod member_change;
pub mod member_search;
pub mod operator;
pub mod operator_credential;
pub mod outbox;
pub mod pairwise_subject;
pub mod position;
pub mod preference;
pub mod profile;
pub mod queue;
pub mod recovery;
pub mod registration;
pub mod roster;
pub mod roster_file;
pub mod roster_import;
pub mod roster_job;
pub mod roster_loss;
pub mod roster_staging;
pub mod roster_undo;
pub mod sign_in_failure;
pub mod signing_key;
pub mod standing;
pub(crate) mod watch;
pub mod webhook;
pub mod webhook_event;

pub use db::{Db, On, StorageError, Tx};
pub use position::Position;
pub use watch::Load;

use crate::{clock::Timestamp, texts::Locale};

/// Reads a JSON column, naming the place when it holds something else.
fn from_json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    row: &str,
    text: &str,
) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|error| StorageError::Impossible {
        table,
        column,
        row: row.to_owned(),
        // The category alone: the message of serde_json quotes the value.
        reason: format!("not the expected JSON ({:?})", error.classify()),
    })
}

/// Writes a JSON column.
fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Reads a column that holds a language.
fn locale_of(table: &'static str, row: &str, tag: &str) -> Result<Locale, StorageError> {
    Locale::from_tag(tag).ok_or_else(|| StorageError::Impossible {
        table,
        column: "locale",
        row: row.to_owned(),
        reason: "unknown language".to_owned(),
    })
}

fn instant(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}
