//! How fast a roster is imported, and in how much memory: `cargo bench --bench roster -- --rows 1000000`.
//!
//! A made-up roster of that many people (always the same ones) is imported into a fresh SQLite file and into a
//! PostgreSQL server of its own, each by a process of its own, so that its peak memory is its own too. Then the
//! same file is imported once more, which changes nothing, and members are looked up by login ID.

#[path = "../tests/support/backends.rs"]
mod backends;

use std::{
    fs::{self, File},
    io::BufWriter,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use kenpos_idp::{
    clock::{Clock, Entropy},
    config::Insurer,
    members::{
        roster::{Category, Outcome, RosterImport},
        sample::{SamplePeople, write_roster},
    },
    storage::{Db, roster},
};

/// The same seed gives the same people.
const SEED: u64 = 1;
/// Members that are looked up.
const LOOKUPS: usize = 5_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let rows: usize = value("--rows").map_or(Ok(100_000), |rows| rows.parse())?;
    if let Some(url) = value("--import-into") {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(measure(&url, Path::new(&value("--file").unwrap_or_default()), rows));
    }
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("roster.csv");
    write_roster(BufWriter::new(File::create(&file)?), &insurer(), rows, SEED)?;
    println!("{rows} rows, {} MB", fs::metadata(&file)?.len() / 1_000_000);
    let postgres = backends::Postgres::start_with_defaults();
    let sqlite = format!("sqlite://{}", directory.path().join("bench.sqlite").display());
    for (engine, url) in [("SQLite", sqlite), ("PostgreSQL", postgres.create_database("bench"))] {
        println!("\n{engine}");
        let status = Command::new(std::env::current_exe()?)
            .args(["--rows", &rows.to_string(), "--import-into", &url, "--file"])
            .arg(&file)
            .status()?;
        if !status.success() {
            return Err(format!("the import into {engine} failed").into());
        }
    }
    Ok(())
}

fn insurer() -> Insurer {
    Insurer {
        code: "7132".to_owned(),
        number: "06139497".to_owned(),
        name: "みほん健康保険組合".to_owned(),
        ..Insurer::default()
    }
}

async fn measure(url: &str, file: &Path, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let db = Db::open(url, 5).await?;
    db.migrate().await?;
    let (clock, entropy, insurer) = (Clock::system(), Entropy::system(), insurer());
    let import = RosterImport {
        db: &db,
        clock: &clock,
        entropy: &entropy,
        insurer: &insurer,
        file_name: "roster.csv",
        actor: "bench",
        complete: true,
        preview: false,
    };
    for what in ["first import", "unchanged second import"] {
        let (began, mut staged) = (Instant::now(), Duration::ZERO);
        let report = import.run(File::open(file)?, |_, _| staged = began.elapsed()).await?;
        let took = began.elapsed();
        assert_eq!((report.outcome, report.refused), (Outcome::Applied, 0));
        println!(
            "  {what}: {:.1} s, {:.0} rows/s (read and staged after {:.1} s)",
            took.as_secs_f64(),
            f64::from(u32::try_from(rows)?) / took.as_secs_f64(),
            staged.as_secs_f64(),
        );
        assert_eq!(report.counts.added + report.counts.unchanged, u64::try_from(rows)?);
    }
    println!("  peak memory of the importing process: {} MiB", peak_memory()? / 1024);
    look_up(&db, &insurer, rows).await
}

/// Looks members up by login ID, spread over the whole roster.
async fn look_up(db: &Db, insurer: &Insurer, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let step = (rows / LOOKUPS).max(1);
    let people = SamplePeople::new(insurer, SEED).take(rows).step_by(step);
    let mut times = Vec::with_capacity(LOOKUPS);
    for person in people.filter(|person| person.category == Category::Insured) {
        let began = Instant::now();
        let found = roster::find_insured(db, &insurer.code, &person.symbol, &person.number).await?;
        times.push(began.elapsed());
        assert!(found.is_some());
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
    println!("  look-up by login ID: median {} µs, p99 {} µs ({} look-ups)", at(50), at(99), times.len());
    Ok(())
}

/// The largest resident set of this process so far, in KiB.
fn peak_memory() -> Result<u64, Box<dyn std::error::Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
