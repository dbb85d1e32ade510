//! PUT `/admin/api/v1/roster/imports/{import}`: a roster file comes, in pieces that are sealed one by one, so that its
//! size takes no memory.

use axum::{
    body::BodyDataStream,
    extract::{FromRequest, Request},
    response::Response,
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::{
    guard::Caller,
    operators::Language,
    problem::{FieldError, Kind, Problem},
    read::{self, Id, Query},
    roster::{RosterImportDetails, find, shown},
    version::created,
};
use crate::{
    app::App,
    config::Insurer,
    members::roster::upload::{Announced, UploadRefused},
    oidc::resource::API,
};

#[derive(OpenApi)]
#[openapi(paths(put))]
pub(super) struct Doc;

/// Media type of a roster.
const CSV: &str = "text/csv";

/// What is said about a file beside its content.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct RosterFile {
    /// Portal code of the insurer; may be left out by a client of one insurer.
    #[param(example = "7132")]
    pub insurer: Option<String>,
    /// Whether it is the full roster: who is not in it loses the eligibility.
    pub full: bool,
    /// Name of the file, for the record; its first 100 characters count.
    #[param(example = "roster_202611.csv")]
    pub file: Option<String>,
    /// Language of the reasons in the file of refused rows.
    #[param(inline)]
    pub language: Language,
}

/// A body of CSV, as it comes.
pub struct Csv(BodyDataStream);

impl FromRequest<App> for Csv {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        if !read::is_a(CSV, request.headers()) {
            return Err(Problem::new(Kind::UnsupportedMediaType));
        }
        Ok(Self(request.into_body().into_data_stream()))
    }
}

/// Uploads a roster
///
/// CSV in UTF-8 or `Shift_JIS`, as in the console; the documentation for operators describes its columns. The client chooses
/// the id, a new one for each file: whoever got no answer reads it under that id, and what is there is never replaced (409).
/// The file is checked in the background; nothing is written into the roster before somebody applies it.
#[utoipa::path(
    put, path = "/admin/api/v1/roster/imports/{import}", tag = "Roster", operation_id = "uploadRoster",
    params(
        ("import" = String, Path, description = "`id` that the import is to have, such as a UUID",
            min_length = 16, max_length = 64, pattern = "^[A-Za-z0-9_-]{16,64}$"),
        RosterFile,
    ),
    request_body(content = String, content_type = "text/csv", description = "The file"),
    responses((status = 201, description = "The import, which is being checked", body = RosterImportDetails,
        headers(
            ("Location" = String, description = "URL of the import"),
            ("ETag" = String, description = "Version of the answer"),
        ))),
)]
pub async fn put(
    caller: Caller,
    Id(id): Id,
    Query(about): Query<RosterFile>,
    Csv(file): Csv,
) -> Result<Response, Problem> {
    if !is_plain(&id) {
        let detail = "must be 16 to 64 letters, digits, hyphens and underscores";
        return Err(Problem::parameter("import", detail));
    }
    let insurer = insurer(&caller, &about)?;
    // An id of another insurer's import is one that this client cannot have.
    if caller.app().members.roster_import(&id).await?.is_some() {
        find(&caller, &id).await?;
        return Err(refusal(UploadRefused::IdTaken));
    }
    let announced = Announced {
        id: Some(&id),
        insurer,
        file_name: about.file.as_deref().unwrap_or_default(),
        complete: about.full,
        locale: about.language.into(),
    };
    take(&caller, announced, file).await?;
    let made = shown(&caller, &id).await?;
    Ok(created(&caller, &format!("{API}/roster/imports/{id}"), &made, &made))
}

/// Whether it needs no escaping and nobody hits it by chance.
fn is_plain(id: &str) -> bool {
    (16..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn insurer<'a>(caller: &'a Caller, about: &RosterFile) -> Result<&'a Insurer, Problem> {
    let code = about.insurer.as_deref().or(caller.scope());
    let code = code.ok_or_else(|| Problem::parameter("insurer", "must name the insurer"))?;
    let found = caller.app().members.insurer(code).filter(|_| caller.reach(Some(code)).is_ok());
    found.ok_or_else(|| Problem::parameter("insurer", "no insurer of the configuration has this code"))
}

/// Takes the file in.
async fn take(caller: &Caller, about: Announced<'_>, mut file: BodyDataStream) -> Result<(), Problem> {
    let app = caller.app();
    let most = app.config().roster.upload_limit_bytes;
    let mut upload = match app.members.begin_roster_upload(about, &caller.actor).await? {
        Ok(upload) => upload,
        Err(refused) => {
            rest(file, most).await;
            return Err(refusal(refused));
        }
    };
    let mut bytes = 0;
    while let Some(piece) = file.next().await {
        let Ok(piece) = piece else {
            upload.discard().await?;
            return Err(Problem::new(Kind::InvalidRequest));
        };
        bytes += piece.len();
        if bytes > most {
            upload.discard().await?;
            rest(file, most).await;
            return Err(Problem::new(Kind::TooLarge));
        }
        upload.push(&piece).await?;
    }
    upload.finish().await?.map_err(refusal).map(drop)
}

/// A client that is answered before it has sent everything may not read the answer; so much is listened to.
async fn rest(mut file: BodyDataStream, most: usize) {
    let mut bytes = 0;
    while let Some(Ok(piece)) = file.next().await {
        bytes += piece.len();
        if bytes > most {
            return;
        }
    }
}

fn refusal(refused: UploadRefused) -> Problem {
    let detail = refused.to_string();
    let code = match refused {
        UploadRefused::Busy => return Problem::conflict("busy", detail),
        UploadRefused::IdTaken => return Problem::conflict("id_taken", detail),
        UploadRefused::Empty => "empty",
        UploadRefused::File(error) => error.text_id().trim_start_matches("roster-file-"),
    };
    Problem::new(Kind::InvalidFields).and(FieldError::general(code, detail))
}
