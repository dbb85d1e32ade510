//! `/admin/operators/{operator}/disable`, `…/enable` and `…/reset`.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{
    confirm::{Confirm, Fact, ReasonForm},
    guard,
    guard::OperatorForm,
    operator::{find, refusal},
};
use crate::{
    audit::Act,
    operators::Operator,
    pages::parts::FormErrors,
    web::{PageError, templates::Message},
};

/// Which act a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Disable,
    Enable,
    Reset,
}

impl Kind {
    fn of(name: &str) -> Result<Self, PageError> {
        match name {
            "disable" => Ok(Self::Disable),
            "enable" => Ok(Self::Enable),
            "reset" => Ok(Self::Reset),
            _ => Err(PageError::status(StatusCode::NOT_FOUND)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Reset => "reset",
        }
    }

    fn page(self, target: &Operator) -> Confirm {
        let name = self.name();
        Confirm {
            title: Message::new(format!("operators-{name}-title")),
            text: Message::new(format!("operators-{name}-text")),
            facts: vec![
                Fact::new("operators-name", &target.name),
                Fact::new("operators-email", &target.email),
            ],
            action: format!("/admin/operators/{}/{name}", target.id),
            back: format!("/admin/operators/{}", target.id),
            grave: self != Self::Enable,
            reason: String::new(),
            errors: FormErrors::none(),
        }
    }
}

/// GET `/admin/operators/{operator}/{act}`
pub async fn get(
    reader: guard::Operator,
    Path((id, act)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let target = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    kind.page(&target).show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/operators/{operator}/{act}`
pub async fn post(
    Path((id, act)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let target = find(&reader, &id).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return kind.page(&target).show(&reader, &form, refusal),
    };
    let (operators, act) = (&reader.app().operators, Act { actor: &reader.actor, reason: &reason });
    let (done, outcome) = match kind {
        Kind::Disable => ("disabled", operators.disable(&target, act).await?),
        Kind::Enable => ("enabled", operators.enable(&target, act).await?),
        Kind::Reset => ("reset", operators.reset_factors(&target, true, act).await?.map(|_| ())),
    };
    match outcome {
        Ok(()) => Ok(reader.visit.redirect(&format!("/admin/operators/{}?done={done}", target.id))?),
        Err(refused) => kind.page(&target).show(&reader, &form, refusal(refused)),
    }
}
