//! What becomes of members, apps and operators when something breaks:
//! `make chaos`, or `cargo test --test chaos -- run [--old PROGRAM] [--json FILE] [SCENARIO…]`.
//!
//! Two nodes of the real binary serve a steady load of real flows, and a fault strikes. Counted is what must
//! never happen, what failed honestly, and how long it took until nothing failed any more, without hands.
//!
//! Without `run` it is a test as others are: one fault, a short load, and nothing wrong.

#[path = "../tests/support/backends.rs"]
mod backends;
mod balancer;
mod browser;
mod flows;
mod ledger;
mod nodes;
mod scenarios;
mod stage;
mod verify;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use stage::Stage;
use tokio::time::sleep;

/// The load of a scenario.
struct Pace {
    /// Members who are registered for it.
    members: usize,
    /// Time before the fault.
    before: Duration,
    /// Least time after it.
    after: Duration,
}

const FULL: Pace = Pace { members: 11, before: Duration::from_secs(4), after: Duration::from_secs(16) };
/// What `cargo test` plays, and how. After others a mail may be locked for longer than a test should take.
const SMOKE: &str = "redis-restart";
const SHORT: Pace = Pace { members: 5, before: Duration::from_secs(1), after: Duration::from_secs(4) };
/// How much longer the load may go on until every kind of flow has succeeded again.
const RECOVERY: Duration = Duration::from_secs(60);
/// Longer than the lease of a mail whose delivery could not be noted.
const LAST_MAILS: Duration = Duration::from_secs(80);
/// How long what is under way may take to end.
const LAST: Duration = Duration::from_secs(120);

/// What a scenario came to.
#[derive(Serialize)]
struct Outcome {
    scenario: &'static str,
    about: &'static str,
    done: u64,
    wrong: Vec<String>,
    errors: std::collections::BTreeMap<String, u64>,
    longest_pause_seconds: f64,
    recovery_seconds: Option<f64>,
}

impl Outcome {
    /// Nothing wrong, and nothing that stays broken.
    fn is_well(&self) -> bool {
        self.wrong.is_empty() && self.recovery_seconds.is_some()
    }
}

/// The command line.
struct Arguments {
    old: Option<PathBuf>,
    json: Option<PathBuf>,
    scenarios: Vec<String>,
}

fn arguments(mut given: impl Iterator<Item = String>) -> Arguments {
    let mut read = Arguments { old: None, json: None, scenarios: Vec::new() };
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--old" => read.old = given.next().map(PathBuf::from),
            "--json" => read.json = given.next().map(PathBuf::from),
            _ => read.scenarios.push(argument),
        }
    }
    read
}

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1).peekable();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("a runtime");
    if given.next_if(|word| word == "run").is_some() {
        runtime.block_on(play(&arguments(given)))
    } else {
        runtime.block_on(smoke(given.filter(|word| !word.starts_with('-')).collect()))
    }
}

/// One fault, unless `cargo test` was given names that are not in its own.
async fn smoke(names: Vec<String>) -> ExitCode {
    let name = format!("chaos::{SMOKE}");
    if !names.is_empty() && !names.iter().any(|part| name.contains(part)) {
        println!("test {name} ... filtered out");
        return ExitCode::SUCCESS;
    }
    let outcome = run(SMOKE, "a short load", None, &SHORT).await;
    tell(&outcome);
    println!("test {name} ... {}", if outcome.is_well() { "ok" } else { "FAILED" });
    if outcome.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every scenario that was asked for, one after the other.
async fn play(arguments: &Arguments) -> ExitCode {
    let unknown = arguments.scenarios.iter().find(|name| scenarios::ALL.iter().all(|(one, _)| one != name));
    if let Some(unknown) = unknown {
        eprintln!("there is no scenario {unknown}; there are:");
        for (name, about) in scenarios::ALL {
            eprintln!("  {name:18}{about}");
        }
        return ExitCode::FAILURE;
    }
    let mut outcomes = Vec::new();
    for (name, about) in scenarios::ALL {
        if arguments.scenarios.is_empty() || arguments.scenarios.iter().any(|wanted| wanted == name) {
            eprintln!("{name}: {about}");
            outcomes.push(run(name, about, arguments.old.as_ref(), &FULL).await);
            tell(&outcomes[outcomes.len() - 1]);
        }
    }
    println!(
        "\n{:18}{:>6}{:>7}{:>8}{:>12}{:>10}",
        "scenario", "done", "wrong", "errors", "pause", "recovery"
    );
    outcomes.iter().for_each(tell);
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&outcomes).expect("JSON");
        std::fs::write(file, text).expect("the file can be written");
    }
    if outcomes.iter().all(Outcome::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A row of the table, and what failed.
fn tell(outcome: &Outcome) {
    let recovery = outcome.recovery_seconds.map_or("never".to_owned(), |seconds| format!("{seconds:.1} s"));
    println!(
        "{:18}{:>6}{:>7}{:>8}{:>12}{:>10}",
        outcome.scenario,
        outcome.done,
        outcome.wrong.len(),
        outcome.errors.values().sum::<u64>(),
        format!("{:.1} s", outcome.longest_pause_seconds),
        recovery,
    );
    for (what, times) in &outcome.errors {
        println!("    {times:>4} × {what}");
    }
    for what in &outcome.wrong {
        println!("    WRONG {what}");
    }
}

/// Plays a scenario from the empty stage to the last check.
async fn run(name: &'static str, about: &'static str, old: Option<&PathBuf>, pace: &Pace) -> Outcome {
    let mut stage = scenarios::build(name, old).await;
    let crowd = crowd(&stage, pace.members).await;
    sleep(pace.before).await;
    let over = scenarios::strike(name, &mut stage).await;
    sleep(pace.after).await;
    let (recovery, pause) = recovered(&stage, over).await;
    stage.load.stop();
    for flow in crowd {
        match tokio::time::timeout(LAST, flow).await {
            Ok(Ok(())) => {}
            _ => stage.load.ledger.wrong("a flow does not come to its end"),
        }
    }
    if name == "sqlite-full" {
        // Its file is out of reach while the node has it: looked at is a copy, once the last mails are out.
        sleep(LAST_MAILS).await;
        stage.save_disk();
    }
    verify::all(&stage).await;
    // Within this time the last lines of the audit are linked.
    sleep(Duration::from_secs(6)).await;
    if name == "sqlite-full" {
        stage.save_disk();
    }
    let mistakes: Vec<String> = stage.nodes.iter().flat_map(nodes::Node::mistakes).collect();
    if let Some(first) = mistakes.first() {
        stage.load.ledger.wrong(format!("{} mistakes of the program, such as {first}", mistakes.len()));
    }
    // The second word to end, below, spares the time in which a balancer would look elsewhere.
    stage.nodes.iter().for_each(|node| node.signal("TERM"));
    stage.nodes.iter_mut().for_each(nodes::Node::end_in_order);
    verify::at_rest(&stage, &stage.database).await;
    let sums = stage.load.ledger.sums();
    Outcome {
        scenario: name,
        about,
        done: sums.total(),
        wrong: sums.wrong.clone(),
        errors: sums.errors.clone(),
        longest_pause_seconds: pause.as_secs_f64(),
        recovery_seconds: recovery.map(|time| time.as_secs_f64()),
    }
}

/// Waits until every kind of flow has succeeded again; time to the last error, and the longest pause.
async fn recovered(stage: &Stage, over: Instant) -> (Option<Duration>, Duration) {
    let began = Instant::now();
    loop {
        {
            let sums = stage.load.ledger.sums();
            let recovery = sums.recovery(over);
            if recovery.is_some() || began.elapsed() > RECOVERY {
                return (recovery, sums.longest_pause());
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Registers the members of the load, and lets everybody begin.
async fn crowd(stage: &Stage, size: usize) -> Vec<tokio::task::JoinHandle<()>> {
    let load = &stage.load;
    let mut members = Vec::new();
    for _ in 0..size {
        let person = load.newcomer().expect("a newcomer");
        flows::register(load, &person).await;
        members.push(person);
    }
    let began = Instant::now();
    assert!(load.ledger.sums().wrong.is_empty(), "members can be registered in peace");
    eprintln!("  the load begins ({} members, {:?})", members.len(), began.elapsed());
    let share = || Arc::clone(load);
    let operated = members.pop().expect("a member");
    let [one, other] = [(); 2].map(|()| members.pop().expect("a member"));
    let rest = members.split_off(members.len() / 2);
    vec![
        tokio::spawn(flows::sign_ins(share(), members)),
        tokio::spawn(flows::sign_ins(share(), rest)),
        tokio::spawn(flows::refreshes(share(), one)),
        tokio::spawn(flows::refreshes(share(), other)),
        tokio::spawn(flows::registrations(share())),
        tokio::spawn(flows::operations(share(), operated)),
    ]
}
