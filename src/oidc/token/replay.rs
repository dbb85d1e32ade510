//! A code or a refresh token that comes back was stolen or leaked, and so may be all that rests on it: that is
//! revoked (RFC 6749 §4.1.2, RFC 9700 §4.14.2) and written down.

use serde_json::json;

use crate::{
    app::App,
    audit::{self, Event},
    fault::Fault,
    oidc::grant::Grant,
    storage::member,
};

/// What came back.
#[derive(Clone, Copy, Debug)]
pub enum Replayed {
    /// An authorization code.
    Code,
    /// A device code.
    DeviceCode,
    /// A refresh token whose successor is in use.
    RefreshToken,
}

impl Replayed {
    /// Revokes these grants of a client. The audit has one line, however often the same comes back.
    pub async fn answer(self, app: &App, client_id: &str, grants: &[&str]) -> Result<(), Fault> {
        let (what, counted) = match self {
            Self::Code => ("code", metrics::counter!("kenpos_code_replays_total")),
            Self::DeviceCode => ("device_code", metrics::counter!("kenpos_code_replays_total")),
            Self::RefreshToken => ("refresh_token", metrics::counter!("kenpos_refresh_replays_total")),
        };
        counted.increment(1);
        tracing::warn!(client = client_id, what, "used twice; what it gave is revoked");
        let mut revoked = None;
        for id in grants {
            revoked = app.members.ephemeral.take::<Grant>(id).await?.or(revoked);
        }
        let Some(grant) = revoked else { return Ok(()) };
        let (db, entropy) = (&app.members.db, &app.members.entropy);
        let member = member::find(db, &grant.member_id).await?;
        let event = Event {
            member: Some(&grant.member_id),
            insurer: member.as_ref().map(|member| member.insurer.as_str()),
            client: Some(client_id),
            detail: json!({ "what": what }),
            ..Event::system("token.replayed")
        };
        Ok(audit::record(db, entropy, app.now(), event).await?)
    }
}
