//! Table `member`: what members change on their own accounts. Each change is one conditional statement,
//! so that what was read before cannot be outdated.

use super::{On, StorageError, db::execute};
use crate::{clock::Timestamp, texts::Locale};

/// What is taken from an account that keeps only its subject and its person.
macro_rules! wiped {
    () => {
        "email = null, email_key = null, email_verified_at = null, kana = null, password_hash = null,
         password_changed_at = null, activated_by = null"
    };
}
pub(super) use wiped;

/// Replaces the password, if the old one still is what was verified, and voids sessions and grants from
/// before `valid_from`.
pub async fn password(
    on: impl Into<On<'_>>,
    id: &str,
    old_hash: &str,
    new_hash: &str,
    now: Timestamp,
    valid_from: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set password_hash = $3, password_changed_at = $4, sessions_valid_from = $5
         where id = $1 and password_hash = $2 and state = 'active'",
        id,
        old_hash,
        new_hash,
        now.millis(),
        valid_from.millis()
    )?;
    Ok(changed == 1)
}

/// Replaces the address, which was verified now. [`StorageError::Conflict`] when another account of the
/// insurer has it.
pub async fn email(
    on: impl Into<On<'_>>,
    id: &str,
    email: &str,
    email_key: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set email = $2, email_key = $3, email_verified_at = $4, updated_at = $4
         where id = $1 and state = 'active'",
        id,
        email,
        email_key,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Notes that what relying parties see has changed; false for an account that is not active.
pub async fn touch(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set updated_at = $2 where id = $1 and state = 'active'",
        id,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Sets the language of mails.
pub async fn locale(
    on: impl Into<On<'_>>,
    id: &str,
    locale: Locale,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set locale = $2, updated_at = $3 where id = $1 and state = 'active'",
        id,
        locale.tag(),
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Voids sessions and grants from before `valid_from`; never moves back.
pub async fn void_sessions(
    on: impl Into<On<'_>>,
    id: &str,
    valid_from: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set sessions_valid_from = $2
         where id = $1 and state = 'active' and sessions_valid_from < $2",
        id,
        valid_from.millis()
    )?;
    Ok(changed == 1)
}

/// Lets a frozen account be used again; what was given to it before stays void.
pub async fn unfreeze(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set state = 'active', updated_at = $2 where id = $1 and state = 'frozen'",
        id,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Closes an account for good: it keeps its subject and its person, so that neither becomes somebody else's,
/// and no other personal data. Everything that was given to it is void.
pub async fn close(
    on: impl Into<On<'_>>,
    id: &str,
    now: Timestamp,
    valid_from: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        concat!(
            "update member set state = 'closed', ",
            wiped!(),
            ", sessions_valid_from = $3, updated_at = $2 where id = $1 and state <> 'closed'"
        ),
        id,
        now.millis(),
        valid_from.millis()
    )?;
    Ok(changed == 1)
}

/// Stops an active account and voids everything that was given to it.
pub async fn freeze(
    on: impl Into<On<'_>>,
    id: &str,
    now: Timestamp,
    valid_from: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set state = 'frozen', sessions_valid_from = $3, updated_at = $2
         where id = $1 and state = 'active'",
        id,
        now.millis(),
        valid_from.millis()
    )?;
    Ok(changed == 1)
}
