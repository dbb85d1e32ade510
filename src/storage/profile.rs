//! Table `profile`: what members say about themselves.

use super::{
    On, StorageError,
    columns::{AnyRow, Columns},
    db::{execute, query},
};
use crate::clock::Timestamp;

/// What a member said; nothing of it was checked, and anything may be absent.
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Profile {
    /// Nickname.
    pub nickname: Option<String>,
    /// `female`, `male` or `other` (OIDC Core §5.1).
    pub gender: Option<String>,
    /// Telephone number (E.164).
    pub phone: Option<String>,
    /// Postal code, `123-4567`.
    pub postal_code: Option<String>,
    /// Prefecture.
    pub region: Option<String>,
    /// City, ward, town or village.
    pub locality: Option<String>,
    /// The rest of the address.
    pub street_address: Option<String>,
}

impl Profile {
    /// Reads the columns in their order.
    pub(super) fn read<R: AnyRow>(columns: &mut Columns<'_, R>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            nickname: columns.next()?,
            gender: columns.next()?,
            phone: columns.next()?,
            postal_code: columns.next()?,
            region: columns.next()?,
            locality: columns.next()?,
            street_address: columns.next()?,
        })
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(***)")
    }
}

/// What the member said; nothing at all for one who never did.
pub async fn find(on: impl Into<On<'_>>, member_id: &str) -> Result<Profile, StorageError> {
    let found: Option<Profile> = query!(
        on,
        fetch_optional,
        "select nickname, gender, phone, postal_code, region, locality, street_address
         from profile where member_id = $1",
        member_id
    )?;
    Ok(found.unwrap_or_default())
}

/// Stores it in place of what was there.
pub async fn save(
    on: impl Into<On<'_>>,
    member_id: &str,
    profile: &Profile,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into profile (member_id, nickname, gender, phone, postal_code, region, locality,
             street_address, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (member_id) do update set nickname = $2, gender = $3, phone = $4, postal_code = $5,
             region = $6, locality = $7, street_address = $8, updated_at = $9",
        member_id,
        &profile.nickname,
        &profile.gender,
        &profile.phone,
        &profile.postal_code,
        &profile.region,
        &profile.locality,
        &profile.street_address,
        now.millis()
    )?;
    Ok(())
}

/// Forgets it.
pub async fn erase(on: impl Into<On<'_>>, member_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from profile where member_id = $1", member_id)?;
    Ok(())
}
