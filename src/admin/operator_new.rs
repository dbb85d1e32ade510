//! `/admin/operators/new`: an operator is invited.

use axum::{http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{Refusal, guard, guard::OperatorForm, operator::refusal, wrong};
use crate::{
    audit::{Act, Reason},
    operators::{Role, manage::NewOperator},
    pages::{
        parts::{FormErrors, InsurerChoice},
        sample,
    },
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks who. Posts `email`, `name`, `role`, `insurer` and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct NewPage {
    /// Address, as typed.
    pub email: String,
    /// Name, as typed.
    pub name: String,
    /// What there is to choose, and what is chosen.
    pub choices: Choices,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

/// Roles and insurers to choose from.
#[derive(Clone, Debug, Serialize)]
pub struct Choices {
    /// The roles, as in names of texts.
    pub roles: [&'static str; 4],
    /// The chosen one.
    pub role: String,
    /// The insurers.
    pub insurers: Vec<InsurerChoice>,
    /// Whether 「すべての保険者」 can be chosen.
    pub all: bool,
    /// Code of the chosen one; empty: all.
    pub insurer: String,
}

impl Choices {
    /// What `reader` may give.
    pub fn of(reader: &guard::Operator, role: String, insurer: String) -> Self {
        let config = reader.app().config();
        let insurers = config.insurers.iter().filter(|one| reader.reach(Some(&one.code)).is_ok());
        Self {
            roles: Role::ALL.map(Role::as_str),
            role,
            insurers: insurers.map(|one| InsurerChoice::of(one, reader.visit.locale)).collect(),
            all: reader.scope().is_none(),
            insurer,
        }
    }

    /// For samples.
    pub fn sample() -> Self {
        Self {
            roles: Role::ALL.map(Role::as_str),
            role: "office".to_owned(),
            insurers: sample::insurers(),
            all: true,
            insurer: "7132".to_owned(),
        }
    }
}

impl Page for NewPage {
    const TEMPLATE: &'static str = "admin/operator_new.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            email: String::new(),
            name: String::new(),
            choices: Choices { all: false, ..Choices::sample() },
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("email", Message::new("operators-error-email-taken"));
        errors.add("name", Message::new("operators-error-name"));
        errors.add("role", Message::new("operators-error-role"));
        errors.add("insurer", Message::new("operators-error-insurer"));
        errors.add("reason", Message::new("console-error-reason-empty"));
        let wrong = Self {
            email: sample::HOSTILE.to_owned(),
            name: sample::LONG.to_owned(),
            choices: Choices::sample(),
            errors,
            ..empty.clone()
        };
        vec![empty, wrong]
    }
}

/// What the page sends.
#[derive(Default, Deserialize)]
pub struct NewForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    insurer: String,
    #[serde(default)]
    reason: String,
}

/// GET `/admin/operators/new`
pub async fn get(reader: guard::Operator) -> Result<Response, PageError> {
    let form = NewForm { role: Role::Office.as_str().to_owned(), ..NewForm::default() };
    page(&reader, form, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/operators/new`
pub async fn post(OperatorForm(reader, form): OperatorForm<NewForm>) -> Result<Response, PageError> {
    let Some(role) = Role::parse(&form.role) else {
        return page(&reader, form, wrong("role", Message::new("operators-error-role")));
    };
    let insurer = Some(form.insurer.clone()).filter(|code| !code.is_empty());
    // Nobody gives more than they have.
    reader.reach(insurer.as_deref())?;
    let reason = match Reason::parse(&form.reason) {
        Ok(reason) => reason,
        Err(error) => return page(&reader, form, wrong("reason", Message::new(error.text_id()))),
    };
    let new = NewOperator {
        email: form.email.clone(),
        name: form.name.clone(),
        role,
        insurer,
        locale: reader.visit.locale,
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().operators.invite(&new, true, act).await? {
        Ok((operator, _)) => {
            Ok(reader.visit.redirect(&format!("/admin/operators/{}?done=invited", operator.id))?)
        }
        Err(refused) => page(&reader, form, refusal(refused)),
    }
}

fn page(reader: &guard::Operator, form: NewForm, (status, errors): Refusal) -> Result<Response, PageError> {
    let page = NewPage {
        email: form.email,
        name: form.name,
        choices: Choices::of(reader, form.role, form.insurer),
        reason: form.reason,
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
