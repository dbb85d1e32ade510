//! `demo`: the provider, a mailbox and a sample health app on this machine, with nothing else needed.
//!
//! Everything lives in one folder and survives a restart. The roster is made up; nobody in it exists.

pub mod health_app;
pub mod mailbox;
pub mod received;
pub mod settings;
pub mod smtp_server;
pub mod smtp_wire;
mod welcome;

use std::{
    fs::DirBuilder,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use self::{
    health_app::HealthApp,
    received::Received,
    settings::Places,
    smtp_server::{Offers, SmtpServer},
    welcome::Welcome,
};
use super::serve::{Running, metrics_router, told_to_stop};
use crate::{
    app::App,
    clock::{Clock, Entropy},
    config::{Telemetry, telemetry::LogFormat},
    telemetry,
};

/// Seed of the made-up roster: the same people at every start.
pub const SEED: u64 = 7132;

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the provider; the sample app and the mailbox take the next two. 0 picks free ports.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder of everything that is kept.
    #[arg(long, default_value = "data/demo", value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON object instead of a text for people.
    #[arg(long)]
    json: bool,
    /// What to log to standard error.
    #[arg(long, default_value = "warn", value_name = "LEVEL")]
    log: String,
}

/// Runs the demo until it is told to stop.
pub async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let log = Telemetry { format: LogFormat::Pretty, level: args.log.clone(), ..Telemetry::default() };
    telemetry::start_logging(&log, None)?;
    let metrics = telemetry::start_metrics()?;
    let provider = listen(args.port, 0).await?;
    let health_app = listen(args.port, 1).await?;
    let mailbox = listen(args.port, 2).await?;
    let places = Places { issuer: origin(&provider)?, app: origin(&health_app)?, mailbox: origin(&mailbox)? };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&args.data)
        .with_context(|| format!("{} cannot be created", args.data.display()))?;
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let received = Received::in_file(&args.data.join("mailbox.jsonl")).await?;
    let smtp = SmtpServer::new(received.clone(), clock.clone());
    let relay = smtp.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Offers::default()).await?;
    let config = settings::config(&args.data, &places, relay.address.port());
    config.validate()?;
    let app = App::open(config, clock.clone(), entropy.clone()).await?;
    let people = settings::fill_roster(&app, &args.data).await?;
    let relative = settings::relative(&app)?;
    let client = settings::register_health_app(&app, &places).await?;

    let running = Running::start(app, provider)?;
    let site = HealthApp::new(
        places.issuer.parse()?,
        places.app.parse()?,
        client.id.clone(),
        client.secret.clone(),
        clock,
        entropy,
    );
    running.also(site.router(), health_app);
    running.also(mailbox::router(received).merge(metrics_router(running.app.clone(), metrics)), mailbox);
    Welcome { places: &places, people: &people, relative: &relative, client: &client, data: &args.data }
        .print(args.json)?;
    told_to_stop().await?;
    running.stop().await;
    drop(relay);
    Ok(())
}

/// A listener on the port, or for 0 on a free one.
async fn listen(first: u16, offset: u16) -> anyhow::Result<TcpListener> {
    let port = if first == 0 { 0 } else { first.checked_add(offset).context("--port is too high")? };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("port {port} is taken; choose another with --port"))
}

fn origin(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}
