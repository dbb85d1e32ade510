//! What load does to others and to memory.

use std::{cell::Cell, io, time::Duration};

use futures_util::future::{join_all, try_join_all};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{
    http::Connection,
    operation::{Operation, Worker},
    process::Process,
    statistics::{median, quantile},
    world::{Form, HOST, World, password_form},
};

/// How many times as many passwords are sent as can be hashed.
const TIMES: f64 = 10.0;
/// Browsers that send them.
const BROWSERS: u32 = 500;
/// How long the token endpoint is watched.
const WATCHED: Duration = Duration::from_secs(20);
/// Between two refreshes of the one who watches.
const BETWEEN: Duration = Duration::from_millis(10);

/// The token endpoint beside a flood of password logins.
#[derive(Debug, Serialize)]
pub struct Flood {
    /// Passwords that were hashed in a second when they came one after the other.
    pub capacity: f64,
    /// Passwords that were sent in a second.
    pub sent: f64,
    /// Those of them that were refused, as a share.
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

/// A browser that sends passwords for a login ID of nobody: they cost as much as others.
struct Guesser {
    connection: Connection,
    form: Form,
}

impl Guesser {
    async fn at(world: &World, provider: &Process, number: u32) -> io::Result<Self> {
        let mut connection = Connection::open(provider.address, HOST).await?;
        let id = format!("7132-9{:02}{number:06}", number % 100);
        let form = password_form(&mut connection, &world.rs256.authorize(false), &id).await?;
        Ok(Self { connection, form })
    }

    /// Whether the password was looked at.
    async fn guess(&mut self) -> io::Result<bool> {
        let answer = self.form.send(&mut self.connection, "password=a+wrong+one").await?;
        Ok(answer.status != 503)
    }
}

/// Watches refreshes without and with ten times as many passwords as the server can hash.
pub async fn flood(world: &World, provider: &Process) -> io::Result<Flood> {
    let connection = Connection::open(provider.address, HOST).await?;
    let mut client = Worker::at_provider(Operation::Refresh, connection, world).await?;
    let mut alone = Guesser::at(world, provider, 999_999).await?;
    let mut times = Vec::new();
    // After a few more the login ID pauses, and nothing is hashed for it.
    for _ in 0..3 {
        let begin = Instant::now();
        alone.guess().await?;
        times.push(begin.elapsed().as_secs_f64());
    }
    let capacity = 1.0 / median(&times).value;
    let mut guessers = Vec::new();
    for number in 0..BROWSERS {
        guessers.push(Guesser::at(world, provider, number).await?);
    }
    watch(&mut client, WATCHED / 10).await?;
    let calm = watch(&mut client, WATCHED).await?;
    let pause = Duration::from_secs_f64(f64::from(BROWSERS) / (TIMES * capacity));
    let (sent, refused) = (Cell::new(0_u32), Cell::new(0_u32));
    let flood = join_all(guessers.iter_mut().zip(0..).map(async |(guesser, number): (_, u32)| {
        let mut tick = interval_at(Instant::now() + pause * number / BROWSERS, pause);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let looked_at = guesser.guess().await;
            sent.set(sent.get() + 1);
            refused.set(refused.get() + u32::from(!matches!(looked_at, Ok(true))));
        }
    }));
    let watch = async {
        // The flood has to rise first.
        watch(&mut client, WATCHED / 5).await?;
        sent.set(0);
        refused.set(0);
        watch(&mut client, WATCHED).await
    };
    let flooded: Vec<f64> = tokio::select! {
        watched = watch => watched?,
        _ = flood => return Err(io::Error::other("the flood ended")),
    };
    Ok(Flood {
        capacity,
        sent: f64::from(sent.get()) / WATCHED.as_secs_f64(),
        refused: f64::from(refused.get()) / f64::from(sent.get().max(1)),
        p50_ms: quantile(&calm, 0.5),
        p99_ms: quantile(&calm, 0.99),
        flooded_p50_ms: quantile(&flooded, 0.5),
        flooded_p99_ms: quantile(&flooded, 0.99),
        most_kib: provider.memory_kib("VmHWM")?,
    })
}

/// Milliseconds that the flows of one client took, who is in no hurry.
async fn watch(client: &mut Worker<'_>, length: Duration) -> io::Result<Vec<f64>> {
    let mut tick = interval_at(Instant::now(), BETWEEN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (begin, mut latencies) = (Instant::now(), Vec::new());
    while begin.elapsed() < length {
        tick.tick().await;
        let start = Instant::now();
        client.run().await?;
        latencies.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(latencies)
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
