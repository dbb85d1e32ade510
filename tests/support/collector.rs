//! A collector of traces (OTLP over HTTP, protobuf), on a thread and a runtime of its own.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::span::SpanKind,
};
use prost::Message as _;

/// A span as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub trace: String,
    pub id: String,
    /// Empty: it began the trace.
    pub parent: String,
    pub name: String,
    pub kind: SpanKind,
    pub attributes: BTreeMap<String, String>,
    /// Name, attributes, events and status, as text.
    pub text: String,
}

/// Keeps what it receives.
#[derive(Clone)]
pub struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Collector {
    pub fn start() -> Self {
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let (tell, told) = std::sync::mpsc::channel();
        let keep = Arc::clone(&received);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let take = post(move |body: Bytes| async move {
                    let request = ExportTraceServiceRequest::decode(body).unwrap();
                    keep.lock().unwrap().extend(spans(request));
                });
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, Router::new().route("/v1/traces", take)).await.unwrap();
            });
        });
        Self { address: told.recv().unwrap(), received }
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }

    pub fn spans(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn spans(request: ExportTraceServiceRequest) -> Vec<Received> {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes
        .flat_map(|scope| scope.spans)
        .map(|span| Received {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind(),
            attributes: span.attributes.iter().map(attribute).collect(),
            text: format!("{:?} {:?} {:?} {:?}", span.name, span.attributes, span.events, span.status),
            name: span.name,
        })
        .collect()
}

fn attribute(pair: &KeyValue) -> (String, String) {
    let text = match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    (pair.key.clone(), text)
}
