//! What the handlers of one interaction share: the interaction, its client, and in whose name they speak.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::parts::{AboutClient, InsurerChoice};
use crate::{
    clients::Client,
    config::{Insurer, insurer::Office},
    ephemeral::Found,
    members::{
        LoginId,
        login_id::{self, Typed},
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
    pub client: Option<Arc<Client>>,
    /// Portal code of the insurer whose members alone may sign in to that client.
    pub bound: Option<String>,
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
        let bound = client.as_ref().and_then(|client| client.metadata.insurer.clone());
        Ok(Self { visit, found, client, bound })
    }

    /// Identifier of the interaction.
    pub fn id(&self) -> &str {
        &self.found.value.id
    }

    /// Name of the client, in the language of the page.
    pub fn client_name(&self) -> Option<String> {
        self.client.as_ref().map(|client| client.name_in(self.visit.locale).to_owned())
    }

    /// What pages show of the client beside its name.
    pub fn about_client(&self) -> AboutClient {
        self.client.as_ref().map(|client| AboutClient::of(client, self.visit.locale)).unwrap_or_default()
    }

    /// See [`insurer_of`].
    pub fn insurer(&self) -> Option<&Insurer> {
        insurer_of(&self.visit, &self.found.value)
    }

    /// The insurer that somebody is at who has not said more than where they came in: the one of the entry or
    /// of the client, the one that was chosen, or the only one.
    pub fn entered(&self) -> Option<&Insurer> {
        entered(&self.visit, &self.found.value)
    }

    /// Whether there is more than one insurer to choose from.
    pub fn may_choose(&self) -> bool {
        self.bound.is_none() && self.visit.app().config().insurers.len() > 1
    }

    /// What the way to that choice is called, where there is one.
    pub fn choice(&self) -> Option<Message> {
        let text = if self.entered().is_some() { "insurer-other" } else { "insurer-choose" };
        self.may_choose().then(|| Message::new(text))
    }

    /// The refusal of a login ID that the client is not for: its first part tells the insurer to anybody.
    pub fn not_for(&self, typed: &Typed) -> Option<Message> {
        let named = self.visit.app().members.insurer_of(typed)?;
        self.bound.as_ref().is_some_and(|bound| *bound != named.code).then(|| {
            let only = self.entered().map(|insurer| insurer.name_in(self.visit.locale).text);
            Message::new("login-id-members-only").with("insurer", only.unwrap_or_default())
        })
    }

    /// A page in the insurer's name, whose forms may lead back to the client.
    pub fn show<'a, P: Page>(&'a self, page: &'a P) -> Reply<'a, P> {
        let targets = self.client.as_deref().map(Client::form_targets).unwrap_or_default();
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
        // It holds a whole answer; boxed, the handlers above it stay small.
        Box::pin(authorize::proceed(&self.visit, self.found)).await
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
            )
            .titled(Message::new(REGISTRATION_STOPS))
            .of_insurer(self.insurer())),
            Standing::Ended => Err(registration_ended(&draft).of_insurer(self.insurer())),
        }
    }
}

/// The login ID that a registration leads to; none where the address becomes it. Not that of the interaction:
/// another one may have been typed into this tab since.
pub fn login_id_of(flow: &Flow, draft: &Draft, person: &Person) -> Option<String> {
    let insurer = flow.visit.app().members.insurer(&draft.insurer).filter(|_| draft.inquiry().is_none())?;
    Some(LoginId::from_parts(insurer, &person.symbol, &person.number).ok()?.to_string())
}

/// How long the mailed link of a registration works, in words.
pub fn link_life(visit: &Visit) -> String {
    visit.app().texts.lifetime(visit.locale, visit.app().config().lifetimes.registration_link())
}

/// Title of what says that a registration cannot go on.
const REGISTRATION_STOPS: &str = "error-registration-title";

/// The registration cannot go on, as its text says.
pub fn registration_stops(text: &str) -> PageError {
    PageError::explained(StatusCode::GONE, Message::new(text)).titled(Message::new(REGISTRATION_STOPS))
}

/// A registration whose mail is not out cannot go on, for a reason that the office knows better. Who came
/// through 資格照会 never had a temporary password.
pub fn registration_ended(draft: &Draft) -> PageError {
    let text = match draft.inquiry() {
        Some(_) => "error-registration-ended-self",
        None => "error-registration-ended",
    };
    registration_stops(text).restarting_at("/login")
}

/// The mailed link of a registration is dead, and not because it was used.
pub fn registration_over(flow: &Flow) -> PageError {
    registration_stops("error-registration-over").restarting_at("/login").of_insurer(flow.insurer())
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

/// The insurer that the draft or the login ID of an interaction names, or else the one that was [`entered`] at.
pub fn insurer_of<'a>(visit: &'a Visit, interaction: &Interaction) -> Option<&'a Insurer> {
    let members = &visit.app().members;
    let draft = interaction.registration.as_ref().and_then(|draft| members.insurer(&draft.insurer));
    let typed = || {
        let typed = login_id::parse(interaction.login_id.as_deref()?, &members.config.insurers).ok()?;
        members.insurer_of(&typed)
    };
    draft.or_else(typed).or_else(|| entered(visit, interaction))
}

/// See [`Flow::entered`].
pub fn entered<'a>(visit: &'a Visit, interaction: &Interaction) -> Option<&'a Insurer> {
    let chosen = interaction.insurer.as_deref().and_then(|code| visit.app().members.insurer(code));
    chosen.or_else(|| visit.app().config().only_insurer())
}

/// In whose name a page without an interaction speaks.
pub fn brand(visit: &Visit) -> Brand {
    Brand::of_all(&visit.app().config().insurers, visit.locale)
}

/// In whose name a page speaks that concerns the insurer with this portal code, if any.
pub fn brand_of(visit: &Visit, code: Option<&str>) -> Brand {
    match code.and_then(|code| visit.app().members.insurer(code)) {
        Some(insurer) => Brand::insurer(insurer, visit.locale),
        None => brand(visit),
    }
}

/// The insurers to pick from, where there are several.
pub fn insurer_choices(visit: &Visit) -> Vec<InsurerChoice> {
    let insurers = &visit.app().config().insurers;
    if insurers.len() < 2 {
        return Vec::new();
    }
    insurers.iter().map(|insurer| InsurerChoice::of(insurer, visit.locale)).collect()
}

/// The office of the insurer, or those of all where it is not known.
pub fn contacts(visit: &Visit, insurer: Option<&Insurer>) -> Vec<Office> {
    let office = |insurer: &Insurer| insurer.contact.in_locale(visit.locale);
    match insurer {
        Some(insurer) => vec![office(insurer)],
        None => visit.app().config().insurers.iter().map(office).collect(),
    }
}

/// A text with its arguments, as the rules of the domain name it.
pub fn message(text: &str, args: &[(&'static str, String)]) -> Message {
    args.iter().fold(Message::new(text), |message, (name, value)| message.with(name, value))
}
