//! `/admin/roster/{import}/refused`: the rows that were refused, as a file. A form, so that no other site can
//! make a browser fetch it; it streams, so that its size takes no memory.

use axum::{
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::{guard::OperatorForm, roster_import::find};
use crate::{
    app::App,
    fault::Fault,
    storage::roster_job::Recorded,
    web::{PageError, page_error::log_fault},
};

/// What the page sends.
#[derive(Deserialize)]
pub struct FetchForm {}

/// POST `/admin/roster/{import}/refused`
pub async fn post(
    Path(id): Path<String>,
    OperatorForm(reader, _): OperatorForm<FetchForm>,
) -> Result<Response, PageError> {
    let import = find(&reader, &id).await?;
    let members = &reader.app().members;
    let Some(first) = members.refused_rows(&import, 0).await? else {
        return Err(PageError::status(StatusCode::NOT_FOUND).restarting_at(format!("/admin/roster/{id}")));
    };
    members.note_refused_rows(&import, &reader.actor).await?;
    Ok(answer(reader.app().clone(), import, first))
}

/// The file, from its first part on.
pub fn answer(app: App, import: Recorded, first: Vec<u8>) -> Response {
    let utf8 = first.starts_with("\u{feff}".as_bytes());
    let kind = if utf8 { "text/csv; charset=utf-8" } else { "text/csv; charset=shift_jis" };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"refused-rows.csv\"")),
    ];
    let head = stream::iter([Ok::<Bytes, Fault>(first.into())]);
    let rest = stream::try_unfold((app, import, 1), |(app, import, part)| async move {
        let found = app.members.refused_rows(&import, part).await.inspect_err(log_fault)?;
        Ok(found.map(|bytes| (Bytes::from(bytes), (app, import, part + 1))))
    });
    (headers, Body::from_stream(futures_util::StreamExt::chain(head, rest))).into_response()
}
