//! Connections that stand by for the next statement.
//!
//! sqlx asks each connection that is given back whether it still stands, and waits for the answer: a round trip
//! after every statement. So some connections are kept between statements instead of given back. They are the
//! pool's all the same: it gets back what was lent long ago, what was refused, and what is wanted for a transaction.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Database, Pool, pool::PoolConnection};

use super::db::answers;

/// A connection that stood by for so long is asked whether it still stands before it is used.
pub(super) const STANDS_BY: Duration = Duration::from_secs(1);
/// A connection that was lent from the pool so long ago is given back, so that the pool can replace an old one.
const LENT: Duration = Duration::from_secs(60);

/// The connections of one pool that stand by; clones share them.
pub struct Kept<DB: Database>(Arc<Mutex<State<DB>>>);

struct State<DB: Database> {
    standing_by: Vec<Standby<DB>>,
    /// Who waits for a connection of the pool; until they have one, none is kept.
    waiting: usize,
    /// Half of the pool at most: transactions find the rest there.
    most: usize,
}

struct Standby<DB: Database> {
    connection: PoolConnection<DB>,
    taken_at: Instant,
    idle_since: Instant,
}

impl<DB: Database> Kept<DB> {
    /// For a pool of so many connections.
    pub(super) fn of(connections: u32) -> Self {
        let most = usize::try_from(connections / 2).unwrap_or(usize::MAX);
        Self(Arc::new(Mutex::new(State { standing_by: Vec::new(), waiting: 0, most })))
    }

    /// Lends a connection for one statement.
    pub(crate) async fn lend(&self, pool: &Pool<DB>) -> Result<Lent<DB>, sqlx::Error> {
        let standby = self.state().standing_by.pop();
        if let Some(standby) = standby {
            let for_long = standby.for_long();
            let mut lent = self.lent(standby.connection, standby.taken_at);
            if !for_long || lent.answers().await {
                return Ok(lent);
            }
        }
        let _waiting = self.wait(pool);
        // Boxed, so that no statement carries the making of a connection around.
        let connection = Box::pin(pool.acquire()).await?;
        Ok(self.lent(connection, Instant::now()))
    }

    /// Gives one back, if the pool has none that is idle, and keeps no more until this is dropped; before a
    /// connection of the pool is waited for.
    pub(super) fn wait(&self, pool: &Pool<DB>) -> Waiting<DB> {
        let mut state = self.state();
        state.waiting += 1;
        let released = if pool.num_idle() == 0 { state.standing_by.pop() } else { None };
        drop(state);
        released.into_iter().for_each(Standby::release);
        Waiting(self.clone())
    }

    /// Gives all back and keeps none any more; before the pool is closed.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.most = 0;
        let released = std::mem::take(&mut state.standing_by);
        drop(state);
        released.into_iter().for_each(Standby::release);
    }

    /// How many stand by.
    pub(super) fn len(&self) -> usize {
        self.state().standing_by.len()
    }

    /// How many wait for a connection of the pool.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting
    }

    fn lent(&self, connection: PoolConnection<DB>, taken_at: Instant) -> Lent<DB> {
        Lent { connection: Some(connection), kept: self.clone(), taken_at, ended: Ended::BrokenOff }
    }

    fn keep(&self, connection: PoolConnection<DB>, taken_at: Instant) {
        let mut state = self.state();
        let wanted = state.waiting > 0 || state.standing_by.len() >= state.most;
        if !wanted && taken_at.elapsed() < LENT {
            state.standing_by.push(Standby { connection, taken_at, idle_since: Instant::now() });
        }
    }

    fn state(&self) -> MutexGuard<'_, State<DB>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for a connection of the pool.
pub(super) struct Waiting<DB: Database>(Kept<DB>);

impl<DB: Database> Drop for Waiting<DB> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

impl<DB: Database> Standby<DB> {
    /// Whether its server may have gone meanwhile.
    fn for_long(&self) -> bool {
        self.idle_since.elapsed() >= STANDS_BY
    }

    /// Gives it back. The pool asks whether it stands, and would wait without end for one that fell silent.
    fn release(mut self) {
        if self.for_long() {
            self.connection.close_on_drop();
        }
    }
}

impl<DB: Database> Clone for Kept<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> std::fmt::Debug for Kept<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("standing_by", &self.len()).finish()
    }
}

impl<DB: Database> Drop for State<DB> {
    /// Nobody uses the pool any more, and a runtime to say goodbye in may be gone.
    fn drop(&mut self) {
        for standby in self.standing_by.drain(..) {
            drop(standby.connection.detach());
        }
    }
}

/// A connection that is lent for one statement. When that breaks off, because the answer does not come or nobody
/// waits for it any more, the connection is closed, unless [`Lent::ended`] said otherwise before: who knows what
/// it would say next.
pub(crate) struct Lent<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    kept: Kept<DB>,
    taken_at: Instant,
    ended: Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    BrokenOff,
    Refused,
    Well,
}

impl<DB: Database> Lent<DB> {
    /// The connection, as long as this is not dropped.
    pub(crate) fn connection(&mut self) -> Result<&mut DB::Connection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Whether its server says anything, within reasonable time.
    async fn answers(&mut self) -> bool {
        match self.connection() {
            Ok(connection) => answers(connection).await,
            Err(_) => false,
        }
    }

    /// Notes that the statement came to its end, and how.
    pub(crate) const fn ended(&mut self, well: bool) {
        self.ended = if well { Ended::Well } else { Ended::Refused };
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        match self.ended {
            Ended::Well => self.kept.keep(connection, self.taken_at),
            // The pool asks it whether it still stands.
            Ended::Refused => drop(connection),
            Ended::BrokenOff => connection.close_on_drop(),
        }
    }
}
