//! Front-Channel Logout 1.0: the page after a logout holds a frame for each relying party that asked for one.

use url::Url;

use super::with_query;
use crate::{
    app::App, fault::Fault, members::session::Session, oidc::backchannel_logout::sid_for,
    pages::parts::ExternalUrl,
};

/// What the frames show: the registered URI of each relying party of the session, with `iss` and `sid` (§3).
pub async fn frames(app: &App, session: &Session) -> Result<Vec<ExternalUrl>, Fault> {
    let issuer = app.config().server.issuer.as_str();
    let mut frames = Vec::new();
    for party in &session.parties {
        let Some(client) = app.client(&party.client_id).await? else { continue };
        let Some(uri) = &client.metadata.frontchannel_logout_uri else { continue };
        let sid = sid_for(app, &client.id, &session.sid);
        frames.extend(ExternalUrl::new(&with_query(uri, &[("iss", issuer), ("sid", &sid)])));
    }
    Ok(frames)
}

/// Their origins, each once, for the `frame-src` of the page.
pub fn origins(frames: &[ExternalUrl]) -> Vec<String> {
    let origin = |frame: &ExternalUrl| Some(Url::parse(frame.as_str()).ok()?.origin().ascii_serialization());
    let mut origins: Vec<String> = frames.iter().filter_map(origin).collect();
    origins.sort();
    origins.dedup();
    origins
}
