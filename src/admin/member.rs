//! `/admin/members/{member}`: a person, what is known, what can be done, and what happened.

use axum::{
    extract::{Path, Query, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    audit::{self, Line},
    confirm::Fact,
    guard::Operator,
    members::{insurer_of, number_of},
    paging::{Pager, cut},
};
use crate::{
    clients::Client,
    clock::Timestamp,
    fault::Fault,
    members::{
        account::ListedSession,
        device::{Browser, System},
        operator::{Refused, Subject},
        overview::{Overview, Standing, Temporary},
        roster::Category,
    },
    operators::Permission,
    pages::{parts::FormErrors, sample},
    storage::Position,
    texts::{Given, Locale},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Things that happened, on a page.
const ON_A_PAGE: usize = 30;

/// A person, with links to the acts. The person is named in URLs by an identifier that says nothing; the subject
/// of the account works as well.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "what the page shows or leaves out, each for itself")]
pub struct MemberPage {
    /// Names the person in URLs.
    pub id: String,
    /// Subject of the account.
    pub subject: Option<String>,
    /// Name in kana.
    pub name: String,
    /// Name of the insurer; none where there is but one.
    pub insurer: Option<Given>,
    /// 記号-番号-枝番.
    pub number: String,
    /// 区分, as in names of texts.
    pub category: &'static str,
    /// Login ID.
    pub login_id: Option<String>,
    /// Whether there is an account, as in names of texts.
    pub state: &'static str,
    /// Whether no registration begins, since the office or a report said so.
    pub stopped: bool,
    /// Whether the person may use the service today.
    pub eligible: bool,
    /// First day of eligibility.
    pub from: Option<String>,
    /// Last day of eligibility.
    pub until: Option<String>,
    /// The birth date as a password, as in names of texts.
    pub temporary: &'static str,
    /// Until when the login ID pauses, in words.
    pub paused: Option<String>,
    /// Address, masked unless it was asked for.
    pub email: Option<String>,
    /// Whether the address is whole.
    pub email_shown: bool,
    /// Whether mails to it do not arrive.
    pub email_bounces: bool,
    /// A new address that waits for its link, masked.
    pub new_email: Option<String>,
    /// When the registration ended, in words.
    pub activated: Option<String>,
    /// Since when the member waits for the deletion, in words.
    pub deletion: Option<String>,
    /// Documents that were accepted.
    pub documents: Vec<Accepted>,
    /// Apps with access.
    pub apps: Vec<Access>,
    /// Where the member is signed in.
    pub sessions: Vec<Session>,
    /// What can be done, as in paths.
    pub acts: Vec<&'static str>,
    /// Whether this operator may do it.
    pub may_manage: bool,
    /// What happened, the newest first.
    pub lines: Vec<Line>,
    /// The other pages of it.
    pub pager: Pager,
}

/// A document that was accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Accepted {
    /// `privacy` or `terms`.
    pub kind: String,
    /// Version.
    pub version: String,
    /// When, in words.
    pub at: String,
}

/// An app with access.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// Its name.
    pub name: String,
    /// `client_id`, as in a path.
    pub path: String,
    /// Since when, in words.
    pub since: String,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Browser and system, as far as they are known.
    pub device: String,
    /// When the member signed in, in words.
    pub signed_in: String,
    /// When it was last used, in words.
    pub seen: String,
}

impl Page for MemberPage {
    const TEMPLATE: &'static str = "admin/member.html";

    fn samples() -> Vec<Self> {
        let at = || "2026年11月23日(月)10時15分".to_owned();
        let lines = audit::AuditPage::samples().swap_remove(0).lines;
        let full = Self {
            id: sample::INTERACTION.to_owned(),
            subject: Some("9x2Kd0pQ5xv0aJm2Yt8Rbw".to_owned()),
            name: "タケダ ハナコ".to_owned(),
            insurer: Some(Given::choose(Locale::Ja, "さくら健康保険組合", None)),
            number: "091-200001-00".to_owned(),
            category: "insured",
            login_id: Some(sample::LOGIN_ID.to_owned()),
            state: "active",
            stopped: false,
            eligible: true,
            from: Some("2021-04-01".to_owned()),
            until: Some("2027-03-31".to_owned()),
            temporary: "replaced",
            paused: Some(at()),
            email: Some("h***@mail.example".to_owned()),
            email_shown: false,
            email_bounces: true,
            new_email: Some("t***@mail.example".to_owned()),
            activated: Some(at()),
            deletion: Some(at()),
            documents: ["privacy", "terms"]
                .map(|kind| Accepted { kind: kind.to_owned(), version: "2026-04".to_owned(), at: at() })
                .to_vec(),
            apps: vec![
                Access { name: sample::CLIENT.to_owned(), path: "a".to_owned(), since: at() },
                Access { name: sample::HOSTILE.to_owned(), path: "b%2Fc".to_owned(), since: at() },
            ],
            sessions: vec![Session { device: "Safari / iPhone".to_owned(), signed_in: at(), seen: at() }],
            acts: acts(Standing::Active, Category::Insured, false, true),
            may_manage: true,
            lines,
            pager: Pager::new("/admin/members/x", &[], Some("1.x"), true),
        };
        let unregistered = Self {
            subject: None,
            insurer: None,
            category: "dependent",
            login_id: None,
            state: "unregistered",
            stopped: true,
            eligible: false,
            from: None,
            until: None,
            temporary: "none",
            paused: None,
            email: None,
            email_bounces: false,
            new_email: None,
            activated: None,
            deletion: None,
            documents: vec![],
            apps: vec![],
            sessions: vec![],
            acts: acts(Standing::Unregistered, Category::Dependent, true, false),
            lines: vec![],
            pager: Pager::default(),
            ..full.clone()
        };
        let looked_at = Self {
            email: Some(sample::HOSTILE.to_owned()),
            email_shown: true,
            login_id: Some(sample::LONG.to_owned()),
            state: "frozen",
            temporary: "void",
            may_manage: false,
            ..full.clone()
        };
        let reset = Self {
            state: "reset",
            temporary: "with_code",
            email: None,
            email_bounces: false,
            new_email: None,
            deletion: None,
            apps: vec![],
            sessions: vec![],
            acts: acts(Standing::Reset, Category::Insured, false, false),
            ..full.clone()
        };
        vec![full, unregistered, looked_at, reset]
    }
}

/// What can be done about a person, in the order of the page.
fn acts(standing: Standing, category: Category, stopped: bool, asked: bool) -> Vec<&'static str> {
    let active = standing == Standing::Active;
    let account = !matches!(standing, Standing::Unregistered | Standing::Reset);
    [
        ("registration/reissue", standing.may_register() && category == Category::Insured),
        ("registration/reset", account),
        ("unlock", category == Category::Insured || active),
        ("end-sessions", active),
        ("email", active),
        ("freeze", active || standing.may_register() && !stopped),
        ("unfreeze", standing == Standing::Frozen || stopped),
        ("dismiss-deletion", asked),
        ("delete", account && standing != Standing::Closed || standing == Standing::Reset),
        ("export", true),
    ]
    .into_iter()
    .filter_map(|(act, sensible)| sensible.then_some(act))
    .collect()
}

/// The person of a path, if the reader reaches one of this identifier or subject.
pub async fn find(reader: &Operator, id: &str) -> Result<Subject, PageError> {
    let found = reader.app().members.subject(id).await?;
    let found = found.ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))?;
    reader.reach(Some(&found.person.insurer))?;
    Ok(found)
}

/// What the page before an act says of whom it concerns.
pub fn facts(reader: &Operator, subject: &Subject) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("members-name", subject.person.kana.as_str()),
        Fact::new("members-number", number_of(&subject.person)),
    ];
    if let Some(login_id) = reader.app().members.login_id_of_subject(subject) {
        facts.push(Fact::new("members-login-id", login_id.to_string()));
    }
    facts
}

/// What to say about an act that was refused.
pub fn refusal(refused: Refused) -> super::Refusal {
    let name = match refused {
        Refused::Email => return super::wrong("email", Message::new("members-error-email")),
        Refused::SameEmail => return super::wrong("email", Message::new("members-error-email-same")),
        Refused::EmailTaken => return super::wrong("email", Message::new("members-error-email-taken")),
        Refused::NoAccount => "no-account",
        Refused::NotActive => "reset",
        Refused::NotStopped => "not-stopped",
        Refused::NotRequested => "not-requested",
        Refused::Registered => "registered",
        Refused::SelfRegistering => "self-registering",
        Refused::Inactive => "inactive",
        Refused::Stopped => "stopped",
        Refused::Closed => "closed",
        Refused::NoAccess => "no-access",
    };
    (StatusCode::CONFLICT, FormErrors::form(Message::new(format!("members-error-{name}"))))
}

/// Where the page of what happened begins.
#[derive(Default, Deserialize)]
pub struct After {
    /// The position after which it begins.
    #[serde(default)]
    pub after: String,
}

/// GET `/admin/members/{member}`
pub async fn get(
    reader: Operator,
    Path(id): Path<String>,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, PageError> {
    let subject = find(&reader, &id).await?;
    let before = after.ok().and_then(|Query(after)| Position::parse(&after.after));
    show(&reader, subject, before.as_ref(), None).await
}

/// The page about a person; with `email`, the whole address stands there this once.
pub async fn show(
    reader: &Operator,
    subject: Subject,
    before: Option<&Position>,
    email: Option<String>,
) -> Result<Response, PageError> {
    let members = &reader.app().members;
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut entries = members.timeline(&subject, before, limit).await?;
    let more = cut(&mut entries, ON_A_PAGE);
    let cursor = entries.last().filter(|_| more).map(|last| last.position().to_string());
    let path = format!("/admin/members/{}", subject.person.id);
    let overview = members.overview(subject).await?;
    let shown = MemberPage {
        lines: audit::lines(reader, entries).await?,
        pager: Pager::new(&path, &[], cursor.as_deref(), before.is_some()),
        apps: apps(reader, &overview).await?,
        ..page(reader, &overview)
    };
    let shown = match email {
        Some(whole) => MemberPage { email: Some(whole), email_shown: true, ..shown },
        None => shown,
    };
    Ok(reader.show(&shown).render()?)
}

fn page(reader: &Operator, overview: &Overview) -> MemberPage {
    let say = |at: Timestamp| reader.date_time(at);
    let Overview { subject: Subject { person, member }, standing, .. } = overview;
    let documents = overview.receipts.iter().map(|receipt| Accepted {
        kind: receipt.kind.clone(),
        version: receipt.version.clone(),
        at: say(receipt.accepted_at),
    });
    let stopped = person.stopped_at.is_some();
    MemberPage {
        id: person.id.clone(),
        subject: member.as_ref().map(|member| member.id.clone()),
        name: person.kana.as_str().to_owned(),
        insurer: insurer_of(reader, &person.insurer),
        number: number_of(person),
        category: person.category.as_str(),
        login_id: overview.login_id.as_ref().map(ToString::to_string),
        state: standing.as_str(),
        stopped,
        eligible: overview.eligible,
        from: person.valid_from.map(|day| day.to_string()),
        until: person.last_day(0).map(|day| day.to_string()),
        temporary: Temporary::as_str(overview.temporary),
        paused: overview.paused_until.map(say),
        email: overview.email.clone(),
        email_shown: false,
        email_bounces: overview.email_bounces,
        new_email: overview.new_email.as_ref().map(|(email, _)| email.clone()),
        activated: member.as_ref().and_then(|member| member.activated_at).map(say),
        deletion: overview.deletion_requested_at.map(say),
        documents: documents.collect(),
        apps: Vec::new(),
        sessions: overview.sessions.iter().map(|session| session_of(reader, session)).collect(),
        acts: acts(*standing, person.category, stopped, overview.deletion_requested_at.is_some()),
        may_manage: reader.may(Permission::ManageMembers),
        lines: Vec::new(),
        pager: Pager::default(),
    }
}

fn session_of(reader: &Operator, session: &ListedSession) -> Session {
    let known = [session.device.browser.map(Browser::name), session.device.system.map(System::name)];
    Session {
        device: known.into_iter().flatten().collect::<Vec<_>>().join(" / "),
        signed_in: reader.date_time(session.auth_time),
        seen: reader.date_time(session.seen_at),
    }
}

async fn apps(reader: &Operator, overview: &Overview) -> Result<Vec<Access>, PageError> {
    let mut apps = Vec::with_capacity(overview.apps.len());
    for consent in &overview.apps {
        apps.push(Access {
            name: app_name(reader, &consent.client_id).await?,
            path: url::form_urlencoded::byte_serialize(consent.client_id.as_bytes())
                .collect::<String>()
                .replace('+', "%20"),
            since: reader.date_time(Timestamp::from_millis(consent.first_granted_at)),
        });
    }
    Ok(apps)
}

/// Name of an app, or its identifier where there is no such app any more.
pub async fn app_name(reader: &Operator, client_id: &str) -> Result<String, PageError> {
    let client = Client::find(&reader.app().members.db, client_id).await.map_err(Fault::from)?;
    Ok(client.map_or_else(|| client_id.to_owned(), |client| client.name_in(reader.visit.locale).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_sense_is_offered() {
        let unregistered = acts(Standing::Unregistered, Category::Insured, false, false);
        assert_eq!(unregistered, ["registration/reissue", "unlock", "freeze", "export"]);
        let relative = acts(Standing::Unregistered, Category::Dependent, true, false);
        assert_eq!(relative, ["unfreeze", "export"]);
        let frozen = acts(Standing::Frozen, Category::Dependent, false, true);
        assert_eq!(frozen, ["registration/reset", "unfreeze", "dismiss-deletion", "delete", "export"]);
        let closed = acts(Standing::Closed, Category::Insured, false, false);
        assert_eq!(closed, ["registration/reset", "unlock", "export"]);
    }
}
