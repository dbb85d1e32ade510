//! Access tokens: opaque by default, JWTs for clients that registered so (RFC 9068).
//!
//! A JWT, an opaque token that can be refreshed and a client's own are stored under their text; the opaque token
//! of a grant that gives no other is that grant's record itself. Either is looked up, revoked and introspected
//! alike, and a JWT of ours that we do not know any more is worth nothing here.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    grant::{Grant, Holder},
    scope::Scopes,
    ticket::{ACCESS_TOKEN, Ticket},
};
use crate::{
    app::App,
    clients::{AccessTokenFormat, Client},
    clock::Timestamp,
    crypto::Algorithm,
    ephemeral::Record,
    fault::Fault,
};

/// An access token as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessToken {
    /// The grant; none for a client that speaks for itself.
    pub grant: Option<String>,
    /// The client.
    pub client_id: String,
    /// What it opens.
    pub scope: Scopes,
    /// For which resources (RFC 8707); none: userinfo.
    #[serde(default)]
    pub audience: Vec<String>,
    /// When it was made.
    #[serde(default)]
    pub issued_at: Timestamp,
    /// When it is void.
    pub expires_at: Timestamp,
}

impl Record for AccessToken {
    const KIND: &'static str = "access-token";
}

/// An access token that was presented and is in time.
pub struct Presented {
    /// The token.
    pub token: AccessToken,
    /// Its grant and whether the session of that stands, where the text named both.
    named: Option<(Grant, bool)>,
}

/// What an access token rests on, where that still holds.
pub struct Standing {
    /// The token.
    pub token: AccessToken,
    /// Its client.
    pub client: Arc<Client>,
    /// The grant and the member behind it; none for a client that speaks for itself.
    pub behind: Option<(Grant, Holder)>,
}

/// What an access token is made of.
pub struct Claims<'a> {
    /// The client.
    pub client: &'a Client,
    /// The grant that it rests on, with its identifier.
    pub grant: Option<(&'a str, &'a Grant)>,
    /// What it opens.
    pub scope: &'a Scopes,
    /// For which resources.
    pub audience: Vec<String>,
}

/// Makes and stores an access token; gives its text and its life.
pub async fn issue(app: &App, claims: Claims<'_>) -> Result<(String, Duration), Fault> {
    let now = app.now();
    if let Some((id, grant)) = claims.grant
        && grant.own_token.is_some()
    {
        let ticket = Ticket { grant: id.to_owned(), sid: grant.sid.clone() };
        return Ok((
            ticket.write(&app.members.master, &app.members.entropy, ACCESS_TOKEN),
            grant.expires_at.since(now),
        ));
    }
    let life = claims.client.metadata.access_token_lifetime(app.config().lifetimes.access_token());
    let record = AccessToken {
        grant: claims.grant.map(|(id, _)| id.to_owned()),
        client_id: claims.client.id.clone(),
        scope: claims.scope.clone(),
        audience: claims.audience,
        issued_at: now,
        expires_at: now.plus(life),
    };
    let text = match claims.client.metadata.access_token_format {
        AccessTokenFormat::Opaque => app.members.entropy.secret(),
        AccessTokenFormat::Jwt => jwt(app, claims.client, &record, claims.grant.map(|(_, grant)| grant))?,
    };
    app.members.ephemeral.put(&text, &record, life).await?;
    Ok((text, life))
}

/// The JWT profile (RFC 9068 §2.2). `sub` is the client itself where no member is behind it.
fn jwt(app: &App, client: &Client, token: &AccessToken, grant: Option<&Grant>) -> Result<String, Fault> {
    let mut claims = json!({
        "iss": app.config().server.issuer,
        "sub": grant.map_or(&client.id, |grant| &grant.sub),
        "aud": token.audience(app),
        "client_id": client.id,
        "exp": token.expires_at.seconds(),
        "iat": token.issued_at.seconds(),
        "jti": app.members.entropy.id(),
    });
    if !token.scope.is_empty() {
        claims["scope"] = json!(token.scope);
    }
    if let Some(grant) = grant {
        claims["auth_time"] = json!(grant.auth_time.seconds());
        claims["acr"] = json!(grant.acr);
        claims["amr"] = json!(grant.amr);
    }
    let alg = signing_algorithm(client);
    app.signing.current().sign(alg, Some("at+jwt"), &claims).map_err(Fault::internal)
}

/// The algorithm of what we sign for a client, unless it registered another for the purpose (OIDC
/// Registration §2, RFC 9068 §4: RS256 is the one that everybody can verify).
pub fn signing_algorithm(client: &Client) -> Algorithm {
    client.metadata.id_token_signed_response_alg.unwrap_or(Algorithm::Rs256)
}

impl AccessToken {
    /// The token of this text, if it is in time.
    pub async fn find(app: &App, text: &str) -> Result<Option<Presented>, Fault> {
        if let Some(ticket) = Ticket::read(&app.members.master, ACCESS_TOKEN, text) {
            let (found, stands) = Grant::named(app, &ticket).await?;
            let Some(grant) = found.map(|found| found.value) else { return Ok(None) };
            let token = Self::of_grant(ticket.grant, &grant);
            return Ok(token.map(|token| Presented { token, named: Some((grant, stands)) }));
        }
        let found = app.members.ephemeral.get::<Self>(text).await?;
        let token = found.map(|found| found.value).filter(|token| app.now() < token.expires_at);
        Ok(token.map(|token| Presented { token, named: None }))
    }

    /// The token that the record of a grant is.
    fn of_grant(id: String, grant: &Grant) -> Option<Self> {
        let own = grant.own_token.as_ref()?;
        Some(Self {
            grant: Some(id),
            client_id: grant.client_id.clone(),
            scope: grant.scope.clone(),
            audience: own.audience.clone(),
            issued_at: own.issued_at,
            expires_at: grant.expires_at,
        })
    }

    /// Takes the token of this text back, and nothing that it is not part of.
    pub async fn revoke(app: &App, text: &str) -> Result<(), Fault> {
        match Ticket::read(&app.members.master, ACCESS_TOKEN, text) {
            Some(ticket) => Grant::revoke(app, &ticket.grant).await,
            None => Ok(app.members.ephemeral.remove::<Self>(text).await.map(drop)?),
        }
    }

    /// `aud`: the resources, or this provider itself.
    pub fn audience(&self, app: &App) -> Value {
        match self.audience.as_slice() {
            [] => json!(app.config().server.issuer),
            [one] => json!(one),
            several => json!(several),
        }
    }

    /// Whether it is for this provider's own endpoints.
    pub fn is_for_us(&self, app: &App) -> bool {
        self.audience.is_empty() || self.audience.contains(&app.config().server.issuer)
    }
}

impl Presented {
    /// Looks again at everything that the token rests on.
    pub async fn standing(self, app: &App) -> Result<Option<Standing>, Fault> {
        let Self { token, named } = self;
        let Some(client) = app.client(&token.client_id).await? else { return Ok(None) };
        let behind = match (named, &token.grant) {
            (None, None) => None,
            (Some((grant, stands)), _) => {
                if grant.needs_session() && !stands {
                    return Ok(None);
                }
                let Some(holder) = grant.allowed(app, &client).await? else { return Ok(None) };
                Some((grant, holder))
            }
            (None, Some(id)) => {
                let Some(grant) = Grant::find(app, id).await? else { return Ok(None) };
                let Some(holder) = grant.value.holder(app, &client).await? else { return Ok(None) };
                Some((grant.value, holder))
            }
        };
        Ok(Some(Standing { token, client, behind }))
    }
}
