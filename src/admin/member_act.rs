//! `/admin/members/{member}/{act}`: what takes no more than a reason.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    confirm::{Confirm, ReasonForm},
    guard::{Operator, OperatorForm},
    member::{facts, find, refusal, show},
};
use crate::{
    audit::Act,
    fault::Fault,
    members::operator::{Refused, Subject},
    pages::parts::FormErrors,
    storage::deletion_request,
    web::{PageError, templates::Message},
};

/// Which act a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unlock,
    EndSessions,
    Freeze,
    Unfreeze,
    Delete,
    DismissDeletion,
    ShowEmail,
    Export,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Unlock,
        Self::EndSessions,
        Self::Freeze,
        Self::Unfreeze,
        Self::Delete,
        Self::DismissDeletion,
        Self::ShowEmail,
        Self::Export,
    ];

    fn of(name: &str) -> Result<Self, PageError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::EndSessions => "end-sessions",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Delete => "delete",
            Self::DismissDeletion => "dismiss-deletion",
            Self::ShowEmail => "show-email",
            Self::Export => "export",
        }
    }

    async fn page(self, reader: &Operator, subject: &Subject) -> Result<Confirm, PageError> {
        let (name, id) = (self.name(), &subject.person.id);
        let unasked = self == Self::Delete && !asked(reader, subject).await?;
        Ok(Confirm {
            title: Message::new(format!("members-{name}-title")),
            text: Message::new(format!("members-{name}-{}", if unasked { "unasked" } else { "text" })),
            facts: facts(reader, subject),
            action: format!("/admin/members/{id}/{name}"),
            back: format!("/admin/members/{id}"),
            grave: matches!(self, Self::EndSessions | Self::Freeze | Self::Delete),
            reason: String::new(),
            errors: FormErrors::none(),
        })
    }
}

/// Whether the member asked for the deletion.
async fn asked(reader: &Operator, subject: &Subject) -> Result<bool, PageError> {
    let Some(member) = &subject.member else { return Ok(false) };
    let request = deletion_request::of_member(&reader.app().members.db, &member.id).await;
    Ok(request.map_err(Fault::from)?.is_some())
}

/// GET `/admin/members/{member}/{act}`
pub async fn get(reader: Operator, Path((id, act)): Path<(String, String)>) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let subject = find(&reader, &id).await?;
    let empty = ReasonForm { reason: String::new() };
    kind.page(&reader, &subject).await?.show(&reader, &empty, (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/members/{member}/{act}`
pub async fn post(
    Path((id, act)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<ReasonForm>,
) -> Result<Response, PageError> {
    let kind = Kind::of(&act)?;
    let subject = find(&reader, &id).await?;
    let reason = match form.read() {
        Ok(reason) => reason,
        Err(wrong) => return kind.page(&reader, &subject).await?.show(&reader, &form, wrong),
    };
    let (members, act) = (&reader.app().members, Act { actor: &reader.actor, reason: &reason });
    let refused: Refused = match kind {
        Kind::ShowEmail => match members.reveal_email(&subject, act).await? {
            Ok(email) => return show(&reader, subject, None, Some(email)).await,
            Err(refused) => refused,
        },
        Kind::Export => match members.export_subject(&subject, act).await? {
            Ok(export) => return download(&export),
            Err(refused) => refused,
        },
        _ => match change(&reader, kind, &subject, act).await? {
            Ok(()) => {
                let done = format!("/admin/members/{}?done=member-{}", subject.person.id, kind.name());
                return Ok(reader.visit.redirect(&done)?);
            }
            Err(refused) => refused,
        },
    };
    kind.page(&reader, &subject).await?.show(&reader, &form, refusal(refused))
}

async fn change(
    reader: &Operator,
    kind: Kind,
    subject: &Subject,
    act: Act<'_>,
) -> Result<Result<(), Refused>, Fault> {
    let members = &reader.app().members;
    match kind {
        Kind::Unlock => members.unlock_account(subject, act).await,
        Kind::EndSessions => members.end_all_sessions(subject, act).await,
        Kind::Freeze => members.freeze_subject(subject, act).await,
        Kind::Unfreeze => members.unfreeze(subject, act).await,
        Kind::Delete => members.delete_member(subject, true, act).await,
        Kind::DismissDeletion => members.dismiss_deletion(subject, act).await,
        // They change nothing, and answer with what they found.
        Kind::ShowEmail | Kind::Export => Ok(Ok(())),
    }
}

fn download(export: &crate::members::operator::Export) -> Result<Response, PageError> {
    let body = serde_json::to_vec_pretty(export).map_err(Fault::internal)?;
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"member.json\""),
    ];
    Ok((headers, body).into_response())
}
