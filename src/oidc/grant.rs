//! What a member allowed a client, and everything that rests on it: codes, access tokens and refresh
//! tokens all name a [`Grant`]; when it is gone, they are worth nothing.
//!
//! It is one record from the code to the last token, so that a code is spent, and what it gave is revoked, in
//! one place: waiting for its code ([`Grant::pending`]), then begun ([`Grant::begun`]).

use std::time::Duration;

use futures_util::future;
use serde::{Deserialize, Serialize};

use super::{
    claims_request::ClaimsRequest,
    permission::Permission,
    scope::{Scope, Scopes},
    ticket::Ticket,
};
use crate::{
    app::App,
    clients::{AccessTokenFormat, Client, GrantType, SubjectType},
    clock::Timestamp,
    ephemeral::{Found, Record},
    fault::Fault,
    members::{
        roster::Person,
        session::{AAL1, SignedIn},
    },
    storage::{
        consent::Consent,
        member::Member,
        pairwise_subject,
        profile::Profile,
        standing::{Standing, Towards},
    },
};

/// How long the refresh token before the current one still works, because the answer that carried the
/// current one may have been lost (RFC 9700 §4.14.2, FAPI 2.0 §5.3.2.1).
pub const LOST_RESPONSE: Duration = Duration::from_secs(60);

/// An authorization that a code was redeemed for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The client.
    pub client_id: String,
    /// The member.
    pub member_id: String,
    /// The member's subject in the client's sector.
    pub sub: String,
    /// What was allowed.
    pub scope: Scopes,
    /// For which resources, if the request named any (RFC 8707).
    #[serde(default)]
    pub resource: Vec<String>,
    /// What the `claims` parameter asked for, as far as the client may (OIDC Core §5.5).
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// `sid` of the session.
    pub sid: String,
    /// When the member proved to be the one.
    pub auth_time: Timestamp,
    /// How strongly.
    pub acr: String,
    /// By which methods.
    pub amr: Vec<String>,
    /// `nonce` of the request.
    pub nonce: Option<String>,
    /// When the member agreed; a global sign-out after this voids the grant.
    pub created_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// The refresh token family, if there is one.
    pub family: Option<Family>,
    /// What the token request must bring; none once the code was redeemed, or where there was none.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// The grant of the access token that was issued beside the code, if one was (OIDC Core §3.3).
    #[serde(default)]
    pub beside: Option<String>,
    /// The access token that this record stands for itself, where the grant gives no other.
    #[serde(default)]
    pub own_token: Option<OwnToken>,
}

/// What a code is bound to (RFC 6749 §4.1.3, RFC 7636 §4.6).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The redirect URI that the token request must repeat.
    pub redirect_uri: String,
    /// The PKCE challenge.
    pub code_challenge: Option<String>,
}

/// An access token that ends with its grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnToken {
    /// For which resources (RFC 8707); none: userinfo.
    pub audience: Vec<String>,
    /// When it was made.
    pub issued_at: Timestamp,
}

impl Record for Grant {
    const KIND: &'static str = "grant";
}

/// A refresh token family: the one generation that is current.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Number of the current token.
    pub generation: u64,
    /// When it became current.
    pub rotated_at: Timestamp,
}

/// Who stands behind a grant that still holds.
pub struct Holder {
    /// The member.
    pub member: Member,
    /// The person of the roster.
    pub person: Person,
    /// What the member said about themselves.
    pub profile: Profile,
}

impl Grant {
    /// The grant of this id, if it has begun and is not over.
    pub async fn find(app: &App, id: &str) -> Result<Option<Found<Self>>, Fault> {
        let found = app.members.ephemeral.get::<Self>(id).await?;
        Ok(found.filter(|found| found.value.pending.is_none() && app.now() < found.value.expires_at))
    }

    /// The grant that a text of ours names, begun or not, and whether its session stands: asked for at once.
    pub async fn named(app: &App, ticket: &Ticket) -> Result<(Option<Found<Self>>, bool), Fault> {
        let members = &app.members;
        let (found, stands) = future::join(
            Box::pin(members.ephemeral.get::<Self>(&ticket.grant)),
            Box::pin(members.session_stands(&ticket.sid)),
        )
        .await;
        let found =
            found?.filter(|found| app.now() < found.value.expires_at && found.value.sid == ticket.sid);
        Ok((found, stands?))
    }

    /// Revokes a grant and with it every token that names it.
    pub async fn revoke(app: &App, id: &str) -> Result<(), Fault> {
        app.members.ephemeral.remove::<Self>(id).await?;
        Ok(())
    }

    /// Looks again at everything that the grant rests on: its session, where it was not made for the member's
    /// absence (OIDC Core §11), and what [`Grant::allowed`] looks at.
    pub async fn holder(&self, app: &App, client: &Client) -> Result<Option<Holder>, Fault> {
        if self.needs_session() && !app.members.session_stands(&self.sid).await? {
            return Ok(None);
        }
        self.allowed(app, client).await
    }

    /// Whether it was made for the member's presence alone.
    pub fn needs_session(&self) -> bool {
        !self.scope.has(Scope::OfflineAccess)
    }

    /// Who stands behind the grant, if that still allows it: the member is active, eligible and has not signed
    /// out everywhere since, and still allows the client what it has; the client is for members of the insurer.
    /// `client` is the grant's own, which the request has found enabled.
    pub async fn allowed(&self, app: &App, client: &Client) -> Result<Option<Holder>, Fault> {
        let towards = Towards { client_id: &self.client_id, sector: None };
        let standing = app.members.standing_with(&self.member_id, towards, self.created_at).await?;
        let Some(Standing { member, person, profile, consent, .. }) = standing else { return Ok(None) };
        let holds = client.id == self.client_id
            && client.admits(&member.insurer)
            && consent.is_some_and(|consent| {
                // What was granted before a withdrawal stays dead when the member allows the client again.
                consent.first_granted_at <= self.created_at.millis()
                    && Permission::needed(&self.scope, &self.claims).within(&Permission::given(&consent))
            });
        Ok(holds.then_some(Holder { member, person, profile }))
    }

    /// The grant as it is good from now on: with a refresh token family if that was allowed. `audience` is that
    /// of the access token.
    #[must_use]
    pub fn begun(&self, app: &App, client: &Client, audience: &[String]) -> Self {
        let metadata = &client.metadata;
        let lifetimes = &app.config().lifetimes;
        let now = app.now();
        let offline = self.scope.has(Scope::OfflineAccess) && metadata.allows_grant(GrantType::RefreshToken);
        let life = if offline {
            metadata.refresh_token_lifetime(lifetimes.refresh_absolute())
        } else {
            metadata.access_token_lifetime(lifetimes.access_token())
        };
        let alone = !offline && metadata.access_token_format == AccessTokenFormat::Opaque;
        Self {
            expires_at: now.plus(life),
            family: offline.then_some(Family { generation: 0, rotated_at: now }),
            pending: None,
            own_token: alone.then(|| OwnToken { audience: audience.to_vec(), issued_at: now }),
            ..self.clone()
        }
    }

    /// Makes the grant good from now on without a code: stores it under a fresh identifier, which it returns.
    pub async fn start(
        &self,
        app: &App,
        client: &Client,
        audience: &[String],
    ) -> Result<(String, Self), Fault> {
        let id = app.members.entropy.id();
        let started = self.begun(app, client, audience);
        app.members.ephemeral.put(&id, &started, started.ttl(app)).await?;
        Ok((id, started))
    }

    /// When the current refresh token ends unless it is used; none where there is no refresh token.
    pub fn refresh_until(&self, app: &App) -> Option<Timestamp> {
        let idle = self.family.as_ref()?.rotated_at.plus(app.config().lifetimes.refresh_idle());
        Some(idle.min(self.expires_at))
    }

    /// How long the record is kept.
    pub fn ttl(&self, app: &App) -> Duration {
        let rest = self.expires_at.since(app.now());
        match self.family {
            Some(_) => rest.min(app.config().lifetimes.refresh_idle() + LOST_RESPONSE),
            None => rest,
        }
    }
}

/// What a grant rests on, towards its client.
pub struct Basis {
    /// The member's subject there ([`subject`]).
    pub sub: String,
    /// When the member first allowed the client anything.
    pub allowed_since: Timestamp,
}

impl Basis {
    /// A subject, and the consent that the client has.
    pub fn new(app: &App, sub: String, consent: Option<&Consent>) -> Self {
        let since = consent.map(|consent| Timestamp::from_millis(consent.first_granted_at));
        Self { sub, allowed_since: since.unwrap_or_else(|| app.now()) }
    }
}

/// What a member who is signed in gives a client at this moment; it begins to count with [`Grant::begun`].
pub fn begin(app: &App, client: &Client, signed_in: &SignedIn, basis: Basis, scope: Scopes) -> Grant {
    let SignedIn { session, member, .. } = signed_in;
    let Basis { sub, allowed_since } = basis;
    let now = app.now();
    Grant {
        client_id: client.id.clone(),
        sub,
        scope,
        resource: Vec::new(),
        claims: ClaimsRequest::default(),
        sid: session.sid.clone(),
        auth_time: session.auth_time,
        acr: AAL1.to_owned(),
        amr: session.amr.clone(),
        nonce: None,
        // A sign-out everywhere that a clock ahead dated later does not concern this session, and a consent
        // that was dated later allows it.
        created_at: now.max(member.sessions_valid_from).max(allowed_since),
        expires_at: now.plus(app.config().lifetimes.code()),
        family: None,
        pending: None,
        beside: None,
        own_token: None,
        member_id: member.id.clone(),
    }
}

/// The subject of a member for a client (OIDC Core §8); `known` if it was read already.
pub async fn subject(
    app: &App,
    client: &Client,
    member_id: &str,
    known: Option<&str>,
) -> Result<String, Fault> {
    if client.metadata.subject_type == SubjectType::Public {
        return Ok(member_id.to_owned());
    }
    if let Some(known) = known {
        return Ok(known.to_owned());
    }
    let no_sector = || Fault::internal(format!("client {} has no sector", client.id));
    let sector = client.pairwise_sector().ok_or_else(no_sector)?;
    let (db, fresh) = (&app.members.db, app.members.entropy.id());
    Ok(pairwise_subject::find_or_create(db, &sector, member_id, &fresh, app.now()).await?)
}
