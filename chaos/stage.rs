//! What a scenario plays on: nodes, their services, a relay, a roster, an app and a program.

use std::{
    collections::VecDeque,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kenpos_idp::{
    cli::demo::{
        received::Received,
        smtp_server::{Listening, Offers, SmtpServer},
    },
    clock::Clock,
};
use tempfile::TempDir;

use super::{
    backends::{Postgres, Redis, RedisCluster, RedisSentinel},
    balancer::{Balancer, ISSUER},
    ledger::Ledger,
    nodes::{Node, Recipe},
};

/// The password that every member chooses.
pub const PASSWORD: &str = "correct horse battery staple";
/// Where the app is.
pub const CALLBACK: &str = "https://app.example.jp/callback";
/// People in the roster; a third of them may register with their birth date.
const ROSTER: &str = "900";

/// What expires is kept here.
pub enum Cache {
    Embedded,
    Single(Redis),
    Sentinel(Box<RedisSentinel>),
    Cluster(RedisCluster),
}

/// A person of the roster.
#[derive(Clone, Debug)]
pub struct Person {
    pub number: String,
    pub login_id: String,
    pub born: String,
    pub kana: String,
    pub email: String,
}

/// A client with its secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub id: String,
    pub secret: String,
}

/// What the flows of the load share.
pub struct Load {
    pub balancer: Arc<Balancer>,
    pub ledger: Ledger,
    pub app: Credentials,
    pub program: Credentials,
    pub received: Received,
    /// How long a newcomer waits for the mail before beginning again.
    pub mail_patience: Duration,
    /// Whether the nodes' clock jumps: a code may then end between its first and its second use.
    pub clock_jumps: bool,
    people: Mutex<VecDeque<Person>>,
    stopped: AtomicBool,
}

impl Load {
    /// Somebody who has not registered yet.
    pub fn newcomer(&self) -> Option<Person> {
        self.people.lock().expect("the people").pop_front()
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// What is to be set up.
pub struct Wanted {
    pub nodes: usize,
    pub cache: Cache,
    pub postgres: bool,
    /// The binary that sets everything up and runs at first.
    pub program: PathBuf,
    pub fake_time: bool,
    /// SQLite lies on a file system of this many megabytes.
    pub small_disk: Option<u32>,
    pub mail_patience: Duration,
}

/// Everything that a scenario may break.
pub struct Stage {
    pub nodes: Vec<Node>,
    pub postgres: Option<Postgres>,
    pub cache: Cache,
    pub load: Arc<Load>,
    pub recipe: Recipe,
    pub database: String,
    smtp: SmtpServer,
    listening: Option<Listening>,
    relay: std::net::SocketAddr,
    directory: TempDir,
}

impl Stage {
    /// Sets everything up and starts the nodes.
    pub async fn build(wanted: Wanted) -> Self {
        let directory = tempfile::Builder::new().prefix("kenpos-chaos").tempdir().expect("a folder");
        let folder = directory.path();
        let smtp = SmtpServer::new(Received::in_memory(), Clock::system());
        let listening =
            smtp.listen((Ipv4Addr::LOCALHOST, 0).into(), Offers::default()).await.expect("a port");
        let relay = listening.address;
        let postgres = wanted.postgres.then(Postgres::start_with_defaults);
        let file = folder.join("kenpos.sqlite");
        let database = match &postgres {
            Some(postgres) => postgres.create_database("kenpos"),
            None => format!("sqlite://{}", file.display()),
        };
        let config = folder.join("kenpos.toml");
        fs::write(&config, configuration(folder, &database, &wanted.cache, relay.port())).expect("a file");
        let mut recipe = Recipe { program: wanted.program, ..Recipe::new(config) };
        let (app, program, people) = furnish(&recipe, folder);
        let for_commands = recipe.clone();
        if wanted.fake_time {
            fake_time(&mut recipe, folder);
        }
        if let Some(megabytes) = wanted.small_disk {
            small_disk(&mut recipe, folder, megabytes);
        }
        let names = ["a", "b"].iter().take(wanted.nodes);
        let mut nodes: Vec<_> =
            names.map(|name| Node::new(recipe.clone(), &folder.join(format!("node-{name}")))).collect();
        for node in &mut nodes {
            assert!(node.start(), "a node does not start");
        }
        let addresses: Vec<_> = nodes.iter().map(|node| node.address).collect();
        let load = Arc::new(Load {
            balancer: Balancer::new(&addresses),
            ledger: Ledger::default(),
            app,
            program,
            received: smtp.received().clone(),
            mail_patience: wanted.mail_patience,
            clock_jumps: wanted.fake_time,
            people: Mutex::new(people),
            stopped: AtomicBool::new(false),
        });
        let (cache, listening, recipe) = (wanted.cache, Some(listening), for_commands);
        Self { nodes, postgres, cache, load, recipe, database, smtp, listening, relay, directory }
    }

    /// The relay goes away.
    pub fn relay_down(&mut self) {
        self.listening = None;
    }

    /// The relay is back at its address.
    pub async fn relay_up(&mut self) {
        let back = self.smtp.listen(self.relay, Offers::default()).await;
        self.listening = Some(back.expect("the relay's port"));
    }

    /// Sets the clock of every node off by so many seconds.
    pub fn set_clock(&self, seconds: i64) {
        // Renamed into place, so that no node reads half a number.
        let (new, file) = (self.directory.path().join("clock.new"), clock_file(self.directory.path()));
        fs::write(&new, format!("{seconds:+}\n")).expect("the clock's file");
        fs::rename(new, file).expect("the clock's file");
    }

    pub fn postgres(&mut self) -> &mut Postgres {
        self.postgres.as_mut().expect("there is a PostgreSQL")
    }

    /// The folder of the small disk as it is seen from outside.
    pub fn disk(&self) -> PathBuf {
        let process = self.nodes[0].processes().pop().expect("the node's process");
        let inside = self.directory.path().join("disk");
        Path::new("/proc").join(process).join("root").join(inside.strip_prefix("/").expect("a path"))
    }

    /// Takes what lies on the small disk off it, as a power cut would leave it.
    pub fn save_disk(&self) {
        self.nodes[0].signal("STOP");
        let files = fs::read_dir(self.disk()).expect("the small disk").flatten();
        // The index of the log is made anew from the log.
        for file in files.filter(|file| !file.path().to_string_lossy().ends_with("-shm")) {
            fs::copy(file.path(), self.directory.path().join(file.file_name())).expect("a copy");
        }
        self.nodes[0].signal("CONT");
    }
}

/// The configuration of every node.
fn configuration(folder: &Path, database: &str, cache: &Cache, relay: u16) -> String {
    let ephemeral = match cache {
        Cache::Embedded => String::new(),
        Cache::Single(redis) => format!("[ephemeral]\nurl = \"{}\"", redis.url()),
        Cache::Sentinel(redis) => format!("[ephemeral]\nurl = \"{}\"", redis.url()),
        Cache::Cluster(redis) => format!("[ephemeral]\nurl = \"{}\"", redis.url()),
    };
    format!(
        r#"
[server]
issuer = "{ISSUER}"
trusted_proxies = ["127.0.0.0/8"]
[database]
url = "{database}"
{ephemeral}
[keys]
directory = "{}"
# As cheap as it may be: what is tried here is not the hashing.
[passwords]
memory_kib = 8
iterations = 1
concurrent = 2
[mail]
host = "127.0.0.1"
port = {relay}
security = "none"
from = "no-reply@login.example.jp"
[[insurers]]
code = "7132"
number = "06139497"
name = "みほん健康保険組合"
contact = {{ name = "事務局" }}
"#,
        folder.join("keys").display()
    )
}

/// A roster, an app, and a program that operates.
fn furnish(recipe: &Recipe, folder: &Path) -> (Credentials, Credentials, VecDeque<Person>) {
    let roster = folder.join("roster.csv");
    let file = roster.display().to_string();
    recipe.command(&["roster", "sample", &file, "--count", ROSTER]);
    recipe.command(&["roster", "import", &file]);
    let scope = "openid email offline_access";
    let app = ["client", "create", "--name", "app", "--redirect-uri", CALLBACK, "--scope", scope];
    let scopes = "admin:members.read admin:members.write";
    let program = ["client", "create", "--name", "program", "--api", scopes];
    let [app, program] = [&app[..], &program[..]].map(|arguments| {
        let told = recipe.command(arguments);
        let text = |name: &str| told[name].as_str().expect("credentials").to_owned();
        Credentials { id: text("client_id"), secret: text("client_secret") }
    });
    (app, program, people(&roster))
}

/// The people of a roster file who register with their birth date.
fn people(roster: &Path) -> VecDeque<Person> {
    let mut reader = csv::Reader::from_path(roster).expect("the roster");
    let headers = reader.headers().expect("a header").clone();
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    let at = |row: &csv::StringRecord, name: &str| {
        let column = headers.iter().position(|header| header == name).expect("a column");
        row[column].to_owned()
    };
    let insured = rows.iter().filter(|row| at(row, "区分") == "一般被保険者");
    let person = |row: &csv::StringRecord| {
        let number = at(row, "番号");
        Person {
            login_id: format!("7132-{}{number}", at(row, "記号")),
            born: at(row, "生年月日").replace('-', ""),
            kana: at(row, "氏名カナ"),
            email: format!("p{number}@mail.example"),
            number,
        }
    };
    insured.map(person).collect()
}

fn clock_file(folder: &Path) -> PathBuf {
    folder.join("clock")
}

/// The nodes go by a clock that can be set.
fn fake_time(recipe: &mut Recipe, folder: &Path) {
    let folders = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut libraries = folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let library = libraries.find(|file| file.is_file());
    let library = library.expect("libfaketime is missing: scripts/setup chaos").display().to_string();
    fs::write(clock_file(folder), "+0\n").expect("the clock's file");
    let file = clock_file(folder).display().to_string();
    recipe.environment.extend(
        [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", file.as_str()),
            ("FAKETIME_NO_CACHE", "1"),
            // Timers go on as they are: only the wall clock jumps.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
}

/// The node keeps its database on a file system of its own that is soon full: a tmpfs in a mount namespace,
/// which needs no rights where users may have namespaces.
fn small_disk(recipe: &mut Recipe, folder: &Path, megabytes: u32) {
    const SCRIPT: &str = r#"mount -t tmpfs -o "size=$2m,mode=0700" tmpfs "$1/disk" && cp "$1"/kenpos.sqlite* "$1/disk" &&
        shift 2 && exec "$@""#;
    fs::create_dir(folder.join("disk")).expect("a folder");
    let [folder, size] = [folder.display().to_string(), megabytes.to_string()];
    let wrapper =
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", &folder, &size];
    recipe.wrapper = wrapper.map(str::to_owned).to_vec();
    let database = format!("sqlite://{folder}/disk/kenpos.sqlite");
    recipe.environment.insert("KENPOS_DATABASE__URL".to_owned(), database);
}
