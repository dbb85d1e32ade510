//! What is measured of each statement: how long it waited for a connection, how long it took, whether it failed;
//! and its span, if it is traced.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::time::timeout;
use tracing::{Instrument as _, Span, instrument::Instrumented};

use super::{Db, StorageError, db::silent};
use crate::telemetry::traces::TARGET;

/// How busy a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Connections that run a statement or belong to a transaction.
    pub in_use: usize,
    /// Connections that stand by.
    pub idle: usize,
    /// Statements that wait for a connection.
    pub waiting: usize,
}

impl Db {
    /// How busy the pool is, for the metrics.
    pub fn load(&self) -> Load {
        let (open, idle, waiting) = match self {
            Self::Sqlite(pool, kept) => (pool.size(), pool.num_idle() + kept.len(), kept.waiting()),
            Self::Postgres(pool, kept) => (pool.size(), pool.num_idle() + kept.len(), kept.waiting()),
        };
        let open = usize::try_from(open).unwrap_or(usize::MAX);
        Load { in_use: open.saturating_sub(idle), idle, waiting }
    }
}

/// A statement that runs.
pub(crate) struct Statement {
    span: Span,
    started: Instant,
}

impl Statement {
    /// A statement in `module`, at `line`: the place says which, and holds no value.
    pub(crate) fn begin(engine: &'static str, module: &'static str, line: u32) -> Self {
        let span = tracing::trace_span!(
            target: TARGET,
            "SQL",
            otel.kind = "client",
            otel.name = format_args!("SQL {}", module.rsplit("::").next().unwrap_or_default()),
            otel.status_code = tracing::field::Empty,
            db.system.name = engine,
            code.function.name = module,
            code.line.number = line,
        );
        Self { span, started: Instant::now() }
    }

    /// There is a connection; the statement itself begins.
    pub(crate) fn begin_now(&mut self) {
        metrics::histogram!("kenpos_sql_wait_seconds").record(self.started.elapsed().as_secs_f64());
        self.started = Instant::now();
    }

    /// A wait for a connection, and at the beginning of a transaction for the one writer that `SQLite` has.
    pub(crate) async fn wait<F: Future>(&self, begin: F) -> F::Output {
        begin.instrument(self.span.clone()).await
    }

    /// The statement within its span.
    pub(crate) fn run<F: Future>(&self, statement: F) -> Instrumented<F> {
        statement.instrument(self.span.clone())
    }

    /// The same, which fails unless the answer comes in time.
    pub(crate) async fn run_within<T>(
        &self,
        patience: Duration,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        timeout(patience, self.run(statement)).await.unwrap_or_else(|_| Err(silent()))
    }

    /// Notes how it ended.
    pub(crate) fn end<T>(&self, done: Result<T, sqlx::Error>) -> Result<T, StorageError> {
        metrics::histogram!("kenpos_sql_duration_seconds").record(self.started.elapsed().as_secs_f64());
        done.map_err(|error| {
            let error = StorageError::from(error);
            if !error.is_conflict() {
                metrics::counter!("kenpos_sql_errors_total").increment(1);
                self.span.record("otel.status_code", "ERROR");
            }
            error
        })
    }
}
