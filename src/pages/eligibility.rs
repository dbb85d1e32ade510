//! `/registration/{interaction}/eligibility`: 資格照会.

use super::flow::{Flow, message, path_of};
use crate::{
    members::registration::{Draft, Inquired, InquiryForm, Stage},
    oidc::interaction,
    texts::Given,
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Serialize;

use super::{parts::FormErrors, sample};
use crate::{
    texts::Locale,
    web::templates::{Message, Page},
};

/// Asks dependents and voluntarily insured persons who they are. Posts `insurer_number` (where there are
/// several insurers), `symbol`, `number`, `branch`, `kana` and `birth_date` to its own path. It shows what was
/// typed and nothing from the roster.
#[derive(Clone, Debug, Serialize)]
pub struct Eligibility {
    /// The interaction.
    pub interaction: String,
    /// The insurer, where it is known already.
    pub insurer: Option<InsurerShown>,
    /// Whether another insurer may be chosen.
    pub other: bool,
    /// What was typed.
    pub form: InquiryForm,
    /// Whether first-time registration is stopped for the insurer, whoever asks.
    pub activation_stopped: bool,
    /// What is wrong.
    pub errors: FormErrors,
}

/// An insurer that need not be asked for.
#[derive(Clone, Debug, Serialize)]
pub struct InsurerShown {
    /// Name, in the language of the page if it has one there.
    pub name: Given,
    /// 保険者番号.
    pub number: String,
}

impl Page for Eligibility {
    const TEMPLATE: &'static str = "pages/eligibility.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            interaction: sample::INTERACTION.to_owned(),
            insurer: Some(InsurerShown {
                name: Given::choose(Locale::Ja, "さくら健康保険組合", None),
                number: "06139497".to_owned(),
            }),
            other: false,
            form: InquiryForm::default(),
            activation_stopped: false,
            errors: FormErrors::none(),
        };
        let typed = InquiryForm {
            insurer_number: "06139497".to_owned(),
            symbol: "91".to_owned(),
            number: "200001".to_owned(),
            branch: "01".to_owned(),
            kana: "タケダ ケンタ".to_owned(),
            birth_date: "平成11年1月1日".to_owned(),
        };
        let refused = Self {
            other: true,
            form: typed.clone(),
            errors: FormErrors::form(Message::new("eligibility-error-refused")),
            ..empty.clone()
        };
        let mut errors = FormErrors::field("insurer_number", Message::new("insurer-number-check-digit"));
        errors.add("symbol", Message::new("eligibility-error-symbol").with("digits", 3));
        errors.add("number", Message::new("eligibility-error-number").with("digits", 6));
        errors.add("branch", Message::new("eligibility-error-branch").with("digits", 2));
        errors.add("kana", Message::new("kana-not-kana"));
        errors.add("birth_date", Message::new("date-outside-era"));
        let hostile = InquiryForm {
            insurer_number: sample::HOSTILE.to_owned(),
            symbol: sample::HOSTILE.to_owned(),
            number: sample::HOSTILE.to_owned(),
            branch: sample::HOSTILE.to_owned(),
            kana: sample::LONG.to_owned(),
            birth_date: sample::HOSTILE.to_owned(),
        };
        let wrong = Self { insurer: None, form: hostile, errors, ..empty.clone() };
        let several = Self { insurer: None, form: typed, activation_stopped: true, ..empty.clone() };
        vec![empty, refused, wrong, several]
    }
}

/// GET `/registration/eligibility`: a visit without any request is an interaction of its own.
pub async fn enter(visit: Visit) -> Result<Response, PageError> {
    let parked = interaction::park(&visit, None, None).await?;
    Ok(visit.redirect(&format!("/registration/{}/eligibility", parked.id))?)
}

/// GET `/registration/{interaction}/eligibility`: whoever comes back finds what was typed.
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let inquiry = flow.found.value.registration.as_ref().and_then(Draft::inquiry).cloned();
    let form = inquiry.map(|inquiry| inquiry.form(flow.visit.app().members.insurer(&inquiry.insurer)));
    page(&flow, form.unwrap_or_default(), StatusCode::OK, FormErrors::none()).await
}

/// POST `/registration/{interaction}/eligibility`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<InquiryForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let members = flow.visit.app().members.clone();
    let inquiry = match members.read_inquiry(&form, flow.entered()) {
        Ok(inquiry) => inquiry,
        Err(refusals) => {
            let mut errors = FormErrors::none();
            for refusal in refusals {
                errors.add(refusal.field, message(refusal.text, &refusal.args));
            }
            return page(&flow, form, StatusCode::UNPROCESSABLE_ENTITY, errors).await;
        }
    };
    let minutes = members.insurer(&inquiry.insurer).map_or(30, |i| i.policy.login_pause_minutes);
    let (status, refusal) = match members.inquire(inquiry, flow.visit.address).await? {
        Inquired::Open(draft) => return begin(flow, &draft).await,
        Inquired::Refused => (StatusCode::UNPROCESSABLE_ENTITY, Message::new("eligibility-error-refused")),
        Inquired::Paused => {
            (StatusCode::TOO_MANY_REQUESTS, Message::new("eligibility-error-paused").with("minutes", minutes))
        }
        Inquired::Limited => (StatusCode::TOO_MANY_REQUESTS, Message::new("password-error-limited")),
    };
    page(&flow, form, status, FormErrors::form(refusal)).await
}

/// The registration of the person who was found, in place of any other in this tab.
async fn begin(flow: Flow, draft: &Draft) -> Result<Response, PageError> {
    let flow = flow
        .update(|interaction| {
            let draft = draft.clone().resuming(interaction.registration.as_ref());
            interaction.registration = Some(draft);
            // A login ID of another way in is not this person's.
            interaction.login_id = None;
        })
        .await?;
    let stage = flow.found.value.registration.as_ref().map_or(Stage::Documents, Draft::stage);
    flow.go(&path_of(flow.id(), stage.min(Stage::Details)))
}

async fn page(
    flow: &Flow,
    form: InquiryForm,
    status: StatusCode,
    errors: FormErrors,
) -> Result<Response, PageError> {
    let only = flow.entered();
    let activation_stopped = match only {
        Some(insurer) => flow.visit.app().members.spray_alarm(&insurer.code).await?,
        None => false,
    };
    let page = Eligibility {
        interaction: flow.id().to_owned(),
        insurer: only.map(|insurer| InsurerShown {
            name: insurer.name_in(flow.visit.locale),
            number: insurer.number.clone(),
        }),
        other: flow.may_choose(),
        form,
        activation_stopped,
        errors,
    };
    Ok(flow.show(&page).status(status).render()?)
}
