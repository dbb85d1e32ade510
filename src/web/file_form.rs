//! Posted forms with a file (RFC 7578), which is taken as it comes and never held in memory.
//!
//! The fields before the file are read first, and with them what proves that one of our pages sent it: our
//! forms have the file last.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart, Request, multipart::Field},
    http::StatusCode,
};

use super::{PageError, csrf};
use crate::app::App;

/// Fields before the file at most.
const MOST_FIELDS: usize = 20;
/// Bytes of a field at most.
const MOST_BYTES: usize = 4096;

/// The plain fields of a form.
pub type Fields = BTreeMap<String, String>;

/// A form with a file, which comes part by part. Its origin is right; whether its token is can be seen once the
/// fields before the file are there.
pub struct FileForm {
    multipart: Multipart,
    fields: usize,
}

/// A part of a form.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is not moved about")]
pub enum Part<'a> {
    /// A plain field: name and value.
    Field(String, String),
    /// A file.
    File(IncomingFile<'a>),
}

/// The file of a form, as it comes.
pub struct IncomingFile<'a> {
    field: Field<'a>,
    /// The name that the browser gives it.
    pub name: String,
}

impl FileForm {
    /// Takes a request whose origin and type are right.
    pub async fn read(request: Request, app: &App) -> Result<Self, PageError> {
        if !csrf::same_origin(request.headers(), &app.config().server.issuer) {
            return Err(PageError::status(StatusCode::FORBIDDEN));
        }
        let multipart = Multipart::from_request(request, app)
            .await
            .map_err(|_| PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
        Ok(Self { multipart, fields: 0 })
    }

    /// The next part; none at the end.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, PageError> {
        let broken = |status| PageError::status(status);
        let next = self.multipart.next_field().await.map_err(|error| broken(error.status()))?;
        let Some(mut field) = next else { return Ok(None) };
        let name = field.name().unwrap_or_default().to_owned();
        if let Some(name) = field.file_name().map(str::to_owned) {
            return Ok(Some(Part::File(IncomingFile { field, name })));
        }
        self.fields += 1;
        let mut value = Vec::new();
        while let Some(bytes) = field.chunk().await.map_err(|error| broken(error.status()))? {
            value.extend_from_slice(&bytes);
            if value.len() > MOST_BYTES || self.fields > MOST_FIELDS {
                return Err(broken(StatusCode::PAYLOAD_TOO_LARGE));
            }
        }
        Ok(Some(Part::Field(name, String::from_utf8_lossy(&value).into_owned())))
    }
}

impl IncomingFile<'_> {
    /// The next piece; none at the end. An error of 413: the file is larger than may be.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StatusCode> {
        self.field.chunk().await.map_err(|error| error.status())
    }
}
