//! Rules of what a client wishes for: who signs in, how, and what is told.

use super::{super::request::Prompt, AuthorizationError, Draft};
use crate::{members::session::ACR_VALUES, oidc::claims_request::ClaimsRequest, texts::Locale};

type Checked = Result<(), AuthorizationError>;

/// OIDC Core §3.1.2.1: `none` stands alone.
pub fn prompt_is_consistent(draft: &mut Draft<'_>) -> Checked {
    for name in draft.params.get("prompt").unwrap_or_default().split_ascii_whitespace() {
        let prompt = Prompt::parse(name).ok_or_else(|| {
            AuthorizationError::invalid(
                "prompt must be none, or any of login, consent, select_account, create",
            )
        })?;
        if !draft.request.prompts(prompt) {
            draft.request.prompt.push(prompt);
        }
    }
    if draft.request.prompts(Prompt::None) && draft.request.prompt.len() > 1 {
        return Err(AuthorizationError::invalid("prompt=none must stand alone (OIDC Core section 3.1.2.1)"));
    }
    Ok(())
}

/// The request's own `max_age` goes before the one that the client registered (OIDC Registration §2).
pub fn max_age_is_a_number(draft: &mut Draft<'_>) -> Checked {
    draft.request.max_age = match draft.params.get("max_age") {
        Some(text) => Some(
            text.parse().map_err(|_| AuthorizationError::invalid("max_age must be a number of seconds"))?,
        ),
        None => draft.client.metadata.default_max_age,
    };
    Ok(())
}

/// OIDC Core §5.5. A condition on the subject is one on who signs in.
pub fn claims_are_well_formed(draft: &mut Draft<'_>) -> Checked {
    if let Some(text) = draft.params.get("claims") {
        let claims = ClaimsRequest::parse(text).map_err(AuthorizationError::invalid)?;
        draft.request.claims = claims.allowed_to(draft.client);
        draft.request.subjects = draft.request.claims.subjects();
    }
    Ok(())
}

/// An `acr` that is essential and never reached here is an error at once (OIDC Core §5.5.1.1, Unmet
/// Authentication Requirements 1.0 §2). `acr_values` and `default_acr_values` are wishes: the ID token says
/// what there was.
pub fn acr_can_be_met(draft: &mut Draft<'_>) -> Checked {
    let met = |values: &[serde_json::Value]| {
        values.iter().any(|value| value.as_str().is_some_and(|acr| ACR_VALUES.contains(&acr)))
    };
    match draft.request.claims.essential_acr() {
        Some(values) if !met(values) => Err(AuthorizationError::new(
            "unmet_authentication_requirements",
            "no acr that claims asks for as essential is supported; see acr_values_supported",
        )),
        _ => Ok(()),
    }
}

/// OIDC Core §3.1.2.1 and §3.1.2.2: an ID token of ours, expired or not, names who is to be signed in.
pub fn id_token_hint_is_ours(draft: &mut Draft<'_>) -> Checked {
    let Some(hint) = draft.params.get("id_token_hint") else { return Ok(()) };
    let claims = draft.provider.keyring.verify(hint).ok();
    let claims = claims.filter(|claims| claims["iss"] == draft.provider.issuer.as_str());
    let subject = claims.as_ref().and_then(|claims| claims["sub"].as_str());
    let subject = subject.ok_or_else(|| {
        AuthorizationError::invalid("id_token_hint is not an ID token of this provider, or its key is gone")
    })?;
    let allowed =
        |sub: &&str| draft.request.subjects.as_ref().is_none_or(|subjects| subjects.iter().any(|s| s == sub));
    draft.request.subjects = Some(Some(subject).filter(allowed).map(str::to_owned).into_iter().collect());
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a rule of the table that refuses nothing")]
pub fn hints_are_kept(draft: &mut Draft<'_>) -> Checked {
    // A hint is only a hint: one that makes no sense is left out.
    draft.request.login_hint =
        draft.params.get("login_hint").filter(|hint| hint.len() <= 254).map(str::to_owned);
    draft.request.locale = draft.params.get("ui_locales").and_then(Locale::of_list);
    Ok(())
}
