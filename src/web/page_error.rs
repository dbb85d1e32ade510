//! Errors that a person sees: what happened and what to do, in the language of the reader.
//!
//! A handler returns a [`PageError`]; its [`Reader`] turns it into a page, and does the same for
//! answers that something else made without a body: a path that is not there, a method that is not
//! allowed, a time-out, a panic.

use std::{any::Any, sync::Arc};

use axum::{
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    Visit,
    error_page::ErrorPage,
    templates::{Brand, Message},
    trace::reference_of,
};
use crate::{app::App, config::Insurer, fault::Fault, texts::Locale};

/// An error for a person.
#[derive(Clone, Debug)]
pub struct PageError {
    status: StatusCode,
    // Boxed, as an error is the smaller half of every handler's answer.
    title: Option<Box<Message>>,
    message: Option<Message>,
    restart: Option<String>,
    insurer: Option<String>,
    fault: Option<Arc<Fault>>,
}

impl PageError {
    /// An error in the general words of its status.
    pub const fn status(status: StatusCode) -> Self {
        Self { status, title: None, message: None, restart: None, insurer: None, fault: None }
    }

    /// An error with a more exact explanation.
    pub const fn explained(status: StatusCode, message: Message) -> Self {
        Self { status, title: None, message: Some(message), restart: None, insurer: None, fault: None }
    }

    /// Under this title instead of that of its status.
    #[must_use]
    pub fn titled(mut self, title: Message) -> Self {
        self.title = Some(Box::new(title));
        self
    }

    /// In the name of the insurer, whose office then stands below.
    #[must_use]
    pub fn of_insurer(mut self, insurer: Option<&Insurer>) -> Self {
        self.insurer = insurer.map(|insurer| insurer.code.clone());
        self
    }

    /// Logs the cause, where the answer is not this error.
    pub fn log(&self) {
        if let Some(fault) = &self.fault {
            log_fault(fault);
        }
    }

    /// With the one button that starts again.
    #[must_use]
    pub fn restarting_at(mut self, path: impl Into<String>) -> Self {
        self.restart = Some(path.into());
        self
    }
}

impl From<Fault> for PageError {
    fn from(fault: Fault) -> Self {
        Self { fault: Some(Arc::new(fault)), ..Self::status(StatusCode::INTERNAL_SERVER_ERROR) }
            .with_fault_status()
    }
}

impl PageError {
    fn with_fault_status(mut self) -> Self {
        if let Some(fault) = &self.fault {
            self.status = status_of(fault);
        }
        self
    }
}

/// The status that a fault answers with.
pub const fn status_of(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Unavailable(_) | Fault::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Logs the cause of a fault once; the span of the request carries its reference.
pub fn log_fault(fault: &Fault) {
    match fault {
        Fault::Busy => tracing::warn!("refused: the password queue is full"),
        Fault::Unavailable(cause) => tracing::error!(%cause, "a service is unavailable"),
        Fault::Internal(cause) => tracing::error!(%cause, "the request failed"),
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        self.log();
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What a panic becomes.
pub fn caught_panic(cause: &(dyn Any + Send)) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    metrics::counter!("kenpos_panics_total").increment(1);
    PageError::status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

/// Who reads an error, if there is one.
pub enum Reader {
    /// A person at a browser.
    Person(Box<Visit>),
    /// A program, which is told the reference number.
    Program(String),
}

impl Reader {
    /// Who sends a request.
    pub fn of(app: &App, head: &Parts) -> Self {
        if wants_page(&head.headers) {
            Self::Person(Box::new(Visit::new(app, head)))
        } else {
            Self::Program(reference_of(head))
        }
    }

    /// Gives an error without a body the page that explains it, or JSON where no page was asked for.
    pub fn explain(&self, app: &App, response: Response) -> Response {
        if !is_unexplained(&response) {
            return response;
        }
        let status = response.status();
        let error = response.extensions().get::<PageError>().cloned().unwrap_or(PageError::status(status));
        let mut rendered = match self {
            Self::Person(visit) => page(visit, &error),
            Self::Program(reference) => plain(app, reference, &error),
        };
        keep_allow(&response, &mut rendered);
        rendered
    }
}

/// Whether an answer is an error that says no more than its status, as far as a reader is concerned.
pub fn is_unexplained(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let bare = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    bare && (status.is_client_error() || status.is_server_error())
}

/// An error that is written out says which methods are allowed, if the bare one did (RFC 9110 §15.5.6).
pub fn keep_allow(bare: &Response, rendered: &mut Response) {
    if let Some(allow) = bare.headers().get(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow.clone());
    }
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().unwrap_or_default().contains("text/html"))
}

fn page(visit: &Visit, error: &PageError) -> Response {
    let mut view = ErrorPage::of_status(error.status.as_u16());
    if let Some(title) = &error.title {
        view = view.titled(title.as_ref().clone());
    }
    if let Some(message) = &error.message {
        view = view.explained(message.clone());
    }
    if let Some(restart) = &error.restart {
        view = view.restarting_at(restart.clone());
    }
    let insurers = &visit.app().config().insurers;
    let known = error.insurer.as_deref().and_then(|code| visit.app().members.insurer(code));
    let brand = known.map_or_else(
        || Brand::of_all(insurers, visit.locale),
        |insurer| Brand::insurer(insurer, visit.locale),
    );
    visit.show(&view).brand(brand).status(error.status).render().unwrap_or_else(|fault| {
        log_fault(&fault);
        plain(visit.app(), &visit.reference, error)
    })
}

/// What a page would say, for the developer of a program.
fn plain(app: &App, reference: &str, error: &PageError) -> Response {
    let status = error.status;
    let description = error.message.as_ref().map(|message| message.text(&app.texts, Locale::En));
    let code = match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let body = json!({
        "error": code,
        "error_description": description.as_deref().or(status.canonical_reason()).unwrap_or_default(),
        "reference": reference,
    });
    (status, axum::Json(body)).into_response()
}
