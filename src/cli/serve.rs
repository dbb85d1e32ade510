//! `serve`: the provider on its listeners, with its background tasks, until it is told to stop.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::{Router, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinHandle, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    clock::Timestamp,
    egress::deliveries::Lane,
    fault::Fault,
    members::roster,
    oidc::backchannel_logout::Messenger,
    operators::feed::Feed,
    routes,
    storage::{
        activation_notice,
        delivery::{DELIVERIES, WEBHOOKS},
        outbox::MAILS,
        queue::Counts,
        recovery, registration, sign_in_failure, webhook_event,
    },
    telemetry::figures::begin_funnel,
    web::{
        connection::{Guests, Patience, Site},
        tls::{Tls, TlsError},
    },
};

/// How often what has expired is swept away and the gauges are read.
const HOUSEKEEPING: Duration = Duration::from_secs(30);

/// How often what was written to the audit since is linked to its chain.
const LINK_AUDIT: Duration = Duration::from_secs(5);

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

/// The certificate of a configuration, if it names one.
pub async fn open_tls(app: &App) -> Result<Option<Tls>, TlsError> {
    let files = &app.config().server.tls;
    let (Some(certificate), Some(key)) = (&files.certificate, &files.key) else { return Ok(None) };
    Ok(Some(Tls::load(certificate, key).await?))
}

impl Running {
    /// Starts serving on `listener`, in HTTP.
    pub fn start(app: App, listener: TcpListener) -> std::io::Result<Self> {
        Self::start_with(app, listener, None)
    }

    /// Starts serving on `listener`, with TLS if there is a certificate.
    pub fn start_with(app: App, listener: TcpListener, tls: Option<Tls>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        if let Some(tls) = tls.clone() {
            tasks.spawn(tls.follow(stop.clone()));
        }
        let router = routes::router(app.clone());
        let site = Site { router, tls, patience: patience(&app), guests: guests(&app) };
        tasks.spawn(site.serve(listener, stop.clone()));
        let outbox = app.members.outbox.clone();
        let quit = stop.clone();
        tasks.spawn(async move { outbox.run(quit).await });
        for lane in [Lane::Protocol, Lane::Webhooks] {
            let (deliveries, messenger) = (app.members.deliveries.clone(), Messenger(app.clone()));
            let quit = stop.clone();
            tasks.spawn(async move { deliveries.run(lane, messenger, quit).await });
        }
        let (members, texts, quit) = (app.members.clone(), app.texts.clone(), stop.clone());
        tasks.spawn(async move { members.run_roster_imports(&texts, quit).await });
        tasks.spawn(housekeeping(app.clone(), stop.clone()));
        tasks.spawn(link_audit(app.clone(), stop.clone()));
        if let Some(target) = app.config().telemetry.audit_target() {
            tasks.spawn(Feed::new(&app.members, target).run(stop.clone()));
        }
        let refresh = app.signing.spawn_refresh();
        Ok(Self { app, address, stop, tasks, refresh })
    }

    /// Serves another site until this provider stops, in HTTP; used for `/metrics`.
    pub fn also(&self, router: Router, listener: TcpListener) {
        let (patience, guests) = (patience(&self.app), guests(&self.app));
        let site = Site { router, tls: None, patience, guests };
        self.tasks.spawn(site.serve(listener, self.stop.clone()));
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

fn patience(app: &App) -> Patience {
    let server = &app.config().server;
    Patience {
        most: server.max_connections,
        head: Duration::from_secs(server.header_timeout_seconds),
        idle: Duration::from_secs(server.idle_timeout_seconds),
        head_bytes: server.header_limit_bytes,
        head_fields: server.header_fields,
    }
}

fn guests(app: &App) -> Guests {
    let server = &app.config().server;
    Guests::new(server.max_connections_per_address, &server.trusted_proxies)
}

/// Sweeps and measures until told to stop. A failure is logged and tried again next time.
async fn housekeeping(app: App, stop: CancellationToken) {
    let mut noted_on = None;
    loop {
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "housekeeping failed");
        }
        // An eligibility ends with a day of Japan.
        let today = app.now().day_in_japan();
        if noted_on != Some(today) {
            match app.members.note_losses().await {
                Ok(members) => {
                    noted_on = Some(today);
                    tracing::info!(members, "ends of eligibility noticed");
                }
                Err(error) => tracing::warn!(%error, "ends of eligibility were not noticed"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(HOUSEKEEPING) => {}
        }
    }
}

/// Gives the lines of the audit their place in the chain until told to stop.
async fn link_audit(app: App, stop: CancellationToken) {
    loop {
        if let Err(error) = app.operators.link_audit().await {
            tracing::warn!(%error, "the audit was not linked");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = time::sleep(LINK_AUDIT) => {}
        }
    }
}

async fn sweep(app: &App) -> Result<(), Fault> {
    let (members, now) = (&app.members, app.now());
    members.ephemeral.sweep().await?;
    members.tell_of_lost_eligibility().await?;
    registration::sweep(&members.db, now).await?;
    registration::sweep_mails(&members.db, now.minus(members.config.lifetimes.registration_link())).await?;
    recovery::sweep(&members.db, now).await?;
    roster::sweep(&members.db, now).await?;
    activation_notice::sweep(&members.db, now).await?;
    sign_in_failure::sweep(&members.db, now.minus(members.config.limits.failures_kept())).await?;
    MAILS.purge(&members.db, now.minus(KEEP_MAILS)).await?;
    DELIVERIES.purge(&members.db, now.minus(KEEP_MAILS)).await?;
    WEBHOOKS.purge(&members.db, now.minus(KEEP_MAILS)).await?;
    // Longer than the last delivery that tells of it.
    webhook_event::purge(&members.db, now.minus(2 * KEEP_MAILS)).await?;
    let counts = members.outbox.counts().await?;
    metrics::gauge!("kenpos_mail_oldest_seconds").set(age(&counts, now));
    metrics::gauge!("kenpos_mails", "state" => "queued").set(gauge(counts.queued));
    metrics::gauge!("kenpos_mails", "state" => "failed").set(gauge(counts.failed));
    let counts = members.deliveries.counts(Lane::Protocol).await?;
    metrics::gauge!("kenpos_delivery_oldest_seconds").set(age(&counts, now));
    metrics::gauge!("kenpos_deliveries", "state" => "queued").set(gauge(counts.queued));
    metrics::gauge!("kenpos_deliveries", "state" => "failed").set(gauge(counts.failed));
    let counts = members.deliveries.counts(Lane::Webhooks).await?;
    metrics::gauge!("kenpos_webhook_oldest_seconds").set(age(&counts, now));
    metrics::gauge!("kenpos_webhooks", "state" => "queued").set(gauge(counts.queued));
    metrics::gauge!("kenpos_webhooks", "state" => "failed").set(gauge(counts.failed));
    Ok(())
}

/// Seconds since the oldest of those that wait was made; 0 when none waits.
fn age(counts: &Counts, now: Timestamp) -> f64 {
    counts.oldest.map_or(0.0, |oldest| now.since(Timestamp::from_millis(oldest)).as_secs_f64())
}

/// Reads what costs nothing to be read: whenever somebody asks for the metrics.
fn measure(app: &App) {
    let (members, load) = (&app.members, app.members.db.load());
    metrics::gauge!("kenpos_password_hashes_in_progress").set(gauge(members.passwords.in_progress()));
    metrics::gauge!("kenpos_password_hash_capacity").set(gauge(members.passwords.capacity()));
    metrics::gauge!("kenpos_sql_connections", "state" => "in_use").set(gauge(load.in_use));
    metrics::gauge!("kenpos_sql_connections", "state" => "idle").set(gauge(load.idle));
    metrics::gauge!("kenpos_sql_waiting").set(gauge(load.waiting));
    metrics::gauge!("kenpos_leaving").set(f64::from(u8::from(app.is_leaving())));
}

/// A count as a gauge; the loss of precision beyond 2⁵³ is of no concern.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn gauge(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// The site of `/metrics`.
pub fn metrics_router(app: App, handle: PrometheusHandle) -> Router {
    begin_funnel(app.config().insurers.iter().map(|insurer| insurer.code.as_str()));
    Router::new().route(
        "/metrics",
        get(move || {
            measure(&app);
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
    let tls = open_tls(&app).await?;
    let running = Running::start_with(app, listener, tls)?;
    if let Some(listener) = metrics {
        running.also(metrics_router(running.app.clone(), handle), listener);
    }
    let members = &running.app.members;
    tracing::info!(
        issuer = server.issuer,
        address = %running.address,
        tls = server.tls.certificate.is_some(),
        database = members.db.engine(),
        ephemeral = members.ephemeral.engine(),
        "the provider is up"
    );
    told_to_stop().await?;
    running.app.leave();
    let pause = Duration::from_secs(server.leave_seconds);
    tracing::info!(seconds = server.leave_seconds, "leaving: /readyz says so, requests are still taken");
    tokio::select! {
        () = time::sleep(pause) => {}
        // Who asks twice does not want to wait.
        told = told_to_stop() => told?,
    }
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
