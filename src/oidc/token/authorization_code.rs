//! `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5).

use axum::response::Response;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::issue;
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
        grant::{Code, Grant, IssuedCode, RedeemedCode},
        resource, seal,
    },
};

/// Redeems a code once.
pub async fn redeem(app: &App, client: &Client, params: &Params) -> Result<Response, OAuthError> {
    let code = required(params, "code")?;
    let refused = || OAuthError::invalid_grant("the code is unknown, used, expired or another client's");
    let found = app.members.ephemeral.get::<Code>(code).await?.ok_or_else(refused)?;
    let issued = match &found.value {
        Code::Redeemed(redeemed) => return Err(replayed(app, client, redeemed).await?),
        Code::Issued(issued) => issued,
    };
    // Another client's code is none of its business, and stays good for the right one.
    if issued.grant.client_id != client.id || app.now() >= issued.expires_at {
        return Err(refused());
    }
    check_redirect_uri(issued, params)?;
    check_pkce(issued, params)?;
    if !backchannel_logout::note(app, client, &issued.grant.sub, &issued.session).await?
        || issued.grant.allowed(app, client).await?.is_none()
    {
        return Err(OAuthError::invalid_grant("the member signed out or withdrew the consent"));
    }
    let audience = resource::audience(client, &issued.grant, params)?;
    seal::ready(app, client, seal::of_id_token(client)).await?;
    let (id, grant) = spend(app, client, code, &found, issued).await?;
    issue::tokens(app, client, (&id, &grant), &grant.scope, audience).await
}

/// Makes the grant, then swaps the code: of any number of parallel redemptions one wins, and a grant that
/// nobody was told of is taken back.
async fn spend(
    app: &App,
    client: &Client,
    code: &str,
    found: &Found<Code>,
    issued: &IssuedCode,
) -> Result<(String, Grant), OAuthError> {
    let ephemeral = &app.members.ephemeral;
    let lifetimes = &app.config().lifetimes;
    let (id, grant) = issued.grant.start(app, client).await?;
    let beside = issued.beside.clone();
    let redeemed = RedeemedCode { grant: id.clone(), beside, client_id: client.id.clone() };
    let redeemed = Code::Redeemed(redeemed);
    // Kept as long as an access token lives, so that a late replay still finds what to revoke.
    if !ephemeral.swap(code, found, &redeemed, lifetimes.code() + lifetimes.access_token()).await? {
        Grant::revoke(app, &id).await?;
        if let Some(Found { value: Code::Redeemed(redeemed), .. }) = ephemeral.get::<Code>(code).await? {
            return Err(replayed(app, client, &redeemed).await?);
        }
        return Err(OAuthError::invalid_grant("the code was used at the same time"));
    }
    Ok((id, grant))
}

/// A code that comes back was stolen or leaked, and so may be all that travelled with it: what it gave and what
/// was given beside it is revoked (RFC 6749 §4.1.2).
async fn replayed(app: &App, client: &Client, redeemed: &RedeemedCode) -> Result<OAuthError, Fault> {
    if redeemed.client_id == client.id {
        tracing::warn!(client = client.id, "a code was used twice; its tokens are revoked");
        metrics::counter!("kenpos_code_replays_total").increment(1);
        for grant in [Some(&redeemed.grant), redeemed.beside.as_ref()].into_iter().flatten() {
            Grant::revoke(app, grant).await?;
        }
    }
    Ok(OAuthError::invalid_grant("the code is unknown, used, expired or another client's"))
}

fn check_redirect_uri(issued: &IssuedCode, params: &Params) -> Result<(), OAuthError> {
    if required(params, "redirect_uri")? == issued.redirect_uri {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant(
            "redirect_uri differs from the authorization request (RFC 6749 section 4.1.3)",
        ))
    }
}

fn check_pkce(issued: &IssuedCode, params: &Params) -> Result<(), OAuthError> {
    let wrong = |description: &str| Err(OAuthError::invalid_grant(description));
    match (&issued.code_challenge, params.get("code_verifier")) {
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
