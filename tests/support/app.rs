//! The real provider for a story: on a port of its own, with mail, a roster and a relying party.

use std::{
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use kenpos_idp::{
    app::App,
    cli::serve::{Running, open_tls},
    clients::{Client, Metadata},
    clock::{Clock, Entropy, Timestamp},
    config::{Config, Database, Ephemeral, Insurer, Keys, Limits, Passwords, Server, insurer::Contact},
    crypto::Algorithm,
    members::roster::{ImportError, Outcome, Report, RosterImport},
    storage::Db,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{
    backends::{Postgres, Redis},
    http_browser::HttpBrowser,
    log,
    mailbox::Mailbox,
    members::{HANAKO, ICHIRO, LOST, NOBODY, ROSTER, TOO_YOUNG},
    relying_party::{Registered, RelyingParty},
};

/// When every story begins: 2026-11-23T01:15:00Z, a Monday, quarter past ten in Japan.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_795_396_500_000);
/// The smallest step of the clock.
pub const MILLISECOND: Duration = Duration::from_millis(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);
/// Name of the insurer.
pub const INSURER: &str = "みほん健康保険組合";
/// Name of the relying party.
pub const CLIENT: &str = "からだ手帳";

/// Where a provider keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One SQLite file.
    Embedded,
    /// A database of the tests' PostgreSQL server and keys of their own in the tests' Redis.
    PostgresRedis,
}

/// A millisecond less.
pub const fn almost(time: Duration) -> Duration {
    time.saturating_sub(MILLISECOND)
}

/// Makes of each story `async fn(Backend)` two tests, `embedded::story` and `postgres_redis::story`.
macro_rules! on_both_backends {
    ($($story:ident)*) => {
        mod embedded {
            $(#[tokio::test] async fn $story() { super::$story($crate::support::app::Backend::Embedded).await; })*
        }
        mod postgres_redis {
            $(#[tokio::test] async fn $story() { super::$story($crate::support::app::Backend::PostgresRedis).await; })*
        }
    };
}
pub(crate) use on_both_backends;

/// A provider that runs. A story ends with [`finish`](Self::finish).
pub struct TestApp {
    /// The clock of everything; it stands still unless told.
    pub clock: Clock,
    /// Takes all mails of the provider.
    pub mailbox: Mailbox,
    /// The registered relying party of most stories.
    pub client: Registered,
    config: Config,
    running: Option<Running>,
    address: SocketAddr,
    finished: bool,
    directory: TempDir,
}

impl TestApp {
    /// Starts a provider with limits that no story reaches by accident.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    /// Starts a provider whose configuration was changed.
    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(Clock::manual(BEGINNING), backend, change).await
    }

    /// The same by another clock, as that of the machine, by which programs go that are not of the tests.
    pub async fn start_at(clock: Clock, backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        log::watch();
        for someone in [HANAKO, ICHIRO, TOO_YOUNG, LOST, NOBODY] {
            let number = someone.login_id.trim_start_matches("7132-");
            for secret in [number, someone.born, someone.kana, someone.email, someone.password] {
                log::keep_secret(secret);
            }
        }
        let mut mailbox = Mailbox::start(clock.clone()).await;
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = Config {
            demo: true,
            mail: mailbox.settings(),
            ..configuration(backend, &directory, &format!("http://{address}"))
        };
        change(&mut config);
        config.validate().unwrap();
        let app = Box::pin(App::open(config.clone(), clock.clone(), Entropy::system())).await.unwrap();
        mailbox.belongs_to(app.members.db.clone());
        Box::pin(import(&app, ROSTER, false)).await;
        let client = register(&app, metadata("https://app.example.jp")).await;
        let tls = open_tls(&app).await.unwrap();
        let running = Some(Running::start_with(app, listener, tls).unwrap());
        Self { clock, mailbox, client, config, running, address, finished: false, directory }
    }

    /// What the provider works with.
    pub fn app(&self) -> &App {
        &self.running.as_ref().expect("the provider runs").app
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.app().members.db
    }

    /// A folder that goes with the story.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Where the provider listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// An absolute URL of the provider.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.server.issuer)
    }

    /// Stops the provider, in order.
    pub async fn stop(&mut self) {
        self.running.take().expect("the provider runs").stop().await;
    }

    /// Starts the provider on the same port, with the same records.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let opening = App::open(self.config.clone(), self.clock.clone(), Entropy::system());
        let app = Box::pin(opening).await.unwrap();
        self.mailbox.belongs_to(app.members.db.clone());
        let tls = open_tls(&app).await.unwrap();
        self.running = Some(Running::start_with(app, listener, tls).unwrap());
    }

    /// Stops the provider, changes its configuration and starts it again.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        self.stop().await;
        change(&mut self.config);
        self.config.validate().unwrap();
        self.start_again().await;
    }

    /// Stops the provider and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Adds persons to the roster; see [`ROSTER`] for the columns.
    pub async fn import_roster(&self, csv: &str) {
        import(self.app(), csv, false).await;
    }

    /// Makes this the full roster: who is not in it loses eligibility.
    pub async fn import_full_roster(&self, csv: &str) {
        import(self.app(), csv, true).await;
    }

    /// Imports a roster of one of several insurers, `complete` or not.
    pub async fn import_roster_of(&self, insurer: &str, csv: &str, complete: bool) -> Report {
        import_roster_of(self.app(), insurer, csv, complete).await
    }

    /// Imports a roster that is not the full one, which may fail.
    pub async fn try_to_import(&self, csv: &str) -> Result<Report, ImportError> {
        try_to_import(self.app(), "7132", csv, false).await
    }

    /// Registers one more client.
    pub async fn register(&self, metadata: Metadata) -> Registered {
        register(self.app(), metadata).await
    }

    /// A browser without JavaScript and without cookies.
    #[expect(clippy::unused_self, reason = "a story asks its app for everything")]
    pub fn http_browser(&self) -> HttpBrowser {
        HttpBrowser::new()
    }

    /// The relying party of most stories.
    pub async fn relying_party(&self) -> RelyingParty {
        self.relying_party_of(&self.client).await
    }

    /// A relying party of another registered client.
    pub async fn relying_party_of(&self, client: &Registered) -> RelyingParty {
        RelyingParty::discover(&self.config.server.issuer, client.clone(), self.clock.clone()).await
    }

    /// Stops the provider and leaves its records to another process, for as long as the folder is kept.
    pub async fn leave_records(mut self) -> (Config, TempDir) {
        self.stop().await;
        self.finished = true;
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        (self.config.clone(), directory)
    }

    /// The mails that were not given up and not sent yet.
    pub async fn queued_mails(&self) -> i64 {
        self.app().members.outbox.counts().await.unwrap().queued
    }

    /// Ends a story: every mail was sent and read, nothing panicked, no secret was logged.
    pub async fn finish(mut self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while self.queued_mails().await > 0 {
            assert!(tokio::time::Instant::now() < deadline, "mails are left in the outbox");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.stop().await;
        let unread = self.mailbox.unread();
        let subjects: Vec<_> = unread.iter().map(|mail| (&mail.to, &mail.subject)).collect();
        self.finished = true;
        assert!(subjects.is_empty(), "mails that nobody read: {subjects:?}");
        log::assert_clean();
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "a story ends with finish()");
    }
}

/// The Redis server that all stories of this process share, each with keys of its own.
pub fn redis() -> &'static Redis {
    static REDIS: OnceLock<Redis> = OnceLock::new();
    REDIS.get_or_init(Redis::start)
}

fn configuration(backend: Backend, directory: &TempDir, issuer: &str) -> Config {
    static STORIES: AtomicU32 = AtomicU32::new(0);
    let (database, ephemeral) = match backend {
        Backend::Embedded => {
            let file = directory.path().join("kenpos.sqlite");
            (format!("sqlite://{}", file.display()), Ephemeral::default())
        }
        Backend::PostgresRedis => {
            let story = format!("story{}", STORIES.fetch_add(1, Ordering::SeqCst));
            let url = redis().url();
            let prefix = format!("{story}:");
            let ephemeral = Ephemeral { url: Some(url.into()), prefix, ..Ephemeral::default() };
            (Postgres::shared().create_database(&story), ephemeral)
        }
    };
    Config {
        server: Server { issuer: issuer.to_owned(), drain_seconds: 5, ..Server::default() },
        database: Database { url: database, connections: 5, ..Database::default() },
        ephemeral,
        keys: Keys {
            directory: directory.path().join("keys"),
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
            ..Keys::default()
        },
        // As cheap as RFC 9106 allows.
        passwords: Passwords { memory_kib: 8, iterations: 1, concurrent: 2, ..Passwords::default() },
        limits: Limits {
            per_address: 10_000,
            per_network: 10_000,
            per_insurer: 10_000,
            overall: 10_000,
            visits_per_address: 10_000,
            ..Limits::default()
        },
        insurers: vec![insurer()],
        ..Config::default()
    }
}

/// The insurer of the stories.
pub fn insurer() -> Insurer {
    Insurer {
        code: "7132".to_owned(),
        number: "06139497".to_owned(),
        name: INSURER.to_owned(),
        name_en: Some("Mihon Health Insurance Society".to_owned()),
        contact: Contact {
            name: "みほん健康保険組合 KENPOS事務局".to_owned(),
            phone: Some("03-1234-5678".to_owned()),
            ..Contact::default()
        },
        ..Insurer::default()
    }
}

/// Metadata of a confidential client at `origin` that may ask for everything.
pub fn metadata(origin: &str) -> Metadata {
    Metadata {
        client_name: CLIENT.to_owned(),
        redirect_uris: vec![format!("{origin}/callback")],
        post_logout_redirect_uris: vec![format!("{origin}/goodbye")],
        client_uri: Some(format!("{origin}/")),
        initiate_login_uri: Some(format!("{origin}/login")),
        scope: "openid profile birthdate gender email phone address membership insured_number offline_access"
            .to_owned(),
        health_insurance_business: true,
        ..Metadata::default()
    }
}

async fn register(app: &App, metadata: Metadata) -> Registered {
    let (db, master, entropy) = (&app.members.db, &app.members.master, &app.members.entropy);
    let (client, secret) = Client::create(db, master, entropy, app.now(), None, metadata).await.unwrap();
    Registered { id: client.id, secret, metadata: client.metadata }
}

async fn import(app: &App, csv: &str, complete: bool) {
    let report = import_roster_of(app, "7132", csv, complete).await;
    assert_eq!((report.outcome, report.refused), (Outcome::Applied, 0), "{:?}", report.refusals);
}

async fn import_roster_of(app: &App, insurer: &str, csv: &str, complete: bool) -> Report {
    try_to_import(app, insurer, csv, complete).await.unwrap()
}

async fn try_to_import(app: &App, insurer: &str, csv: &str, complete: bool) -> Result<Report, ImportError> {
    let members = &app.members;
    let import = RosterImport {
        db: &members.db,
        clock: &members.clock,
        entropy: &members.entropy,
        insurer: members.insurer(insurer).unwrap(),
        file_name: "roster.csv",
        actor: "test",
        complete,
        preview: false,
    };
    import.run(csv.as_bytes(), |_, _| ()).await
}
