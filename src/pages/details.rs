//! `/registration/{interaction}/details`: 基本設定.

use super::flow::{Flow, login_id_of, message, path_of, registration_stops};
use crate::{
    members::{
        registration::{self, DetailsForm, DetailsRefusal, Draft, Stage},
        roster::Person,
    },
    telemetry::figures::{Step, count_step},
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::SecretString;
use serde::Deserialize;
use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::web::templates::{Message, Page};

/// Name, password, address and preferences. Whoever passed 資格照会 sees name and birth date as typed there, and
/// the address becomes the login ID. Posts `kana` (if asked for), `password`, `email` and one `topics`
/// for each ticked topic to its own path; whatever was typed comes back but the password.
#[derive(Clone, Debug, Serialize)]
pub struct Details {
    /// The interaction.
    pub interaction: String,
    /// The login ID, which cannot be changed; none where the address becomes it.
    pub login_id: Option<String>,
    /// What was typed at 資格照会, if that is how it began.
    pub typed: Option<Typed>,
    /// Whether it began with 資格照会.
    pub self_registration: bool,
    /// Whether 氏名(カタカナ) must be typed.
    pub ask_kana: bool,
    /// 氏名(カタカナ) as typed, never from the roster.
    pub kana: String,
    /// E-mail address as typed.
    pub email: String,
    /// Fewest characters of a password.
    pub password_min_length: usize,
    /// What news there is to choose from (配信設定).
    pub topics: Vec<Topic>,
    /// What is wrong.
    pub errors: FormErrors,
}

/// Name and birth date as they were understood at 資格照会.
#[derive(Clone, Debug, Serialize)]
pub struct Typed {
    /// 氏名(カタカナ).
    pub kana: String,
    /// 生年月日, ISO.
    pub birth_date: String,
}

/// A kind of news.
#[derive(Clone, Debug, Serialize)]
pub struct Topic {
    /// Identifier.
    pub id: String,
    /// Name, in the language of the page.
    pub label: String,
    /// Whether it was chosen; off until the member says otherwise.
    pub chosen: bool,
}

impl Page for Details {
    const TEMPLATE: &'static str = "pages/details.html";

    fn samples() -> Vec<Self> {
        let topic =
            |id: &str, label: &str, chosen| Topic { id: id.to_owned(), label: label.to_owned(), chosen };
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            login_id: Some(sample::LOGIN_ID.to_owned()),
            typed: None,
            self_registration: false,
            ask_kana: true,
            kana: String::new(),
            email: String::new(),
            password_min_length: 10,
            topics: vec![
                topic("checkup", "健診・人間ドックのお知らせ", false),
                topic("campaign", "ウォーキングなどの健康イベント", false),
            ],
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("kana", Message::new("details-error-kana-mismatch"));
        errors.add("password", Message::new("details-error-password-short").with("min", 10));
        errors.add("email", Message::new("details-error-email-format"));
        let refused = Self {
            kana: "タケダ ハナコ".to_owned(),
            email: "hanako@example".to_owned(),
            topics: vec![topic("checkup", "健診・人間ドックのお知らせ", true)],
            errors,
            ..empty.clone()
        };
        let bare = Self { ask_kana: false, topics: vec![], ..empty.clone() };
        let hostile = Self {
            login_id: Some(sample::LONG.to_owned()),
            kana: sample::HOSTILE.to_owned(),
            email: sample::HOSTILE.to_owned(),
            topics: vec![topic(sample::HOSTILE, sample::HOSTILE, false), topic("long", sample::LONG, true)],
            errors: FormErrors::field("password", Message::new("details-error-password-guessable")),
            ..empty.clone()
        };
        let by_address = Self {
            login_id: None,
            typed: Some(Typed {
                kana: "タケダ ケンタ".to_owned(), birth_date: "1999-01-01".to_owned()
            }),
            self_registration: true,
            ask_kana: false,
            errors: FormErrors::field("email", Message::new("details-error-email-format")),
            ..empty.clone()
        };
        vec![empty, refused, bare, by_address, hostile]
    }
}

/// 配信設定: the kinds of news there are, by the name of their text.
pub const TOPICS: [(&str, &str); 3] =
    [("checkup", "topic-checkup"), ("programme", "topic-programme"), ("newsletter", "topic-newsletter")];

/// What the page sends.
#[derive(Deserialize)]
pub struct Posted {
    #[serde(default)]
    kana: String,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    email: String,
    #[serde(default)]
    topics: Vec<String>,
}

/// GET `/registration/{interaction}/details`: values of an earlier try are kept, the password is not.
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let (draft, person) = match flow.draft(Stage::Details).await? {
        Ok(open) => open,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let kept = draft.details.clone().map(|details| Posted {
        kana: details.kana,
        password: SecretString::default(),
        email: details.email,
        topics: details.preferences.iter().filter(|(_, c)| c.wanted).map(|(id, _)| id.clone()).collect(),
    });
    let empty = || Posted {
        kana: String::new(),
        password: SecretString::default(),
        email: String::new(),
        topics: Vec::new(),
    };
    page(&flow, (&draft, &person), &kept.unwrap_or_else(empty), FormErrors::none())
}

/// POST `/registration/{interaction}/details`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, posted): PageForm<Posted>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let (draft, person) = match flow.draft(Stage::Details).await? {
        Ok(open) => open,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let form = DetailsForm {
        kana: posted.kana.clone(),
        password: posted.password.clone(),
        email: posted.email.clone(),
        topics: posted.topics.clone(),
    };
    let topics: Vec<_> = TOPICS
        .into_iter()
        .map(|(id, text)| registration::Topic { id, wording: wording(&flow, text) })
        .collect();
    let members = flow.visit.app().members.clone();
    match members.check_details(&draft, &person, form, &topics).await? {
        Ok(details) => {
            count_step(Step::Details, &draft.insurer);
            let flow = flow
                .update(|interaction| {
                    if let Some(draft) = &mut interaction.registration {
                        draft.details = Some(details.clone());
                        // The link that is out stays good until the new mail replaces it.
                        draft.sent = None;
                    }
                })
                .await?;
            flow.go(&path_of(flow.id(), Stage::Confirm))
        }
        Err(DetailsRefusal::Fields(mut refusals)) => {
            let order = fields(draft.inquiry().is_some());
            refusals.sort_by_key(|refusal| order.iter().position(|name| *name == refusal.field));
            let mut errors = FormErrors::none();
            for refusal in refusals {
                errors.add(refusal.field, message(refusal.text, &refusal.args));
            }
            page(&flow, (&draft, &person), &posted, errors)
        }
        Err(DetailsRefusal::Void) => Err(registration_stops("error-name-misses").of_insurer(flow.insurer())),
    }
}

/// Names of the fields in the order of the page, which is that of the list of what is wrong, too.
const fn fields(self_registration: bool) -> &'static [&'static str] {
    if self_registration { &["email", "password"] } else { &["kana", "password", "email"] }
}

fn wording(flow: &Flow, text: &str) -> String {
    flow.visit.app().texts.text(flow.visit.locale, text, &[])
}

/// Names of the chosen topics, for the page that asks to confirm.
pub fn chosen_topics(flow: &Flow, chosen: &[String]) -> Vec<String> {
    TOPICS
        .into_iter()
        .filter(|(id, _)| chosen.iter().any(|chosen| chosen == id))
        .map(|(_, text)| wording(flow, text))
        .collect()
}

fn page(
    flow: &Flow,
    (draft, person): (&Draft, &Person),
    posted: &Posted,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let policy = flow.insurer().map(|insurer| insurer.policy.clone()).unwrap_or_default();
    let topics = TOPICS
        .into_iter()
        .map(|(id, text)| Topic {
            id: id.to_owned(),
            label: wording(flow, text),
            chosen: posted.topics.iter().any(|chosen| chosen == id),
        })
        .collect();
    let typed = draft.inquiry().map(|inquiry| Typed {
        kana: inquiry.kana.as_str().to_owned(),
        birth_date: inquiry.birth_date.iso(),
    });
    let page = Details {
        interaction: flow.id().to_owned(),
        login_id: login_id_of(flow, draft, person),
        self_registration: typed.is_some(),
        ask_kana: policy.ask_kana_name && typed.is_none(),
        typed,
        kana: posted.kana.clone(),
        email: posted.email.clone(),
        password_min_length: policy.password_min_length,
        topics,
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
