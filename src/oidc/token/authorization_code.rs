//! `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5).

use axum::response::Response;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{issue, replay::Replayed};
use crate::{
    app::App,
    clients::Client,
    crypto::digest,
    ephemeral::Found,
    fault::Fault,
    oidc::{
        authorize::params::Params,
        backchannel_logout,
        direct::required,
        error::OAuthError,
        grant::{Grant, Pending},
        resource, seal,
        ticket::{CODE, Ticket},
    },
};

/// Redeems a code once.
pub async fn redeem(app: &App, client: &Client, params: &Params) -> Result<Response, OAuthError> {
    let code = required(params, "code")?;
    let refused = || OAuthError::invalid_grant("the code is unknown, used, expired or another client's");
    let ticket = Ticket::read(&app.members.master, CODE, code).ok_or_else(refused)?;
    let (found, stands) = Grant::named(app, &ticket).await?;
    let found = found.ok_or_else(refused)?;
    let grant = &found.value;
    // Another client's code is none of its business, and stays good for the right one.
    if grant.client_id != client.id {
        return Err(refused());
    }
    let Some(pending) = &grant.pending else { return Err(replayed(app, &ticket.grant, grant).await?) };
    check_redirect_uri(pending, params)?;
    check_pkce(pending, params)?;
    let audience = resource::audience(client, grant, params)?;
    if !stands
        || grant.allowed(app, client).await?.is_none()
        || !backchannel_logout::note(app, client, &grant.sub, &grant.sid).await?
    {
        return Err(OAuthError::invalid_grant("the member signed out or withdrew the consent"));
    }
    seal::ready(app, client, seal::of_id_token(client)).await?;
    let begun = grant.begun(app, client, &audience);
    spend(app, &ticket.grant, &found, &begun).await?;
    issue::tokens(app, client, (&ticket.grant, &begun), &begun.scope, audience).await
}

/// Spends the code, which begins the grant: of any number of parallel redemptions one wins.
async fn spend(app: &App, id: &str, found: &Found<Grant>, begun: &Grant) -> Result<(), OAuthError> {
    match app.members.ephemeral.replace(id, found, begun, begun.ttl(app)).await? {
        Some(before) if before.value.pending.is_some() => Ok(()),
        Some(won) => Err(replayed(app, id, &won.value).await?),
        None => Err(OAuthError::invalid_grant("the code was used at the same time")),
    }
}

/// What a code gave that comes back is revoked, and what was given beside it.
async fn replayed(app: &App, id: &str, grant: &Grant) -> Result<OAuthError, Fault> {
    let given: Vec<_> = [Some(id), grant.beside.as_deref()].into_iter().flatten().collect();
    Replayed::Code.answer(app, &grant.client_id, &given).await?;
    Ok(OAuthError::invalid_grant("the code is unknown, used, expired or another client's"))
}

fn check_redirect_uri(pending: &Pending, params: &Params) -> Result<(), OAuthError> {
    if required(params, "redirect_uri")? == pending.redirect_uri {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant(
            "redirect_uri differs from the authorization request (RFC 6749 section 4.1.3)",
        ))
    }
}

fn check_pkce(pending: &Pending, params: &Params) -> Result<(), OAuthError> {
    let wrong = |description: &str| Err(OAuthError::invalid_grant(description));
    match (&pending.code_challenge, params.get("code_verifier")) {
        (None, None) => Ok(()),
        // Accepting it would hide a downgrade (RFC 9700 §4.8.2).
        (None, Some(_)) => {
            wrong("code_verifier is sent, but the authorization request had no code_challenge")
        }
        (Some(_), None) => wrong("code_verifier is missing"),
        (Some(challenge), Some(verifier)) => {
            // RFC 7636 §4.1
            let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
                return wrong("code_verifier must be 43 to 128 unreserved characters");
            }
            let computed = BASE64_URL_SAFE_NO_PAD.encode(digest::sha256(verifier.as_bytes()));
            if digest::equal(computed.as_bytes(), challenge.as_bytes()) {
                Ok(())
            } else {
                wrong("code_verifier does not match the code_challenge")
            }
        }
    }
}
