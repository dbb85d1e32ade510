//! `/admin/mails/{mail}/retry`, `…/give-up` and `…/bounce`; `/admin/deliveries/{delivery}/retry` and `…/give-up`.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{
    confirm::{Confirm, Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    queue::path_part,
};
use crate::{
    audit::Act,
    operators::queues::{Line, Refused},
    pages::parts::FormErrors,
    storage::queue::Shown,
    web::{PageError, templates::Message},
};

/// Which act a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Retry,
    GiveUp,
    Bounce,
}

/// What an act concerns.
struct Target {
    line: Line,
    row: Shown,
    kind: Kind,
}

impl Kind {
    fn of(name: &str, mails: bool) -> Result<Self, PageError> {
        match name {
            "retry" => Ok(Self::Retry),
            "give-up" => Ok(Self::GiveUp),
            "bounce" if mails => Ok(Self::Bounce),
            _ => Err(missing()),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::GiveUp => "give-up",
            Self::Bounce => "bounce",
        }
    }
}

impl Target {
    async fn find(reader: &Operator, mails: bool, id: &str, act: &str) -> Result<Self, PageError> {
        let kind = Kind::of(act, mails)?;
        if id.len() > 600 || id.contains('\0') {
            return Err(missing());
        }
        let lines: &[Line] = if mails { &[Line::Mails] } else { &[Line::Webhooks, Line::Protocol] };
        for line in lines {
            if let Some(row) = reader.app().operators.queued(*line, id).await? {
                reader.reach(row.insurer.as_deref())?;
                return Ok(Self { line: *line, row, kind });
            }
        }
        Err(missing())
    }

    fn back(&self) -> &'static str {
        match self.line {
            Line::Mails => "/admin/mails",
            Line::Protocol => "/admin/deliveries?line=protocol",
            Line::Webhooks => "/admin/deliveries?line=webhooks",
        }
    }

    fn page(&self) -> Confirm {
        let (part, name) = (if self.line == Line::Mails { "mails" } else { "deliveries" }, self.kind.name());
        let row = &self.row;
        let mut facts =
            vec![Fact::new("queue-kind", &row.kind), Fact::new("queue-attempts", row.attempts.to_string())];
        if let Some(target) = &row.target {
            facts.insert(1, Fact::new("queue-target", target));
        }
        if let Some(error) = &row.last_error {
            facts.push(Fact::new("queue-last-error", error));
        }
        Confirm {
            title: Message::new(format!("queue-{name}-title")),
            text: Message::new(format!("queue-{name}-text")),
            facts,
            action: format!("/admin/{part}/{}/{name}", path_part(&row.id)),
            back: self.back().to_owned(),
            grave: self.kind != Kind::Retry,
            reason: String::new(),
            errors: FormErrors::none(),
        }
    }
}

fn missing() -> PageError {
    PageError::status(StatusCode::NOT_FOUND)
}

/// What to say about an act that was refused.
pub fn refusal(refused: Refused) -> super::Refusal {
    let text = match refused {
        Refused::NotWaiting => "queue-error-waiting",
        Refused::NoAddress => "queue-error-address",
        Refused::Already => "operators-error-already",
    };
    (StatusCode::CONFLICT, FormErrors::form(Message::new(text)))
}

/// GET `/admin/mails/{mail}/{act}`
pub async fn get_mail(reader: Operator, path: Path<(String, String)>) -> Result<Response, PageError> {
    get(&reader, true, path).await
}

/// POST `/admin/mails/{mail}/{act}`
pub async fn post_mail(
    path: Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    post(&reader, true, path, &form).await
}

/// GET `/admin/deliveries/{delivery}/{act}`
pub async fn get_delivery(reader: Operator, path: Path<(String, String)>) -> Result<Response, PageError> {
    get(&reader, false, path).await
}

/// POST `/admin/deliveries/{delivery}/{act}`
pub async fn post_delivery(
    path: Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    post(&reader, false, path, &form).await
}

async fn get(
    reader: &Operator,
    mails: bool,
    Path((id, act)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let target = Target::find(reader, mails, &id, &act).await?;
    let empty = ReasonForm { reason: String::new() };
    target.page().show(reader, &empty, (StatusCode::OK, FormErrors::none()))
}

async fn post(
    reader: &Operator,
    mails: bool,
    Path((id, act)): Path<(String, String)>,
    form: &ReasonForm,
) -> Result<Response, PageError> {
    let target = Target::find(reader, mails, &id, &act).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return target.page().show(reader, form, refusal),
    };
    let (operators, act) = (&reader.app().operators, Act { actor: &reader.actor, reason: &reason });
    let Target { line, row, kind } = &target;
    let (done, outcome) = match kind {
        Kind::Retry => ("retried", operators.retry(*line, row, act).await?),
        Kind::GiveUp => ("given-up", operators.give_up(*line, row, act).await?),
        Kind::Bounce => ("bounced", operators.mark_bounced(row, act).await?),
    };
    match outcome {
        Ok(()) => {
            let back = target.back();
            let mark = if back.contains('?') { '&' } else { '?' };
            Ok(reader.visit.redirect(&format!("{back}{mark}done={done}"))?)
        }
        Err(refused) => target.page().show(reader, form, refusal(refused)),
    }
}
