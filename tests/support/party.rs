//! Relying parties that are programs of their own, in `tests/relying_parties`, on libraries that others wrote.
//! `scripts/setup test` installs those in `target/tools/relying_parties`.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use axum::{
    Router,
    http::header,
    routing::{MethodRouter, get},
};
use kenpos_idp::clients::{AuthMethod, Metadata};
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    app::{TestApp, metadata},
    backends::{Server, free_port},
    relying_party::Registered,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The folder of a program's source.
fn source(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/relying_parties").join(name)
}

/// The folder where what a program needs was installed, as its lock file says now.
///
/// # Panics
/// When it was not.
pub fn installed(name: &str, lock: &str) -> PathBuf {
    let folder = Path::new(ROOT).join("target/tools/relying_parties").join(name);
    let (wanted, found) = (fs::read(source(name).join(lock)), fs::read(folder.join("installed.lock")));
    assert_eq!(found.ok(), wanted.ok(), "the libraries of {name} are missing or others: scripts/setup test");
    folder
}

/// A program that runs, with a client of its own, and ends with the value.
pub struct Party {
    /// Its client.
    pub client: Registered,
    /// Where members find it, without a path.
    pub origin: String,
    _server: Server, // before its directory
    _directory: TempDir,
}

impl Party {
    /// Runs a copy of the program with `ISSUER`, `CLIENT_ID`, `CLIENT_SECRET`, `PORT`, `DIRECTORY` (the copy, where
    /// the command is run) and `more` in its environment.
    pub async fn start(
        app: &TestApp,
        name: &str,
        command: &[String],
        more: &[(&str, String)],
        register: impl Fn(&str) -> Metadata,
    ) -> Self {
        // Someone else may take a port between finding it free and using it.
        for _ in 0..5 {
            let port = free_port();
            let origin = format!("http://127.0.0.1:{port}");
            let client = app.register(register(&origin)).await;
            let directory = tempfile::Builder::new().prefix("kenpos-party").tempdir().unwrap();
            copy(&source(name), directory.path());
            let mut line =
                vec!["env".to_owned(), "NO_PROXY=127.0.0.1".to_owned(), "no_proxy=127.0.0.1".to_owned()];
            let own = [
                ("ISSUER", app.url("")),
                ("CLIENT_ID", client.id.clone()),
                ("CLIENT_SECRET", client.secret.clone().unwrap_or_default()),
                ("PORT", port.to_string()),
                ("DIRECTORY", directory.path().display().to_string()),
            ];
            line.extend(own.iter().chain(more).map(|(name, value)| format!("{name}={value}")));
            line.extend_from_slice(command);
            let mut server = Server::start("TERM", directory.path(), &line);
            // The program asks the provider, which runs on this thread.
            let starting = tokio::task::spawn_blocking(move || {
                server.wait(|| TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(server)
            });
            if let Some(server) = starting.await.unwrap() {
                return Self { client, origin, _server: server, _directory: directory };
            }
        }
        panic!("{name} does not start");
    }

    /// An absolute URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Copies a program; its libraries are linked where Node.js looks for them.
fn copy(from: &Path, to: &Path) {
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap(); // for servers that give up root
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&copied).unwrap();
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).unwrap();
        }
        if entry.file_name() == "package-lock.json" {
            let libraries = installed(from.file_name().unwrap().to_str().unwrap(), "package-lock.json");
            symlink(libraries.join("node_modules"), to.join("node_modules")).unwrap();
        }
    }
}

/// The pages of an app that is a page alone: a public client on `oidc-client-ts`.
pub struct PageApp {
    /// Where members find it, without a path.
    pub origin: String,
    server: JoinHandle<()>,
}

impl Drop for PageApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl PageApp {
    /// Registers the client and serves the pages on a free port.
    pub async fn start(app: &TestApp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let public = Metadata { token_endpoint_auth_method: AuthMethod::None, ..metadata(&origin) };
        let client = app.register(public).await;
        let name = "oidc-client-ts";
        let library = installed(name, "package-lock.json")
            .join("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");
        let settings = json!({ "authority": app.url(""), "client_id": client.id }).to_string();
        let page = || text(read(&source(name).join("index.html")), "text/html");
        let router = Router::new()
            .route("/", page())
            .route("/callback", page())
            .route("/goodbye", page())
            .route("/app.js", text(read(&source(name).join("app.js")), "text/javascript"))
            .route("/oidc-client-ts.js", text(read(&library), "text/javascript"))
            .route("/settings.json", text(settings, "application/json"));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, server }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Answers with this text.
fn text(body: String, content_type: &'static str) -> MethodRouter {
    get(move || std::future::ready(([(header::CONTENT_TYPE, content_type)], body.clone())))
}
