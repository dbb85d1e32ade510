//! `cargo bench --bench flows`: what complete flows cost, in CPU time of the server process, against a
//! floor that does only the unavoidable work. `docs/performance.md` says how to read the table.

#[path = "../../tests/support/mod.rs"]
#[allow(unused, reason = "the stories use the rest")]
mod support;

mod counts;
mod floor;
mod http;
mod instructions;
mod load;
mod measure;
mod operation;
#[path = "../people/mod.rs"]
#[allow(unused, reason = "other benchmarks use the rest")]
mod people;
mod process;
mod statistics;
mod world;

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use clap::Parser;
use serde::Serialize;

use self::{
    counts::Counts,
    load::{Flood, Soak},
    measure::{Extent, Figures, Floors},
    operation::Operation,
    process::Process,
    world::World,
};
use support::{
    app::{Backend, redis},
    backends::free_port,
};

/// Measures complete flows against a floor.
#[derive(Debug, Parser)]
struct Options {
    /// Pairs of slices for each operation.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Milliseconds of a slice.
    #[arg(long, default_value_t = 700)]
    slice_ms: u64,
    /// Only the operations of these names.
    #[arg(long)]
    only: Vec<String>,
    /// Only the embedded engine, or only PostgreSQL and Redis.
    #[arg(long, value_parser = ["embedded", "postgres-redis"])]
    engine: Option<String>,
    /// Serves so many requests and looks at the memory before and after.
    #[arg(long, default_value_t = 0)]
    soak: usize,
    /// Watches the token endpoint beside ten times as many passwords as the server can hash.
    #[arg(long)]
    flood: bool,
    /// So many other people are in the roster and have accounts.
    #[arg(long, default_value_t = 0)]
    members: usize,
    /// Counts instructions under callgrind instead, and compares them with those recorded.
    #[arg(long)]
    instructions: bool,
    /// Where to write all figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Is the floor: address to serve on, its Redis, and maybe its database.
    #[arg(long, hide = true, num_args = 2..=3)]
    floor: Vec<String>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Default, Serialize)]
struct Report {
    engine: &'static str,
    start_ms: f64,
    idle_kib: u64,
    most_kib: u64,
    figures: Vec<Figures>,
    counts: Vec<Counts>,
    soak: Option<Soak>,
    flood: Option<Flood>,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let [address, redis, database @ ..] = options.floor.as_slice() {
        let database = database.first().map(String::as_str);
        return runtime.block_on(floor::serve(address.parse().map_err(io::Error::other)?, redis, database));
    }
    process::pin_driver()?;
    let engines: &[(&str, Backend)] =
        &[("postgres-redis", Backend::PostgresRedis), ("embedded", Backend::Embedded)];
    let mut reports = Vec::new();
    for (name, backend) in engines {
        if options.engine.as_deref().is_none_or(|engine| engine == *name) {
            reports.push(runtime.block_on(measure_engine(&options, name, *backend))?);
        }
    }
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec_pretty(&reports)?)?;
    }
    Ok(())
}

async fn measure_engine(options: &Options, engine: &'static str, backend: Backend) -> io::Result<Report> {
    let world = Box::pin(World::prepare(backend)).await;
    if options.members > 0 {
        Box::pin(people::enrol(&world.database, options.members)).await.map_err(io::Error::other)?;
        println!("{} members", options.members);
    }
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_kenpos-idp"));
    let chosen = |operation: &Operation| {
        options.only.is_empty() || options.only.iter().any(|name| name == operation.name())
    };
    let operations: Vec<_> = Operation::ALL.into_iter().filter(chosen).collect();
    if options.instructions {
        instructions::check(&world, binary, &operations).await?;
        return Ok(Report::default());
    }
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(world.serve(binary).await?.started_in.as_secs_f64() * 1e3);
    }
    let start_ms = statistics::quantile(&starts, 0.5);
    let provider = world.serve(binary).await?;
    let database = (backend == Backend::PostgresRedis).then_some(&*world.database);
    let looking = match database {
        Some(_) => Some(start_floor(database).await?),
        None => None,
    };
    let floors = Floors { bare: start_floor(None).await?, looking };
    let idle_kib = provider.memory_kib("VmRSS")?;
    println!("\n{engine}: first 200 after {:.0} ms, {:.1} MiB idle", start_ms, mib(idle_kib));
    println!(
        "{:<12} {:>8} {:>8} {:>6} {:>15} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6}",
        "operation",
        "CPU ms",
        "floor ms",
        "ratio",
        "95 %",
        "w. SQL",
        "Redis ms",
        "1/s",
        "p50 ms",
        "p99 ms",
        "steal"
    );
    let extent = Extent { rounds: options.rounds, slice: Duration::from_millis(options.slice_ms) };
    let (mut figures, mut counts) = (Vec::new(), Vec::new());
    for operation in operations {
        let mut found = measure::compare(operation, &world, &provider, &floors, extent).await?;
        if found.steal_percent > 3.0 {
            println!(
                "{:<12} the host took {:.1} % of the time; measured again",
                found.operation, found.steal_percent
            );
            found = measure::compare(operation, &world, &provider, &floors, extent).await?;
        }
        print_row(&found);
        figures.push(found);
        if backend == Backend::PostgresRedis {
            counts.push(counts::count(operation, &world, &provider).await?);
        }
    }
    for count in &counts {
        println!(
            "{:<12} {:>5.2} Redis commands in {:>5.2} reads, {:>5.2} SQL statements a flow",
            count.operation, count.redis, count.round_trips, count.sql
        );
    }
    let most_kib = provider.memory_kib("VmHWM")?;
    println!("{:.1} MiB at most", mib(most_kib));
    let soak = soak(options, &world, &provider).await?;
    let flood = flood(options, &world, &provider).await?;
    Ok(Report { engine, start_ms, idle_kib, most_kib, figures, counts, soak, flood })
}

async fn soak(options: &Options, world: &World, provider: &Process) -> io::Result<Option<Soak>> {
    if options.soak == 0 {
        return Ok(None);
    }
    let soak = load::soak(world, provider, options.soak).await?;
    let (early, late) = (mib(soak.early_kib), mib(soak.late_kib));
    println!("{early:.1} MiB after a tenth of {} requests, {late:.1} MiB after all", soak.requests);
    Ok(Some(soak))
}

async fn flood(options: &Options, world: &World, provider: &Process) -> io::Result<Option<Flood>> {
    if !options.flood {
        return Ok(None);
    }
    let flood = load::flood(world, provider).await?;
    println!(
        "refresh {:.2} ms, p99 {:.2} ms; beside {:.0} passwords a second where {:.0} can be hashed ({:.0} % refused) \
         {:.2} ms, p99 {:.2} ms; {:.1} MiB at most",
        flood.p50_ms,
        flood.p99_ms,
        flood.sent,
        flood.capacity,
        flood.refused * 100.0,
        flood.flooded_p50_ms,
        flood.flooded_p99_ms,
        mib(flood.most_kib)
    );
    Ok(Some(flood))
}

async fn start_floor(database: Option<&str>) -> io::Result<Process> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (me, at, url) = (std::env::current_exe()?.display().to_string(), address.to_string(), redis().url());
    let mut command = vec![&*me, "--floor", &at, &url];
    command.extend(database);
    Process::start(&command, address, "floor", "/healthz").await
}

fn print_row(found: &Figures) {
    println!(
        "{:<12} {:>8.3} {:>8.3} {:>6.2} {:>7.2}-{:<7.2} {:>8} {:>8.3} {:>8.0} {:>8.2} {:>8.2} {:>5.1}%",
        found.operation,
        found.cpu_ms.value,
        found.floor_ms.value,
        found.ratio.value,
        found.ratio.low,
        found.ratio.high,
        found.looking_ms.map_or_else(String::new, |looking| format!("{:.3}", looking.value)),
        found.redis_ms.value,
        found.per_second,
        found.p50_ms,
        found.p99_ms,
        found.steal_percent,
    );
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a process")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
