//! `/admin/roster/{import}/apply`, `…/discard` and `…/undo`.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{
    Refusal,
    confirm::{Confirm, Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    roster::insurer_name,
    roster_import::find,
};
use crate::{
    audit::Act,
    members::roster::decide::Refused,
    pages::parts::FormErrors,
    storage::roster_job::Recorded,
    web::{PageError, templates::Message},
};

/// Which act a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Apply,
    Discard,
    Undo,
}

impl Kind {
    fn of(name: &str) -> Result<Self, PageError> {
        match name {
            "apply" => Ok(Self::Apply),
            "discard" => Ok(Self::Discard),
            "undo" => Ok(Self::Undo),
            _ => Err(PageError::status(StatusCode::NOT_FOUND)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Discard => "discard",
            Self::Undo => "undo",
        }
    }

    async fn page(self, reader: &Operator, import: &Recorded) -> Result<Confirm, PageError> {
        let members = &reader.app().members;
        let preview = members.roster_preview(import);
        let big = preview.as_ref().is_some_and(crate::members::roster::preview::Preview::is_big_loss);
        let mut facts = vec![
            Fact::new("roster-insurer", insurer_name(reader, &import.insurer).text),
            Fact::new("roster-file", &import.file_name),
        ];
        let mut count = |name, count: u64| facts.push(Fact::count(name, count));
        match (self, preview) {
            (Self::Undo, _) => {
                let would = members.estimate_roster_undo(import).await?;
                count("roster-undo-removed", would.removed);
                count("roster-undo-kept", would.kept);
                count("roster-undo-restored", would.restored);
            }
            (_, Some(preview)) => {
                count("roster-added", preview.counts.added);
                count("roster-changed", preview.counts.changed);
                count("roster-lost", preview.counts.lost);
                count("roster-refused", preview.refused);
            }
            (_, None) => {}
        }
        let name = self.name();
        let text = match self {
            Self::Apply if big => "roster-apply-text-big-loss".to_owned(),
            _ => format!("roster-{name}-text"),
        };
        Ok(Confirm {
            title: Message::new(format!("roster-{name}-title")),
            text: Message::new(text),
            facts,
            action: format!("/admin/roster/{}/{name}", import.id),
            back: format!("/admin/roster/{}", import.id),
            grave: self == Self::Undo || self == Self::Apply && big,
            reason: String::new(),
            errors: FormErrors::none(),
        })
    }
}

fn refusal(refused: Refused) -> Refusal {
    let text = match refused {
        Refused::Busy => "roster-error-busy",
        Refused::Past => "roster-error-past",
        Refused::NotLast => "roster-error-not-last",
    };
    (StatusCode::CONFLICT, FormErrors::form(Message::new(text)))
}

/// GET `/admin/roster/{import}/{act}`
pub async fn get(reader: Operator, Path((id, act)): Path<(String, String)>) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let import = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    kind.page(&reader, &import).await?.show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/roster/{import}/{act}`
pub async fn post(
    Path((id, act)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let import = find(&reader, &id).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(refusal) => return kind.page(&reader, &import).await?.show(&reader, &form, refusal),
    };
    let (members, act) = (&reader.app().members, Act { actor: &reader.actor, reason: &reason });
    let outcome = match kind {
        Kind::Apply => members.apply_roster_import(&import, act).await?,
        Kind::Discard => members.discard_roster_import(&import, act).await?,
        Kind::Undo => members.undo_roster_import(&import, act).await?,
    };
    match outcome {
        Ok(()) => Ok(reader.visit.redirect(&format!("/admin/roster/{}", import.id))?),
        Err(refused) => kind.page(&reader, &import).await?.show(&reader, &form, refusal(refused)),
    }
}
