//! `/admin/api/v1/roster/imports`: the imports of rosters and what each would do. A file comes by [`roster_upload`],
//! what is decided about it by [`roster_acts`].
//!
//! [`roster_upload`]: super::roster_upload
//! [`roster_acts`]: super::roster_acts

use axum::{Json, response::Response};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::Caller,
    paging::{Page, Paging},
    problem::Problem,
    read::{Id, Query},
};
use crate::{
    admin::roster_refused,
    members::roster::preview::Preview,
    oidc::resource::API,
    operators::log::utc,
    storage::{
        Position,
        roster_job::{Recorded, State},
        roster_undo::Reverted,
    },
};

#[derive(OpenApi)]
#[openapi(paths(list, get, refused, would_undo))]
pub(super) struct Doc;

/// An import of a roster.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterImport {
    /// Names the import here and in the audit.
    #[schema(example = "q7Zk3vX0aJm2Yt8RbLwN1g")]
    pub id: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// Name of the file.
    pub file: String,
    /// Whether who is not in the file loses the eligibility.
    pub full: bool,
    /// Where it stands.
    pub state: RosterImportState,
    /// Who brought the file, as the audit says it.
    pub by: String,
    /// When the file came.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
    /// Rows that were read so far.
    pub rows: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// What it did to persons, or would do.
    pub persons: RosterCounts,
    /// Name of the rule for which the file as a whole is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "nothing")]
    pub problem: Option<String>,
    /// Whether it can be undone.
    pub undoable: bool,
    /// What its undo did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<RosterUndo>,
}

/// An import with what its check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterImportDetails {
    /// The import.
    #[serde(flatten)]
    pub import: RosterImport,
    /// What the check found, while it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<RosterCheck>,
}

/// What the check of a file found.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterCheck {
    /// Persons that are eligible by the roster before.
    pub eligible: u64,
    /// Whether more than one in ten would lose the eligibility: a part of a roster, or wrong days?
    pub big_loss: bool,
    /// Right rows without 個人キー: after a change of category or number they are other persons.
    pub without_key: u64,
    /// The first refused rows.
    pub refusals: Vec<RefusedRow>,
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RosterImportState {
    /// The file is coming in.
    Uploading,
    /// The file is being checked.
    Checking,
    /// It was checked and waits for a decision.
    Ready,
    /// It is being written into the roster.
    Applying,
    /// The roster has it.
    Applied,
    /// It was refused; the roster is as it was.
    Refused,
    /// Nobody wanted it; the roster is as it was.
    Discarded,
    /// It is being undone.
    Undoing,
    /// It was undone.
    Undone,
}

impl From<State> for RosterImportState {
    fn from(state: State) -> Self {
        match state {
            State::Uploading => Self::Uploading,
            State::Staging => Self::Checking,
            State::Ready => Self::Ready,
            State::Applying => Self::Applying,
            State::Applied => Self::Applied,
            State::Refused => Self::Refused,
            State::Discarded => Self::Discarded,
            State::Undoing => Self::Undoing,
            State::Undone => Self::Undone,
        }
    }
}

/// Persons by what happens to them.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RosterCounts {
    /// New in the roster.
    pub added: u64,
    /// In the roster with other values, or returned to it.
    pub changed: u64,
    /// In the roster as they are.
    pub unchanged: u64,
    /// Who lose the eligibility.
    pub lost: u64,
}

/// A row that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedRow {
    /// Line of the file, from 1.
    pub line: u64,
    /// Name of the rule that it breaks.
    #[schema(example = "kana")]
    pub rule: String,
}

/// What an undo did to persons, or would do.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RosterUndo {
    /// Whom the import had added and who are gone.
    pub removed: u64,
    /// Whom it had added and who stay, because they have registered or begun to.
    pub kept: u64,
    /// Who are as before it.
    pub restored: u64,
    /// Who cannot be as before, because somebody else has their number.
    pub stuck: u64,
}

impl From<Reverted> for RosterUndo {
    fn from(did: Reverted) -> Self {
        Self { removed: did.removed, kept: did.kept, restored: did.restored, stuck: did.stuck }
    }
}

impl RosterImport {
    fn of(import: Recorded, preview: Option<&Preview>) -> Self {
        let counts = preview.map_or(import.counts, |preview| preview.counts);
        let undone = import.undone.outcome.as_deref();
        Self {
            full: import.complete,
            state: import.state.into(),
            by: import.actor,
            started_at: utc(import.started_at.millis()),
            finished_at: import.finished_at.map(|at| utc(at.millis())),
            rows: import.rows,
            refused: import.refused,
            persons: RosterCounts {
                added: counts.added,
                changed: counts.changed,
                unchanged: counts.unchanged,
                lost: counts.lost,
            },
            problem: import.problem.as_deref().and_then(rule),
            undoable: import.undoable && import.state == State::Applied,
            undone: undone.and_then(|json| serde_json::from_str::<Reverted>(json).ok()).map(RosterUndo::from),
            id: import.id,
            insurer: import.insurer,
            file: import.file_name,
        }
    }
}

impl From<Preview> for RosterCheck {
    fn from(found: Preview) -> Self {
        let name = |text: &str| text.trim_start_matches("roster-row-").to_owned();
        let refusals = found.refusals.iter();
        Self {
            eligible: found.eligible,
            big_loss: found.is_big_loss(),
            without_key: found.without_key,
            refusals: refusals.map(|row| RefusedRow { line: row.line, rule: name(&row.text) }).collect(),
        }
    }
}

impl RosterImportDetails {
    fn of(caller: &Caller, import: Recorded) -> Self {
        let preview = caller.app().members.roster_preview(&import);
        Self { import: RosterImport::of(import, preview.as_ref()), check: preview.map(RosterCheck::from) }
    }
}

/// The rule of a problem as it is noted.
fn rule(json: &str) -> Option<String> {
    let noted: serde_json::Value = serde_json::from_str(json).ok()?;
    Some(noted["text"].as_str()?.trim_start_matches("roster-file-").to_owned())
}

/// The import, if it is within reach.
pub(super) async fn find(caller: &Caller, id: &str) -> Result<Recorded, Problem> {
    let found = caller.app().members.roster_import(id).await?.ok_or_else(Problem::not_found)?;
    caller.reach(Some(&found.insurer))?;
    Ok(found)
}

/// The import as it is now.
pub(super) async fn shown(caller: &Caller, id: &str) -> Result<RosterImportDetails, Problem> {
    Ok(RosterImportDetails::of(caller, find(caller, id).await?))
}

/// Lists the imports
///
/// The newest first. A client of one insurer sees those of that one alone.
#[utoipa::path(
    get, path = "/admin/api/v1/roster/imports", tag = "Roster", operation_id = "listRosterImports",
    params(Paging),
    responses((status = 200, description = "A page of imports", body = Page<RosterImport>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn list(caller: Caller, Query(paging): Query<Paging>) -> Result<Response, Problem> {
    let part = paging.of(&caller, "roster", "")?;
    let before = part.after.as_deref().and_then(|text| Position::parse_if(text, |_| true)); // sealed by us
    let members = &caller.app().members;
    let read = members.roster_imports(caller.scope(), before.as_ref(), part.to_read()).await?;
    let view = |one: Recorded| {
        let preview = members.roster_preview(&one);
        RosterImport::of(one, preview.as_ref())
    };
    let page = part.page(&caller, read, |one| one.position().to_string(), view);
    Ok(part.linked(&caller, &format!("{API}/roster/imports"), page))
}

/// Shows an import
///
/// While it is checked, applied or undone in the background, its state and rows tell how far it is.
#[utoipa::path(
    get, path = "/admin/api/v1/roster/imports/{import}", tag = "Roster", operation_id = "getRosterImport",
    params(("import" = String, Path, description = "`id` of the import")),
    responses((status = 200, description = "The import", body = RosterImportDetails)),
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Json<RosterImportDetails>, Problem> {
    Ok(Json(shown(&caller, &id).await?))
}

/// Fetches the refused rows
///
/// A CSV file in the encoding of the upload, with line and reason before each row. The audit notes who did.
#[utoipa::path(
    get, path = "/admin/api/v1/roster/imports/{import}/refused-rows", tag = "Roster",
    operation_id = "getRefusedRosterRows",
    params(("import" = String, Path, description = "`id` of the import")),
    responses((status = 200, description = "The refused rows", body = String, content_type = "text/csv")),
)]
pub async fn refused(caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    let import = find(&caller, &id).await?;
    let members = &caller.app().members;
    let first = members.refused_rows(&import, 0).await?.ok_or_else(Problem::not_found)?;
    members.note_refused_rows(&import, &caller.actor).await?;
    Ok(roster_refused::answer(caller.app().clone(), import, first))
}

/// Shows what an undo would do
///
/// Now, to the import that can be undone: the last one of an insurer, for 30 days; 404 for any other.
#[utoipa::path(
    get, path = "/admin/api/v1/roster/imports/{import}/undo", tag = "Roster", operation_id = "previewRosterUndo",
    params(("import" = String, Path, description = "`id` of the import")),
    responses((status = 200, description = "What it would do", body = RosterUndo)),
)]
pub async fn would_undo(caller: Caller, Id(id): Id) -> Result<Json<RosterUndo>, Problem> {
    let import = find(&caller, &id).await?;
    if !(import.undoable && import.state == State::Applied) {
        return Err(Problem::not_found());
    }
    Ok(Json(caller.app().members.estimate_roster_undo(&import).await?.into()))
}
