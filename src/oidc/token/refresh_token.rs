//! `grant_type=refresh_token` (RFC 6749 §6), rotating with every use (RFC 9700 §4.14.2).

use axum::response::Response;

use super::{issue, replay::Replayed};
use crate::{
    app::App,
    clients::Client,
    ephemeral::Found,
    fault::Fault,
    oidc::{
        authorize::params::Params,
        direct::required,
        error::OAuthError,
        grant::{Family, Grant, LOST_RESPONSE},
        resource,
        scope::{Scope, Scopes},
        seal,
        ticket::RefreshToken,
    },
};

/// What a presented generation means.
enum Generation {
    /// It is the current one, or became the one before it a moment ago: go on with this grant.
    Fresh(Box<Grant>),
    /// It was not used in time; whichever generation it is, that proves nothing.
    Expired,
    /// It is old, so it was stolen or its successor was: the family is revoked.
    Stale,
    /// Somebody else used it in this very moment; look again.
    Raced,
}

/// Exchanges a refresh token for new tokens.
pub async fn refresh(app: &App, client: &Client, params: &Params) -> Result<Response, OAuthError> {
    let refused =
        || OAuthError::invalid_grant("the refresh token is unknown, expired, revoked or another client's");
    let presented = required(params, "refresh_token")?;
    let token = RefreshToken::read(app, presented).ok_or_else(refused)?;
    loop {
        let found = Grant::find(app, &token.grant).await?.ok_or_else(refused)?;
        if found.value.client_id != client.id {
            return Err(refused());
        }
        let scope = narrowed(&found.value, client, params)?;
        let audience = resource::audience(client, &found.value, params)?;
        seal::ready(app, client, seal::of_id_token(client)).await?;
        let offline = client.metadata.allows(Scope::OfflineAccess.as_str());
        if !offline || found.value.holder(app, client).await?.is_none() {
            Grant::revoke(app, &token.grant).await?;
            return Err(refused());
        }
        match advance(app, &token, &found).await? {
            Generation::Fresh(grant) => {
                // The nonce belongs to the sign-in, not to its renewal (OIDC Core §12.2).
                let grant = Grant { nonce: None, ..*grant };
                return issue::tokens(app, client, (&token.grant, &grant), &scope, audience).await;
            }
            Generation::Raced => {}
            Generation::Expired => return Err(refused()),
            Generation::Stale => {
                Replayed::RefreshToken.answer(app, &client.id, &[&token.grant]).await?;
                return Err(refused());
            }
        }
    }
}

/// Moves the family on if the current token was presented.
async fn advance(app: &App, token: &RefreshToken, found: &Found<Grant>) -> Result<Generation, Fault> {
    let grant = &found.value;
    let Some(family) = &grant.family else { return Ok(Generation::Stale) };
    let now = app.now();
    if now >= family.rotated_at.plus(app.config().lifetimes.refresh_idle()) {
        return Ok(Generation::Expired);
    }
    if token.generation == family.generation {
        let next = Family { generation: family.generation + 1, rotated_at: now };
        let rotated = Grant { family: Some(next), ..grant.clone() };
        let won = app.members.ephemeral.swap(&token.grant, found, &rotated, rotated.ttl(app)).await?;
        return Ok(if won { Generation::Fresh(Box::new(rotated)) } else { Generation::Raced });
    }
    // The one before gets the very same successor again for a moment: its answer may have been lost.
    let previous = token.generation.checked_add(1) == Some(family.generation);
    let lost = previous && now < family.rotated_at.plus(LOST_RESPONSE);
    Ok(if lost { Generation::Fresh(Box::new(grant.clone())) } else { Generation::Stale })
}

/// Fewer scopes than granted may be asked for, never more (RFC 6749 §6), and none that the client is no
/// longer registered for.
fn narrowed(grant: &Grant, client: &Client, params: &Params) -> Result<Scopes, OAuthError> {
    let granted = grant.scope.allowed_to(client);
    let Some(asked) = params.get("scope") else { return Ok(granted) };
    let scopes = Scopes::parse(asked);
    let known = asked.split_ascii_whitespace().count() == scopes.iter().count();
    if known && scopes.within(&granted) {
        Ok(scopes)
    } else {
        Err(OAuthError::new("invalid_scope", "scope asks for more than was granted (RFC 6749 section 6)"))
    }
}
