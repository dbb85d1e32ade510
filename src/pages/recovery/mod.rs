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

use super::{flow::message, parts::FormErrors};
use crate::{
    crypto::digest,
    ephemeral::Found,
    fault::Fault,
    members::{BirthDate, birth_date::DateError, recovery::Recovery},
    oidc::interaction::{self, Interaction},
    web::{Visit, templates::Message},
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
