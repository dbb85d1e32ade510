//! Instructions of a flow under callgrind: a count that does not depend on how busy the machine is.
//!
//! Counted is what happens between a request and its answer ([`COUNTED`]), in every thread; not what reads and writes
//! HTTP, the connection to Redis or what works in the background, which depend on time.

use std::{collections::BTreeMap, fs, io, path::Path, process::Command};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{
    http::Connection,
    operation::{Operation, Worker},
    process::Process,
    world::{HOST, World},
};

/// What was recorded of the build that the tests use. A change that needs more says so there.
const RECORDED: &str = include_str!("instructions.json");
/// The functions within which instructions count: the layer that is around every handler, and the statement that
/// several handlers share.
const COUNTED: [&str; 2] = [
    "kenpos_idp::routes::frame::respond::{{closure}}",
    "kenpos_idp::storage::gather::answer_all::{{closure}}",
];
/// How far a flow may be from what was recorded.
const TOLERANCE: f64 = 0.03;
/// The same where another compiler made the program.
const TOLERANCE_OF_COMPILERS: f64 = 0.3;

/// Callgrind writes down what it counted when this begins: a question for `/readyz` ends one count and begins the next.
const ENDS: &str = "kenpos_idp::routes::ready";
/// Flows that are counted together.
const FLOWS: u32 = 20;
/// Counts of which the least one is taken: where answers of services come in pieces, futures are asked more often.
const COUNTS: usize = 6;

#[derive(Serialize, Deserialize)]
struct Record {
    compiler: String,
    /// Thousands of instructions of one flow on PostgreSQL and Redis.
    thousands: BTreeMap<String, u64>,
}

/// Prints what each operation takes; fails if one is further from what was recorded than it may be.
pub async fn check(world: &World, binary: &Path, operations: &[Operation]) -> io::Result<()> {
    let recorded: Record = serde_json::from_str(RECORDED)?;
    let mut seen = Record { compiler: compiler()?, thousands: BTreeMap::new() };
    let same = seen.compiler == recorded.compiler;
    let tolerance = if same { TOLERANCE } else { TOLERANCE_OF_COMPILERS };
    let mut astray = Vec::new();
    let mut counter = Counter::start(world, binary).await?;
    // A password is the work of Argon2id, whose instructions are those of its library.
    for operation in operations.iter().filter(|operation| **operation != Operation::Login) {
        let thousands = counter.count(world, *operation).await? / 1000.0;
        let known = recorded.thousands.get(operation.name()).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a count of instructions")]
        let off = thousands / known as f64 - 1.0;
        println!(
            "{:<12} {thousands:>8.1} thousand instructions, recorded {known:>8} ({:+.1} %)",
            operation.name(),
            off * 100.0
        );
        if off.is_nan() || off.abs() > tolerance {
            astray.push(operation.name());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of instructions"
        )]
        seen.thousands.insert(operation.name().to_owned(), thousands.round() as u64);
    }
    if !same {
        println!("recorded with {}: {:.0} % apart are allowed", recorded.compiler, tolerance * 100.0);
    }
    if astray.is_empty() {
        return Ok(());
    }
    println!("{}", serde_json::to_string_pretty(&seen)?);
    let astray = astray.join(", ");
    Err(io::Error::other(format!(
        "not what benches/flows/instructions.json has, which may have to change: {astray}"
    )))
}

/// A server under callgrind.
struct Counter {
    provider: Process,
    folder: TempDir,
    counts: usize,
}

impl Counter {
    async fn start(world: &World, binary: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (binary, config) = (binary.display().to_string(), world.config.display().to_string());
        let mut options = vec![
            "--tool=callgrind".to_owned(),
            format!("--callgrind-out-file={}", folder.path().join("count").display()),
            format!("--dump-before={ENDS}"),
        ];
        options.extend(COUNTED.map(|function| format!("--toggle-collect={function}")));
        // Without what only some processors have: OpenSSL takes another way with each (`man OPENSSL_ia32cap`).
        let mut command = vec!["env", "OPENSSL_ia32cap=:0", "valgrind", "--quiet"];
        command.extend(options.iter().map(String::as_str));
        command.extend([&binary, "--config", &config, "serve"]);
        let provider = Process::start(&command, world.address, HOST, "/healthz").await?;
        Ok(Self { provider, folder, counts: 0 })
    }

    /// Instructions of one flow.
    async fn count(&mut self, world: &World, operation: Operation) -> io::Result<f64> {
        let provider = &self.provider;
        let mut worker =
            Worker::at_provider(operation, Connection::open(provider.address, HOST).await?, world).await?;
        worker.run().await?;
        self.end().await?;
        let mut least = f64::INFINITY;
        for _ in 0..COUNTS {
            for _ in 0..FLOWS {
                worker.run().await?;
            }
            least = least.min(self.end().await? / f64::from(FLOWS));
        }
        Ok(least)
    }

    /// Ends a count, and gives it.
    async fn end(&mut self) -> io::Result<f64> {
        let mut connection = Connection::open(self.provider.address, HOST).await?;
        connection.get("/readyz", "").await?.expect(200)?;
        self.counts += 1;
        let text = fs::read_to_string(self.folder.path().join(format!("count.{}", self.counts)))?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
        total.ok_or_else(|| io::Error::other("callgrind counted nothing"))
    }
}

/// The compiler that made this program and, with it, the provider.
fn compiler() -> io::Result<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(compiler).arg("--version").output()?;
    let version = String::from_utf8_lossy(&said.stdout);
    Ok(format!("{}, {}", version.trim(), std::env::consts::ARCH))
}
