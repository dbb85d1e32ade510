//! What the handlers of one interaction share: the interaction, its client, and in whose name they speak.

use axum::{http::StatusCode, response::Response};

use super::parts::{IdRule, InsurerChoice};
use crate::{
    clients::Client,
    config::{Insurer, insurer::Contact},
    ephemeral::Found,
    members::{
        LoginId, login_id,
        registration::{Draft, Stage, Standing},
        roster::Person,
    },
    oidc::{
        authorize,
        interaction::{self, Interaction},
    },
    web::{
        PageError, Visit,
        templates::{Brand, Message, Page},
        visit::Reply,
    },
};

/// A visit to a page of an interaction.
pub struct Flow {
    /// The request.
    pub visit: Visit,
    /// The interaction.
    pub found: Found<Interaction>,
    /// The client that the person came from.
    pub client: Option<Client>,
}

impl Flow {
    /// The interaction of the path; see [`interaction::load`].
    pub async fn load(mut visit: Visit, id: &str) -> Result<Self, PageError> {
        let found = interaction::load(&visit, id).await?;
        let client = match found.value.client_id() {
            Some(id) => visit.app().client(id).await?,
            None => None,
        };
        visit.prefer(found.value.request.as_ref().and_then(|request| request.locale));
        Ok(Self { visit, found, client })
    }

    /// Identifier of the interaction.
    pub fn id(&self) -> &str {
        &self.found.value.id
    }

    /// Name of the client, in the language of the page.
    pub fn client_name(&self) -> Option<String> {
        self.client.as_ref().map(|client| client.name_in(self.visit.locale).to_owned())
    }

    /// The insurer that the login ID or the draft names, or the only one there is.
    pub fn insurer(&self) -> Option<&Insurer> {
        let insurers = &self.visit.app().config().insurers;
        let draft = self.found.value.registration.as_ref().map(|draft| draft.insurer.clone());
        let typed = || {
            let typed = login_id::parse(self.found.value.login_id.as_deref()?, insurers).ok()?;
            Some(self.visit.app().members.insurer_of(&typed)?.code.clone())
        };
        match draft.or_else(typed) {
            Some(code) => self.visit.app().members.insurer(&code),
            None => only_insurer(&self.visit),
        }
    }

    /// A page in the insurer's name, whose forms may lead back to the client.
    pub fn show<'a, P: Page>(&'a self, page: &'a P) -> Reply<'a, P> {
        let targets = self.client.as_ref().map(Client::form_targets).unwrap_or_default();
        let reply = self.visit.show(page).leads_to(targets);
        match self.insurer() {
            Some(insurer) => reply.brand(Brand::insurer(insurer, self.visit.locale)),
            None => reply,
        }
    }

    /// Sends the browser to a page of this interaction.
    pub fn go(&self, path: &str) -> Result<Response, PageError> {
        Ok(self.visit.redirect(path)?)
    }

    /// Changes the interaction.
    pub async fn update(self, change: impl Fn(&mut Interaction)) -> Result<Self, PageError> {
        let found = interaction::update(&self.visit, self.found, change).await?;
        Ok(Self { found, ..self })
    }

    /// Goes on with the parked request as far as it has come.
    pub async fn proceed(self) -> Result<Response, PageError> {
        authorize::proceed(&self.visit, self.found).await
    }

    /// The draft of a registration page, if the registration has come as far as `stage` and its person
    /// may still activate. Otherwise the way to where it stands.
    pub async fn draft(&self, stage: Stage) -> Result<Result<(Draft, Box<Person>), Response>, PageError> {
        let Some(draft) = self.found.value.registration.clone() else {
            return self.go(&format!("/login/{}", self.id())).map(Err);
        };
        // Documents that changed since are accepted again before anything else.
        let current = draft.receipts.is_empty() || self.visit.app().members.accepted_present(&draft);
        let stands = if current { draft.stage() } else { Stage::Documents };
        // With the mail out, only 基本設定 may be opened again: to correct the address.
        let out = stands == Stage::Sent && stage != Stage::Details;
        if stands < stage || out {
            return self.go(&path_of(self.id(), stands)).map(Err);
        }
        match self.visit.app().members.draft_standing(&draft).await? {
            Standing::Open(person) => Ok(Ok((draft, person))),
            Standing::TooYoung(age) => Err(PageError::explained(
                StatusCode::FORBIDDEN,
                Message::new("error-minimum-age").with("age", age),
            )),
            Standing::Ended => Err(registration_ended()),
        }
    }
}

/// The login ID that a registration leads to; none where the address becomes it. Not that of the interaction:
/// another one may have been typed into this tab since.
pub fn login_id_of(flow: &Flow, draft: &Draft, person: &Person) -> Option<String> {
    let insurer = flow.visit.app().members.insurer(&draft.insurer).filter(|_| draft.inquiry().is_none())?;
    Some(LoginId::from_parts(insurer, &person.symbol, &person.number).ok()?.to_string())
}

/// The registration cannot go on, for a reason that the office knows better.
pub fn registration_ended() -> PageError {
    PageError::explained(StatusCode::GONE, Message::new("error-registration-ended")).restarting_at("/login")
}

/// The path of a stage of a registration.
pub fn path_of(id: &str, stage: Stage) -> String {
    let page = match stage {
        Stage::Documents => "documents",
        Stage::Details => "details",
        Stage::Confirm => "confirm",
        Stage::Sent => "sent",
    };
    format!("/registration/{id}/{page}")
}

/// The insurer, where there is only one.
pub fn only_insurer(visit: &Visit) -> Option<&Insurer> {
    match visit.app().config().insurers.as_slice() {
        [insurer] => Some(insurer),
        _ => None,
    }
}

/// In whose name a page without an interaction speaks.
pub fn brand(visit: &Visit) -> Brand {
    Brand::of_all(&visit.app().config().insurers, visit.locale)
}

/// How login IDs are composed, where that is the same for everybody.
pub fn id_rule(visit: &Visit) -> Option<IdRule> {
    only_insurer(visit).map(IdRule::of)
}

/// The insurers to pick from, where there are several.
pub fn insurer_choices(visit: &Visit) -> Vec<InsurerChoice> {
    let insurers = &visit.app().config().insurers;
    if insurers.len() < 2 {
        return Vec::new();
    }
    insurers
        .iter()
        .map(|insurer| InsurerChoice {
            code: insurer.code.clone(),
            name: insurer.name_in(visit.locale).to_owned(),
        })
        .collect()
}

/// The offices of the insurers.
pub fn contacts(visit: &Visit) -> Vec<Contact> {
    visit.app().config().insurers.iter().map(|insurer| insurer.contact.clone()).collect()
}

/// A text with its arguments, as the rules of the domain name it.
pub fn message(text: &str, args: &[(&'static str, String)]) -> Message {
    args.iter().fold(Message::new(text), |message, (name, value)| message.with(name, value))
}
