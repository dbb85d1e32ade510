//! Tables `document` and `receipt`: texts that members accept, and the proof that they did.

use serde::{Deserialize, Serialize};

use super::{
    On, StorageError,
    db::{execute, query, query_scalar},
};
use crate::clock::Timestamp;

/// A published text; its version never changes.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DocumentRow {
    /// Portal code of the insurer.
    pub insurer: String,
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version, as the operator named it.
    pub version: String,
    /// Language tag.
    pub locale: String,
    /// Heading.
    pub title: String,
    /// Text; blank lines part paragraphs.
    pub body: String,
    /// SHA-256 of title and body, base64url.
    pub hash: String,
}

/// Publishes a text unless this version is there already; gives the hash of what is published.
pub async fn publish(on: &super::Db, document: &DocumentRow, now: Timestamp) -> Result<String, StorageError> {
    execute!(
        on,
        "insert into document (insurer, kind, version, locale, title, body, hash, published_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (insurer, kind, version, locale) do nothing",
        &document.insurer,
        &document.kind,
        &document.version,
        &document.locale,
        &document.title,
        &document.body,
        &document.hash,
        now.millis()
    )?;
    query_scalar!(
        on,
        fetch_one,
        "select hash from document where insurer = $1 and kind = $2 and version = $3 and locale = $4",
        &document.insurer,
        &document.kind,
        &document.version,
        &document.locale
    )
}

/// That a person accepted one version of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version that was shown.
    pub version: String,
    /// Language that was shown.
    pub locale: String,
    /// SHA-256 of the text that was shown.
    pub hash: String,
    /// When the box was ticked and the form sent.
    pub accepted_at: Timestamp,
}

/// Keeps a member's receipt for good.
pub async fn keep_receipt(
    on: impl Into<On<'_>>,
    id: &str,
    member_id: &str,
    receipt: &Receipt,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into receipt (id, member_id, kind, version, locale, hash, accepted_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        member_id,
        &receipt.kind,
        &receipt.version,
        &receipt.locale,
        &receipt.hash,
        receipt.accepted_at.millis()
    )?;
    Ok(())
}

/// Keeps a receipt of a version that the member has not accepted yet; a double submit keeps one.
pub async fn keep_new_receipt(
    on: impl Into<On<'_>>,
    id: &str,
    member_id: &str,
    receipt: &Receipt,
) -> Result<bool, StorageError> {
    let kept = execute!(
        on,
        "insert into receipt (id, member_id, kind, version, locale, hash, accepted_at)
         select $1, $2, $3, $4, $5, $6, $7
         where not exists (select 1 from receipt where member_id = $2 and kind = $3 and version = $4)",
        id,
        member_id,
        &receipt.kind,
        &receipt.version,
        &receipt.locale,
        &receipt.hash,
        receipt.accepted_at.millis()
    )?;
    Ok(kept == 1)
}

#[derive(sqlx::FromRow)]
struct ReceiptRow {
    kind: String,
    version: String,
    locale: String,
    hash: String,
    accepted_at: i64,
}

/// Every receipt of a member, oldest first.
pub async fn receipts(on: impl Into<On<'_>>, member_id: &str) -> Result<Vec<Receipt>, StorageError> {
    let rows: Vec<ReceiptRow> = query!(
        on,
        fetch_all,
        "select kind, version, locale, hash, accepted_at from receipt
         where member_id = $1 order by accepted_at, kind",
        member_id
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Receipt {
            kind: row.kind,
            version: row.version,
            locale: row.locale,
            hash: row.hash,
            accepted_at: Timestamp::from_millis(row.accepted_at),
        })
        .collect())
}

/// A version of a document.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct VersionRow {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version.
    pub version: String,
    /// When it was first published, in milliseconds.
    pub published_at: i64,
}

/// Every version that an insurer published, by kind, the newest first.
pub async fn versions(on: impl Into<On<'_>>, insurer: &str) -> Result<Vec<VersionRow>, StorageError> {
    query!(
        on,
        fetch_all,
        "select kind, version, min(published_at) as published_at from document where insurer = $1
         group by kind, version order by kind, 3 desc, version desc",
        insurer
    )
}

/// How many members of an insurer accepted each version: kind, version and members, each once.
pub async fn accepted(
    on: impl Into<On<'_>>,
    insurer: &str,
) -> Result<Vec<(String, String, i64)>, StorageError> {
    query!(
        on,
        fetch_all,
        "select r.kind, r.version, count(distinct r.member_id)
         from receipt as r join member as m on m.id = r.member_id
         where m.insurer = $1 group by r.kind, r.version",
        insurer
    )
}

/// The texts of a version, by language.
pub async fn texts(
    on: impl Into<On<'_>>,
    insurer: &str,
    kind: &str,
    version: &str,
) -> Result<Vec<DocumentRow>, StorageError> {
    query!(
        on,
        fetch_all,
        "select insurer, kind, version, locale, title, body, hash from document
         where insurer = $1 and kind = $2 and version = $3 order by locale desc",
        insurer,
        kind,
        version
    )
}
