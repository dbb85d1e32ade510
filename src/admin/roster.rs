//! `/admin/roster`: the imports of rosters, the newest first.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    guard::Operator,
    paging::{Pager, cut},
};
use crate::{
    operators::Permission,
    pages::sample,
    storage::{Position, roster_job::Recorded},
    texts::{Given, Locale},
    web::{PageError, templates::Page},
};

/// Imports on a page.
const ON_A_PAGE: usize = 50;

/// The imports.
#[derive(Clone, Debug, Serialize)]
pub struct RosterPage {
    /// The imports.
    pub imports: Vec<Line>,
    /// The other pages.
    pub pager: Pager,
    /// Whether this operator may import one.
    pub may_import: bool,
}

/// An import in the list.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Names it in URLs.
    pub id: String,
    /// Whose roster.
    pub insurer: Given,
    /// Name of the file.
    pub file: String,
    /// When it came, in words.
    pub at: String,
    /// Who brought it.
    pub by: String,
    /// State, as in names of texts.
    pub state: &'static str,
    /// Persons added, changed and lost, and rows refused; none before that is known.
    pub counts: Option<[u64; 4]>,
}

impl Line {
    /// For samples.
    pub fn sample(state: &'static str) -> Self {
        Self {
            id: sample::INTERACTION.to_owned(),
            insurer: Given::choose(Locale::Ja, "さくら健康保険組合", None),
            file: "適用台帳_202611.csv".to_owned(),
            at: "2026年11月23日(月)10時15分".to_owned(),
            by: "山田 太郎".to_owned(),
            state,
            counts: Some([120, 31, 4, 2]),
        }
    }
}

impl Page for RosterPage {
    const TEMPLATE: &'static str = "admin/roster.html";

    fn samples() -> Vec<Self> {
        let hostile = Line {
            file: sample::HOSTILE.to_owned(),
            by: sample::LONG.to_owned(),
            counts: None,
            ..Line::sample("staging")
        };
        let several = Self {
            imports: vec![hostile, Line::sample("applied"), Line::sample("undone"), Line::sample("refused")],
            pager: Pager::new("/admin/roster", &[], Some("1.x"), true),
            may_import: true,
        };
        let none = Self { imports: vec![], pager: Pager::default(), may_import: false };
        vec![several, none]
    }
}

/// Where a page of the list begins.
#[derive(Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    after: String,
}

/// GET `/admin/roster`
pub async fn get(
    reader: Operator,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, PageError> {
    let after = wanted.map(|Query(wanted)| wanted.after).unwrap_or_default();
    let fits = |id: &str| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic());
    let before = Position::parse_if(&after, fits);
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut imports = reader.app().members.roster_imports(reader.scope(), before.as_ref(), limit).await?;
    let more = cut(&mut imports, ON_A_PAGE);
    let cursor = imports.last().filter(|_| more).map(|last| last.position().to_string());
    let mut lines = Vec::with_capacity(imports.len());
    for import in imports {
        lines.push(line(&reader, import).await?);
    }
    let page = RosterPage {
        imports: lines,
        pager: Pager::new("/admin/roster", &[], cursor.as_deref(), before.is_some()),
        may_import: reader.may(Permission::ImportRoster),
    };
    Ok(reader.show(&page).render()?)
}

async fn line(reader: &Operator, import: Recorded) -> Result<Line, PageError> {
    use crate::storage::roster_job::State as S;
    let counts = &import.counts;
    let known = matches!(import.state, S::Applied | S::Undoing | S::Undone | S::Refused | S::Discarded);
    Ok(Line {
        insurer: insurer_name(reader, &import.insurer),
        at: reader.date_time(import.started_at),
        by: who(reader, &import.actor).await?,
        state: import.state.as_str(),
        counts: known.then_some([counts.added, counts.changed, counts.lost, import.refused]),
        id: import.id,
        file: import.file_name,
    })
}

/// The name of an insurer, or its code if the configuration has it no more.
pub fn insurer_name(reader: &Operator, code: &str) -> Given {
    let locale = reader.visit.locale;
    let insurer = reader.app().members.insurer(code);
    insurer.map_or_else(|| Given::choose(locale, code, None), |one| one.name_in(locale))
}

/// Who acted: the name of an operator, or else as the audit has it.
pub async fn who(reader: &Operator, actor: &str) -> Result<String, PageError> {
    if let Some(id) = actor.strip_prefix("operator:")
        && let Some(found) = reader.app().operators.operator(id).await?
    {
        return Ok(found.name);
    }
    Ok(actor.to_owned())
}
