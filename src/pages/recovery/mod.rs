//! 「ログインIDをお忘れの方」 and 「パスワードをお忘れの方」, and the links that are mailed to them.
//!
//! [`login_id`] and [`password`] ask, [`sent`] always says the same, [`reveal`] shows a login ID and
//! [`renew`] replaces a password.

pub mod login_id;
pub mod password;
pub mod renew;
pub mod reveal;
pub mod sent;
pub mod void;

pub use login_id::ForgotLoginId;
pub use password::ForgotPassword;
pub use renew::{Renew, Renewed};
pub use reveal::{Reveal, Revealed};
pub use sent::ForgotSent;
pub use void::ForgotVoid;

use serde::Deserialize;

use super::{
    flow::{brand_of, contacts, entered, insurer_choices, insurer_of, message},
    parts::{FormErrors, InsurerChoice},
};
use crate::{
    config::{Insurer, insurer::Office},
    crypto::digest,
    ephemeral::Found,
    fault::Fault,
    members::{BirthDate, birth_date::DateError, recovery::Recovery},
    oidc::interaction::{self, Interaction},
    storage::member,
    web::{
        Visit,
        templates::{Brand, Message},
    },
};

/// The interaction that a page was reached from, as in its address.
#[derive(Deserialize)]
pub struct From {
    i: Option<String>,
}

/// That interaction, if it is alive and this browser's. The page then speaks the language of its request.
async fn origin(visit: &mut Visit, id: Option<&str>) -> Result<Option<Found<Interaction>>, Fault> {
    let Some(id) = id else { return Ok(None) };
    let found = interaction::find(visit, id).await?;
    let request = found.as_ref().and_then(|found| found.value.request.as_ref());
    visit.prefer(request.and_then(|request| request.locale));
    Ok(found)
}

/// The insurer that the person is at: the one of the interaction, or the one chosen in the form, or the only one.
fn insurer_at<'a>(
    visit: &'a Visit,
    found: Option<&Interaction>,
    chosen: Option<&str>,
) -> Option<&'a Insurer> {
    let at = match found {
        Some(found) => entered(visit, found),
        None => visit.app().config().only_insurer(),
    };
    at.or_else(|| visit.app().members.insurer(chosen?))
}

/// The insurers to choose from, where the interaction tells none.
fn choices(visit: &Visit, found: Option<&Interaction>) -> Vec<InsurerChoice> {
    match insurer_at(visit, found, None) {
        Some(_) => Vec::new(),
        None => insurer_choices(visit),
    }
}

/// In whose name the page speaks, and whose offices it names.
fn speaking(visit: &Visit, found: Option<&Interaction>) -> (Brand, Vec<Office>) {
    let insurer = match found {
        Some(found) => insurer_of(visit, found),
        None => visit.app().config().only_insurer(),
    };
    let code = insurer.map(|insurer| insurer.code.as_str());
    (brand_of(visit, code), contacts(visit, insurer))
}

/// In the name of the insurer of the member that a link was mailed to.
async fn brand_of_link(visit: &Visit, link: &Recovery) -> Result<Brand, Fault> {
    let member = member::find(&visit.app().members.db, &link.member_id).await?;
    Ok(brand_of(visit, member.as_ref().map(|member| member.insurer.as_str())))
}

/// Keeps the interaction alive for as long as the link, so that the link can lead back to it.
async fn keep(visit: &Visit, found: Found<Interaction>, login_id: Option<&str>) {
    let lifetimes = &visit.app().config().lifetimes;
    let until = visit.app().now().plus(lifetimes.password_link()).plus(lifetimes.interaction());
    let kept = interaction::update(visit, found, |interaction| {
        interaction.expires_at = interaction.expires_at.max(until);
        if let Some(login_id) = login_id {
            interaction.login_id = Some(login_id.to_owned());
        }
    });
    // If it ended just now, the link leads to the login page instead.
    kept.await.ok();
}

/// Where the sign-in goes on after a link was used: in the interaction that it was asked for from, if this
/// is the same browser and the interaction is alive, or else at the beginning.
async fn sign_in_path(visit: &mut Visit, link: &Recovery) -> Result<String, Fault> {
    let same = digest::equal(visit.browser_hash().as_bytes(), link.browser.as_bytes());
    let found = origin(visit, link.interaction.as_deref().filter(|_| same)).await?;
    Ok(found.map_or_else(|| "/login".to_owned(), |found| format!("/login/{}", found.value.id)))
}

/// The birth date of a form; what is wrong with it depends on its form alone.
fn birth_date(typed: &str, errors: &mut FormErrors) -> Option<BirthDate> {
    BirthDate::parse(typed)
        .map_err(|error| match error {
            DateError::Empty => errors.add("birth_date", Message::new("reveal-error-empty")),
            other => errors.add("birth_date", message(other.text_id(), &[])),
        })
        .ok()
}

/// Adds the interaction to the address of a page.
fn with_origin(path: &str, id: Option<&str>) -> String {
    id.map_or_else(|| path.to_owned(), |id| format!("{path}?i={id}"))
}
