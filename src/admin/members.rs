//! `/admin/members`: looking for a person. What is typed is personal, so it is posted, and its result has an
//! opaque address that works for this operator alone and not for long.

use std::time::Duration;

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    guard::{Operator, OperatorForm},
    paging::{Pager, cut},
    wrong,
};
use crate::{
    clock::Timestamp,
    ephemeral::Record,
    fault::Fault,
    members::{
        overview::Standing,
        roster::Person,
        search::{Wanted, masked_email},
    },
    pages::{
        parts::{FormErrors, InsurerChoice},
        sample,
    },
    storage::member_search::Found,
    texts::{Given, Locale},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// People on a page.
const ON_A_PAGE: usize = 50;
/// How long the address of a result works.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// One box to look for people, and who was found. Posts `query` and `insurer` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct MembersPage {
    /// What is looked for, as typed.
    pub query: String,
    /// Insurers to choose from; none for those who work for one, or where there is but one.
    pub insurers: Vec<InsurerChoice>,
    /// Code of the chosen one; empty: all.
    pub insurer: String,
    /// Who was found; none before anybody was looked for.
    pub found: Option<Vec<Line>>,
    /// The other pages.
    pub pager: Pager,
    /// Whether the address of a result is too old.
    pub ended: bool,
    /// What is wrong.
    pub errors: FormErrors,
}

/// A person of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Names the person in URLs.
    pub id: String,
    /// Name in kana.
    pub name: String,
    /// 記号-番号, with the branch if there is one.
    pub number: String,
    /// 区分, as in names of texts.
    pub category: &'static str,
    /// Name of the insurer; none where there is but one.
    pub insurer: Option<Given>,
    /// Whether there is an account, as in names of texts.
    pub state: &'static str,
    /// Whether the person may use the service today.
    pub eligible: bool,
    /// Address of the account, masked.
    pub email: Option<String>,
}

impl Line {
    fn of(reader: &Operator, found: &Found) -> Self {
        let Found { person, account } = found;
        Self {
            id: person.id.clone(),
            name: person.kana.as_str().to_owned(),
            number: number_of(person),
            category: person.category.as_str(),
            insurer: insurer_of(reader, &person.insurer),
            state: Standing::of(account.as_ref().map(|account| account.state)).as_str(),
            eligible: reader.app().members.is_eligible(person),
            email: masked_email(account.as_ref().and_then(|account| account.email.as_deref())),
        }
    }
}

/// 記号-番号, with the branch if there is one.
pub fn number_of(person: &Person) -> String {
    let branch = person.branch.as_deref().map(|branch| format!("-{branch}")).unwrap_or_default();
    format!("{}-{}{branch}", person.symbol, person.number)
}

/// Name of an insurer, where there are several.
pub fn insurer_of(reader: &Operator, code: &str) -> Option<Given> {
    let app = reader.app();
    let several = app.config().insurers.len() > 1;
    let insurer = app.members.insurer(code).filter(|_| several)?;
    Some(insurer.name_in(reader.visit.locale))
}

impl Page for MembersPage {
    const TEMPLATE: &'static str = "admin/members.html";

    fn samples() -> Vec<Self> {
        let line = Line {
            id: sample::INTERACTION.to_owned(),
            name: "タケダ ハナコ".to_owned(),
            number: "091-200001-00".to_owned(),
            category: "insured",
            insurer: None,
            state: "active",
            eligible: true,
            email: Some("h***@mail.example".to_owned()),
        };
        let child = Line {
            name: "タケダ ケンタ".to_owned(),
            number: "091-200001-01".to_owned(),
            category: "dependent",
            insurer: Some(Given::choose(Locale::Ja, "さくら健康保険組合", None)),
            state: "unregistered",
            eligible: false,
            email: None,
            ..line.clone()
        };
        let hostile = Line { email: Some(sample::HOSTILE.to_owned()), state: "frozen", ..line.clone() };
        let empty = Self {
            query: String::new(),
            insurers: vec![],
            insurer: String::new(),
            found: None,
            pager: Pager::default(),
            ended: false,
            errors: FormErrors::none(),
        };
        let some = Self {
            query: "タケダ".to_owned(),
            insurers: sample::insurers(),
            insurer: "7132".to_owned(),
            found: Some(vec![line, child, hostile]),
            pager: Pager::new("/admin/members", &[("search", "x")], Some("y"), true),
            ..empty.clone()
        };
        let none = Self { found: Some(vec![]), query: sample::LONG.to_owned(), ..empty.clone() };
        let wrong = Self {
            query: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("query", Message::new("members-error-other")),
            ..empty.clone()
        };
        let ended = Self { ended: true, ..empty.clone() };
        vec![empty, some, none, wrong, ended]
    }
}

/// What is looked for, and by whom.
#[derive(Clone, Serialize, Deserialize)]
struct Search {
    operator: String,
    query: String,
    insurer: String,
    until: Timestamp,
}

impl Record for Search {
    const KIND: &'static str = "console-search";
}

/// What the page sends.
#[derive(Default, Deserialize)]
pub struct SearchForm {
    #[serde(default)]
    query: String,
    #[serde(default)]
    insurer: String,
}

/// Where a result is, and where its page begins.
#[derive(Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    after: String,
}

/// GET `/admin/members`
pub async fn get(
    reader: Operator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, PageError> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let blank = page(&reader, SearchForm::default());
    if asked.search.is_empty() {
        return Ok(reader.show(&blank).render()?);
    }
    let members = &reader.app().members;
    let search = members.ephemeral.get::<Search>(&asked.search).await.map_err(Fault::from)?;
    let now = reader.app().now();
    let own = search.filter(|search| search.operator == reader.signed_in.operator.id && now < search.until);
    let wanted = own.as_ref().map(|search| Wanted::parse(&search.query, &reader.app().config().insurers));
    let (Some(search), Some(Ok(wanted))) = (own, wanted) else {
        return Ok(reader.show(&MembersPage { ended: true, ..blank }).render()?);
    };
    let chosen = Some(search.insurer.as_str()).filter(|code| !code.is_empty());
    let scope = reader.scope().or(chosen);
    let after = Some(asked.after.as_str()).filter(|id| !id.is_empty());
    let mut found = members.search(&wanted, scope, after, ON_A_PAGE + 1).await?;
    let more = cut(&mut found, ON_A_PAGE);
    let cursor = found.last().filter(|_| more).map(|last| last.person.id.as_str());
    let kept = [("search", asked.search.as_str())];
    let form = SearchForm { query: search.query.clone(), insurer: search.insurer.clone() };
    let page = MembersPage {
        pager: Pager::new("/admin/members", &kept, cursor, after.is_some()),
        found: Some(found.iter().map(|one| Line::of(&reader, one)).collect()),
        ..page(&reader, form)
    };
    Ok(reader.show(&page).render()?)
}

/// POST `/admin/members`
pub async fn post(OperatorForm(reader, form): OperatorForm<SearchForm>) -> Result<Response, PageError> {
    let config = reader.app().config();
    if let Err(error) = Wanted::parse(&form.query, &config.insurers) {
        return refused(&reader, form, wrong("query", Message::new(error.text_id())));
    }
    if !form.insurer.is_empty() {
        reader.reach(Some(&form.insurer))?;
    }
    let members = &reader.app().members;
    let (reference, operator) = (members.entropy.id(), reader.signed_in.operator.id.clone());
    let until = reader.app().now().plus(LIFETIME);
    let search = Search { operator, query: form.query, insurer: form.insurer, until };
    members.ephemeral.put(&reference, &search, LIFETIME).await.map_err(Fault::from)?;
    Ok(reader.visit.redirect(&format!("/admin/members?search={reference}"))?)
}

fn refused(reader: &Operator, form: SearchForm, (status, errors): Refusal) -> Result<Response, PageError> {
    Ok(reader.show(&MembersPage { errors, ..page(reader, form) }).status(status).render()?)
}

fn page(reader: &Operator, form: SearchForm) -> MembersPage {
    let insurers = &reader.app().config().insurers;
    let choose = reader.scope().is_none() && insurers.len() > 1;
    let listed = insurers.iter().filter(|_| choose);
    MembersPage {
        query: form.query,
        insurers: listed.map(|one| InsurerChoice::of(one, reader.visit.locale)).collect(),
        insurer: form.insurer,
        found: None,
        pager: Pager::default(),
        ended: false,
        errors: FormErrors::none(),
    }
}
