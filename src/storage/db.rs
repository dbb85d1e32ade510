//! The SQL engine, chosen once and hidden in one type.
//!
//! Every statement is written once for both engines. The macros at the end expand it for the native
//! `SQLite` and PostgreSQL drivers, so values keep their native types. Rules that keep it so: `$n`
//! parameters, text identifiers, `bigint` milliseconds, and every consume one conditional statement.

use std::{
    fmt,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::timeout;

use super::{
    kept::{Kept, STANDS_BY},
    watch::Statement,
};
use crate::clock::Timestamp;

/// The schema, compiled into the binary: what both engines are told alike, and what each is told alone.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");
static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("./migrations/postgres");

/// Longest wait for PostgreSQL's answer to a statement. A server that vanished without a word would else be
/// waited for without end, since a connection without traffic says nothing of that.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// The same for a statement that works on a whole roster.
const LONG_ANSWER: Duration = Duration::from_secs(900);
/// Longest wait for a sign of life of a connection whose transaction broke off, and for the last words of all
/// connections when the pool is closed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);
/// The same for a connection that stood by; shorter than the wait for a connection.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// A pool of connections to the one database of this deployment.
#[derive(Clone, Debug)]
pub enum Db {
    /// The embedded default.
    Sqlite(SqlitePool, Kept<Sqlite>),
    /// For several nodes.
    Postgres(PgPool, Kept<Postgres>),
}

/// A transaction; dropped without [`Tx::commit`] it is rolled back.
pub enum Tx {
    /// See [`Db::Sqlite`].
    Sqlite(Transaction<'static, Sqlite>),
    /// See [`Db::Postgres`]; with the longest wait for an answer.
    Postgres(Transaction<'static, Postgres>, Duration),
}

/// Where a statement runs: on the pool, or inside a transaction.
pub enum On<'a> {
    /// Any connection of the pool.
    SqlitePool(&'a SqlitePool, &'a Kept<Sqlite>),
    /// The connection of a transaction.
    SqliteTx(&'a mut SqliteConnection),
    /// Any connection of the pool.
    PostgresPool(&'a PgPool, &'a Kept<Postgres>),
    /// The connection of a transaction, and the longest wait for an answer.
    PostgresTx(&'a mut PgConnection, Duration),
}

impl<'a> From<&'a Db> for On<'a> {
    fn from(db: &'a Db) -> Self {
        match db {
            Db::Sqlite(pool, kept) => On::SqlitePool(pool, kept),
            Db::Postgres(pool, kept) => On::PostgresPool(pool, kept),
        }
    }
}

impl<'a> From<&'a mut Tx> for On<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        match tx {
            Tx::Sqlite(tx) => On::SqliteTx(tx),
            Tx::Postgres(tx, patience) => On::PostgresTx(tx, *patience),
        }
    }
}

impl On<'_> {
    /// What a statement says after a column whose texts are compared octet by octet: PostgreSQL would compare
    /// them as the language of the database has it, `SQLite` does so anyway.
    pub(super) const fn bytewise(&self) -> &'static str {
        self.in_words_of("", " collate \"C\"")
    }

    /// What each engine says in its own words.
    pub(super) const fn in_words_of<'w>(&self, sqlite: &'w str, postgres: &'w str) -> &'w str {
        match self {
            Self::SqlitePool(..) | Self::SqliteTx(_) => sqlite,
            Self::PostgresPool(..) | Self::PostgresTx(..) => postgres,
        }
    }

    /// Name of the engine, as OpenTelemetry has it.
    pub(crate) const fn engine(&self) -> &'static str {
        self.in_words_of("sqlite", "postgresql")
    }

    /// The same place once more, for a function of several statements.
    pub const fn again(&mut self) -> On<'_> {
        match self {
            On::SqlitePool(pool, kept) => On::SqlitePool(pool, kept),
            On::SqliteTx(tx) => On::SqliteTx(tx),
            On::PostgresPool(pool, kept) => On::PostgresPool(pool, kept),
            On::PostgresTx(tx, patience) => On::PostgresTx(tx, *patience),
        }
    }
}

/// Why a statement on durable records failed; told to all who asked together.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// The database cannot be reached or did not answer; the request may be tried again.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// A uniqueness rule of the schema refused the row.
    #[error("a row like this exists already: {0}")]
    Conflict(#[source] Arc<sqlx::Error>),
    /// The statement or the schema is wrong.
    #[error("the database refused a statement: {0}")]
    Statement(#[source] Arc<sqlx::Error>),
    /// A row holds what it never should.
    #[error("impossible value in {table}.{column} of row {row}: {reason}")]
    Impossible {
        /// Table of the row.
        table: &'static str,
        /// Column of the value.
        column: &'static str,
        /// Primary key of the row.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The schema could not be brought up to date.
    #[error("the migrations failed: {0}")]
    Migration(#[source] Arc<MigrateError>),
    /// The database of the configuration cannot be used; told before anything is asked of it.
    #[error("the database {place} cannot be used: {said}")]
    Unusable {
        /// Its file, or its host and port.
        place: String,
        /// The innermost cause.
        said: String,
    },
    /// The URL names no engine that is supported, or is malformed.
    #[error("database.url is not usable: {0}")]
    Url(String),
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let error = Arc::new(error);
        match &*error {
            sqlx::Error::Database(refused) if refused.is_unique_violation() => Self::Conflict(error),
            // SQLite: busy (5) and I/O trouble (10, 13, 14); PostgreSQL: connection, shutdown and
            // resource classes (08, 53, 57), read-only standby (25006), serialisation (40); and what is told
            // before any statement: nobody of that name or password (28), no such database (3D).
            sqlx::Error::Database(refused) => {
                let passing = refused.code().is_some_and(|code| match code.parse::<i64>() {
                    Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 5 | 6 | 10 | 13 | 14),
                    _ => ["08", "28", "3D", "53", "57", "40", "25006"]
                        .iter()
                        .any(|class| code.starts_with(class)),
                });
                if passing { Self::Unavailable(error) } else { Self::Statement(error) }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error),
            _ => Self::Statement(error),
        }
    }
}

impl From<MigrateError> for StorageError {
    fn from(error: MigrateError) -> Self {
        Self::Migration(Arc::new(error))
    }
}

impl StorageError {
    /// Whether a uniqueness rule refused the row, which is often an answer and not a fault.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// The same where the database is opened, in plain words and with its place.
    fn at(&self, place: &dyn fmt::Display) -> Self {
        Self::Unusable { place: place.to_string(), said: self.in_plain_words() }
    }

    /// What the database itself said, for an operator; in our words where it said nothing.
    pub fn in_plain_words(&self) -> String {
        let from_sqlx = match self {
            Self::Unavailable(error) | Self::Statement(error) => Some(&**error),
            _ => None,
        };
        match (self, from_sqlx) {
            (_, Some(sqlx::Error::Database(said))) => said.message().to_owned(),
            (Self::Unavailable(_), Some(sqlx::Error::Io(error))) => format!("cannot be reached: {error}"),
            (Self::Unavailable(_), Some(sqlx::Error::PoolTimedOut)) => "does not answer".to_owned(),
            (Self::Impossible { row, reason, .. }, _) => format!("{row} {reason}"),
            _ => self.to_string(),
        }
    }
}

impl Db {
    /// Opens the database of `url` (`sqlite://PATH`, `sqlite::memory:` or `postgres://…`) with up to
    /// `connections` connections; a missing `SQLite` file is created. A PostgreSQL server that is down
    /// is no error here: statements fail until it is back.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StorageError> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(|error| StorageError::Url(error.to_string()))?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // With WAL, FULL is what makes a commit survive a power cut.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5));
            let memory = url.contains(":memory:");
            let file = options.get_filename().to_owned();
            if !memory {
                make_private(&file)?;
            }
            let connections = if memory { 1 } else { connections };
            let pool = SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(5))
                .after_release(|connection, _| Box::pin(is_out_of_transaction(connection)))
                .test_before_acquire(false)
                .connect_with(options)
                .await
                .map_err(|error| StorageError::from(error).at(&file.display()))?;
            Ok(Self::Sqlite(pool, Kept::of(connections)))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|error| StorageError::Url(error.to_string()))?
                .application_name("kenpos-idp");
            let pool = PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(3))
                .after_release(|connection, _| Box::pin(is_alive(connection)))
                .test_before_acquire(false)
                .before_acquire(|connection, meta| {
                    Box::pin(async move {
                        // A connection that just served needs no question; one that the server closed
                        // meanwhile must not fail a request.
                        Ok(meta.idle_for < STANDS_BY || answers(connection).await)
                    })
                })
                .connect_lazy_with(options);
            Ok(Self::Postgres(pool, Kept::of(connections)))
        } else {
            Err(StorageError::Url("it must start with sqlite: or postgres:".to_owned()))
        }
    }

    /// Brings the schema up to date; running it again changes nothing.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        let (done, place) = match self {
            Self::Sqlite(pool, _) => {
                let options = pool.connect_options();
                (self.migrations().run(pool).await, options.get_filename().display().to_string())
            }
            Self::Postgres(pool, _) => {
                let options = pool.connect_options();
                let place = format!("{}:{}", options.get_host(), options.get_port());
                (self.migrations().run(pool).await, place)
            }
        };
        done.map_err(|error| match error {
            // No migration failed: the database was not to be had.
            MigrateError::Execute(error) => StorageError::from(error).at(&place),
            error => StorageError::from(error),
        })
    }

    /// The whole schema for this engine, in order.
    fn migrations(&self) -> Migrator {
        let own = match self {
            Self::Sqlite(..) => &SQLITE_MIGRATIONS,
            Self::Postgres(..) => &POSTGRES_MIGRATIONS,
        };
        let mut all = Migrator::with_migrations(MIGRATIONS.iter().chain(own.iter()).cloned().collect());
        // While nodes are upgraded one after the other, one of the old version may be started on the new schema.
        all.set_ignore_missing(true);
        all
    }

    /// Number of migrations that the database lacks.
    pub async fn pending_migrations(&self) -> Result<usize, StorageError> {
        let table = match self {
            Self::Sqlite(..) => "select count(*) from sqlite_master where name = '_sqlx_migrations'",
            Self::Postgres(..) => {
                "select count(*) from information_schema.tables where table_name = '_sqlx_migrations'"
            }
        };
        let known: i64 = query_scalar!(self, fetch_one, table)?;
        let applied: i64 = if known == 0 {
            0
        } else {
            query_scalar!(self, fetch_one, "select count(*) from _sqlx_migrations where success")?
        };
        Ok(self.migrations().iter().count().saturating_sub(usize::try_from(applied).unwrap_or(0)))
    }

    /// Begins a transaction. `SQLite` has a single writer; taking its lock at BEGIN avoids the
    /// `SQLITE_BUSY` that a read-then-write transaction would meet later.
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        self.begin_within(ANSWER).await
    }

    /// The same for statements that take long, as those on a whole roster do.
    pub async fn begin_long(&self) -> Result<Tx, StorageError> {
        self.begin_within(LONG_ANSWER).await
    }

    async fn begin_within(&self, patience: Duration) -> Result<Tx, StorageError> {
        let statement = Statement::begin(On::from(self).engine(), "begin", line!());
        statement.end(match self {
            Self::Sqlite(pool, kept) => {
                let _waiting = kept.wait(pool);
                statement.wait(pool.begin_with("BEGIN IMMEDIATE")).await.map(Tx::Sqlite)
            }
            Self::Postgres(pool, kept) => {
                let _waiting = kept.wait(pool);
                let begun = timeout(ANSWER, statement.wait(pool.begin())).await;
                begun.unwrap_or_else(|_| Err(silent())).map(|tx| Tx::Postgres(tx, patience))
            }
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StorageError> {
        let _: i64 = query_scalar!(self, fetch_one, "select cast(1 as bigint)")?;
        Ok(())
    }

    /// Changes a row into what it is and takes that back: an error says why nothing can be written.
    pub async fn try_change(&self) -> Result<(), StorageError> {
        let mut tx = self.begin().await?;
        super::audit_chain::lock_tip(&mut tx).await?;
        Ok(())
    }

    /// What time it is where the database is, if that is a server.
    pub async fn time(&self) -> Result<Option<Timestamp>, StorageError> {
        let statement = match self {
            Self::Sqlite(..) => return Ok(None),
            Self::Postgres(..) => "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)",
        };
        let millis: i64 = query_scalar!(self, fetch_one, statement)?;
        Ok(Some(Timestamp::from_millis(millis)))
    }

    /// Name of the engine, for `doctor` and the log.
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(..) => "SQLite",
            Self::Postgres(..) => "PostgreSQL",
        }
    }

    /// Waits until statements under way are done and closes every connection; one to a server that says
    /// nothing is left to its fate.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool, kept) => {
                kept.close();
                pool.close().await;
            }
            Self::Postgres(pool, kept) => {
                kept.close();
                drop(timeout(SIGN_OF_LIFE, pool.close()).await);
            }
        }
    }
}

/// What is told of a server that does not answer.
pub(crate) fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
}

/// Makes the file of an `SQLite` database and its folder, for the owner alone: it holds personal data. What is there
/// already stays as it is; `SQLite` gives the files beside it (`-wal`, `-shm`) the mode of this one.
fn make_private(file: &Path) -> Result<(), StorageError> {
    let failed = |at: &Path, error: io::Error| StorageError::Unusable {
        place: at.display().to_string(),
        said: error.to_string(),
    };
    if let Some(folder) = file.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| failed(folder, error))?;
    }
    match File::options().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(file, error)),
        _ => Ok(()),
    }
}

/// Whether a connection to `SQLite` that comes back may be lent again. When the disk is full, `SQLite` has rolled the
/// transaction back before it says so; the driver then cannot, takes it for one that goes on, and would refuse
/// to begin another for as long as the connection lives.
async fn is_out_of_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // The rollback of one that broke off is still under way; this is answered after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Whether the other end of a connection that stood by says anything. If it does not, there is time left to take
/// another one.
pub(super) async fn answers<C: Connection>(connection: &mut C) -> bool {
    matches!(timeout(FIRST_WORD, connection.ping()).await, Ok(Ok(())))
}

/// Whether a connection that comes back may be lent again. One with something left to say comes from a
/// transaction that broke off: the rollback must find the server there, or it waits for ever.
async fn is_alive(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    if connection.should_flush() {
        timeout(SIGN_OF_LIFE, connection.ping()).await.unwrap_or_else(|_| Err(silent()))?;
    }
    Ok(true)
}

impl Tx {
    /// Makes everything since [`Db::begin`] hold, or nothing.
    pub async fn commit(self) -> Result<(), StorageError> {
        let engine = match &self {
            Self::Sqlite(..) => "sqlite",
            Self::Postgres(..) => "postgresql",
        };
        let commit = Statement::begin(engine, "commit", line!());
        commit.end(match self {
            Self::Sqlite(tx) => commit.run(tx.commit()).await,
            Self::Postgres(tx, patience) => commit.run_within(patience, tx.commit()).await,
        })
    }
}

macro_rules! each {
    ($on:expr, $e:ident => $run:expr) => {{
        let on = ::std::convert::Into::<$crate::storage::db::On<'_>>::into($on);
        let mut statement = $crate::storage::watch::Statement::begin(on.engine(), module_path!(), line!());
        let done = match on {
            $crate::storage::db::On::SqlitePool(pool, kept) => match statement.wait(kept.lend(pool)).await {
                Ok(mut lent) => {
                    // What breaks off in this process is simply waited for.
                    lent.ended(false);
                    statement.begin_now();
                    let done = match lent.connection() {
                        Ok($e) => statement.run($run).await,
                        Err(error) => Err(error),
                    };
                    lent.ended(done.is_ok());
                    done
                }
                Err(error) => Err(error),
            },
            $crate::storage::db::On::SqliteTx($e) => statement.run($run).await,
            $crate::storage::db::On::PostgresPool(pool, kept) => {
                match statement.wait(kept.lend(pool)).await {
                    Ok(mut lent) => {
                        statement.begin_now();
                        let run = async {
                            match lent.connection() {
                                Ok($e) => statement.run($run).await,
                                Err(error) => Err(error),
                            }
                        };
                        match ::tokio::time::timeout($crate::storage::db::ANSWER, run).await {
                            Ok(done) => {
                                lent.ended(done.is_ok());
                                done
                            }
                            Err(_) => Err($crate::storage::db::silent()),
                        }
                    }
                    Err(error) => Err(error),
                }
            }
            $crate::storage::db::On::PostgresTx($e, patience) => statement.run_within(patience, $run).await,
        };
        statement.end(done)
    }};
}

/// Runs a statement and gives the number of rows that it changed: `execute!(on, SQL, binds…)`.
macro_rules! execute {
    ($on:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::storage::db::each!($on, e => ::futures_util::TryFutureExt::map_ok(
            sqlx::query($sql)$(.bind($bind))*.execute(e), |done| done.rows_affected()))
    };
}

/// Reads rows into a `FromRow` type: `query!(on, fetch_optional, SQL, binds…)`.
macro_rules! query {
    ($on:expr, $fetch:ident, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::storage::db::each!($on, e => sqlx::query_as($sql)$(.bind($bind))*.$fetch(e))
    };
}

/// Reads one column: `query_scalar!(on, fetch_one, SQL, binds…)`.
macro_rules! query_scalar {
    ($on:expr, $fetch:ident, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::storage::db::each!($on, e => sqlx::query_scalar($sql)$(.bind($bind))*.$fetch(e))
    };
}
pub(crate) use {each, execute, query, query_scalar};

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[tokio::test]
    async fn a_transaction_that_is_not_committed_leaves_nothing() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        db.migrate().await.unwrap();
        let insert = "insert into ephemeral_count (key, count, expires_at) values ($1, $2, $3)";
        let mut tx = db.begin().await.unwrap();
        execute!(&mut tx, insert, "a", 1_i64, 1_i64).unwrap();
        drop(tx);
        execute!(&db, insert, "b", 1_i64, 1_i64).unwrap();
        let refused = execute!(&db, insert, "b", 1_i64, 1_i64).unwrap_err();
        assert!(refused.is_conflict());
        let keys: Vec<String> = query_scalar!(&db, fetch_all, "select key from ephemeral_count").unwrap();
        assert_eq!(keys, ["b"]);
    }

    /// As a node of the old version does that is started again while the others are upgraded.
    #[tokio::test]
    async fn a_schema_that_is_newer_than_the_binary_is_left_alone() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                     values ($1, 'of the next version', true, $2, 1)";
        execute!(&db, newer, 9_999_i64, vec![0_u8; 48]).unwrap();
        db.migrate().await.unwrap();
        assert_eq!(db.pending_migrations().await.unwrap(), 0);
    }

    /// SQLite rolls back by itself then, which the pool must not take for a transaction that goes on.
    #[tokio::test]
    async fn a_full_disk_ends_a_transaction_and_the_next_begins() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("full.sqlite");
        let db = Db::open(&format!("sqlite://{}", file.display()), 1).await.unwrap();
        db.migrate().await.unwrap();
        let insert = "insert into ephemeral_record (key, value, expires_at) values ($1, $2, 1)";
        let full = "pragma max_page_count = 1";
        execute!(&db, full).unwrap();
        let mut tx = db.begin().await.unwrap();
        let refused = execute!(&mut tx, insert, "a", "x".repeat(1 << 20)).unwrap_err();
        assert!(matches!(refused, StorageError::Unavailable(_)), "{refused}");
        drop(tx);
        let room = "pragma max_page_count = 1000000";
        execute!(&db, room).unwrap();
        for key in ["b", "c"] {
            let mut tx = db.begin().await.unwrap();
            execute!(&mut tx, insert, key, "x").unwrap();
            tx.commit().await.unwrap();
        }
        let keys: Vec<String> = query_scalar!(&db, fetch_all, "select key from ephemeral_record").unwrap();
        assert_eq!(keys, ["b", "c"]);
    }

    /// Whatever the umask, and in a folder that others may enter.
    #[tokio::test]
    async fn the_files_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("new.sqlite");
        let url = format!("sqlite://{}", file.display());
        let db = Db::open(&url, 1).await.unwrap();
        db.migrate().await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", entry.path().display());
        }
        db.close().await;
        std::fs::write(&file, "no database, but many octets that are none either".repeat(20)).unwrap();
        let refused = Db::open(&url, 1).await.unwrap_err().to_string();
        assert!(refused.contains("new.sqlite cannot be used: file is not a database"), "{refused}");
    }

    #[tokio::test]
    async fn an_unknown_engine_is_refused() {
        assert!(matches!(Db::open("mysql://localhost/x", 1).await, Err(StorageError::Url(_))));
    }
}
