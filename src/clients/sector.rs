//! The sector document (OIDC Registration §5): the redirect URIs whose subjects are the same.

use super::{Metadata, MetadataError};
use crate::egress::{Egress, EgressError, Policy};

const POLICY: Policy = Policy { max_bytes: 64 * 1024, content_types: &["application/json"] };
const FIELD: &str = "sector_identifier_uri";

/// Fetches the sector document of a client, if it names one, and checks that it lists all redirect URIs:
/// otherwise anyone could take part in another's sector.
pub async fn check(egress: &Egress, metadata: &Metadata) -> Result<(), MetadataError> {
    let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
    let refuse = |reason: String| Err(MetadataError::new(FIELD, reason));
    let document = match egress.fetch(uri, &POLICY).await {
        Ok(document) => document,
        Err(error @ EgressError::Refused(_)) => return refuse(format!("{error}")),
        Err(error) => return refuse(format!("cannot be read: {error}")),
    };
    let Ok(listed) = serde_json::from_slice::<Vec<String>>(&document.body) else {
        return refuse("must be a JSON array of redirect URIs".to_owned());
    };
    match metadata.redirect_uris.iter().find(|uri| !listed.contains(uri)) {
        Some(missing) => refuse(format!("does not list {missing:?}")),
        None => Ok(()),
    }
}
