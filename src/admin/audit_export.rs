//! `/admin/audit/export`: the lines that fit the filter, as a file. A form, so that no other site can make a
//! browser fetch one; it streams, so that its size takes no memory.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::{audit::Filter, guard::OperatorForm};
use crate::{
    app::App,
    fault::Fault,
    operators::log::Format,
    storage::{Position, audit_search::Search},
    web::{PageError, page_error::log_fault},
};

/// What the page sends.
#[derive(Deserialize)]
pub struct ExportForm {
    #[serde(default)]
    format: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    member: String,
    #[serde(default)]
    insurer: String,
}

/// Where an export stands.
struct Progress {
    app: App,
    search: Search,
    format: Format,
    before: Option<Position>,
}

/// POST `/admin/audit/export`
pub async fn post(OperatorForm(operator, form): OperatorForm<ExportForm>) -> Result<Response, PageError> {
    let bad = || PageError::status(StatusCode::BAD_REQUEST).restarting_at("/admin/audit");
    let format = Format::parse(&form.format).ok_or_else(bad)?;
    let filter = Filter {
        from: form.from,
        to: form.to,
        action: form.action,
        actor: form.actor,
        member: form.member,
        insurer: form.insurer,
        after: String::new(),
    };
    let search = filter.search(&operator).map_err(|_| bad())?;
    operator.app().operators.note_export(&operator.actor, &search, format).await?;
    Ok(answer(operator.app().clone(), search, format))
}

/// The file, part by part. That it leaves was noted.
pub fn answer(app: App, search: Search, format: Format) -> Response {
    let name = match format {
        Format::Csv => "attachment; filename=\"audit.csv\"",
        Format::Json => "attachment; filename=\"audit.jsonl\"",
    };
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Json => "application/jsonl; charset=utf-8",
    };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    let progress = Progress { app, search, format, before: None };
    let head = stream::iter([Ok::<Bytes, Fault>(format.head().into())]);
    let parts = stream::try_unfold(progress, next_part);
    let body = Body::from_stream(futures_util::StreamExt::chain(head, parts));
    (headers, body).into_response()
}

async fn next_part(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, Fault> {
    let Progress { app, search, format, before } = &progress;
    let part = app.operators.export_part(search, before.as_ref(), *format).await.inspect_err(log_fault)?;
    Ok(part.map(|(bytes, position)| {
        progress.before = Some(position);
        (bytes.into(), progress)
    }))
}
