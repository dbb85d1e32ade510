//! Table `client_registration`: the clients that registered themselves, and who may manage them (RFC 7592).

use super::{
    On, StorageError,
    db::{execute, query_scalar},
};
use crate::clock::Timestamp;

/// Notes that a client registered itself; `tokens` is the JSON of its registration access tokens.
pub async fn insert(
    on: impl Into<On<'_>>,
    client_id: &str,
    tokens: &str,
    initial_access_token: Option<&str>,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into client_registration (client_id, tokens, initial_access_token, created_at)
         values ($1, $2, $3, $4)",
        client_id,
        tokens,
        initial_access_token,
        now.millis()
    )?;
    Ok(())
}

/// The JSON of a client's registration access tokens; none if an operator registered it.
pub async fn tokens(on: impl Into<On<'_>>, client_id: &str) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "select tokens from client_registration where client_id = $1",
        client_id
    )
}

/// Replaces the tokens if they still are what was read; false if another request was first.
pub async fn replace_tokens(
    on: impl Into<On<'_>>,
    client_id: &str,
    expected: &str,
    new: &str,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update client_registration set tokens = $3 where client_id = $1 and tokens = $2",
        client_id,
        expected,
        new
    )?;
    Ok(changed == 1)
}

/// How many clients registered without an initial access token.
pub async fn count_open(on: impl Into<On<'_>>) -> Result<i64, StorageError> {
    query_scalar!(
        on,
        fetch_one,
        "select count(*) from client_registration where initial_access_token is null"
    )
}
