//! Traces: what a request or a mail did, across HTTP, SQL, Redis and SMTP, for an OpenTelemetry collector.
//!
//! The spans have a target of their own, so they are no part of the log. They are off unless a collector is
//! configured, and then cost a comparison each. A trace begins with a request or with a delivery; what the
//! server does by itself, such as looking for mails, begins none. No attribute holds a value of a request or
//! of a record: routes, statuses, commands, and places in the source are all there is.

use std::time::Duration;

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId, TracerProvider as _},
};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracer,
        SdkTracerProvider, ShouldSample,
    },
};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// Target of the spans that go to a collector.
pub const TARGET: &str = "kenpos_traces";
/// Spans that wait for the collector at most; more are dropped, and no request waits for them.
const QUEUE: usize = 4096;
/// How often waiting spans are sent.
const PERIOD: Duration = Duration::from_secs(2);
/// How long the collector may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Sends spans to a collector until it is dropped.
#[derive(Clone, Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends `ratio` (0 to 1) of the traces to the collector at `url`, through `client`.
    pub fn start(
        url: &str,
        ratio: f64,
        client: impl HttpClient + 'static,
    ) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(url)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .build()?;
        let batches =
            BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_scheduled_delay(PERIOD).build();
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", "kenpos-idp"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(Beginnings(Sampler::TraceIdRatioBased(ratio)))))
            .with_resource(resource.build())
            .build();
        Ok(Self(provider))
    }

    /// What gives the spans, and nothing else, to the collector.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let layer: OpenTelemetryLayer<S, SdkTracer> =
            tracing_opentelemetry::layer().with_tracer(self.0.tracer("kenpos-idp"));
        layer
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE))
    }

    /// Sends what waits, and waits for it: not for async code.
    pub fn flush(&self) {
        if let Err(error) = self.0.force_flush() {
            tracing::debug!(%error, "the last traces were not sent");
        }
    }
}

/// Where traces may begin: with a request that came in, or a delivery.
#[derive(Clone, Debug)]
struct Beginnings(Sampler);

impl ShouldSample for Beginnings {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result = self.0.should_sample(parent, trace_id, name, kind, attributes, links);
        if !matches!(kind, SpanKind::Server | SpanKind::Consumer) {
            result.decision = SamplingDecision::Drop;
        }
        result
    }
}

/// Continues the trace that a proxy began, for its `traceparent` (W3C Trace Context §3.2). The caller has made
/// sure that the proxy is a trusted one: a stranger could have everything traced, or mix traces up.
pub fn continue_from(span: &tracing::Span, headers: &dyn opentelemetry::propagation::Extractor) {
    use opentelemetry::propagation::TextMapPropagator as _;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    let context = opentelemetry_sdk::propagation::TraceContextPropagator::new()
        .extract_with_context(&Context::new(), headers);
    if context.span().span_context().is_valid() {
        // It fails where no layer takes the span, and then nobody misses it.
        let _ = span.set_parent(context);
    }
}
