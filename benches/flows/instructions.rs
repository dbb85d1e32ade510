//! Instructions of a flow under callgrind: a count that does not depend on how busy the machine is.

use std::{collections::BTreeMap, io, path::Path};

use super::{
    measure,
    operation::Operation,
    process::{Process, VALGRIND},
    world::World,
};

/// What was recorded, in thousands of instructions of one flow on PostgreSQL and Redis. A change that needs
/// more says so here.
pub const RECORDED: &str = include_str!("instructions.json");
/// How far from it a flow may be.
const TOLERANCE: f64 = 0.03;

/// The number of flows of two runs: what only a start or a sign-in costs is in both, and falls out.
const FEW: u32 = 20;
const MANY: u32 = 120;

/// Prints what each operation takes; fails if it is further from what was recorded than it may be.
pub async fn check(world: &World, binary: &Path, operations: &[Operation]) -> io::Result<()> {
    let recorded: BTreeMap<String, f64> = serde_json::from_str(RECORDED)?;
    let mut astray = Vec::new();
    for operation in operations {
        let few = total(world, binary, *operation, FEW).await?;
        let many = total(world, binary, *operation, MANY).await?;
        let thousands = (many - few) / f64::from(MANY - FEW) / 1000.0;
        let known = recorded.get(operation.name()).copied();
        let off = known.map(|known| thousands / known - 1.0);
        println!(
            "{:<12} {thousands:>8.0} thousand instructions, recorded {:>8.0} ({:+.1} %)",
            operation.name(),
            known.unwrap_or(f64::NAN),
            off.unwrap_or(f64::NAN) * 100.0
        );
        if off.is_some_and(|off| off.abs() > TOLERANCE) {
            astray.push(operation.name());
        }
    }
    if astray.is_empty() {
        return Ok(());
    }
    Err(io::Error::other(format!("not within 3 % of benches/flows/instructions.json: {}", astray.join(", "))))
}

/// Instructions of a server from its start to its end, in which it served so many flows.
async fn total(world: &World, binary: &Path, operation: Operation, flows: u32) -> io::Result<f64> {
    let (binary, config) = (binary.display().to_string(), world.config.display().to_string());
    let command = [
        VALGRIND,
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        &binary,
        "--config",
        &config,
        "serve",
    ];
    let provider = Process::start(&command, world.address, super::world::HOST, "/healthz").await?;
    measure::repeat(operation, world, &provider, flows as usize, async || {}).await?;
    let said = provider.end()?;
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.ok_or_else(|| io::Error::other(format!("callgrind does not say what it collected: {said}")))
}
