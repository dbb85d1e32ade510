//! `/admin/operators/{operator}/role`: another role, or another insurer.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    Refusal, guard,
    guard::OperatorForm,
    operator::{find, refusal},
    operator_new::Choices,
    wrong,
};
use crate::{
    audit::{Act, Reason},
    operators::{Operator, Role},
    pages::{parts::FormErrors, sample},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks for role, insurer and reason. Posts `role`, `insurer` and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct RolePage {
    /// Names the operator in the path.
    pub id: String,
    /// Name of the operator.
    pub name: String,
    /// What there is to choose, and what is chosen.
    pub choices: Choices,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for RolePage {
    const TEMPLATE: &'static str = "admin/operator_role.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            id: sample::INTERACTION.to_owned(),
            name: "山田 太郎".to_owned(),
            choices: Choices::sample(),
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("insurer", Message::new("operators-error-insurer"));
        errors.add("reason", Message::new("console-error-reason-empty"));
        let wrong = Self { name: sample::HOSTILE.to_owned(), errors, ..empty.clone() };
        let refused =
            Self { errors: FormErrors::form(Message::new("operators-error-last")), ..empty.clone() };
        vec![empty, wrong, refused]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct RoleForm {
    #[serde(default)]
    role: String,
    #[serde(default)]
    insurer: String,
    #[serde(default)]
    reason: String,
}

/// GET `/admin/operators/{operator}/role`
pub async fn get(reader: guard::Operator, Path(id): Path<String>) -> Result<Response, PageError> {
    let target = find(&reader, &id).await?;
    let form = RoleForm {
        role: target.role.as_str().to_owned(),
        insurer: target.insurer.clone().unwrap_or_default(),
        reason: String::new(),
    };
    page(&reader, &target, form, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/operators/{operator}/role`
pub async fn post(
    Path(id): Path<String>,
    OperatorForm(reader, form): OperatorForm<RoleForm>,
) -> Result<Response, PageError> {
    let target = find(&reader, &id).await?;
    let Some(role) = Role::parse(&form.role) else {
        let refusal = wrong("role", Message::new("operators-error-role"));
        return page(&reader, &target, form, refusal);
    };
    let insurer = Some(form.insurer.as_str()).filter(|code| !code.is_empty());
    // Nobody gives more than they have.
    reader.reach(insurer)?;
    let reason = match Reason::parse(&form.reason) {
        Ok(reason) => reason,
        Err(error) => {
            let refusal = wrong("reason", Message::new(error.text_id()));
            return page(&reader, &target, form, refusal);
        }
    };
    let act = Act { actor: &reader.actor, reason: &reason };
    match reader.app().operators.change_role(&target, (role, insurer), act).await? {
        Ok(()) => Ok(reader.visit.redirect(&format!("/admin/operators/{}?done=role", target.id))?),
        Err(refused) => page(&reader, &target, form, refusal(refused)),
    }
}

fn page(
    reader: &guard::Operator,
    target: &Operator,
    form: RoleForm,
    (status, errors): Refusal,
) -> Result<Response, PageError> {
    let page = RolePage {
        id: target.id.clone(),
        name: target.name.clone(),
        choices: Choices::of(reader, form.role, form.insurer),
        reason: form.reason,
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
