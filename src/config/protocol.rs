//! `[protocol]`: parts of the protocol that are there only for those who need them.

use serde::{Deserialize, Serialize};

/// What relying parties may use beyond the usual.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protocol {
    /// Whether tokens may come from the authorization endpoint (implicit and hybrid flows, OIDC Core §3.2 and
    /// §3.3), for the clients that are registered for such a response type. RFC 9700 §2.1.2 advises against.
    pub front_channel_tokens: bool,
}
