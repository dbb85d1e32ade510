//! `/admin/api/v1/documents`: what members accept, in which versions.

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{guard::Caller, paging::Page, problem::Problem};
use crate::operators::log::utc;

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Doc;

/// A version of a document of an insurer.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentVersion {
    /// Portal code of the insurer.
    #[schema(example = "7132")]
    pub insurer: String,
    /// `privacy` or `terms`.
    #[schema(example = "privacy")]
    pub kind: String,
    /// Version.
    #[schema(example = "2026-11")]
    pub version: String,
    /// When it was published.
    #[schema(format = DateTime)]
    pub published_at: String,
    /// Whether it is the one that members accept now.
    pub current: bool,
    /// Members who accepted it.
    pub accepted: i64,
}

/// Lists the documents
///
/// Every version of every insurer within reach, with the number of members who accepted it; all on one page.
#[utoipa::path(
    get, path = "/admin/api/v1/documents", tag = "Documents", operation_id = "listDocuments",
    responses((status = 200, description = "The versions", body = Page<DocumentVersion>)),
)]
pub async fn list(caller: Caller) -> Result<Json<Page<DocumentVersion>>, Problem> {
    let app = caller.app();
    let mut items = Vec::new();
    for insurer in app.config().insurers.iter().filter(|one| caller.reach(Some(&one.code)).is_ok()) {
        let versions = app.members.document_versions(&insurer.code).await?;
        items.extend(versions.into_iter().map(|version| DocumentVersion {
            insurer: insurer.code.clone(),
            kind: version.row.kind,
            version: version.row.version,
            published_at: utc(version.row.published_at),
            current: version.current,
            accepted: version.accepted,
        }));
    }
    Ok(Json(Page { items, next: None }))
}
