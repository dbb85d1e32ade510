//! What a request needs next, as a pure function of what is known.

use super::{
    checks::AuthorizationError,
    request::{AuthorizationRequest, Prompt},
};
use crate::{
    clock::Timestamp,
    members::session::SignedIn,
    oidc::{interaction::Interaction, scope::Scopes},
};

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The login page.
    Login,
    /// The page that asks which account to use.
    SelectAccount,
    /// First-time registration (Prompt Create 1.0).
    Registration,
    /// The page that asks to accept new versions of the documents.
    Documents,
    /// The page that asks for consent.
    Consent,
    /// A code.
    Issue,
    /// An error for the client.
    Refuse(AuthorizationError),
}

/// What was done within the interaction already.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Name of the session that was signed in to.
    pub signed_in: Option<String>,
    /// The account was chosen.
    pub account_chosen: bool,
    /// Consent was given.
    pub consented: bool,
}

impl Progress {
    /// What an interaction remembers.
    pub fn of(interaction: &Interaction) -> Self {
        Self {
            signed_in: interaction.signed_in.clone(),
            account_chosen: interaction.account_chosen,
            consented: interaction.consented,
        }
    }
}

/// What is stored of the member who is signed in.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// Scopes that the member allowed the client before.
    pub scope: Scopes,
    /// Whether a document has a version that the member has not accepted.
    pub documents_due: bool,
}

/// Decides (OIDC Core §3.1.2.3 and §3.1.2.4).
pub fn next(
    request: &AuthorizationRequest,
    signed_in: Option<&SignedIn>,
    remembered: &Remembered,
    progress: &Progress,
    now: Timestamp,
) -> Next {
    let silent = request.prompts(Prompt::None);
    let refuse = |code, description| Next::Refuse(AuthorizationError::new(code, description));
    let Some(signed_in) = signed_in else {
        return match (silent, request.prompts(Prompt::Create)) {
            (true, _) => refuse("login_required", "nobody is signed in and prompt=none forbids asking"),
            (false, true) => Next::Registration,
            (false, false) => Next::Login,
        };
    };
    let just_now = progress.signed_in.as_deref() == Some(signed_in.name.as_str());
    if !just_now {
        if request.prompts(Prompt::Create) {
            return Next::Registration;
        }
        if is_too_old(request, signed_in, now) || request.prompts(Prompt::Login) {
            return if silent {
                refuse("login_required", "the sign-in is older than max_age and prompt=none forbids asking")
            } else {
                Next::Login
            };
        }
        if request.prompts(Prompt::SelectAccount) && !progress.account_chosen {
            return Next::SelectAccount;
        }
    }
    if remembered.documents_due {
        return if silent {
            refuse(
                "interaction_required",
                "the member must accept new documents and prompt=none forbids asking",
            )
        } else {
            Next::Documents
        };
    }
    let asked_again = request.prompts(Prompt::Consent) && !progress.consented;
    if asked_again || !request.scope.within(&remembered.scope) {
        return if silent {
            refuse(
                "consent_required",
                "the member has not allowed these scopes and prompt=none forbids asking",
            )
        } else {
            Next::Consent
        };
    }
    Next::Issue
}

/// Whether the sign-in is older than `max_age`, in whole seconds as `auth_time` tells it. Zero means
/// `prompt=login` (OIDC Core §3.1.2.1), even within the second of the sign-in.
fn is_too_old(request: &AuthorizationRequest, signed_in: &SignedIn, now: Timestamp) -> bool {
    let age = now.seconds().saturating_sub(signed_in.session.auth_time.seconds());
    request.max_age.is_some_and(|most| most == 0 || u64::try_from(age).unwrap_or(0) > most)
}
