//! `/admin/api/v1/members/{member}/…`: what the office does to people and their accounts.

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::Caller,
    members::{MemberDetails, find, shown},
    problem::{FieldError, Kind, Problem},
    read::{Body, Id, Why, act, reason},
};
use crate::{
    members::{
        login_id::LoginId,
        operator::{Issued, Refused, Subject},
    },
    operators::log::utc,
};

#[derive(OpenApi)]
#[openapi(paths(
    reset,
    reissue,
    unlock,
    end_sessions,
    freeze,
    unfreeze,
    delete,
    dismiss_deletion,
    correct_email,
    show_email,
    withdraw_app,
    export
))]
pub(super) struct Doc;

fn refusal(refused: Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::Email => Problem::field("/email", "malformed", detail),
        Refused::SameEmail => {
            Problem::new(Kind::Conflict).and(FieldError::at("/email", "same_email", detail))
        }
        Refused::EmailTaken => {
            Problem::new(Kind::Conflict).and(FieldError::at("/email", "email_taken", detail))
        }
        Refused::NoAccount => Problem::conflict("no_account", detail),
        Refused::NotActive => Problem::conflict("reset", detail),
        Refused::NotStopped => Problem::conflict("not_stopped", detail),
        Refused::NotRequested => Problem::conflict("not_requested", detail),
        Refused::Registered => Problem::conflict("registered", detail),
        Refused::SelfRegistering => Problem::conflict("self_registering", detail),
        Refused::Inactive => Problem::conflict("inactive", detail),
        Refused::Stopped => Problem::conflict("stopped", detail),
        Refused::Closed => Problem::conflict("closed", detail),
        Refused::NoAccess => Problem::conflict("no_access", detail),
    }
}

/// A new beginning.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether an activation code is issued even where the insurer asks for the birth date alone, which then
    /// opens nothing for this person without the code.
    #[serde(default)]
    pub code: bool,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "ID and password forgotten, identity checked")]
    pub reason: String,
}

/// What a person needs for the registration.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedAccess {
    /// What was issued.
    pub issued: IssuedKind,
    /// Login ID to register with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<String>,
    /// The activation code. It is not told again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation_code: Option<String>,
    /// When it is void.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub valid_until: Option<String>,
}

/// A kind of what was issued.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssuedKind {
    /// Nothing: the person registers by proof of eligibility.
    Nothing,
    /// The birth date opens the registration.
    BirthDate,
    /// The birth date and a code do.
    BirthDateAndCode,
}

impl IssuedAccess {
    fn of(caller: &Caller, subject: &Subject, issued: Issued) -> Self {
        let person = &subject.person;
        let insurer = caller.app().members.insurer(&person.insurer);
        let login_id = insurer.and_then(|one| LoginId::from_parts(one, &person.symbol, &person.number).ok());
        let login_id = login_id.map(|login_id| login_id.to_string());
        let (issued, activation_code, until) = match issued {
            Issued::Nothing => {
                return Self {
                    issued: IssuedKind::Nothing,
                    login_id: None,
                    activation_code: None,
                    valid_until: None,
                };
            }
            Issued::TemporaryPassword(until) => (IssuedKind::BirthDate, None, until),
            Issued::Code(code, until) => (IssuedKind::BirthDateAndCode, Some(code.grouped()), until),
        };
        Self { issued, login_id, activation_code, valid_until: Some(utc(until.millis())) }
    }
}

/// Resets a registration (初期化)
///
/// Wipes password, address, consents, sessions and links; the subject stays, and the old address is told. The
/// registration starts anew with what is issued.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/reset", tag = "Members", operation_id = "resetMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Restart,
    responses((status = 200, description = "What was issued", body = IssuedAccess)),
)]
pub async fn reset(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Restart>,
) -> Result<Json<IssuedAccess>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    let issued =
        members.reset_member(&subject, asked.code, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(IssuedAccess::of(&caller, &subject, issued)))
}

/// Issues the first password again
///
/// Or an activation code, to a person who is not registered. A code from before is void.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/reissue", tag = "Members", operation_id = "reissueMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Restart,
    responses((status = 200, description = "What was issued", body = IssuedAccess)),
)]
pub async fn reissue(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Restart>,
) -> Result<Json<IssuedAccess>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    let issued = members.reissue(&subject, asked.code, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(IssuedAccess::of(&caller, &subject, issued)))
}

/// Ends the pause of a login ID
///
/// After failed sign-ins.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/unlock", tag = "Members", operation_id = "unlockMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn unlock(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.unlock_account(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Signs a member out everywhere
///
/// And all apps.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/end-sessions", tag = "Members",
    operation_id = "endMemberSessions",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn end_sessions(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.end_all_sessions(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Stops an account
///
/// Or the registration of a person who has none.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/freeze", tag = "Members", operation_id = "freezeMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn freeze(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.freeze_subject(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Ends a stop
///
/// Of an account, or of a registration.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/unfreeze", tag = "Members", operation_id = "unfreezeMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn unfreeze(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.unfreeze(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// A deletion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// Delete although the member has not asked on the account page: the request came by letter or telephone.
    #[serde(default)]
    pub unasked: bool,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "request of the member, identity checked")]
    pub reason: String,
}

/// Deletes an account
///
/// Of a member who asked for it: address, name, password, choices and consents.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/delete", tag = "Members", operation_id = "deleteMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Deletion,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn delete(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Deletion>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.delete_member(&subject, asked.unasked, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Dismisses a request for deletion
///
/// And tells the member.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/dismiss-deletion", tag = "Members",
    operation_id = "dismissMemberDeletion",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn dismiss_deletion(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.dismiss_deletion(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Another address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailCorrection {
    /// The new address. A link goes there.
    #[schema(format = Email, max_length = 254, example = "hanako@mail.example")]
    pub email: String,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "mistyped, identity checked")]
    pub reason: String,
}

/// Corrects the address of a member
///
/// Mails a link to the new one, and tells the old. Nothing changes until the member opens it and gives the password.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/correct-email", tag = "Members",
    operation_id = "correctMemberEmail",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = EmailCorrection,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn correct_email(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<EmailCorrection>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.correct_email(&subject, &asked.email, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// The whole address of a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeEmail {
    /// The address.
    #[schema(format = Email)]
    pub email: String,
}

/// Tells the whole address of a member
///
/// Everything else has it masked. The audit notes that it was told.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/show-email", tag = "Members", operation_id = "showMemberEmail",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "The address", body = WholeEmail)),
)]
pub async fn show_email(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<Why>,
) -> Result<Json<WholeEmail>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    let email = members.reveal_email(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(WholeEmail { email }))
}

/// An app that is to lose its access.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppWithdrawal {
    /// `client_id` of the app.
    #[schema(min_length = 1, max_length = 200)]
    pub client_id: String,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "asked for by telephone")]
    pub reason: String,
}

/// Withdraws the access of an app
///
/// Every token that rests on it is dead at once.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/withdraw-app", tag = "Members",
    operation_id = "withdrawMemberApp",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = AppWithdrawal,
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn withdraw_app(
    caller: Caller,
    Id(id): Id,
    Body(asked): Body<AppWithdrawal>,
) -> Result<Json<MemberDetails>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    members.withdraw_app(&subject, &asked.client_id, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Exports what is held of a person (開示請求)
///
/// One object with the rows of every table, the sessions and the history; no hashes, codes or tokens.
#[utoipa::path(
    post, path = "/admin/api/v1/members/{member}/export", tag = "Members", operation_id = "exportMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    request_body = Why,
    responses((status = 200, description = "What is held", body = Object)),
)]
pub async fn export(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<Json<Value>, Problem> {
    let (subject, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let members = &caller.app().members;
    let held = members.export_subject(&subject, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(Value::Object(held)))
}
