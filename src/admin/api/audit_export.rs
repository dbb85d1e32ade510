//! `/admin/api/v1/audit/export`: the lines that fit, as a file.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{audit::AuditSearch, guard::Caller, problem::Problem, read::Body};
use crate::{admin::audit_export::answer, operators::log::Format};

#[derive(OpenApi)]
#[openapi(paths(export))]
pub(super) struct Doc;

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    /// CSV (RFC 4180) in UTF-8 with a byte order mark.
    #[default]
    Csv,
    /// JSON Lines: an object a line.
    Json,
}

/// Which lines, and how; what is absent asks for all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditExport {
    /// Format of the file.
    pub format: AuditFormat,
    /// First day, in Japan; absent: 30 days up to today.
    #[schema(format = Date, example = "2026-11-01")]
    pub from: Option<String>,
    /// Last day; absent: today.
    #[schema(format = Date, example = "2026-11-30")]
    pub to: Option<String>,
    /// What happened.
    #[schema(max_length = 100, example = "operator.created")]
    pub action: Option<String>,
    /// Who did it: `operator:ID`, `client:ID`, `member:ID`, `cli:NAME` or `system`.
    #[schema(max_length = 100)]
    pub actor: Option<String>,
    /// Subject of the member concerned.
    #[schema(max_length = 100)]
    pub member: Option<String>,
    /// Portal code of the insurer concerned.
    #[schema(pattern = "^[0-9]{1,8}$", example = "7132")]
    pub insurer: Option<String>,
}

/// Exports the audit
///
/// Every line that fits, the newest first, as one file that comes while it is read. A client of one insurer gets the
/// lines of that one alone. The audit notes who did.
#[utoipa::path(
    post, path = "/admin/api/v1/audit/export", tag = "Audit", operation_id = "exportAudit",
    request_body = AuditExport,
    responses((status = 200, description = "The lines", content(
        (String = "text/csv"), (String = "application/jsonl")
    ))),
)]
pub async fn export(caller: Caller, Body(asked): Body<AuditExport>) -> Result<Response, Problem> {
    let AuditExport { format, from, to, action, actor, member, insurer } = asked;
    let search = AuditSearch { from, to, action, actor, member, insurer, ..AuditSearch::default() };
    let search = search.search(&caller)?;
    let format = match format {
        AuditFormat::Csv => Format::Csv,
        AuditFormat::Json => Format::Json,
    };
    caller.app().operators.note_export(&caller.actor, &search, format).await?;
    Ok(answer(caller.app().clone(), search, format))
}
