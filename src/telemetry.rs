//! Logs, metrics and traces of the process.

pub mod figures;
pub mod traces;

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::traces::{TARGET, Traces};
use crate::config::{Telemetry, telemetry::LogFormat};

/// How often measured times are put into their buckets; until then each takes memory of its own.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.level` is malformed.
    #[error("telemetry.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs in this process already.
    #[error("logging was set up twice: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
    /// Something else collects metrics in this process already.
    #[error("metrics cannot be collected: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Sends log lines to standard error, as JSON or for a person; and spans to a collector, if there is one.
pub fn start_logging(settings: &Telemetry, traces: Option<&Traces>) -> Result<(), TelemetryError> {
    // rustls warns of every client that says goodbye with user_canceled, as Java's do: no news to an operator.
    let filter = EnvFilter::try_new(format!("rustls=error,{TARGET}=off,{}", settings.level))?;
    let lines = match settings.format {
        LogFormat::Json => {
            fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(stderr).boxed()
        }
        LogFormat::Pretty => {
            let ansi = stderr().is_terminal();
            fmt::layer().compact().with_ansi(ansi).with_writer(stderr).boxed()
        }
    };
    match traces {
        Some(traces) => {
            tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces.layer()).try_init()?;
        }
        // One filter for all is cheaper than one for each.
        None => tracing_subscriber::registry().with(lines).with(filter).try_init()?,
    }
    Ok(())
}

/// Collects metrics for `/metrics`, whether or not anybody asks for them.
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let buckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
    let fine = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
    let handle = PrometheusBuilder::new()
        .set_buckets(&buckets)?
        .set_buckets_for_metric(Matcher::Prefix("kenpos_redis_".to_owned()), &fine)?
        .set_buckets_for_metric(Matcher::Prefix("kenpos_sql_".to_owned()), &fine)?
        .install_recorder()?;
    figures::begin();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
