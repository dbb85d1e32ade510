//! What load does to others and to memory.

use std::{cell::Cell, io, time::Duration};

use futures_util::future::{join_all, try_join_all};
use serde::Serialize;

use super::{
    http::Connection,
    measure,
    operation::{Operation, Worker},
    process::Process,
    world::{Entered, HOST, World, enter},
};

/// Requests that may wait for a password, and the one that runs (`passwords.queue`, one core).
const CAPACITY: usize = 65;
/// How long the token endpoint is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// The token endpoint beside a flood of password logins.
#[derive(Debug, Serialize)]
pub struct Flood {
    /// Browsers that sign in again and again.
    pub browsers: usize,
    /// Sign-ins that were refused with 503, of all that were tried.
    pub refused: f64,
    /// Half of the refreshes without the flood took so many milliseconds.
    pub p50_ms: f64,
    /// All but one of a hundred.
    pub p99_ms: f64,
    /// The same in the flood.
    pub flooded_p50_ms: f64,
    /// The same in the flood.
    pub flooded_p99_ms: f64,
    /// The most memory that the server had, in KiB.
    pub most_kib: u64,
}

/// Watches refreshes without and with ten times as many logins as the server takes.
pub async fn flood(world: &World, provider: &Process) -> io::Result<Flood> {
    let mut clients = Vec::new();
    for _ in 0..4 {
        let connection = Connection::open(provider.address, HOST).await?;
        clients.push(Worker::at_provider(Operation::Refresh, connection, world).await?);
    }
    measure::slice(&mut clients, provider, WATCHED / 10).await?;
    let calm = measure::slice(&mut clients, provider, WATCHED).await?;
    let browsers = 10 * CAPACITY;
    let (done, refused) = (Cell::new(0_u32), Cell::new(0_u32));
    // Login IDs of nobody cost as much as others, and no pause of theirs spares the server a password.
    let flood = join_all((0..browsers).map(async |browser| {
        while let Ok(mut connection) = Connection::open(provider.address, HOST).await {
            let id = format!("7132-9{:02}{:06}", browser % 100, browser);
            let tried = enter(&mut connection, &world.rs256, false, &id).await;
            let count = if matches!(tried, Ok(Entered::Refused(503)) | Err(_)) { &refused } else { &done };
            count.set(count.get() + 1);
        }
    }));
    let watch = async {
        // The flood has to rise first.
        measure::slice(&mut clients, provider, WATCHED / 5).await?;
        measure::slice(&mut clients, provider, WATCHED).await
    };
    let flooded = tokio::select! {
        watched = watch => watched?,
        _ = flood => return Err(io::Error::other("the server takes no connections any more")),
    };
    let (done, refused) = (done.get(), refused.get());
    Ok(Flood {
        browsers,
        refused: f64::from(refused) / f64::from((done + refused).max(1)),
        p50_ms: calm.latency_ms(0.5),
        p99_ms: calm.latency_ms(0.99),
        flooded_p50_ms: flooded.latency_ms(0.5),
        flooded_p99_ms: flooded.latency_ms(0.99),
        most_kib: provider.memory_kib("VmHWM")?,
    })
}

/// Memory before and after many requests.
#[derive(Debug, Serialize)]
pub struct Soak {
    /// Requests that were served.
    pub requests: usize,
    /// KiB after the first tenth of them, when every cache and pool is filled.
    pub early_kib: u64,
    /// KiB after all of them.
    pub late_kib: u64,
}

/// Serves code flows until so many requests are done.
pub async fn soak(world: &World, provider: &Process, requests: usize) -> io::Result<Soak> {
    let flows = requests / 3 / 16;
    let (tenth, rest) = (flows / 10, flows - flows / 10);
    let mut workers = Vec::new();
    for _ in 0..16 {
        let connection = Connection::open(provider.address, HOST).await?;
        workers.push(Worker::at_provider(Operation::CodeRs256, connection, world).await?);
    }
    let mut memory = Vec::new();
    for part in [tenth, rest] {
        try_join_all(workers.iter_mut().map(async |worker| {
            for _ in 0..part {
                worker.run().await?;
            }
            io::Result::Ok(())
        }))
        .await?;
        memory.push(provider.memory_kib("VmRSS")?);
    }
    Ok(Soak { requests: flows * 3 * 16, early_kib: memory[0], late_kib: memory[1] })
}
