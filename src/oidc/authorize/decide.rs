//! What a request needs next, as a pure function of what is known.

use super::{
    checks::AuthorizationError,
    request::{AuthorizationRequest, Prompt},
};
use crate::{
    clock::Timestamp,
    members::session::SignedIn,
    oidc::{interaction::Interaction, permission::Permission},
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
    /// The page that asks about an e-mail address that bounces.
    Email,
    /// The page that says for whose members the client is.
    OtherMembers,
    /// The page that asks for consent.
    Consent,
    /// A code.
    Issue,
    /// An error for the client.
    Refuse(AuthorizationError),
}

/// What was done within the interaction already.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "steps, each for itself")]
pub struct Progress {
    /// `sid` of the session that was signed in to.
    pub signed_in: Option<String>,
    /// The account was chosen.
    pub account_chosen: bool,
    /// Consent was given.
    pub consented: bool,
    /// The address that bounces was asked about.
    pub email_asked: bool,
    /// Whether the client is not for members of the signed-in member's insurer.
    pub turned_away: bool,
}

impl Progress {
    /// What an interaction remembers.
    pub fn of(interaction: &Interaction) -> Self {
        Self {
            signed_in: interaction.signed_in.clone(),
            account_chosen: interaction.account_chosen,
            consented: interaction.consented,
            email_asked: interaction.email_asked,
            turned_away: false,
        }
    }
}

/// What is known of the member who is signed in, as far as this request is concerned.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What the member allowed the client before.
    pub allowed: Permission,
    /// The request is for somebody else ([`AuthorizationRequest::subjects`]).
    pub is_another: bool,
    /// A document has a version that the member has not accepted.
    pub documents_due: bool,
    /// The office learnt that mails to the member do not arrive.
    pub email_bounces: bool,
}

/// Decides (OIDC Core §3.1.2.3 and §3.1.2.4).
pub fn next(
    request: &AuthorizationRequest,
    signed_in: Option<&SignedIn>,
    known: &Known,
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
    let just_now = progress.signed_in.as_deref() == Some(signed_in.session.sid.as_str());
    if known.is_another {
        // OIDC Core §3.1.2.2: never an answer about another member than the one who was asked for, also not
        // when somebody else signed in as a result of the request.
        return if silent || just_now {
            refuse("login_required", "another member is signed in than the one who was asked for")
        } else {
            Next::Login
        };
    }
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
    if progress.turned_away {
        return if silent {
            refuse("access_denied", "the client is for members of another insurer")
        } else {
            Next::OtherMembers
        };
    }
    if known.documents_due {
        return if silent {
            refuse(
                "interaction_required",
                "the member must accept new documents and prompt=none forbids asking",
            )
        } else {
            Next::Documents
        };
    }
    // Once, by whoever has just signed in: nothing depends on the answer.
    if just_now && known.email_bounces && !progress.email_asked && !silent {
        return Next::Email;
    }
    let asked_again = request.prompts(Prompt::Consent) && !progress.consented;
    if asked_again || !request.needs().within(&known.allowed) {
        return if silent {
            refuse(
                "consent_required",
                "the member has not allowed all of this and prompt=none forbids asking",
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
