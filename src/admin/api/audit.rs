//! `/admin/api/v1/audit`: what happened, and whether the record of it is whole.

use axum::Json;
use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::{Page, Paging},
    problem::Problem,
    read::Body,
};
use crate::{
    audit::chain,
    operators::log::{days, utc},
    storage::{Position, audit::Entry, audit_search::Search},
};

/// Days that are searched unless the request says otherwise, today included.
const USUAL_DAYS: i64 = 30;

/// Characters of a text that is searched for, at most.
const MOST_TYPED: usize = 100;

#[derive(OpenApi)]
#[openapi(paths(search, verify))]
pub(super) struct Doc;

/// Which lines; what is absent asks for all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSearch {
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
    /// Lines of a page.
    #[schema(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// A line of the audit.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLine {
    /// Identifier of the line.
    pub id: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// Portal code of the insurer concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
    /// Subject of the member concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// `client_id` of the client concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What else is known, such as the reason.
    #[schema(value_type = Object)]
    pub detail: Value,
}

impl From<Entry> for AuditLine {
    fn from(entry: Entry) -> Self {
        let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
        Self {
            id: entry.id,
            at: utc(entry.at),
            actor: entry.actor,
            action: entry.action,
            insurer: entry.insurer,
            member: entry.member_id,
            client: entry.client_id,
            detail: if detail.is_object() { detail } else { Value::Object(serde_json::Map::new()) },
        }
    }
}

impl AuditSearch {
    pub(super) fn search(&self, caller: &Caller) -> Result<Search, Problem> {
        let today = caller.app().now().day_in_japan();
        let from = match &self.from {
            None => today.saturating_sub((USUAL_DAYS - 1).days()),
            Some(text) => day(text, "/from")?,
        };
        let to = self.to.as_deref().map_or(Ok(today), |text| day(text, "/to"))?;
        let outside = || Problem::field("/from", "out_of_range", "is too far away");
        let (since, until) = days(from, to).ok_or_else(outside)?;
        Ok(Search {
            since,
            until,
            action: text(self.action.as_deref(), "/action")?,
            actor: text(self.actor.as_deref(), "/actor")?,
            member: text(self.member.as_deref(), "/member")?,
            insurer: caller.searched(self.insurer.as_deref())?.unwrap_or_default(),
        })
    }
}

/// A day as `YYYY-MM-DD`.
fn day(text: &str, pointer: &str) -> Result<Date, Problem> {
    let read = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    read.ok_or_else(|| Problem::field(pointer, "malformed", "must be a day as YYYY-MM-DD"))
}

/// A text that a line can have; PostgreSQL would answer a NUL with an error.
fn text(text: Option<&str>, pointer: &str) -> Result<String, Problem> {
    let text = text.unwrap_or_default();
    if text.chars().count() > MOST_TYPED || text.contains(char::is_control) {
        return Err(Problem::field(pointer, "malformed", "must be 100 plain characters at most"));
    }
    Ok(text.to_owned())
}

/// Searches the audit
///
/// The newest lines first. A client of one insurer sees the lines of that one alone.
#[utoipa::path(
    post, path = "/admin/api/v1/audit/search", tag = "Audit", operation_id = "searchAudit",
    request_body = AuditSearch,
    responses((status = 200, description = "A page of lines", body = Page<AuditLine>)),
)]
pub async fn search(
    caller: Caller,
    Body(asked): Body<AuditSearch>,
) -> Result<Json<Page<AuditLine>>, Problem> {
    let search = asked.search(&caller)?;
    let paging = Paging { limit: asked.limit, cursor: asked.cursor.clone() };
    let part = paging.of(&caller, "audit", &format!("{search:?}"))?;
    let before = part.after.as_deref().and_then(Position::parse);
    let read = caller.app().operators.audit_page(&search, before.as_ref(), part.to_read()).await?;
    Ok(Json(part.page(&caller, read, |entry| entry.position().to_string(), AuditLine::from)))
}

/// The end of the chain of the audit.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tip {
    /// Number of the last line; 0 when there is none.
    #[schema(minimum = 0)]
    pub seq: i64,
    /// Its hash.
    #[schema(max_length = 100)]
    pub hash: String,
}

/// What to verify.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditVerification {
    /// A tip that was told before: it must still be on the chain.
    pub noted: Option<Tip>,
}

/// What a verification found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerdict {
    /// Whether no line was changed, left out or put in.
    pub sound: bool,
    /// Lines that were looked at.
    pub lines: i64,
    /// The end of the chain, to be noted.
    pub tip: Tip,
    /// Number of the first line that is missing, changed or not of this chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<i64>,
}

/// Verifies the audit
///
/// Walks along the hash chain from its first line to its end. The audit notes who did.
#[utoipa::path(
    post, path = "/admin/api/v1/audit/verify", tag = "Audit", operation_id = "verifyAudit",
    request_body = AuditVerification,
    responses((status = 200, description = "What was found", body = AuditVerdict)),
)]
pub async fn verify(
    caller: Caller,
    Body(asked): Body<AuditVerification>,
) -> Result<Json<AuditVerdict>, Problem> {
    if asked.noted.as_ref().is_some_and(|tip| tip.seq < 0 || tip.hash.chars().count() > MOST_TYPED) {
        return Err(Problem::field("/noted", "malformed", "is no tip that was told"));
    }
    let noted = asked.noted.map(|tip| chain::Tip { seq: tip.seq, hash: tip.hash });
    let verdict = caller.app().operators.verify_audit(&caller.actor, noted.as_ref()).await?;
    Ok(Json(AuditVerdict {
        sound: verdict.broken_at.is_none(),
        lines: verdict.lines,
        tip: Tip { seq: verdict.tip.seq, hash: verdict.tip.hash },
        broken_at: verdict.broken_at,
    }))
}
