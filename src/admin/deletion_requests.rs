//! `/admin/members/deletion-requests`: who waits for the deletion of the account, the oldest request first.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use serde::Serialize;

use super::{
    guard::Operator,
    member::After,
    members::insurer_of,
    paging::{Pager, cut},
};
use crate::{
    clock::Timestamp,
    fault::Fault,
    pages::sample,
    storage::{Position, deletion_request},
    texts::Given,
    web::{PageError, templates::Page},
};

/// Requests on a page.
const ON_A_PAGE: usize = 50;

/// The requests, with links to the members.
#[derive(Clone, Debug, Serialize)]
pub struct DeletionRequests {
    /// The requests.
    pub requests: Vec<Request>,
    /// The other pages.
    pub pager: Pager,
}

/// A request.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Subject, which names the member in URLs.
    pub member: String,
    /// What the member signs in with.
    pub login_id: Option<String>,
    /// Name of the insurer; none where there is but one.
    pub insurer: Option<Given>,
    /// When, in words.
    pub at: String,
}

impl Page for DeletionRequests {
    const TEMPLATE: &'static str = "admin/deletion_requests.html";

    fn samples() -> Vec<Self> {
        let request = |login_id: Option<&str>| Request {
            member: sample::INTERACTION.to_owned(),
            login_id: login_id.map(str::to_owned),
            insurer: sample::insurers().into_iter().next().map(|one| one.name),
            at: "2026年11月23日(月)10時15分".to_owned(),
        };
        let some = Self {
            requests: vec![request(Some(sample::LOGIN_ID)), request(Some(sample::HOSTILE)), request(None)],
            pager: Pager::new("/admin/members/deletion-requests", &[], Some("1.x"), true),
        };
        vec![some, Self { requests: vec![], pager: Pager::default() }]
    }
}

/// GET `/admin/members/deletion-requests`
pub async fn get(
    reader: Operator,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, PageError> {
    let members = &reader.app().members;
    let after = after.ok().and_then(|Query(after)| Position::parse(&after.after));
    let limit = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let list = deletion_request::list(&members.db, reader.scope(), after.as_ref(), limit).await;
    let mut list = list.map_err(Fault::from)?;
    let more = cut(&mut list, ON_A_PAGE);
    let cursor = list.last().filter(|_| more).map(|last| last.position().to_string());
    let mut requests = Vec::with_capacity(list.len());
    for waiting in list {
        let subject = members.subject(&waiting.member_id).await?;
        let login_id = subject.and_then(|subject| members.login_id_of_subject(&subject));
        requests.push(Request {
            login_id: login_id.map(|typed| typed.to_string()),
            insurer: insurer_of(&reader, &waiting.insurer),
            at: reader.date_time(Timestamp::from_millis(waiting.requested_at)),
            member: waiting.member_id,
        });
    }
    let pager = Pager::new("/admin/members/deletion-requests", &[], cursor.as_deref(), after.is_some());
    Ok(reader.show(&DeletionRequests { requests, pager }).render()?)
}
