//! The real binary, each node a process of its own with the same configuration.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::backends::{Server, free_port};

/// The binary that was built with this program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_kenpos-idp");

/// How a node is started.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub program: PathBuf,
    pub config: PathBuf,
    /// Put before the command, such as `unshare …`.
    pub wrapper: Vec<String>,
    pub environment: BTreeMap<String, String>,
}

impl Recipe {
    /// The binary with this configuration.
    pub fn new(config: PathBuf) -> Self {
        Self { program: PROGRAM.into(), config, wrapper: Vec::new(), environment: BTreeMap::new() }
    }

    /// Runs a command of the binary and gives what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn command(&self, arguments: &[&str]) -> Value {
        let told = self.try_command(arguments);
        told.unwrap_or_else(|error| panic!("kenpos-idp {arguments:?}: {error}"))
    }

    /// The same, or what it says on standard error.
    pub fn try_command(&self, arguments: &[&str]) -> Result<Value, String> {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.config).args(arguments).arg("--json");
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        } else {
            let said = [output.stdout, output.stderr].concat();
            Err(String::from_utf8_lossy(&said).into_owned())
        }
    }
}

/// A node.
pub struct Node {
    pub recipe: Recipe,
    pub address: SocketAddr,
    directory: PathBuf,
    server: Option<Server>,
}

impl Node {
    /// A node that does not run yet, with a folder of its own.
    pub fn new(recipe: Recipe, directory: &Path) -> Self {
        fs::create_dir_all(directory).expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        Self { recipe, address, directory: directory.to_owned(), server: None }
    }

    /// Starts the node and waits until it answers; false when it ended instead.
    pub fn start(&mut self) -> bool {
        let recipe = &self.recipe;
        let mut command = vec!["env".to_owned(), format!("KENPOS_SERVER__LISTEN={}", self.address)];
        command.extend(recipe.environment.iter().map(|(name, value)| format!("{name}={value}")));
        command.extend(recipe.wrapper.iter().cloned());
        command.extend([recipe.program.display().to_string(), "-c".to_owned()]);
        command.extend([recipe.config.display().to_string(), "serve".to_owned()]);
        let mut server = Server::start("KILL", &self.directory, &command);
        let address = self.address;
        let up = server.wait(|| std::net::TcpStream::connect(address).is_ok());
        self.server = up.then_some(server);
        up
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// SIGTERM, and waits for the end.
    pub fn end_in_order(&mut self) {
        self.server.take().expect("the node runs").end_in_order();
    }

    /// See [`Server::signal`].
    pub fn signal(&self, name: &str) {
        self.server.as_ref().expect("the node runs").signal(name);
    }

    /// Its processes.
    pub fn processes(&self) -> Vec<String> {
        self.server.as_ref().expect("the node runs").processes()
    }

    /// Lines of its log that tell of a mistake of the program: a panic, or why an answer was 500.
    pub fn mistakes(&self) -> Vec<String> {
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let told = ["panicked at", "\"the request failed\""];
        let lines = log.lines().filter(|line| told.iter().any(|words| line.contains(words)));
        lines.map(str::to_owned).collect()
    }
}
