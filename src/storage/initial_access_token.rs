//! Table `initial_access_token`: who may register clients (RFC 7591 §3), how many and until when.

use super::{
    On, StorageError,
    db::{execute, query, query_scalar},
};
use crate::clock::Timestamp;

/// A token as it stands; what is handed out is only here as its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InitialAccessToken {
    /// What operators and the audit call it by.
    pub id: String,
    /// SHA-256, base64url.
    pub token_hash: String,
    /// For whom it is.
    pub note: String,
    /// How many clients it may still register.
    pub uses_left: i64,
    /// When it was made, in milliseconds since the epoch.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// When an operator revoked it.
    pub revoked_at: Option<i64>,
}

/// Adds a token.
pub async fn insert(on: impl Into<On<'_>>, token: &InitialAccessToken) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into initial_access_token (id, token_hash, note, uses_left, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        &token.id,
        &token.token_hash,
        &token.note,
        token.uses_left,
        token.created_at,
        token.expires_at
    )?;
    Ok(())
}

/// Every token, oldest first.
pub async fn list(on: impl Into<On<'_>>) -> Result<Vec<InitialAccessToken>, StorageError> {
    query!(
        on,
        fetch_all,
        "select id, token_hash, note, uses_left, created_at, expires_at, revoked_at
         from initial_access_token order by created_at, id"
    )
}

/// The id of the token with this hash, if it would let a client in now.
pub async fn usable(
    on: impl Into<On<'_>>,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "select id from initial_access_token
         where token_hash = $1 and uses_left > 0 and expires_at > $2 and revoked_at is null",
        token_hash,
        now.millis()
    )
}

/// Takes one use; false if there is none any more.
pub async fn spend(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update initial_access_token set uses_left = uses_left - 1
         where id = $1 and uses_left > 0 and expires_at > $2 and revoked_at is null",
        id,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Ends a token; false if there is none, or it was revoked before.
pub async fn revoke(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update initial_access_token set revoked_at = $2 where id = $1 and revoked_at is null",
        id,
        now.millis()
    )?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Db;

    #[tokio::test]
    async fn a_token_is_spent_as_often_as_it_says_and_not_once_it_ended() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let token = |id: &str| InitialAccessToken {
            id: id.to_owned(),
            token_hash: format!("hash of {id}"),
            note: String::new(),
            uses_left: 2,
            created_at: 1,
            expires_at: 100,
            revoked_at: None,
        };
        for id in ["a", "b"] {
            insert(&db, &token(id)).await.unwrap();
        }
        let (now, end) = (Timestamp::from_millis(99), Timestamp::from_millis(100));
        assert_eq!(usable(&db, "hash of a", now).await.unwrap().as_deref(), Some("a"));
        assert_eq!(usable(&db, "hash of a", end).await.unwrap(), None);
        assert_eq!(usable(&db, "a", now).await.unwrap(), None);
        assert!(!spend(&db, "a", end).await.unwrap());
        assert!(spend(&db, "a", now).await.unwrap() && spend(&db, "a", now).await.unwrap());
        assert!(!spend(&db, "a", now).await.unwrap());
        assert!(revoke(&db, "b", now).await.unwrap() && !revoke(&db, "b", now).await.unwrap());
        assert!(!spend(&db, "b", now).await.unwrap());
        assert_eq!(usable(&db, "hash of b", now).await.unwrap(), None);
        assert_eq!(list(&db).await.unwrap().len(), 2);
    }
}
