//! `/admin/roster/{import}`: an import, from its check to its undo.

use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use serde_json::json;

use super::{
    guard::Operator,
    roster::{Line, insurer_name, who},
};
use crate::{
    members::roster::preview::{Change, Listed, Preview, Sample},
    operators::Permission,
    pages::sample,
    storage::{
        roster_job::{Recorded, State},
        roster_undo::Reverted,
    },
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// An import: while it goes on by itself the page asks `poll` whether there is something new to show.
#[derive(Clone, Debug, Serialize)]
pub struct ImportPage {
    /// The import as in the list.
    pub import: Line,
    /// Whether it is a full roster.
    pub full: bool,
    /// Where the script of the page asks, while it goes on by itself.
    pub poll: Option<String>,
    /// Per cent of the file that were read, while it is read.
    pub percent: Option<u64>,
    /// Rows that were read.
    pub rows: u64,
    /// What the check found, while it is kept.
    pub preview: Option<Shown>,
    /// Why nothing can be imported.
    pub problem: Option<Message>,
    /// Rows that were refused.
    pub refused: u64,
    /// Whether they can be fetched.
    pub refused_file: bool,
    /// Who decided, and why.
    pub decided: Option<Decision>,
    /// Who undid it, and why.
    pub undone: Option<Decision>,
    /// What the undo did.
    pub reverted: Option<Reverted>,
    /// What this operator may do now.
    pub acts: Acts,
}

/// What the check of a file found.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Added, changed, unchanged, lost.
    pub counts: [u64; 4],
    /// Persons who are eligible by the roster before.
    pub eligible: u64,
    /// Whether suspiciously many would lose their eligibility.
    pub big_loss: bool,
    /// Right rows without 個人キー.
    pub without_key: u64,
    /// Some who would be new.
    pub added: Vec<Sample>,
    /// Some who would change.
    pub changed: Vec<Change>,
    /// Some who would lose their eligibility.
    pub lost: Vec<Sample>,
    /// The first refused rows: line and reason.
    pub refusals: Vec<(u64, Message)>,
    /// Refused rows beyond those.
    pub more: u64,
}

/// Who decided something, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When, in words.
    pub at: Option<String>,
}

/// What may be done.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Acts {
    /// Apply or discard it.
    pub decide: bool,
    /// Undo it.
    pub undo: bool,
    /// Upload another file.
    pub import: bool,
}

/// The text that a check has noted.
pub fn said(listed: &Listed) -> Message {
    listed.args.iter().fold(Message::new(&*listed.text), |message, (name, value)| message.with(name, value))
}

impl Shown {
    fn of(preview: Preview) -> Self {
        let counts = preview.counts;
        Self {
            counts: [counts.added, counts.changed, counts.unchanged, counts.lost],
            eligible: preview.eligible,
            big_loss: preview.is_big_loss(),
            without_key: preview.without_key,
            more: preview.refused.saturating_sub(preview.refusals.len() as u64),
            refusals: preview.refusals.iter().map(|listed| (listed.line, said(listed))).collect(),
            added: preview.added,
            changed: preview.changed,
            lost: preview.lost,
        }
    }
}

/// The import of a path, if it is this operator's business.
pub async fn find(reader: &Operator, id: &str) -> Result<Recorded, PageError> {
    let found = reader.app().members.roster_import(id).await?;
    let import = found.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))?;
    reader.reach(Some(&import.insurer))?;
    Ok(import)
}

/// What there is to see of an import that goes on: when it changes, the page is shown anew.
fn seen(import: &Recorded) -> String {
    format!("{}-{}", import.state.as_str(), import.rows)
}

/// GET `/admin/roster/{import}`
pub async fn get(reader: Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let import = find(&reader, &id).await?;
    let page = view(&reader, import).await?;
    Ok(reader.show(&page).render()?)
}

/// GET `/admin/roster/{import}/status`: whether there is something else to show than what the query names.
pub async fn status(
    reader: Operator,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let import = find(&reader, &id).await?;
    let same = query.unwrap_or_default() == seen(&import);
    Ok(reader.visit.json(&json!({ "state": if same { "waiting" } else { "ended" } })))
}

async fn view(reader: &Operator, import: Recorded) -> Result<ImportPage, PageError> {
    let members = &reader.app().members;
    let may = reader.may(Permission::ImportRoster);
    let undoable = members.undoable_roster_import(&import.insurer).await?;
    let acts = Acts {
        decide: may && import.state == State::Ready,
        undo: may && undoable.is_some_and(|last| last.id == import.id),
        import: may && !import.state.is_under_way() && import.state != State::Ready,
    };
    let decided = match &import.decided_by {
        Some(by) => Some(Decision {
            by: who(reader, by).await?,
            reason: import.reason.clone(),
            at: import.finished_at.map(|at| reader.date_time(at)),
        }),
        None => None,
    };
    let undone = match &import.undone.by {
        Some(by) => Some(Decision {
            by: who(reader, by).await?,
            reason: import.undone.reason.clone(),
            at: import.undone.at.map(|at| reader.date_time(at)),
        }),
        None => None,
    };
    let problem = import.problem.as_deref().and_then(|json| serde_json::from_str::<Listed>(json).ok());
    let percent = (import.state == State::Staging && import.bytes.0 > 0)
        .then(|| (import.bytes.1 * 100 / import.bytes.0).min(100));
    let refused_file = import.refused > 0 && members.refused_rows(&import, 0).await?.is_some();
    let poll =
        import.state.is_under_way().then(|| format!("/admin/roster/{}/status?{}", import.id, seen(&import)));
    let counts = import.counts;
    Ok(ImportPage {
        full: import.complete,
        poll,
        percent,
        rows: import.rows,
        preview: members.roster_preview(&import).map(Shown::of),
        problem: problem.as_ref().map(said),
        refused: import.refused,
        refused_file,
        decided,
        undone,
        reverted: import.undone.outcome.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        acts,
        import: Line {
            insurer: insurer_name(reader, &import.insurer),
            at: reader.date_time(import.started_at),
            by: who(reader, &import.actor).await?,
            state: import.state.as_str(),
            counts: Some([counts.added, counts.changed, counts.lost, import.refused]),
            id: import.id,
            file: import.file_name,
        },
    })
}

impl Page for ImportPage {
    const TEMPLATE: &'static str = "admin/roster_import.html";

    fn samples() -> Vec<Self> {
        let person = |kana: &str| Sample {
            number: "091-200001".to_owned(),
            kana: kana.to_owned(),
            category: "insured".to_owned(),
        };
        let field =
            |name: &str, before: &str, after: &str| (name.to_owned(), before.to_owned(), after.to_owned());
        let change = |fields| Change { person: person("ヤマダ ハナコ"), fields };
        let shown = Shown {
            counts: [120, 2, 98_000, 12_000],
            eligible: 110_002,
            big_loss: true,
            without_key: 3,
            added: vec![person("タマバヤシ ナツミ"), person(sample::LONG)],
            changed: vec![
                change(vec![
                    field("kana", "ヤマダ ハナコ", "サトウ ハナコ"),
                    field("category", "insured", "voluntary"),
                ]),
                change(vec![field("lost", "yes", ""), field("valid_until", "", "2027-03-31")]),
                change(vec![]),
            ],
            lost: vec![person("ホシムラ ハルト")],
            refusals: vec![(7, Message::new("roster-row-kana"))],
            more: 1,
        };
        let staging = Self {
            import: Line { counts: None, ..Line::sample("staging") },
            full: false,
            poll: Some(format!("/admin/roster/{}/status?staging-8192", sample::INTERACTION)),
            percent: Some(42),
            rows: 8_192,
            preview: None,
            problem: None,
            refused: 0,
            refused_file: false,
            decided: None,
            undone: None,
            reverted: None,
            acts: Acts::default(),
        };
        let decision = |reason: &str| Decision {
            by: "山田 太郎".to_owned(),
            reason: Some(reason.to_owned()),
            at: Some("2026年11月23日(月)10時15分".to_owned()),
        };
        let ready = Self {
            import: Line::sample("ready"),
            full: true,
            poll: None,
            percent: None,
            preview: Some(shown.clone()),
            refused: 2,
            refused_file: true,
            acts: Acts { decide: true, ..Acts::default() },
            ..staging.clone()
        };
        let applying = Self { import: Line::sample("applying"), percent: None, ..staging.clone() };
        let applied = Self {
            import: Line { file: sample::HOSTILE.to_owned(), ..Line::sample("applied") },
            preview: None,
            decided: Some(decision(sample::HOSTILE)),
            acts: Acts { undo: true, import: true, ..Acts::default() },
            ..ready.clone()
        };
        let refused = Self {
            import: Line::sample("refused"),
            preview: Some(Shown {
                counts: [0; 4],
                big_loss: false,
                added: vec![],
                changed: vec![],
                lost: vec![],
                ..shown
            }),
            problem: Some(Message::new("roster-report-not-applied")),
            acts: Acts { import: true, ..Acts::default() },
            ..ready.clone()
        };
        let undone = Self {
            import: Line::sample("undone"),
            undone: Some(decision("取り違え")),
            reverted: Some(Reverted { removed: 118, kept: 2, restored: 35, stuck: 1 }),
            refused: 0,
            refused_file: false,
            acts: Acts::default(),
            ..applied.clone()
        };
        let discarded = Self { import: Line::sample("discarded"), ..undone.clone() };
        let undoing = Self { import: Line::sample("undoing"), ..applying.clone() };
        let uploading = Self { import: Line::sample("uploading"), percent: None, rows: 0, ..staging.clone() };
        vec![staging, ready, applying, applied, refused, undone, discarded, undoing, uploading]
    }
}
