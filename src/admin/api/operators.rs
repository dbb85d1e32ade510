//! `/admin/api/v1/operators`: who works here, and what administrators do about it.

use axum::{Json, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    guard::{self, Caller},
    paging::{Page, Paging},
    problem::{FieldError, Kind, Problem},
    read::{Body, Id, Query, Why, act, reason},
    version::{created, tagged, unchanged},
};
use crate::{
    clock::Timestamp,
    oidc::resource::API,
    operators::{self, Permission, Role, log::utc, manage::NewOperator, manage::Refused, role},
    texts::Locale,
};

#[derive(OpenApi)]
#[openapi(paths(list, invite, get, role, disable, enable, reset))]
pub(super) struct Doc;

/// An operator of the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operator {
    /// Names the operator here and in the audit.
    #[schema(example = "q7Zk3vX0aJm2Yt8RbLwN1g")]
    pub id: String,
    /// E-mail address, which is what is signed in with.
    #[schema(format = Email)]
    pub email: String,
    /// Name, for colleagues.
    pub name: String,
    /// What for.
    pub role: RoleName,
    /// Portal code of the one insurer; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
    /// Language of mails.
    pub language: Language,
    /// Whether the operator can sign in.
    pub state: OperatorState,
    /// Last sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub signed_in_at: Option<String>,
    /// When the operator was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// What an operator is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// 管理者: everything, operators too.
    Administrator,
    /// 事務局: members and their roster.
    Office,
    /// クライアント管理: relying parties.
    ClientManager,
    /// 監査: sees, and changes nothing.
    Auditor,
}

/// A language of texts and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

/// Whether an operator can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorState {
    /// Yes.
    Active,
    /// Not before the setup link was used.
    Waiting,
    /// The setup link is void: a reset sends another.
    Expired,
    /// Somebody disabled the operator.
    Disabled,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Administrator => Self::Administrator,
            Role::Office => Self::Office,
            Role::ClientManager => Self::ClientManager,
            Role::Auditor => Self::Auditor,
        }
    }
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Administrator => Self::Administrator,
            RoleName::Office => Self::Office,
            RoleName::ClientManager => Self::ClientManager,
            RoleName::Auditor => Self::Auditor,
        }
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        match locale {
            Locale::Ja => Self::Ja,
            Locale::En => Self::En,
        }
    }
}

impl From<Language> for Locale {
    fn from(language: Language) -> Self {
        match language {
            Language::Ja => Self::Ja,
            Language::En => Self::En,
        }
    }
}

impl Operator {
    fn of(shown: &operators::Operator, now: Timestamp) -> Self {
        let state = match shown.setup_expires_at {
            _ if shown.disabled_at.is_some() => OperatorState::Disabled,
            _ if shown.is_active() => OperatorState::Active,
            Some(deadline) if now < deadline => OperatorState::Waiting,
            _ => OperatorState::Expired,
        };
        Self {
            id: shown.id.clone(),
            email: shown.email.clone(),
            name: shown.name.clone(),
            role: shown.role.into(),
            insurer: shown.insurer.clone(),
            language: shown.locale.into(),
            state,
            signed_in_at: shown.signed_in_at.map(|at| utc(at.millis())),
            created_at: utc(shown.created_at.millis()),
        }
    }
}

/// The operator, if it is within reach.
async fn find(caller: &Caller, id: &str) -> Result<operators::Operator, Problem> {
    let found = caller.app().operators.operator(id).await?.ok_or_else(Problem::not_found)?;
    caller.reach(found.insurer.as_deref())?;
    Ok(found)
}

/// Nobody gives more than they have: neither another insurer, nor a role that may do what the token does not allow.
fn may_give(caller: &Caller, role: RoleName, insurer: Option<&str>) -> Result<(), Problem> {
    if caller.reach(insurer).is_err() {
        return Err(refusal(Refused::Insurer));
    }
    let needed = Permission::ALL.into_iter().filter(|permission| role::may(role.into(), *permission));
    match needed.into_iter().find(|permission| !caller.may(*permission)) {
        None => Ok(()),
        Some(lacking) => Err(guard::lacks(lacking)),
    }
}

/// The operator as it is now, after an act.
async fn shown(caller: &Caller, id: &str) -> Result<Operator, Problem> {
    Ok(Operator::of(&find(caller, id).await?, caller.app().now()))
}

fn refusal(refused: Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::Email => Problem::field("/email", "malformed", detail),
        Refused::Name => Problem::field("/name", "malformed", detail),
        Refused::Insurer => Problem::field("/insurer", "unknown", detail),
        Refused::EmailTaken => {
            Problem::new(Kind::Conflict).and(FieldError::at("/email", "email_taken", detail))
        }
        Refused::Password(_) => Problem::conflict("password", detail),
        Refused::Oneself => Problem::conflict("oneself", detail),
        Refused::LastAdministrator => Problem::conflict("last_administrator", detail),
        Refused::Disabled => Problem::conflict("disabled", detail),
        Refused::Already => Problem::conflict("already", detail),
        Refused::Changed => Problem::new(Kind::PreconditionFailed).saying(detail),
    }
}

/// Lists the operators
///
/// By e-mail address. A client of one insurer sees those who work for that one alone.
#[utoipa::path(
    get, path = "/admin/api/v1/operators", tag = "Operators", operation_id = "listOperators",
    params(Paging),
    responses((status = 200, description = "A page of operators", body = Page<Operator>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn list(caller: Caller, Query(paging): Query<Paging>) -> Result<Response, Problem> {
    let part = paging.of(&caller, "operators", "")?;
    let after = part.after.clone().unwrap_or_default();
    let read = caller.app().operators.operators(caller.scope(), &after, part.to_read()).await?;
    let now = caller.app().now();
    let page = part.page(&caller, read, |one| one.email.to_lowercase(), |one| Operator::of(&one, now));
    Ok(part.linked(&caller, &format!("{API}/operators"), page))
}

/// An operator to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// E-mail address. The setup link goes there.
    #[schema(format = Email, max_length = 254, example = "hanako@office.example")]
    pub email: String,
    /// Name, for colleagues.
    #[schema(min_length = 1, max_length = 100, example = "佐藤 花子")]
    pub name: String,
    /// What for.
    pub role: RoleName,
    /// Portal code of the one insurer; absent: all. A client of one insurer invites for that one alone.
    #[schema(pattern = "^[0-9]{1,8}$", example = "7132")]
    pub insurer: Option<String>,
    /// Language of mails.
    #[serde(default)]
    pub language: Language,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "new in the office")]
    pub reason: String,
}

/// Invites an operator
///
/// Mails a one-time link with which password and second factor are set up.
#[utoipa::path(
    post, path = "/admin/api/v1/operators", tag = "Operators", operation_id = "inviteOperator",
    request_body = Invitation,
    responses((status = 201, description = "The operator, who waits for the setup", body = Operator,
        headers(
            ("Location" = String, description = "URL of the operator"),
            ("ETag" = String, description = "Version of the operator"),
        ))),
)]
pub async fn invite(caller: Caller, Body(asked): Body<Invitation>) -> Result<Response, Problem> {
    let why = reason(&asked.reason)?;
    may_give(&caller, asked.role, asked.insurer.as_deref())?;
    let new = NewOperator {
        email: asked.email,
        name: asked.name,
        role: asked.role.into(),
        insurer: asked.insurer,
        locale: asked.language.into(),
    };
    let operators = &caller.app().operators;
    let (operator, _) = operators.invite(&new, true, act(&caller.actor, &why)).await?.map_err(refusal)?;
    let made = shown(&caller, &operator.id).await?;
    Ok(created(&caller, &format!("{API}/operators/{}", operator.id), &made, &made))
}

/// Shows an operator
///
/// With the `ETag` that a change asks for.
#[utoipa::path(
    get, path = "/admin/api/v1/operators/{operator}", tag = "Operators", operation_id = "getOperator",
    params(("operator" = String, Path, description = "`id` of the operator")),
    responses((status = 200, description = "The operator", body = Operator,
        headers(("ETag" = String, description = "Version of the operator")))),
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    Ok(tagged(&shown(&caller, &id).await?))
}

/// Another role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// What for.
    pub role: RoleName,
    /// Portal code of the one insurer; absent: all.
    #[schema(pattern = "^[0-9]{1,8}$", example = "7132")]
    pub insurer: Option<String>,
    /// Why, for the audit; without personal data.
    #[schema(min_length = 1, max_length = 500, example = "moved to another department")]
    pub reason: String,
}

/// Gives an operator another role
///
/// Or another insurer; it holds from the operator's next request on.
#[utoipa::path(
    put, path = "/admin/api/v1/operators/{operator}/role", tag = "Operators", operation_id = "changeOperatorRole",
    params(
        ("operator" = String, Path, description = "`id` of the operator"),
        ("If-Match" = String, Header, description = "`ETag` of the operator as it was read"),
    ),
    request_body = NewRole,
    responses((status = 200, description = "The operator with the new role", body = Operator,
        headers(("ETag" = String, description = "Version of the operator")))),
)]
pub async fn role(
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    Body(asked): Body<NewRole>,
) -> Result<Response, Problem> {
    let target = find(&caller, &id).await?;
    unchanged(&headers, &Operator::of(&target, caller.app().now()))?;
    let why = reason(&asked.reason)?;
    may_give(&caller, asked.role, asked.insurer.as_deref())?;
    let rights = (asked.role.into(), asked.insurer.as_deref());
    let operators = &caller.app().operators;
    operators.change_role(&target, rights, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(tagged(&shown(&caller, &id).await?))
}

/// Disables an operator
///
/// Signs the operator out everywhere; nobody signs in with this account any more.
#[utoipa::path(
    post, path = "/admin/api/v1/operators/{operator}/disable", tag = "Operators", operation_id = "disableOperator",
    params(("operator" = String, Path, description = "`id` of the operator")),
    request_body = Why,
    responses((status = 200, description = "The operator, disabled", body = Operator)),
)]
pub async fn disable(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<Json<Operator>, Problem> {
    let (target, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    caller.app().operators.disable(&target, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Enables a disabled operator
///
/// With the password and the second factor from before.
#[utoipa::path(
    post, path = "/admin/api/v1/operators/{operator}/enable", tag = "Operators", operation_id = "enableOperator",
    params(("operator" = String, Path, description = "`id` of the operator")),
    request_body = Why,
    responses((status = 200, description = "The operator, enabled", body = Operator)),
)]
pub async fn enable(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<Json<Operator>, Problem> {
    let (target, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    caller.app().operators.enable(&target, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}

/// Resets an operator
///
/// Takes password, second factor, recovery codes and sessions away, and mails a link that sets them up anew.
#[utoipa::path(
    post, path = "/admin/api/v1/operators/{operator}/reset", tag = "Operators", operation_id = "resetOperator",
    params(("operator" = String, Path, description = "`id` of the operator")),
    request_body = Why,
    responses((status = 200, description = "The operator, who waits for the setup", body = Operator)),
)]
pub async fn reset(caller: Caller, Id(id): Id, Body(asked): Body<Why>) -> Result<Json<Operator>, Problem> {
    let (target, why) = (find(&caller, &id).await?, reason(&asked.reason)?);
    let operators = &caller.app().operators;
    operators.reset_factors(&target, true, act(&caller.actor, &why)).await?.map_err(refusal)?;
    Ok(Json(shown(&caller, &id).await?))
}
