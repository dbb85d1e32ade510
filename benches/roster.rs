//! How fast a roster is imported, and in how much memory: `cargo bench --bench roster -- --rows 1000000`.
//!
//! A made-up roster of that many people (always the same ones) is imported into a fresh SQLite file and into a
//! PostgreSQL server of its own, each by a process of its own, so that its peak memory is its own too. Then the
//! same file is imported once more, which changes nothing. Last everybody gets an account, and people are looked
//! for as sign-ins and the office look for them. A roster of 10,000 goes first, and the growth is printed.

#[path = "../tests/support/backends.rs"]
mod backends;
#[allow(unused, reason = "other benchmarks use the rest")]
mod people;

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
    storage::{
        Db,
        member_search::{self, Key},
        roster,
    },
};
use people::{SEED, insurer};

/// People that are looked for in each way.
const SEARCHES: usize = 5_000;
/// Rows of a page of the office's search.
const PAGE: i64 = 51;
/// The roster that a larger one is compared with.
const SMALL: usize = 10_000;

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
    let small = measure_both_engines(SMALL.min(rows))?;
    if rows <= SMALL {
        return Ok(());
    }
    let large = measure_both_engines(rows)?;
    println!("\nmedian at {rows} people against {SMALL}");
    for ((engine, small), (_, large)) in small.iter().zip(&large) {
        for ((what, before), (_, after)) in small.iter().zip(large) {
            println!("  {engine}, {what}: {:.2} ×", after / before);
        }
    }
    Ok(())
}

/// Median of each way to look for people, in microseconds.
type Medians = Vec<(String, f64)>;

/// Measures with that many people; the medians of each engine.
fn measure_both_engines(rows: usize) -> Result<Vec<(&'static str, Medians)>, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("roster.csv");
    write_roster(BufWriter::new(File::create(&file)?), &insurer(), rows, SEED)?;
    println!("\n{rows} rows, {:.1} MB", f64::from(u32::try_from(fs::metadata(&file)?.len())?) / 1e6);
    let postgres = backends::Postgres::start_with_defaults();
    let sqlite = format!("sqlite://{}", directory.path().join("bench.sqlite").display());
    let mut measured = Vec::new();
    for (engine, url) in [("SQLite", sqlite), ("PostgreSQL", postgres.create_database("bench"))] {
        println!("\n{engine}");
        let output = Command::new(std::env::current_exe()?)
            .args(["--rows", &rows.to_string(), "--import-into", &url, "--file"])
            .arg(&file)
            .stderr(std::process::Stdio::inherit())
            .output()?;
        let said = String::from_utf8(output.stdout)?;
        print!("{said}");
        if !output.status.success() {
            return Err(format!("the import into {engine} failed").into());
        }
        let medians = said.lines().filter_map(|line| {
            let (what, figures) = line.trim().strip_prefix("look for ")?.split_once(": median ")?;
            Some((what.to_owned(), figures.split(' ').next()?.parse().ok()?))
        });
        measured.push((engine, medians.collect()));
    }
    Ok(measured)
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
    people::give_accounts(&db).await?;
    look_for_people(&db, &insurer, rows).await
}

/// Looks for people, spread over the whole roster.
async fn look_for_people(db: &Db, insurer: &Insurer, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let step = (rows / SEARCHES).max(1);
    let people: Vec<_> = SamplePeople::new(insurer, SEED).take(rows).step_by(step).collect();
    let code = insurer.code.as_str();
    let mut times = [const { Vec::new() }; 4];
    for person in &people {
        let address = format!("u{}{}", person.symbol, person.number);
        // Short enough for a full page in a small roster too.
        let start: String = person.kana.folded().chars().take(2).collect();
        if person.category == Category::Insured {
            let began = Instant::now();
            let found = roster::find_insured(db, code, &person.symbol, &person.number).await?;
            times[0].push(began.elapsed());
            assert!(found.is_some());
        }
        let keys = [Key::Number(&person.symbol, &person.number), Key::Kana(&start), Key::Email(&address)];
        for (times, key) in times[1..].iter_mut().zip(keys) {
            let began = Instant::now();
            let found = member_search::page(db, code, key, None, PAGE).await?;
            times.push(began.elapsed());
            assert!(!found.is_empty());
        }
    }
    let ways = ["the person of a login ID", "number", "name", "address"];
    for (what, mut times) in ways.into_iter().zip(times) {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
        println!("  look for {what}: median {} µs, p99 {} µs ({} times)", at(50), at(99), times.len());
    }
    Ok(())
}

/// The largest resident set of this process so far, in KiB.
fn peak_memory() -> Result<u64, Box<dyn std::error::Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
