//! `serve`: the provider on its listeners, with its background tasks, until it is told to stop.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::{Router, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinHandle, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    fault::Fault,
    routes,
    storage::{activation_notice, outbox, recovery, registration, sign_in_failure},
};

/// How often what has expired is swept away and the gauges are read.
const HOUSEKEEPING: Duration = Duration::from_secs(30);

/// How long finished mails stay in the outbox, for the help desk.
const KEEP_MAILS: Duration = Duration::from_secs(30 * 24 * 3600);

/// A provider that runs.
pub struct Running {
    /// What it works with.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    refresh: JoinHandle<()>,
}

impl Running {
    /// Starts serving on `listener`.
    pub fn start(app: App, listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(serve_router(routes::router(app.clone()), listener, stop.clone()));
        let outbox = app.members.outbox.clone();
        let quit = stop.clone();
        tasks.spawn(async move { outbox.run(quit).await });
        tasks.spawn(housekeeping(app.clone(), stop.clone()));
        let refresh = app.signing.spawn_refresh();
        Ok(Self { app, address, stop, tasks, refresh })
    }

    /// Serves another site until this provider stops; used for `/metrics`.
    pub fn also(&self, router: Router, listener: TcpListener) {
        self.tasks.spawn(serve_router(router, listener, self.stop.clone()));
    }

    /// Takes no more connections, lets requests under way and the mail being sent finish for as long as
    /// the configuration grants, and closes the database.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        let drain = Duration::from_secs(self.app.config().server.drain_seconds);
        if time::timeout(drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        self.refresh.abort();
        self.app.members.db.close().await;
    }
}

async fn serve_router(router: Router, listener: TcpListener, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "a listener failed");
    }
}

/// Sweeps and measures until told to stop. A failure is logged and tried again next time.
async fn housekeeping(app: App, stop: CancellationToken) {
    loop {
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "housekeeping failed");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(HOUSEKEEPING) => {}
        }
    }
}

async fn sweep(app: &App) -> Result<(), Fault> {
    let (members, now) = (&app.members, app.now());
    members.ephemeral.sweep().await?;
    registration::sweep(&members.db, now).await?;
    registration::sweep_mails(&members.db, now.minus(members.config.lifetimes.registration_link())).await?;
    recovery::sweep(&members.db, now).await?;
    activation_notice::sweep(&members.db, now).await?;
    sign_in_failure::sweep(&members.db, now.minus(members.config.limits.failures_kept())).await?;
    outbox::purge(&members.db, now.minus(KEEP_MAILS)).await?;
    let counts = members.outbox.counts().await?;
    metrics::gauge!("kenpos_mails", "state" => "queued").set(gauge(counts.queued));
    metrics::gauge!("kenpos_mails", "state" => "failed").set(gauge(counts.failed));
    metrics::gauge!("kenpos_password_hashes_in_progress").set(gauge(members.passwords.in_progress()));
    Ok(())
}

/// A count as a gauge; the loss of precision beyond 2⁵³ is of no concern.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn gauge(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// The site of `/metrics`.
pub fn metrics_router(handle: PrometheusHandle) -> Router {
    Router::new().route(
        "/metrics",
        get(move || {
            let text = handle.render();
            async move { ([("content-type", "text/plain; version=0.0.4")], text) }
        }),
    )
}

/// Serves until the process is told to stop (SIGTERM or Ctrl-C).
pub async fn run(app: App, handle: PrometheusHandle) -> anyhow::Result<()> {
    let server = app.config().server.clone();
    let bind = async |address: SocketAddr| {
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
    };
    let listener = bind(server.listen).await?;
    let metrics = match server.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let running = Running::start(app, listener)?;
    if let Some(listener) = metrics {
        running.also(metrics_router(handle), listener);
    }
    let members = &running.app.members;
    tracing::info!(
        issuer = server.issuer,
        address = %running.address,
        database = members.db.engine(),
        ephemeral = members.ephemeral.engine(),
        "the provider is up"
    );
    told_to_stop().await?;
    tracing::info!("stopping: requests under way are finished first");
    running.stop().await;
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn told_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
