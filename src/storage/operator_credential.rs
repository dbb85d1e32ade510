//! Tables `operator` and `operator_recovery_code`: passwords, second factors, setup links. Whatever can be
//! used once is used by one conditional statement.

use super::{
    On, StorageError, Tx,
    db::{execute, query_scalar},
};
use crate::clock::Timestamp;

/// Puts a setup link in place of an older one and takes password, second factor, recovery codes and sessions
/// away.
pub async fn start_setup(
    tx: &mut Tx,
    id: &str,
    setup_hash: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<bool, StorageError> {
    execute!(&mut *tx, "delete from operator_recovery_code where operator_id = $1", id)?;
    let changed = execute!(
        tx,
        "update operator set setup_hash = $2, setup_expires_at = $3, password_hash = null, totp_sealed = null,
             sessions_valid_from = $4, updated_at = $5
         where id = $1",
        id,
        setup_hash,
        expires_at.millis(),
        now.millis() + 1,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Ends the setup by this link with the factors that were set up. False: another use was first.
pub async fn finish_setup(
    on: impl Into<On<'_>>,
    setup_hash: &str,
    (password_hash, totp_sealed, totp_step): (&str, &str, i64),
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update operator set password_hash = $2, totp_sealed = $3, totp_step = $4, setup_hash = null,
             setup_expires_at = null, updated_at = $5
         where setup_hash = $1 and setup_expires_at > $5 and disabled_at is null",
        setup_hash,
        password_hash,
        totp_sealed,
        totp_step,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Uses the code of a time step (RFC 6238 §5.2: one acceptance only). False: it, or a newer one, was used.
pub async fn use_step(on: impl Into<On<'_>>, id: &str, step: i64) -> Result<bool, StorageError> {
    Ok(execute!(on, "update operator set totp_step = $2 where id = $1 and totp_step < $2", id, step)? == 1)
}

/// Uses a recovery code. False: there is none, or it was used.
pub async fn use_recovery_code(
    on: impl Into<On<'_>>,
    id: &str,
    code_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let sql = "update operator_recovery_code set used_at = $3
               where operator_id = $1 and code_hash = $2 and used_at is null";
    Ok(execute!(on, sql, id, code_hash, now.millis())? == 1)
}

/// Number of recovery codes that are left.
pub async fn recovery_codes_left(on: impl Into<On<'_>>, id: &str) -> Result<i64, StorageError> {
    let sql = "select count(*) from operator_recovery_code where operator_id = $1 and used_at is null";
    query_scalar!(on, fetch_one, sql, id)
}

/// Replaces all recovery codes.
pub async fn replace_recovery_codes(
    tx: &mut Tx,
    id: &str,
    hashes: &[String],
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(&mut *tx, "delete from operator_recovery_code where operator_id = $1", id)?;
    for hash in hashes {
        let sql =
            "insert into operator_recovery_code (operator_id, code_hash, created_at) values ($1, $2, $3)";
        execute!(&mut *tx, sql, id, hash, now.millis())?;
    }
    Ok(())
}

/// Replaces the password, if the old one still is what was verified; sessions from before are void.
pub async fn set_password(
    on: impl Into<On<'_>>,
    id: &str,
    (old, new): (Option<&str>, &str),
    now: Timestamp,
    valid_from: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update operator set password_hash = $3, sessions_valid_from = $4, updated_at = $5
         where id = $1 and password_hash = $2 and disabled_at is null",
        id,
        old,
        new,
        valid_from.millis(),
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Replaces the second factor, if the old one still is what was verified; sessions from before are void.
pub async fn set_factor(
    on: impl Into<On<'_>>,
    id: &str,
    (old, new, step): (Option<&str>, &str, i64),
    now: Timestamp,
    valid_from: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update operator set totp_sealed = $3, totp_step = $4, sessions_valid_from = $5, updated_at = $6
         where id = $1 and totp_sealed = $2 and disabled_at is null",
        id,
        old,
        new,
        step,
        valid_from.millis(),
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Voids sessions from before `valid_from`.
pub async fn void_sessions(
    on: impl Into<On<'_>>,
    id: &str,
    valid_from: Timestamp,
) -> Result<(), StorageError> {
    execute!(on, "update operator set sessions_valid_from = $2 where id = $1", id, valid_from.millis())?;
    Ok(())
}

/// Notes a sign-in.
pub async fn signed_in(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<(), StorageError> {
    execute!(on, "update operator set signed_in_at = $2 where id = $1", id, now.millis())?;
    Ok(())
}
