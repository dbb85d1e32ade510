//! What a handler may use.

use std::{
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    clients::{self, Client, ClientCache, ClientKeys},
    clock::{Clock, Entropy, Timestamp},
    config::Config,
    crypto::{MasterKey, MasterKeyError, PasswordError, Passwords},
    egress::{Egress, EgressSetupError, deliveries::Deliveries},
    ephemeral::{Ephemeral, EphemeralError},
    fault::Fault,
    mail::outbox::{Outbox, OutboxError},
    members::{
        Desk, Members,
        documents::{Documents, DocumentsError},
    },
    oidc::{
        cors::Origins,
        published::Published,
        signing::{Signing, SigningError},
    },
    operators::Operators,
    storage::{Db, StorageError, signing_key, standing::Standings},
    texts::{Texts, TextsError},
    web::{
        logos::{LogoError, Logos},
        templates::{TemplateError, Templates},
        trace::References,
    },
};

/// The running provider; clones share it.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The rules of members, and with them storage, ephemeral records and the clock.
    pub members: Members,
    /// The rules of operators.
    pub operators: Operators,
    /// Signing keys.
    pub signing: Signing,
    /// The way out to the servers of relying parties.
    pub egress: Egress,
    /// The metadata of the provider, which only the configuration decides.
    pub discovery: OnceLock<Published>,
    /// Clients that were asked for lately.
    pub clients: ClientCache,
    /// Public keys of clients.
    pub client_keys: ClientKeys,
    /// The origins whose pages may read answers to programs.
    pub cors: Origins,
    /// Pictures of clients.
    pub client_logos: clients::Logos,
    /// Pages.
    pub templates: Templates,
    /// Logos of insurers.
    pub logos: Logos,
    /// Texts of both languages.
    pub texts: Arc<Texts>,
    /// Reference numbers of requests.
    pub references: References,
    /// Whether this node is about to stop.
    leaving: AtomicBool,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Why the provider cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The ephemeral store.
    #[error(transparent)]
    Ephemeral(#[from] EphemeralError),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The signing keys.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The settings of password hashing.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The way out to the servers of relying parties.
    #[error(transparent)]
    Egress(#[from] EgressSetupError),
    /// The mail relay.
    #[error(transparent)]
    Mail(#[from] OutboxError),
    /// The documents that members accept.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// The logos of insurers.
    #[error(transparent)]
    Logos(#[from] LogoError),
    /// The texts.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// The templates.
    #[error(transparent)]
    Templates(#[from] TemplateError),
}

/// The database of a configuration, with its schema up to date if the configuration says so.
pub async fn open_database(config: &Config) -> Result<Db, StorageError> {
    let db = Db::open(&config.database.url, config.database.connections).await?;
    if config.database.migrate_at_start {
        db.migrate().await?;
    }
    Ok(db)
}

/// The master key of a configuration. It is made on the first start alone: beside a database with signing keys a
/// fresh one would be of no use, and what is sealed under it could not be opened by any other node.
pub async fn open_master_key(config: &Config, db: &Db, entropy: &Entropy) -> Result<MasterKey, StartError> {
    let directory = &config.keys.directory;
    // In this order: whoever made the signing keys had written its master key before.
    let first = signing_key::list(db).await?.is_empty();
    match MasterKey::load(directory)? {
        Some(master) => Ok(master),
        None if first => Ok(MasterKey::load_or_create(directory, entropy)?),
        None => {
            let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
            Err(MasterKeyError::Elsewhere { directory }.into())
        }
    }
}

/// The ephemeral store of a configuration: Redis, or the database where no URL is given.
pub async fn open_ephemeral(config: &Config, db: &Db, clock: &Clock) -> Result<Ephemeral, EphemeralError> {
    match config.ephemeral.url {
        Some(_) => Ephemeral::redis(&config.ephemeral, clock.clone()).await,
        None => Ok(Ephemeral::sql(db.clone(), clock.clone())),
    }
}

impl App {
    /// Opens everything that a validated configuration names.
    pub async fn open(config: Config, clock: Clock, entropy: Entropy) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let texts = Arc::new(Texts::load()?);
        let templates = Templates::load(Arc::clone(&texts))?;
        let db = open_database(&config).await?;
        let ephemeral = open_ephemeral(&config, &db, &clock).await?;
        let master = open_master_key(&config, &db, &entropy).await?;
        let signing =
            Signing::load(db.clone(), master.clone(), clock.clone(), entropy.clone(), &config.keys).await?;
        let passwords = Passwords::new(&config.passwords, entropy.clone())?;
        let outbox = Outbox::new(
            db.clone(),
            master.clone(),
            clock.clone(),
            entropy.clone(),
            Arc::clone(&texts),
            &config.mail,
        )?;
        let egress = Egress::new(&config.egress)?;
        let client_keys = ClientKeys::new(egress.clone(), clock.clone());
        let client_logos = clients::Logos::new(egress.clone(), clock.clone());
        let logos = Logos::read(&config.insurers)?;
        let documents = Documents::read(&config.insurers)?;
        documents.publish(&db, clock.now()).await?;
        let deliveries =
            Deliveries::new(db.clone(), master.clone(), clock.clone(), entropy.clone(), &config.deliveries);
        let references = References::new(&entropy);
        let standings = Standings::of(db.clone());
        let desk = Desk {
            config,
            clock,
            entropy,
            db,
            standings,
            ephemeral,
            master,
            passwords,
            outbox,
            deliveries,
            documents,
        };
        let members = Members::new(desk);
        let operators = Operators::new(members.clone());
        Ok(Self(Arc::new(Parts {
            members,
            operators,
            signing,
            egress,
            discovery: OnceLock::new(),
            clients: ClientCache::default(),
            client_keys,
            client_logos,
            cors: Origins::default(),
            templates,
            logos,
            texts,
            references,
            leaving: AtomicBool::new(false),
        })))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.members.config
    }

    /// From now on `/readyz` says that this node is not to be given requests any more; it still answers them.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether [`App::leave`] was called.
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.members.clock.now()
    }

    /// The enabled client of a `client_id`; a change made by another node is seen within a second.
    pub async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Fault> {
        Ok(self.clients.find(&self.members.db, id).await?)
    }
}
