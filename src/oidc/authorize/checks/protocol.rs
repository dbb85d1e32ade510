//! Rules of the parameters that make up the protocol.

use super::{
    super::{request::ResponseMode, response_type::ResponseType},
    AuthorizationError, Draft,
};
use crate::clients::redirect_uri;
use crate::oidc::{
    resource,
    scope::{Scope, Scopes},
};

type Checked = Result<(), AuthorizationError>;

/// RFC 6749 §3.1: parameters must not be included more than once.
pub fn parameters_come_once(draft: &mut Draft<'_>) -> Checked {
    if draft.params.has_repeated() {
        return Err(AuthorizationError::invalid(
            "a parameter is included more than once (RFC 6749 section 3.1)",
        ));
    }
    if draft.params.has_too_long() {
        return Err(AuthorizationError::invalid("a parameter is longer than 4096 bytes"));
    }
    Ok(())
}

pub fn response_mode_is_known(draft: &mut Draft<'_>) -> Checked {
    match draft.params.get("response_mode") {
        Some(mode) if ResponseMode::parse(mode).is_none() => {
            Err(AuthorizationError::invalid("response_mode must be query, fragment or form_post"))
        }
        // A browser cannot post to a private-use scheme.
        Some("form_post") if !redirect_uri::is_of_the_web(draft.request.callback.redirect_uri()) => {
            Err(AuthorizationError::invalid("response_mode=form_post needs an http redirect_uri"))
        }
        _ => Ok(()),
    }
}

/// OIDC Core §3.1.2.6: it has an error code of its own; ignoring it would be worse than refusing.
pub fn registration_is_not_supported(draft: &mut Draft<'_>) -> Checked {
    match draft.params.get("registration") {
        Some(_) => Err(AuthorizationError::new(
            "registration_not_supported",
            "the parameter registration is not supported",
        )),
        None => Ok(()),
    }
}

/// Tokens in the browser's address are for clients that know nothing better, one by one (RFC 9700 §2.1.2).
pub fn response_type_is_the_clients(draft: &mut Draft<'_>) -> Checked {
    let text = draft.params.get("response_type");
    let text = text.ok_or_else(|| AuthorizationError::invalid("response_type is missing, such as code"))?;
    let unsupported = |description| Err(AuthorizationError::new("unsupported_response_type", description));
    let Some(parsed) = ResponseType::parse(text) else {
        return unsupported("response_type is not supported");
    };
    if parsed.is_front_channel() && !draft.provider.front_channel_tokens {
        return unsupported("response_type must be code");
    }
    if !draft.client.metadata.allows_response_type(parsed.name()) {
        return Err(AuthorizationError::new(
            "unauthorized_client",
            "the client is not registered for this response_type",
        ));
    }
    draft.request.response_type = parsed;
    Ok(())
}

/// Multiple Response Types §3 and §5: no token travels in a query, which ends up in logs.
pub fn response_mode_fits_the_type(draft: &mut Draft<'_>) -> Checked {
    let query = draft.params.get("response_mode") == Some("query");
    if query && draft.request.response_type.is_front_channel() {
        return Err(AuthorizationError::invalid("response_mode=query is not for this response_type"));
    }
    Ok(())
}

pub fn scope_has_openid(draft: &mut Draft<'_>) -> Checked {
    let asked = Scopes::asked_of_member(draft.params.get("scope").unwrap_or_default())
        .map_err(|reason| AuthorizationError::new("invalid_scope", reason))?;
    draft.request.scope = asked.allowed_to(draft.client);
    // OIDC Core §11: without a code there is no refresh token, so nothing is asked for.
    if !draft.request.response_type.code {
        draft.request.scope.remove(Scope::OfflineAccess);
    }
    Ok(())
}

/// RFC 8707 §2: only resources that the client registered.
pub fn resources_are_the_clients(draft: &mut Draft<'_>) -> Checked {
    draft.request.resource = resource::asked(draft.client, draft.params)
        .map_err(|reason| AuthorizationError::new(resource::INVALID_TARGET, reason))?;
    Ok(())
}

/// RFC 7636 §4.2–4.4: S256 alone, and by default required of every client (RFC 9700 §2.1.1) that gets a code.
pub fn pkce_is_s256(draft: &mut Draft<'_>) -> Checked {
    let invalid = AuthorizationError::invalid;
    let Some(challenge) = draft.params.get("code_challenge") else {
        if draft.params.get("code_challenge_method").is_some() {
            return Err(invalid("code_challenge is missing beside code_challenge_method"));
        }
        if draft.client.metadata.pkce_optional || !draft.request.response_type.code {
            return Ok(());
        }
        return Err(invalid("code_challenge is required (RFC 7636), with code_challenge_method=S256"));
    };
    // An absent method means plain (RFC 7636 §4.3), which is refused too.
    if draft.params.get("code_challenge_method") != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let base64url = challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if challenge.len() != 43 || !base64url {
        return Err(invalid("code_challenge must be the 43 base64url characters of a SHA-256"));
    }
    draft.request.code_challenge = Some(challenge.to_owned());
    Ok(())
}

/// OIDC Core §3.2.2.1 and §3.3.2.11: an ID token that comes through the browser must be tied to the request.
pub fn nonce_is_there_for_an_id_token(draft: &mut Draft<'_>) -> Checked {
    let nonce = draft.params.get("nonce");
    if nonce.is_none() && draft.request.response_type.id_token {
        return Err(AuthorizationError::invalid("nonce is required for this response_type"));
    }
    draft.request.nonce = nonce.map(str::to_owned);
    Ok(())
}
