//! Slices of the provider and of the floor in turn, so that what disturbs the machine disturbs both.

use std::{
    io,
    sync::OnceLock,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use serde::Serialize;

use super::{
    http::Connection,
    operation::{Operation, Worker},
    process::{Process, cpu_of, steal},
    statistics::{Median, median, quantile},
    world::{HOST, World},
};
use crate::support::app::redis;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Pairs of slices.
    pub rounds: usize,
    /// Length of a slice.
    pub slice: Duration,
}

/// What came out for one operation.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The operation.
    pub operation: &'static str,
    /// CPU milliseconds of the provider per flow.
    pub cpu_ms: Median,
    /// CPU milliseconds of the floor per flow.
    pub floor_ms: Median,
    /// CPU milliseconds per flow of a floor that looks once a request at the database.
    pub looking_ms: Option<Median>,
    /// CPU milliseconds of Redis per flow of the provider.
    pub redis_ms: Median,
    /// The provider's over the floor's, round by round.
    pub ratio: Median,
    /// Flows in a second.
    pub per_second: f64,
    /// Half of the flows were done in so many milliseconds.
    pub p50_ms: f64,
    /// All but one of a hundred.
    pub p99_ms: f64,
    /// Part of the machine's time that its host took away, in percent.
    pub steal_percent: f64,
}

/// What was seen while workers worked.
struct Slice {
    flows: usize,
    cpu: Duration,
    redis: Duration,
    took: Duration,
    latencies: Vec<f64>,
}

impl Slice {
    #[expect(clippy::cast_precision_loss, reason = "a count of flows")]
    fn each_ms(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1000.0 / self.flows.max(1) as f64
    }
}

/// What the provider is measured against.
pub struct Floors {
    /// The floor.
    pub bare: Process,
    /// The floor that looks once a request at the database.
    pub looking: Option<Process>,
}

/// Measures an operation on the provider against the floor.
pub async fn compare(
    operation: Operation,
    world: &World,
    provider: &Process,
    floors: &Floors,
    extent: Extent,
) -> io::Result<Figures> {
    let floor = &floors.bare;
    let looking = floors.looking.as_ref().filter(|_| operation.looks());
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut lookers = Vec::new();
    for _ in 0..operation.connections() {
        let connection = Connection::open(provider.address, HOST).await?;
        ours.push(Worker::at_provider(operation, connection, world).await?);
        theirs.push(Worker::at_floor(operation, Connection::open(floor.address, HOST).await?));
        if let Some(looking) = looking {
            lookers.push(Worker::at_floor(operation, Connection::open(looking.address, HOST).await?));
        }
    }
    // Warm caches, connections and branch predictors; not counted.
    slice(&mut ours, provider, extent.slice).await?;
    slice(&mut theirs, floor, extent.slice).await?;
    let before = steal()?;
    let (mut cpu, mut bare, mut redis, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut looked = Vec::new();
    let (mut latencies, mut flows, mut took) = (Vec::new(), 0, Duration::ZERO);
    for _ in 0..extent.rounds {
        let our = slice(&mut ours, provider, extent.slice).await?;
        let their = slice(&mut theirs, floor, extent.slice).await?;
        let (ours, theirs) = (our.each_ms(our.cpu), their.each_ms(their.cpu));
        cpu.push(ours);
        bare.push(theirs);
        redis.push(our.each_ms(our.redis));
        ratios.push(ours / theirs);
        flows += our.flows;
        took += our.took;
        latencies.extend(our.latencies);
        if let Some(looking) = looking {
            let their = slice(&mut lookers, looking, extent.slice).await?;
            looked.push(their.each_ms(their.cpu));
        }
    }
    let after = steal()?;
    #[expect(clippy::cast_precision_loss, reason = "counts of flows and ticks")]
    Ok(Figures {
        operation: operation.name(),
        cpu_ms: median(&cpu),
        floor_ms: median(&bare),
        looking_ms: (!looked.is_empty()).then(|| median(&looked)),
        redis_ms: median(&redis),
        ratio: median(&ratios),
        per_second: flows as f64 / took.as_secs_f64(),
        p50_ms: quantile(&latencies, 0.5),
        p99_ms: quantile(&latencies, 0.99),
        steal_percent: 100.0 * (after.1 - before.1) as f64 / (after.0 - before.0).max(1) as f64,
    })
}

/// Lets the workers repeat their operation for so long.
async fn slice(workers: &mut [Worker<'_>], process: &Process, length: Duration) -> io::Result<Slice> {
    let redis = redis_process()?;
    let (begin, cpu, redis_cpu) = (Instant::now(), process.cpu()?, cpu_of(redis)?);
    let latencies = try_join_all(workers.iter_mut().map(async |worker| {
        let mut latencies = Vec::new();
        while begin.elapsed() < length {
            let start = Instant::now();
            worker.run().await?;
            latencies.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        io::Result::Ok(latencies)
    }))
    .await?
    .concat();
    let (took, cpu) = (begin.elapsed(), process.cpu()?.saturating_sub(cpu));
    let redis = cpu_of(redis)?.saturating_sub(redis_cpu);
    Ok(Slice { flows: latencies.len(), cpu, redis, took, latencies })
}

/// Process ID of the Redis server that the provider uses.
fn redis_process() -> io::Result<u32> {
    static ID: OnceLock<Option<u32>> = OnceLock::new();
    let id = ID.get_or_init(|| {
        let info = redis().ask(&["INFO", "server"]);
        info.lines().find_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok())
    });
    id.ok_or_else(|| io::Error::other("Redis does not tell its process"))
}

/// Does an operation `times` times on one connection; for counting what it costs elsewhere.
pub async fn repeat(
    operation: Operation,
    world: &World,
    provider: &Process,
    times: usize,
    begin: impl AsyncFnOnce(),
) -> io::Result<()> {
    let connection = Connection::open(provider.address, HOST).await?;
    let mut worker = Worker::at_provider(operation, connection, world).await?;
    worker.run().await?;
    begin().await;
    for _ in 0..times {
        worker.run().await?;
    }
    Ok(())
}
