//! Requests to servers of the operator's own, which the configuration names: the collector of traces, and, for
//! `doctor`, the provider itself. No redirect is followed and no proxy of the environment is used.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

use super::EgressError;
use crate::telemetry::traces::PATIENCE;

/// Bytes of the longest answer that is read.
const LONGEST: usize = 256 * 1024;

fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .no_proxy()
        .referer(false)
        .redirect(redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent("kenpos-idp")
        .build()
}

/// GETs a page of the operator's own, within five seconds: its status and its body.
pub async fn get(url: &str) -> Result<(u16, Vec<u8>), EgressError> {
    let client = client().map_err(|error| super::explain(&error))?;
    let mut answer = super::send(client.get(url)).await?;
    Ok((answer.status().as_u16(), super::body(&mut answer, LONGEST).await?))
}

/// POSTs an empty message in protobuf, as a collector takes it: the status of the answer.
pub async fn post_protobuf(url: &str) -> Result<u16, EgressError> {
    let client = client().map_err(|error| super::explain(&error))?;
    let request = client.post(url).header(reqwest::header::CONTENT_TYPE, "application/x-protobuf");
    Ok(super::send(request).await?.status().as_u16())
}

/// The collector of traces. It is called from a thread of the exporter's own, so each request runs on the
/// runtime that this was made in. That it fails is logged once, and once more when it works again.
#[derive(Clone, Debug)]
pub struct Collector {
    client: Client,
    runtime: Handle,
    failing: Arc<AtomicBool>,
}

impl Collector {
    /// A client for the collector; connects to nothing yet. To be called within a runtime.
    pub fn new() -> Result<Self, EgressError> {
        let client = client().map_err(|error| super::explain(&error))?;
        Ok(Self { client, runtime: Handle::current(), failing: Arc::default() })
    }

    fn note(&self, failure: Option<&str>) {
        let before = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) => {
                metrics::counter!("kenpos_traces_failed_total").increment(1);
                if !before {
                    tracing::warn!(reason, "the collector takes no traces; they are dropped until it does");
                }
            }
            None if before => tracing::info!("the collector takes traces again"),
            None => {}
        }
    }
}

impl HttpClient for Collector {
    fn send_bytes<'life, 'future>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'life: 'future,
        Self: 'future,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            let body = tokio::time::timeout(Duration::from_secs(5), answer.bytes()).await??;
            Ok::<_, HttpError>(Response::builder().status(status).body(body)?)
        });
        Box::pin(async move {
            let answer = sent.await.map_err(HttpError::from).flatten();
            match &answer {
                Ok(answer) if answer.status().is_success() => self.note(None),
                Ok(_) => self.note(Some("it answered with an error")),
                Err(_) => self.note(Some("it cannot be reached")),
            }
            answer
        })
    }
}
