//! What a flow costs the services: counts, which noise cannot move.

use std::{cell::Cell, io};

use serde::Serialize;

use super::{measure, operation::Operation, process::Process, world::World};
use crate::support::{app::redis, backends::Postgres};

const TIMES: u32 = 50;

/// Counts of one operation, an average of some runs.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// The operation.
    pub operation: &'static str,
    /// Commands that Redis carried out, those inside its scripts too.
    pub redis: f64,
    /// How often Redis found something to read: commands that were sent together count once.
    pub round_trips: f64,
    /// Statements that PostgreSQL executed.
    pub sql: f64,
}

/// Counts an operation on a provider that does nothing else.
pub async fn count(operation: Operation, world: &World, provider: &Process) -> io::Result<Counts> {
    let name = world.database.rsplit('/').next().unwrap_or_default().to_owned();
    Postgres::shared().query(&name, "create extension if not exists pg_stat_statements");
    let (commands, reads) = (Cell::new(0), Cell::new(0));
    measure::repeat(operation, world, provider, TIMES as usize, async || {
        commands.set(redis_commands());
        reads.set(redis_reads());
        Postgres::shared().query(&name, "select pg_stat_statements_reset()");
    })
    .await?;
    let round_trips = redis_reads() - reads.get();
    let redis = redis_commands() - commands.get();
    let sql = "select coalesce(sum(calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid
               where d.datname = current_database() and query not like '%pg_stat_statements%'";
    let sql: u32 = Postgres::shared().query(&name, sql).trim().parse().map_err(io::Error::other)?;
    Ok(Counts {
        operation: operation.name(),
        redis: f64::from(redis) / f64::from(TIMES),
        round_trips: f64::from(round_trips) / f64::from(TIMES),
        sql: f64::from(sql) / f64::from(TIMES),
    })
}

/// Commands so far, without those that only keep connections.
fn redis_commands() -> u32 {
    let text = redis().ask(&["INFO", "commandstats"]);
    let calls = |line: &str| -> Option<u32> {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let counted = !matches!(name, "info" | "ping" | "client" | "hello" | "select");
        counted.then(|| rest.split(',').next()?.parse().ok())?
    };
    text.lines().filter_map(calls).sum()
}

fn redis_reads() -> u32 {
    let text = redis().ask(&["INFO", "stats"]);
    let reads = text.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
    reads.and_then(|reads| reads.trim().parse().ok()).unwrap_or(0)
}
