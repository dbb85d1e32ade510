//! What a handler may use.

use std::{ops::Deref, sync::Arc};

use crate::{
    clients::Client,
    clock::Timestamp,
    config::Config,
    fault::Fault,
    members::Members,
    oidc::signing::Signing,
    texts::Texts,
    web::templates::Templates,
};

/// The running provider; clones share it.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The rules of members, and with them storage, ephemeral records and the clock.
    pub members: Members,
    /// Signing keys.
    pub signing: Signing,
    /// Pages.
    pub templates: Templates,
    /// Texts of both languages.
    pub texts: Arc<Texts>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// The provider of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.members.config
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.members.clock.now()
    }

    /// The enabled client of a `client_id`.
    pub async fn client(&self, id: &str) -> Result<Option<Client>, Fault> {
        Ok(Client::find(&self.members.db, id).await?)
    }
}
