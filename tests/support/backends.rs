//! Private Redis and PostgreSQL servers for tests: on free ports of 127.0.0.1, in a directory of their
//! own, and gone when the test process is, however it ends.
//!
//! A test that needs a server gets one or fails; nothing is skipped.

#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a server may take to be ready, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process under a shell that ends it on word from its standard input. When the test process
/// ends, the operating system closes that pipe, and the shell ends the server and removes its directory.
#[derive(Debug)]
pub struct Server {
    shell: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command` in `directory`; `signal` is what ends it at once.
    pub fn start(signal: &str, directory: &Path, command: &[String]) -> Self {
        // A job in the background reads from /dev/null, so the pipe moves to descriptor 3 first.
        const SCRIPT: &str = "exec 3<&0; signal=$1; directory=$2; shift 2
            \"$@\" 3<&- & server=$!
            { read -r keep <&3; trap '' TERM; kill -s \"$signal\" $server; [ \"$keep\" ]; } 2>&1 & watch=$!
            wait $server; code=$?
            kill $watch 2>/dev/null; wait $watch; [ $? -eq 1 ] && rm -rf \"$directory\"
            exit $code";
        let log = directory.join("log");
        let output = fs::File::options().create(true).append(true).open(&log).expect("the server's log");
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh", signal])
            .arg(directory)
            .args(command)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("the server's log"))
            .stderr(output)
            .spawn()
            .expect("sh, Debian package dash");
        Self { shell, log }
    }

    /// Waits until `ready`; gives false when the server ended instead, as when its port was taken.
    pub fn wait(&mut self, mut ready: impl FnMut() -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(code) = self.shell.try_wait().expect("the shell can be waited for") {
                eprintln!(
                    "a server ended with {code}:\n{}",
                    fs::read_to_string(&self.log).unwrap_or_default()
                );
                return false;
            }
            if ready() {
                return true;
            }
            sleep(Duration::from_millis(30));
        }
        panic!("a server is not ready:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
    }

    /// What the server has written.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Sends a signal, such as `STOP` and `CONT`, to every process of the server.
    pub fn signal(&self, name: &str) {
        let processes = self.processes();
        assert!(!processes.is_empty(), "the server has no process");
        // One may have ended meanwhile.
        run(Command::new(program("kill", "procps")).arg(format!("-{name}")).args(processes));
    }

    /// Asks the server to end in order, and waits until it has.
    pub fn end_in_order(mut self) {
        self.signal("TERM");
        let start = Instant::now();
        while start.elapsed() < PATIENCE
            && self.shell.try_wait().expect("the shell can be waited for").is_none()
        {
            sleep(Duration::from_millis(20));
        }
    }

    /// The processes under the shell, without its own.
    pub fn processes(&self) -> Vec<String> {
        let mut parents = vec![self.shell.id().to_string()];
        let mut found = Vec::new();
        let all = fs::read_dir("/proc").expect("/proc").flatten();
        let all: Vec<_> =
            all.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok()).collect();
        while let Some(parent) = parents.pop() {
            for stat in &all {
                // `PID (NAME) STATE PARENT …` (proc(5))
                let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
                let Some((process, name)) = head.split_once(" (") else { continue };
                if rest.split(' ').nth(1) == Some(&parent) {
                    parents.push(process.to_owned());
                    if name != "sh" {
                        found.push(process.to_owned());
                    }
                }
            }
        }
        found
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ = pipe.write_all(b"keep\n");
        }
        let _ = self.shell.wait();
    }
}

/// One `redis-server`, or a replica, a node of a cluster or a Sentinel.
#[derive(Debug)]
pub struct Redis {
    server: Option<Server>,
    port: u16,
    arguments: Vec<String>,
    directory: TempDir,
}

impl Redis {
    /// A single server that keeps what it has acknowledged.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A single server with the settings that the operators' documentation asks for.
    pub fn start_as_documented() -> Self {
        Self::start_with(&["--appendfsync", "everysec", "--maxmemory-policy", "noeviction"])
    }

    /// A single server that asks for `password`.
    pub fn start_with_password(password: &str) -> Self {
        Self::start_with(&["--requirepass", password])
    }

    /// A single server that speaks TLS too; gives its `rediss://` URL and its certificate's file.
    pub fn start_with_tls(directory: &Path) -> (Self, String, PathBuf) {
        let [key, certificate] = ["key.pem", "certificate.pem"].map(|file| directory.join(file));
        let output = run(Command::new(program("openssl", "openssl"))
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
            ])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"]));
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        let (port, [key, file]) = (free_port(), [&key, &certificate].map(|path| path.display().to_string()));
        let redis = Self::start_with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-key-file",
            &key,
            "--tls-cert-file",
            &file,
            "--tls-auth-clients",
            "no",
        ]);
        (redis, format!("rediss://127.0.0.1:{port}"), certificate)
    }

    fn start_with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        // Someone else may take a port between finding it free and using it.
        for _ in 0..5 {
            let directory = tempfile::Builder::new().prefix("kenpos-redis").tempdir().expect("a directory");
            let mut redis = Self { port: free_port(), directory, arguments: arguments.clone(), server: None };
            if redis.launch() {
                return redis;
            }
        }
        panic!("redis-server does not start");
    }

    fn launch(&mut self) -> bool {
        let directory = self.directory.path();
        let mut command = vec![program("redis-server", "redis-server")];
        // A Sentinel writes its state into its configuration file.
        let file = directory.join("redis.conf");
        if !file.exists() {
            fs::write(&file, "").expect("redis.conf");
        }
        command.push(file.display().to_string());
        command.extend(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--dir"].map(str::to_owned));
        command.push(directory.display().to_string());
        if !self.is_sentinel() {
            command.extend(["--save", "", "--appendonly", "yes", "--appendfsync", "no"].map(str::to_owned));
        }
        command.extend(self.arguments.iter().cloned());
        let mut server = Server::start("KILL", directory, &command);
        let ready = server.wait(|| {
            let answer = self.ask(&["PING"]);
            answer.contains("PONG") || answer.contains("NOAUTH")
        });
        self.server = ready.then_some(server);
        ready
    }

    fn is_sentinel(&self) -> bool {
        self.arguments.iter().any(|argument| argument == "--sentinel")
    }

    /// The URL of the server.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// `HOST:PORT` of the server.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Starts the server again with its port and data.
    pub fn start_again(&mut self) {
        assert!(self.server.is_some() || self.launch(), "the server does not start again");
    }

    /// Throws the data of a stopped server away.
    pub fn forget(&self) {
        assert!(self.server.is_none(), "the server runs");
        fs::remove_dir_all(self.directory.path().join("appendonlydir")).expect("the server's data");
    }

    /// See [`Server::signal`].
    pub fn signal(&self, name: &str) {
        self.server.as_ref().expect("the server runs").signal(name);
    }

    /// The answer of the server to a command, as `redis-cli` prints it.
    pub fn ask(&self, command: &[&str]) -> String {
        let port = self.port.to_string();
        let output = run(Command::new(program("redis-cli", "redis-tools")).args(["-p", &port]).args(command));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A Redis Cluster of three masters.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters.
    pub nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts the nodes and joins them.
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..3)
            .map(|_| {
                let bus = free_port().to_string();
                Redis::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
            })
            .collect();
        let mut join = Command::new(program("redis-cli", "redis-tools"));
        join.args(["--cluster", "create"]).args(nodes.iter().map(Redis::address)).arg("--cluster-yes");
        let output = run(&mut join);
        assert!(
            output.status.success(),
            "the nodes do not join: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let cluster = Self { nodes };
        cluster.wait();
        cluster
    }

    /// The same with a replica of each master; [`Self::nodes`] are all six.
    pub fn start_with_replicas() -> Self {
        let start = || {
            let bus = free_port().to_string();
            let timeout = ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"];
            let cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            Redis::start_with(&[&cluster[..], &timeout[..]].concat())
        };
        let nodes: Vec<_> = (0..6).map(|_| start()).collect();
        let mut join = Command::new(program("redis-cli", "redis-tools"));
        join.args(["--cluster", "create"]).args(nodes.iter().map(Redis::address));
        let output = run(join.args(["--cluster-replicas", "1", "--cluster-yes"]));
        assert!(output.status.success(), "they do not join: {}", String::from_utf8_lossy(&output.stdout));
        let cluster = Self { nodes };
        cluster.wait();
        wait_until("the replicas are in step", || {
            let up = |node: &&Redis| node.ask(&["INFO", "replication"]).contains("master_link_status:up");
            cluster.nodes.iter().filter(up).count() == 3
        });
        cluster
    }

    fn wait(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        wait_until("the cluster agrees", || {
            self.nodes.iter().all(|node| {
                let info = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains(&known)
            })
        });
    }

    /// The URL of the cluster, in the form of the configuration.
    pub fn url(&self) -> String {
        let addresses: Vec<_> = self.nodes.iter().map(Redis::address).collect();
        format!("redis+cluster://{}", addresses.join(","))
    }

    /// Kills every node.
    pub fn stop(&mut self) {
        self.nodes.iter_mut().for_each(Redis::stop);
    }

    /// Starts every node again and waits until they agree.
    pub fn start_again(&mut self) {
        self.nodes.iter_mut().for_each(Redis::start_again);
        self.wait();
    }
}

/// A master, its replica, and a Sentinel that watches them under the name `kenpos`.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The first master.
    pub master: Redis,
    /// The replica that takes over.
    pub replica: Redis,
    sentinel: Redis,
}

impl RedisSentinel {
    /// Starts all three and waits until the Sentinel knows both servers.
    pub fn start() -> Self {
        let master = Redis::start();
        let port = master.port.to_string();
        let replica =
            Redis::start_with(&["--replicaof", "127.0.0.1", &port, "--repl-diskless-sync-delay", "0"]);
        let sentinel = Redis::start_with(&["--sentinel"]);
        let monitor = sentinel.ask(&["SENTINEL", "MONITOR", "kenpos", "127.0.0.1", &port, "1"]);
        assert!(monitor.contains("OK"), "the Sentinel does not monitor: {monitor}");
        for (option, millis) in [("down-after-milliseconds", "1000"), ("failover-timeout", "3000")] {
            sentinel.ask(&["SENTINEL", "SET", "kenpos", option, millis]);
        }
        wait_until("the replica is in step", || {
            replica.ask(&["INFO", "replication"]).contains("master_link_status:up")
        });
        wait_until("the Sentinel knows the replica", || {
            let replicas = sentinel.ask(&["SENTINEL", "REPLICAS", "kenpos"]);
            replicas.contains(&replica.port.to_string()) && !replicas.contains("master_link_status:err")
        });
        Self { master, replica, sentinel }
    }

    /// The URL of the service, in the form of the configuration.
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}/kenpos", self.sentinel.address())
    }
}

/// A PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    server: Option<Server>,
    port: u16,
    directory: TempDir,
    settings: &'static [&'static str],
}

impl Postgres {
    /// The server that all tests of this process share, each with a database of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Creates a cluster and starts its server, which trades safety against a power cut for speed.
    pub fn start() -> Self {
        Self::start_with(&[
            "fsync=off",
            "full_page_writes=off",
            "max_connections=200",
            // Counts statements, for what a flow costs.
            "shared_preload_libraries=pg_stat_statements",
        ])
    }

    /// Creates a cluster whose server has its own defaults, as for measurements.
    pub fn start_with_defaults() -> Self {
        Self::start_with(&[])
    }

    fn start_with(settings: &'static [&'static str]) -> Self {
        let directory = tempfile::Builder::new().prefix("kenpos-postgres").tempdir().expect("a directory");
        if is_root() {
            // The server refuses to run as root.
            let [user, group] = ["-u", "-g"].map(|which| id(&[which, "postgres"]));
            chown(directory.path(), Some(user), Some(group)).expect("the directory can change hands");
        }
        let data = directory.path().join("data").display().to_string();
        let mut init = as_postgres("initdb");
        init.extend(
            ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
                .map(str::to_owned),
        );
        let output = run(Command::new(&init[0]).args(&init[1..]).current_dir(directory.path()));
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let mut postgres = Self { port: 0, directory, server: None, settings };
        for _ in 0..5 {
            postgres.port = free_port();
            if postgres.launch() {
                return postgres;
            }
        }
        panic!("postgres does not start");
    }

    fn launch(&mut self) -> bool {
        let directory = self.directory.path();
        let mut command = as_postgres("postgres");
        command.extend(
            ["-D", &directory.join("data").display().to_string(), "-p", &self.port.to_string()]
                .map(str::to_owned),
        );
        command.extend(["-k", &directory.display().to_string(), "-h", "127.0.0.1"].map(str::to_owned));
        for setting in self.settings {
            command.extend(["-c", setting].map(str::to_owned));
        }
        // QUIT ends it at once, as a crash would, but with all its children.
        let mut server = Server::start("QUIT", directory, &command);
        let ready = server.wait(|| self.psql("postgres", "select 1").status.success());
        self.server = ready.then_some(server);
        ready
    }

    fn psql(&self, database: &str, statement: &str) -> Output {
        let port = self.port.to_string();
        let arguments = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", database, "-Atc", statement];
        run(Command::new(postgres_program("psql")).arg("-X").args(arguments))
    }

    /// `HOST:PORT` of the server.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Creates a database and gives its URL.
    pub fn create_database(&self, name: &str) -> String {
        let created = self.psql("postgres", &format!("create database \"{name}\""));
        assert!(created.status.success(), "create database: {}", String::from_utf8_lossy(&created.stderr));
        format!("postgres://postgres@{}/{name}", self.address())
    }

    /// See [`Server::signal`].
    pub fn signal(&self, name: &str) {
        self.server.as_ref().expect("the server runs").signal(name);
    }

    /// Runs a program of PostgreSQL, such as `pg_dump`, against the server.
    pub fn tool(&self, name: &str, arguments: &[&str]) -> Output {
        let port = self.port.to_string();
        run(Command::new(postgres_program(name))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres"])
            .args(arguments))
    }

    /// What a statement gives, a line a row.
    pub fn query(&self, database: &str, statement: &str) -> String {
        let output = self.psql(database, statement);
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Ends the server at once.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Starts the server again with its port and data.
    pub fn start_again(&mut self) {
        assert!(self.server.is_some() || self.launch(), "the server does not start again");
    }
}

/// Waits, on however busy a machine, until `holds`; panics with `what` if it never does.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(50));
    }
}

/// A port of 127.0.0.1 that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program runs")
}

fn id(arguments: &[&str]) -> u32 {
    let output = run(Command::new("id").args(arguments));
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.parse().unwrap_or_else(|_| panic!("there is no such user: id {arguments:?}"))
}

fn is_root() -> bool {
    id(&["-u"]) == 0
}

/// The path of a program, which Debian has in `package`.
pub fn program(name: &str, package: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers out of the PATH of users.
    let directories = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = directories.map(|directory| directory.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: apt install {package}")).display().to_string()
}

/// The path of a program of the newest PostgreSQL installed.
fn postgres_program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path())))
        .map(|(version, path)| (version, path.join("bin").join(name)))
        .filter(|(_, file)| Path::is_file(file))
        .max();
    newest.unwrap_or_else(|| panic!("{name} is missing: apt install postgresql")).1.display().to_string()
}

/// The start of a command line that runs a program of PostgreSQL as a user that it accepts.
fn as_postgres(name: &str) -> Vec<String> {
    let mut command = Vec::new();
    if is_root() {
        command.push(program("setpriv", "util-linux"));
        command.extend(["--reuid=postgres", "--regid=postgres", "--init-groups"].map(str::to_owned));
    }
    command.push(postgres_program(name));
    command
}
