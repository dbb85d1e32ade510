//! `/admin/members/{member}/registration/reset` and `…/reissue`: a registration starts anew, with what is handed
//! to the member for it. The answer to the form shows a code this once, as a letter to print.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    confirm::{Fact, ReasonForm},
    guard::{Operator, OperatorForm},
    letter::Letter,
    member::{facts, find, refusal},
};
use crate::{
    audit::Act,
    config::insurer::Activation,
    fault::Fault,
    members::{
        login_id::LoginId,
        operator::{Issued, Subject},
        roster::Category,
    },
    pages::{parts::FormErrors, sample},
    web::{
        PageError,
        templates::{Message, Page},
    },
};

/// Asks whether to go on. Posts `code` and `reason` to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct IssuePage {
    /// Names the person in URLs.
    pub id: String,
    /// `reset` or `reissue`.
    pub act: &'static str,
    /// Whom it concerns.
    pub facts: Vec<Fact>,
    /// What the person will need: `code`, `choice` whether a code or the birth date alone, or `nothing`.
    pub needs: &'static str,
    /// Whether a code is asked for.
    pub code: bool,
    /// The reason, as typed.
    pub reason: String,
    /// What is wrong.
    pub errors: FormErrors,
}

/// What was issued, shown once.
#[derive(Clone, Debug, Serialize)]
pub struct IssuedPage {
    /// Names the person in URLs.
    pub id: String,
    /// `reset` or `reissue`.
    pub act: &'static str,
    /// `code`, `temporary` or `nothing`.
    pub issued: &'static str,
    /// What is needed to register.
    pub facts: Vec<Fact>,
    /// The letter with the code, as markup of our own template.
    pub letter: Option<String>,
}

impl Page for IssuePage {
    const TEMPLATE: &'static str = "admin/member_issue.html";

    fn samples() -> Vec<Self> {
        let facts =
            vec![Fact::new("members-name", sample::HOSTILE), Fact::new("members-login-id", sample::LOGIN_ID)];
        let page = |act, needs| Self {
            id: sample::INTERACTION.to_owned(),
            act,
            facts: facts.clone(),
            needs,
            code: false,
            reason: String::new(),
            errors: FormErrors::none(),
        };
        let wrong = Self {
            code: true,
            reason: sample::HOSTILE.to_owned(),
            errors: FormErrors::field("reason", Message::new("console-error-reason-long")),
            ..page("reset", "choice")
        };
        let refused = Self {
            errors: FormErrors::form(Message::new("members-error-registered")),
            ..page("reissue", "choice")
        };
        vec![page("reset", "choice"), wrong, page("reissue", "code"), page("reset", "nothing"), refused]
    }
}

impl Page for IssuedPage {
    const TEMPLATE: &'static str = "admin/member_issued.html";

    fn samples() -> Vec<Self> {
        let page = |act, issued, letter: Option<&str>| Self {
            id: sample::INTERACTION.to_owned(),
            act,
            issued,
            facts: vec![
                Fact::new("members-login-id", sample::LOGIN_ID),
                Fact::new("members-issued-until", "2026年12月23日(水)10時15分"),
            ],
            letter: letter.map(str::to_owned),
        };
        let letter = "<h2>初回登録のご案内</h2>\n<dl><div><dt>初回登録コード</dt><dd class=\"code\">ABCD-2345-EFGH</dd></div></dl>";
        vec![
            page("reset", "code", Some(letter)),
            page("reissue", "temporary", None),
            Self { facts: vec![], ..page("reset", "nothing", None) },
        ]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct IssueForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    reason: String,
}

/// Which act a path names.
fn act_of(name: &str) -> Result<&'static str, PageError> {
    match name {
        "reset" => Ok("reset"),
        "reissue" => Ok("reissue"),
        _ => Err(PageError::status(StatusCode::NOT_FOUND)),
    }
}

/// GET `/admin/members/{member}/registration/{act}`
pub async fn get(reader: Operator, Path((id, act)): Path<(String, String)>) -> Result<Response, PageError> {
    let act = act_of(&act)?;
    let subject = find(&reader, &id).await?;
    let form = IssueForm { code: String::new(), reason: String::new() };
    ask(&reader, act, &subject, (form, (StatusCode::OK, FormErrors::none())))
}

/// POST `/admin/members/{member}/registration/{act}`
pub async fn post(
    Path((id, act)): Path<(String, String)>,
    OperatorForm(reader, form): OperatorForm<IssueForm>,
) -> Result<Response, PageError> {
    let name = act_of(&act)?;
    let subject = find(&reader, &id).await?;
    let reason = match (ReasonForm { reason: form.reason.clone() }).read() {
        Ok(reason) => reason,
        Err(wrong) => return ask(&reader, name, &subject, (form, wrong)),
    };
    let (members, act) = (&reader.app().members, Act { actor: &reader.actor, reason: &reason });
    let code = form.code == "on";
    let outcome = match name {
        "reset" => members.reset_member(&subject, code, act).await?,
        _ => members.reissue(&subject, code, act).await?,
    };
    match outcome {
        Ok(issued) => answer(&reader, name, &subject, issued),
        Err(refused) => ask(&reader, name, &subject, (form, refusal(refused))),
    }
}

fn ask(
    reader: &Operator,
    act: &'static str,
    subject: &Subject,
    (form, (status, errors)): (IssueForm, Refusal),
) -> Result<Response, PageError> {
    let insurer = reader.app().members.insurer(&subject.person.insurer);
    let required = insurer.is_some_and(|one| one.policy.activation == Activation::BirthdateAndCode);
    let page = IssuePage {
        id: subject.person.id.clone(),
        act,
        facts: facts(reader, subject),
        needs: match (subject.person.category, required) {
            (Category::Insured, true) => "code",
            (Category::Insured, false) => "choice",
            (Category::Dependent | Category::Voluntary, _) => "nothing",
        },
        code: form.code == "on",
        reason: form.reason,
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}

fn answer(
    reader: &Operator,
    act: &'static str,
    subject: &Subject,
    issued: Issued,
) -> Result<Response, PageError> {
    let (app, person) = (reader.app(), &subject.person);
    let insurer = app.members.insurer(&person.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
    let login_id = LoginId::from_parts(insurer, &person.symbol, &person.number);
    let login_id = login_id.map(|id| id.to_string()).unwrap_or_default();
    let facts = |until| {
        vec![
            Fact::new("members-login-id", login_id.clone()),
            Fact::new("members-issued-until", reader.date_time(until)),
        ]
    };
    let (issued, facts, letter) = match issued {
        Issued::Nothing => ("nothing", Vec::new(), None),
        Issued::TemporaryPassword(until) => ("temporary", facts(until), None),
        Issued::Code(code, until) => {
            let letter = Letter::new(app, &login_id, &code, until).sheet(app, insurer);
            ("code", facts(until), Some(letter.map_err(Fault::internal)?))
        }
    };
    let page = IssuedPage { id: person.id.clone(), act, issued, facts, letter };
    Ok(reader.show(&page).without_referrer().render()?)
}
