//! `/account/profile/more`: what members say about themselves if they like.

use axum::{http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};

use super::{Account, DoneQuery, done, entered};
use crate::{
    members::account::{GENDERS, TypedProfile, read_profile},
    pages::{flow::message, parts::FormErrors, sample},
    storage::profile::Profile,
    web::{
        PageError, PageForm, Visit,
        templates::{Message, Page},
    },
};

/// The form. Posts its fields to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct More {
    /// For whom the form is.
    pub who: String,
    /// What was done just before.
    pub notice: Option<Message>,
    /// What was typed, or is stored.
    pub typed: MoreForm,
    /// Values of `gender`.
    pub genders: [&'static str; 3],
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for More {
    const TEMPLATE: &'static str = "pages/account/more.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            who: sample::INTERACTION.to_owned(),
            notice: None,
            typed: MoreForm::default(),
            genders: GENDERS,
            errors: FormErrors::none(),
        };
        let full = Self {
            notice: Some(Message::new("account-notice-more")),
            typed: MoreForm {
                nickname: "はな".to_owned(),
                gender: "female".to_owned(),
                phone: "+81312345678".to_owned(),
                postal_code: "100-0001".to_owned(),
                region: "東京都".to_owned(),
                locality: "千代田区".to_owned(),
                street_address: "千代田1-1".to_owned(),
                ..MoreForm::default()
            },
            ..empty.clone()
        };
        let mut errors = FormErrors::field("nickname", Message::new("account-more-error-line"));
        errors.add("phone", Message::new("account-more-error-phone"));
        errors.add("postal_code", Message::new("account-more-error-postal-code"));
        let hostile = Self {
            typed: MoreForm {
                nickname: sample::HOSTILE.to_owned(),
                street_address: sample::LONG.to_owned(),
                ..MoreForm::default()
            },
            errors,
            ..empty.clone()
        };
        vec![empty, full, hostile]
    }
}

/// What the page sends.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct MoreForm {
    #[serde(skip_serializing)]
    who: String,
    nickname: String,
    gender: String,
    phone: String,
    postal_code: String,
    region: String,
    locality: String,
    street_address: String,
}

impl std::fmt::Debug for MoreForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MoreForm(***)")
    }
}

impl MoreForm {
    fn of(profile: Profile) -> Self {
        Self {
            who: String::new(),
            nickname: profile.nickname.unwrap_or_default(),
            gender: profile.gender.unwrap_or_default(),
            phone: profile.phone.unwrap_or_default(),
            postal_code: profile.postal_code.unwrap_or_default(),
            region: profile.region.unwrap_or_default(),
            locality: profile.locality.unwrap_or_default(),
            street_address: profile.street_address.unwrap_or_default(),
        }
    }

    fn typed(&self) -> TypedProfile<'_> {
        TypedProfile {
            nickname: &self.nickname,
            gender: &self.gender,
            phone: &self.phone,
            postal_code: &self.postal_code,
            region: &self.region,
            locality: &self.locality,
            street_address: &self.street_address,
        }
    }
}

/// GET `/account/profile/more`
pub async fn get(visit: Visit, query: DoneQuery) -> Result<Response, PageError> {
    let account = entered!(Account::enter(visit, "/account/profile/more"));
    let profile = account.visit.app().members.profile(&account.signed_in.member).await?;
    let page = More {
        who: account.who(),
        notice: done(query).notice(&["more"]),
        typed: MoreForm::of(profile),
        genders: GENDERS,
        errors: FormErrors::none(),
    };
    Ok(account.show(&page).render()?)
}

/// POST `/account/profile/more`
pub async fn post(PageForm(visit, form): PageForm<MoreForm>) -> Result<Response, PageError> {
    let account = entered!(Account::enter_form(visit, "/account/profile/more", &form.who));
    match read_profile(&form.typed()) {
        Ok(profile) => {
            account.visit.app().members.save_profile(&account.signed_in.member, &profile).await?;
            Ok(account.visit.redirect("/account/profile/more?done=more")?)
        }
        Err(wrong) => {
            let mut errors = FormErrors::none();
            for error in wrong {
                errors.add(error.field, message(error.text, &error.args));
            }
            let page = More { who: account.who(), notice: None, typed: form, genders: GENDERS, errors };
            Ok(account.show(&page).status(StatusCode::UNPROCESSABLE_ENTITY).render()?)
        }
    }
}
