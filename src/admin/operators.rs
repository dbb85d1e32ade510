//! `/admin/operators`: who works here.

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
    operators::{self, Permission},
    pages::sample,
    texts::{Given, Locale},
    web::{PageError, templates::Page},
};

/// Operators on a page.
const ON_A_PAGE: usize = 50;

/// The operators, by address.
#[derive(Clone, Debug, Serialize)]
pub struct Operators {
    /// The operators.
    pub operators: Vec<Shown>,
    /// The other pages.
    pub pager: Pager,
    /// Whether this operator may invite others.
    pub may_manage: bool,
}

/// An operator as the pages show one.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Names the operator in URLs and in the audit.
    pub id: String,
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Role, as in names of texts.
    pub role: &'static str,
    /// Name of the one insurer; none: all.
    pub insurer: Option<Given>,
    /// `active`, `waiting` for the setup, `expired` when its link is void, or `disabled`.
    pub state: &'static str,
    /// Last sign-in, in words.
    pub signed_in: Option<String>,
}

impl Shown {
    /// The operator as `reader` sees it.
    pub fn of(reader: &Operator, shown: &operators::Operator) -> Self {
        let app = reader.app();
        let named = |code: &str| {
            let insurer = app.members.insurer(code);
            insurer.map_or_else(
                || Given::choose(reader.visit.locale, code, None),
                |one| one.name_in(reader.visit.locale),
            )
        };
        let state = match shown.setup_expires_at {
            _ if shown.disabled_at.is_some() => "disabled",
            _ if shown.is_active() => "active",
            Some(deadline) if app.now() < deadline => "waiting",
            _ => "expired",
        };
        Self {
            id: shown.id.clone(),
            name: shown.name.clone(),
            email: shown.email.clone(),
            role: shown.role.as_str(),
            insurer: shown.insurer.as_deref().map(named),
            state,
            signed_in: shown.signed_in_at.map(|at| reader.date_time(at)),
        }
    }

    /// For samples.
    pub fn sample(role: &'static str, state: &'static str) -> Self {
        Self {
            id: sample::INTERACTION.to_owned(),
            name: "山田 太郎".to_owned(),
            email: "taro@sakura-kenpo.example".to_owned(),
            role,
            insurer: Some(Given::choose(Locale::Ja, "さくら健康保険組合", None)),
            state,
            signed_in: Some("2026年11月23日(月)10時15分".to_owned()),
        }
    }
}

impl Page for Operators {
    const TEMPLATE: &'static str = "admin/operators.html";

    fn samples() -> Vec<Self> {
        let hostile = Shown {
            name: sample::HOSTILE.to_owned(),
            email: sample::LONG.to_owned(),
            insurer: None,
            signed_in: None,
            ..Shown::sample("administrator", "waiting")
        };
        let several = Self {
            operators: vec![
                hostile,
                Shown::sample("office", "active"),
                Shown::sample("client_manager", "disabled"),
                Shown::sample("auditor", "expired"),
            ],
            pager: Pager::new("/admin/operators", &[], Some("x@example.jp"), true),
            may_manage: true,
        };
        let one = Self {
            operators: vec![Shown::sample("auditor", "active")],
            pager: Pager::default(),
            may_manage: false,
        };
        vec![several, one]
    }
}

/// Where a page begins.
#[derive(Debug, Default, Deserialize)]
pub struct After {
    #[serde(default)]
    after: String,
}

impl After {
    /// As it stands in the URL.
    pub fn text(&self) -> &str {
        &self.after
    }
}

/// GET `/admin/operators`
pub async fn get(
    operator: Operator,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, PageError> {
    // PostgreSQL would answer a NUL with an error.
    let after = after.map(|Query(query)| query.after.replace('\0', "")).unwrap_or_default();
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut list = operator.app().operators.operators(operator.scope(), &after, limit).await?;
    let more = cut(&mut list, ON_A_PAGE);
    let cursor = list.last().filter(|_| more).map(|last| last.email.to_lowercase());
    let page = Operators {
        operators: list.iter().map(|one| Shown::of(&operator, one)).collect(),
        pager: Pager::new("/admin/operators", &[], cursor.as_deref(), !after.is_empty()),
        may_manage: operator.may(Permission::ManageOperators),
    };
    Ok(operator.show(&page).render()?)
}
