//! Back-Channel Logout 1.0: who is told of the end of a session, and with which token.

use serde_json::json;

use crate::{
    app::App,
    clients::Client,
    crypto::Algorithm,
    egress::{
        EgressError,
        deliveries::{Carrier, Message, Outcome},
    },
    fault::Fault,
    members::session_end::{Ended, LOGOUT, Party},
    oidc::webhook,
    storage::delivery::{SESSIONS, WEBHOOK},
};

/// Seconds that a logout token is good for (§2.4); it is made when it is sent.
const LIFE: i64 = 120;
/// The one event of a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The `sid` by which a client knows a session. Each client knows it by another, or two of them could tell that
/// they have the same member before them, whose subjects are pairwise.
pub fn sid_for(app: &App, client_id: &str, sid: &str) -> String {
    app.members.master.mac_base64url("sid", format!("{client_id} {sid}").as_bytes())
}

/// Remembers that the client is given an ID token in the session of this `sid`, if it wants to be told of the
/// end. False when the session has ended: then the client must be given none. Whether the session stood has been
/// looked at before.
pub async fn note(app: &App, client: &Client, sub: &str, sid: &str) -> Result<bool, Fault> {
    let metadata = &client.metadata;
    let back_channel = metadata.backchannel_logout_uri.is_some();
    if !back_channel && metadata.frontchannel_logout_uri.is_none() {
        return Ok(true);
    }
    let party = Party { client_id: client.id.clone(), sub: sub.to_owned(), back_channel };
    app.members.note_party(sid, &party).await
}

/// Takes messages of the queue to relying parties.
#[derive(Clone)]
pub struct Messenger(pub App);

impl Carrier for Messenger {
    async fn carry(&self, message: Message) -> Outcome {
        let carried = match message.kind.as_str() {
            LOGOUT => tell(&self.0, &message).await,
            SESSIONS => end_sessions(&self.0, &message).await,
            WEBHOOK => webhook::tell(&self.0, &message).await,
            kind => Ok(Outcome::Failed(format!("no kind of message is called {kind}"))),
        };
        carried.unwrap_or_else(|fault| Outcome::Again(fault.to_string()))
    }
}

/// Ends what a change of the account made void, whoever made it was cut off or was the roster.
async fn end_sessions(app: &App, message: &Message) -> Result<Outcome, Fault> {
    app.members.end_sessions_before(&message.target, message.created_at).await?;
    Ok(Outcome::Sent)
}

/// POSTs a logout token (§2.5).
async fn tell(app: &App, message: &Message) -> Result<Outcome, Fault> {
    let Some(ended) = message.content::<Ended>() else {
        return Ok(Outcome::Failed("the content is not that of a logout".to_owned()));
    };
    let Some(client) = app.client(&message.target).await? else { return Ok(Outcome::Sent) };
    let Some(uri) = &client.metadata.backchannel_logout_uri else { return Ok(Outcome::Sent) };
    let token = logout_token(app, &client, &ended)?;
    Ok(outcome(app.egress.post(uri, &[("logout_token", &token)]).await))
}

/// The logout token (§2.4): no nonce, or it could pass for an ID token.
fn logout_token(app: &App, client: &Client, ended: &Ended) -> Result<String, Fault> {
    let now = app.now().seconds();
    let claims = json!({
        "iss": app.config().server.issuer,
        "aud": client.id,
        "sub": ended.sub,
        "sid": sid_for(app, &client.id, &ended.sid),
        "iat": now,
        "exp": now + LIFE,
        "jti": app.members.entropy.id(),
        "events": { EVENT: {} },
    });
    let alg = client.metadata.id_token_signed_response_alg.unwrap_or(Algorithm::Rs256);
    app.signing.current().sign(alg, Some("logout+jwt"), &claims).map_err(Fault::internal)
}

/// What an answer means (§2.8).
fn outcome(answer: Result<u16, EgressError>) -> Outcome {
    match answer {
        Ok(200..=299) => Outcome::Sent,
        Ok(400) => Outcome::Failed("the relying party refused the logout token: 400".to_owned()),
        Ok(status @ 300..=399) => Outcome::Failed(format!("redirects are not followed: {status}")),
        Ok(status) => Outcome::Again(format!("the relying party answered {status}")),
        Err(error @ EgressError::Refused(_)) => Outcome::Failed(error.to_string()),
        Err(error) => Outcome::Again(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_get_better_is_tried_again() {
        for sent in [200, 204] {
            assert_eq!(outcome(Ok(sent)), Outcome::Sent);
        }
        for again in [401, 404, 408, 429, 500, 503] {
            assert!(matches!(outcome(Ok(again)), Outcome::Again(_)), "{again}");
        }
        for failed in [301, 302, 307, 400] {
            assert!(matches!(outcome(Ok(failed)), Outcome::Failed(_)), "{failed}");
        }
        assert!(matches!(outcome(Err(EgressError::Refused("must use https"))), Outcome::Failed(_)));
        assert!(matches!(outcome(Err(EgressError::Unreachable("took too long"))), Outcome::Again(_)));
    }
}
