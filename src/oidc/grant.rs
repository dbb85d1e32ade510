//! What a member allowed a client, and everything that rests on it: codes, access tokens and refresh
//! tokens all name a [`Grant`]; when it is gone, they are worth nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    claims_request::ClaimsRequest,
    permission::Permission,
    scope::{Scope, Scopes},
};
use crate::{
    app::App,
    clients::{Client, GrantType},
    clock::Timestamp,
    ephemeral::{Found, Record},
    fault::Fault,
    members::{
        roster::Person,
        session::{AAL1, SignedIn},
    },
    storage::{member::Member, profile::Profile, standing::Standing},
};

/// How long the refresh token before the current one still works, because the answer that carried the
/// current one may have been lost (RFC 9700 §4.14.2, FAPI 2.0 §5.3.2.1).
pub const LOST_RESPONSE: Duration = Duration::from_secs(60);

/// Purpose of the mac of refresh tokens.
const REFRESH_TOKEN: &str = "refresh-token";

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

/// An authorization code (RFC 6749 §4.1): issued, then redeemed once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Code {
    /// Not used yet.
    Issued(Box<IssuedCode>),
    /// Used; a second use revokes what the first one gave, and what was given beside the code.
    Redeemed(RedeemedCode),
}

impl Record for Code {
    const KIND: &'static str = "code";
}

/// What came of a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RedeemedCode {
    /// The grant that it gave.
    pub grant: String,
    /// See [`IssuedCode::beside`].
    #[serde(default)]
    pub beside: Option<String>,
    /// The client that used it.
    pub client_id: String,
}

/// What a code stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuedCode {
    /// The grant that it will give.
    pub grant: Grant,
    /// The grant of the access token that was issued beside the code, if one was (OIDC Core §3.3).
    #[serde(default)]
    pub beside: Option<String>,
    /// The redirect URI that the token request must repeat.
    pub redirect_uri: String,
    /// The PKCE challenge.
    pub code_challenge: Option<String>,
    /// Name of the session it came from; it must still stand at redemption.
    pub session: String,
    /// When the code is void.
    pub expires_at: Timestamp,
}

/// The presented form of a refresh token: `grant.generation.mac`.
#[derive(Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The grant that it belongs to.
    pub grant: String,
    /// Its number in the family.
    pub generation: u64,
}

impl RefreshToken {
    /// Writes the token of a generation; the same generation always gives the same token.
    pub fn mint(app: &App, grant: &str, generation: u64) -> String {
        app.members.master.stamp(REFRESH_TOKEN, &format!("{grant}.{generation}"))
    }

    /// Reads a token; one that this provider never wrote is none, and changes nothing.
    pub fn read(app: &App, token: &str) -> Option<Self> {
        let (grant, generation) = app.members.master.stamped(REFRESH_TOKEN, token)?.split_once('.')?;
        Some(Self { grant: grant.to_owned(), generation: generation.parse().ok()? })
    }

    /// Whether a refresh with it would be answered, as far as the family goes: it is the current one, or was
    /// until a moment ago.
    pub fn is_current(&self, app: &App, grant: &Grant) -> bool {
        let (Some(family), Some(end)) = (&grant.family, grant.refresh_until(app)) else { return false };
        let now = app.now();
        let previous = self.generation.checked_add(1) == Some(family.generation);
        let lost = previous && now < family.rotated_at.plus(LOST_RESPONSE);
        now < end && (self.generation == family.generation || lost)
    }
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
    /// The grant of this id.
    pub async fn find(app: &App, id: &str) -> Result<Option<Found<Self>>, Fault> {
        let found = app.members.ephemeral.get::<Self>(id).await?;
        Ok(found.filter(|found| app.now() < found.value.expires_at))
    }

    /// Revokes a grant and with it every token that names it.
    pub async fn revoke(app: &App, id: &str) -> Result<(), Fault> {
        app.members.ephemeral.remove::<Self>(id).await?;
        Ok(())
    }

    /// Looks again at everything that the grant rests on: its session, where it was not made for the member's
    /// absence (OIDC Core §11), and what [`Grant::allowed`] looks at.
    pub async fn holder(&self, app: &App, client: &Client) -> Result<Option<Holder>, Fault> {
        let offline = self.scope.has(Scope::OfflineAccess);
        if !offline && !app.members.sid_stands(&self.sid).await? {
            return Ok(None);
        }
        self.allowed(app, client).await
    }

    /// Who stands behind the grant, if that still allows it: the member is active, eligible and has not signed
    /// out everywhere since, and still allows the client what it has; the client is for members of the insurer.
    /// `client` is the grant's own, which the request has found enabled.
    pub async fn allowed(&self, app: &App, client: &Client) -> Result<Option<Holder>, Fault> {
        let standing = app.members.standing_with(&self.member_id, &self.client_id, self.created_at).await?;
        let Some(Standing { member, person, profile, consent }) = standing else { return Ok(None) };
        let holds = client.id == self.client_id
            && client.admits(&member.insurer)
            && consent.is_some_and(|consent| {
                // What was granted before a withdrawal stays dead when the member allows the client again.
                consent.first_granted_at <= self.created_at.millis()
                    && Permission::needed(&self.scope, &self.claims).within(&Permission::given(&consent))
            });
        Ok(holds.then_some(Holder { member, person, profile }))
    }

    /// Makes the grant good from now on: stores it under a fresh identifier, which it returns, with a refresh
    /// token family if that was allowed.
    pub async fn start(&self, app: &App, client: &Client) -> Result<(String, Self), Fault> {
        let metadata = &client.metadata;
        let lifetimes = &app.config().lifetimes;
        let now = app.now();
        let offline = self.scope.has(Scope::OfflineAccess) && metadata.allows_grant(GrantType::RefreshToken);
        let life = if offline {
            metadata.refresh_token_lifetime(lifetimes.refresh_absolute())
        } else {
            metadata.access_token_lifetime(lifetimes.access_token())
        };
        let id = app.members.entropy.id();
        let started = Self {
            expires_at: now.plus(life),
            family: offline.then_some(Family { generation: 0, rotated_at: now }),
            ..self.clone()
        };
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

/// What a member who is signed in gives a client at this moment; it begins to count with [`Grant::start`].
pub async fn begin(app: &App, client: &Client, signed_in: &SignedIn, scope: Scopes) -> Result<Grant, Fault> {
    let SignedIn { session, member, .. } = signed_in;
    let now = app.now();
    Ok(Grant {
        client_id: client.id.clone(),
        sub: subject(app, client, &member.id).await?,
        scope,
        resource: Vec::new(),
        claims: ClaimsRequest::default(),
        sid: session.sid.clone(),
        auth_time: session.auth_time,
        acr: AAL1.to_owned(),
        amr: session.amr.clone(),
        nonce: None,
        // A sign-out everywhere that another node's clock dates later does not concern this session.
        created_at: now.max(member.sessions_valid_from),
        expires_at: now.plus(app.config().lifetimes.code()),
        family: None,
        member_id: member.id.clone(),
    })
}

/// The subject of a member for a client (OIDC Core §8).
pub async fn subject(app: &App, client: &Client, member_id: &str) -> Result<String, Fault> {
    use crate::{clients::SubjectType, storage::pairwise_subject};

    match client.metadata.subject_type {
        SubjectType::Public => Ok(member_id.to_owned()),
        SubjectType::Pairwise => {
            let sector = client
                .metadata
                .sector_identifier()
                .ok_or_else(|| Fault::internal(format!("client {} has no sector", client.id)))?;
            let fresh = app.members.entropy.id();
            let db = &app.members.db;
            Ok(pairwise_subject::find_or_create(db, &sector, member_id, &fresh, app.now()).await?)
        }
    }
}
