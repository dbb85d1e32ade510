//! `/admin/api/v1/members`: people of the rosters and their accounts. What is done to them is in
//! [`member_acts`](super::member_acts).

use axum::{Json, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    audit::AuditLine,
    guard::Caller,
    paging::{Page, Paging},
    problem::Problem,
    read::{Body, Id, Query},
};
use crate::{
    clock::Timestamp,
    members::{
        Members,
        account::ListedSession,
        device::{Browser, System},
        operator::Subject,
        overview::{Overview, Standing, Temporary},
        roster::Category,
        search::{Wanted, masked_email},
    },
    oidc::resource::API,
    operators::log::utc,
    storage::{Position, consent::Consent, deletion_request, document::Receipt, member_search::Found},
};

#[derive(OpenApi)]
#[openapi(paths(search, get, timeline, deletion_requests))]
pub(super) struct Doc;

/// How a person is insured (区分).
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CategoryName {
    /// 一般被保険者
    Insured,
    /// 被扶養者
    Dependent,
    /// 任意継続被保険者
    Voluntary,
}

/// Whether there is an account, and whether it can be used.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// The person has not registered yet.
    Unregistered,
    /// The account can be used.
    Active,
    /// It was reset: the registration starts anew.
    Reset,
    /// It was stopped.
    Frozen,
    /// It was deleted.
    Closed,
}

/// What becomes of the birth date as the first password.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstPassword {
    /// There is none: the person registers with an address.
    None,
    /// It opens the registration.
    Open,
    /// It does together with a code from the office.
    WithCode,
    /// It was replaced by the member's own.
    Replaced,
    /// It opens nothing until it is issued again.
    Void,
}

impl From<Category> for CategoryName {
    fn from(category: Category) -> Self {
        match category {
            Category::Insured => Self::Insured,
            Category::Dependent => Self::Dependent,
            Category::Voluntary => Self::Voluntary,
        }
    }
}

impl From<Standing> for AccountState {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Unregistered => Self::Unregistered,
            Standing::Active => Self::Active,
            Standing::Reset => Self::Reset,
            Standing::Frozen => Self::Frozen,
            Standing::Closed => Self::Closed,
        }
    }
}

impl From<Temporary> for FirstPassword {
    fn from(temporary: Temporary) -> Self {
        match temporary {
            Temporary::None => Self::None,
            Temporary::Open => Self::Open,
            Temporary::WithCode => Self::WithCode,
            Temporary::Replaced => Self::Replaced,
            Temporary::Void => Self::Void,
        }
    }
}

/// A person, as a list has one.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberSummary {
    /// Names the person here and in the audit.
    pub person: String,
    /// Subject of the account, if there is one; names the person here as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Portal code of the insurer.
    pub insurer: String,
    /// 区分.
    pub category: CategoryName,
    /// 記号, padded.
    pub symbol: String,
    /// 番号, padded.
    pub number: String,
    /// 枝番.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Name in full-width katakana.
    pub name: String,
    /// Whether there is an account.
    pub state: AccountState,
    /// Whether the person may use the service today.
    pub eligible: bool,
    /// Address of the account, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl MemberSummary {
    /// A person who was found.
    pub fn of(members: &Members, found: &Found) -> Self {
        let Found { person, account } = found;
        Self {
            person: person.id.clone(),
            subject: account.as_ref().map(|account| account.id.clone()),
            insurer: person.insurer.clone(),
            category: person.category.into(),
            symbol: person.symbol.clone(),
            number: person.number.clone(),
            branch: person.branch.clone(),
            name: person.kana.as_str().to_owned(),
            state: Standing::of(account.as_ref().map(|account| account.state)).into(),
            eligible: members.is_eligible(person),
            email: masked_email(account.as_ref().and_then(|account| account.email.as_deref())),
        }
    }
}

/// A person with the account and what hangs on it. Neither birth date nor the whole address is among it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberDetails {
    /// The person.
    #[serde(flatten)]
    pub summary: MemberSummary,
    /// What the person signs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<String>,
    /// First day of eligibility; absent: always was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub valid_from: Option<String>,
    /// Last day of eligibility; absent: open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub valid_until: Option<String>,
    /// The birth date as the first password.
    pub first_password: FirstPassword,
    /// Since when no registration may begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub registration_stopped_at: Option<String>,
    /// Until when the login ID pauses after failed sign-ins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub paused_until: Option<String>,
    /// Whether the office learnt that mails to the address do not arrive.
    pub email_bounces: bool,
    /// A new address that waits for its link, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_email: Option<String>,
    /// When the registration ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub activated_at: Option<String>,
    /// Since when the member waits for the deletion of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub deletion_requested_at: Option<String>,
    /// Documents that were accepted, the oldest first.
    pub documents: Vec<AcceptedDocument>,
    /// Apps with access, the newest first.
    pub apps: Vec<AppAccess>,
    /// Where the member is signed in, the latest used first.
    pub sessions: Vec<MemberSession>,
}

/// A document that a member accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedDocument {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version.
    pub version: String,
    /// Language that was read.
    pub language: String,
    /// When.
    #[schema(format = DateTime)]
    pub accepted_at: String,
}

/// An app that a member gave access.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppAccess {
    /// `client_id`.
    pub client_id: String,
    /// Space-separated scopes.
    pub scope: String,
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
}

/// A session of a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberSession {
    /// Names it, as `sid` of ID tokens does.
    pub sid: String,
    /// Browser family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// Operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// When the member signed in.
    #[schema(format = DateTime)]
    pub signed_in_at: String,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    pub seen_at: String,
}

impl From<&Receipt> for AcceptedDocument {
    fn from(receipt: &Receipt) -> Self {
        Self {
            kind: receipt.kind.clone(),
            version: receipt.version.clone(),
            language: receipt.locale.clone(),
            accepted_at: utc(receipt.accepted_at.millis()),
        }
    }
}

impl From<&Consent> for AppAccess {
    fn from(consent: &Consent) -> Self {
        Self {
            client_id: consent.client_id.clone(),
            scope: consent.scope.clone(),
            since: utc(consent.first_granted_at),
        }
    }
}

impl From<&ListedSession> for MemberSession {
    fn from(session: &ListedSession) -> Self {
        Self {
            sid: session.sid.clone(),
            browser: session.device.browser.map(|browser| Browser::name(browser).to_owned()),
            system: session.device.system.map(|system| System::name(system).to_owned()),
            signed_in_at: utc(session.auth_time.millis()),
            seen_at: utc(session.seen_at.millis()),
        }
    }
}

impl MemberDetails {
    fn of(members: &Members, shown: Overview) -> Self {
        let at = |at: Option<Timestamp>| at.map(|at| utc(at.millis()));
        let (person, member) = (&shown.subject.person, shown.subject.member.as_ref());
        Self {
            login_id: shown.login_id.as_ref().map(ToString::to_string),
            valid_from: person.valid_from.map(|day| day.to_string()),
            valid_until: person.last_day(0).map(|day| day.to_string()),
            first_password: shown.temporary.into(),
            registration_stopped_at: at(person.stopped_at),
            paused_until: at(shown.paused_until),
            email_bounces: shown.email_bounces,
            new_email: shown.new_email.as_ref().map(|(email, _)| email.clone()),
            activated_at: at(member.and_then(|member| member.activated_at)),
            deletion_requested_at: at(shown.deletion_requested_at),
            documents: shown.receipts.iter().map(AcceptedDocument::from).collect(),
            apps: shown.apps.iter().map(AppAccess::from).collect(),
            sessions: shown.sessions.iter().map(MemberSession::from).collect(),
            summary: MemberSummary::of(members, &shown.subject.into()),
        }
    }
}

/// The person of an identifier or subject, if within reach.
pub(super) async fn find(caller: &Caller, id: &str) -> Result<Subject, Problem> {
    let found = caller.app().members.subject(id).await?.ok_or_else(Problem::not_found)?;
    caller.reach(Some(&found.person.insurer))?;
    Ok(found)
}

/// The person as it is now.
pub(super) async fn shown(caller: &Caller, id: &str) -> Result<MemberDetails, Problem> {
    let members = &caller.app().members;
    let overview = members.overview(find(caller, id).await?).await?;
    Ok(MemberDetails::of(members, overview))
}

/// Whom to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberSearch {
    /// Login ID, 記号-番号 with or without the zeros in front, beginning of the name in kana or of the e-mail
    /// address, or a subject.
    #[schema(min_length = 1, max_length = 254, example = "91-200001")]
    pub query: String,
    /// Portal code of the insurer; absent: all.
    #[schema(pattern = "^[0-9]{1,8}$", example = "7132")]
    pub insurer: Option<String>,
    /// People of a page.
    #[schema(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// Searches people
///
/// Those of the rosters who have not registered too. By insurer, and then by name, address or branch. What is
/// looked for is personal, so it is posted.
#[utoipa::path(
    post, path = "/admin/api/v1/members/search", tag = "Members", operation_id = "searchMembers",
    request_body = MemberSearch,
    responses((status = 200, description = "A page of people", body = Page<MemberSummary>)),
)]
pub async fn search(
    caller: Caller,
    Body(asked): Body<MemberSearch>,
) -> Result<Json<Page<MemberSummary>>, Problem> {
    let members = &caller.app().members;
    let wanted = Wanted::parse(&asked.query, &caller.app().config().insurers)
        .map_err(|error| Problem::field("/query", "malformed", error.to_string()))?;
    let scope = caller.searched(asked.insurer.as_deref())?;
    let paging = Paging { limit: asked.limit, cursor: asked.cursor.clone() };
    let part = paging.of(&caller, "members", &format!("{} {scope:?}", asked.query))?;
    let most = usize::try_from(part.to_read()).unwrap_or(usize::MAX);
    let found = members.search(&wanted, scope.as_deref(), part.after.as_deref(), most).await?;
    let view = |found: Found| MemberSummary::of(members, &found);
    Ok(Json(part.page(&caller, found, |found| found.person.id.clone(), view)))
}

/// Shows a person
///
/// With account, documents, apps and sessions.
#[utoipa::path(
    get, path = "/admin/api/v1/members/{member}", tag = "Members", operation_id = "getMember",
    params(("member" = String, Path, description = "`person`, or `subject` of the account")),
    responses((status = 200, description = "The person", body = MemberDetails)),
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<Json<MemberDetails>, Problem> {
    Ok(Json(shown(&caller, &id).await?))
}

/// Lists what happened to a person
///
/// Roster, registration, sign-ins, changes and acts of the office, the newest first.
#[utoipa::path(
    get, path = "/admin/api/v1/members/{member}/timeline", tag = "Members", operation_id = "listMemberTimeline",
    params(("member" = String, Path, description = "`person`, or `subject` of the account"), Paging),
    responses((status = 200, description = "A page of what happened", body = Page<AuditLine>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn timeline(caller: Caller, Id(id): Id, Query(paging): Query<Paging>) -> Result<Response, Problem> {
    let subject = find(&caller, &id).await?;
    let part = paging.of(&caller, "timeline", &subject.person.id)?;
    let before = part.after.as_deref().and_then(Position::parse);
    let read = caller.app().members.timeline(&subject, before.as_ref(), part.to_read()).await?;
    let page = part.page(&caller, read, |entry| entry.position().to_string(), AuditLine::from);
    Ok(part.linked(&caller, &format!("{API}/members/{}/timeline", subject.person.id), page))
}

/// A member who asked for the deletion of the account.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletionRequest {
    /// Subject of the member.
    pub subject: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// When.
    #[schema(format = DateTime)]
    pub requested_at: String,
}

/// Lists requests for deletion
///
/// The oldest first.
#[utoipa::path(
    get, path = "/admin/api/v1/deletion-requests", tag = "Members", operation_id = "listDeletionRequests",
    params(Paging),
    responses((status = 200, description = "A page of requests", body = Page<DeletionRequest>,
        headers(("Link" = Option<String>, description = "The next page, as `rel=\"next\"` (RFC 8288)")))),
)]
pub async fn deletion_requests(caller: Caller, Query(paging): Query<Paging>) -> Result<Response, Problem> {
    let part = paging.of(&caller, "deletion-requests", "")?;
    let after = part.after.as_deref().and_then(Position::parse);
    let db = &caller.app().members.db;
    let read = deletion_request::list(db, caller.scope(), after.as_ref(), part.to_read()).await?;
    let page = part.page(
        &caller,
        read,
        |one| one.position().to_string(),
        |one| DeletionRequest {
            subject: one.member_id,
            insurer: one.insurer,
            requested_at: utc(one.requested_at),
        },
    );
    Ok(part.linked(&caller, &format!("{API}/deletion-requests"), page))
}
