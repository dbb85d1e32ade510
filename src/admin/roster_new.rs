//! `/admin/roster/new`: a roster file is uploaded.

use axum::{http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    Refusal, guard,
    guard::{Operator, OperatorUpload},
    wrong,
};
use crate::{
    members::roster::upload::{Announced, UploadRefused},
    pages::{
        parts::{FormErrors, InsurerChoice},
        sample,
    },
    web::{
        PageError,
        file_form::{Fields, IncomingFile, Part},
        templates::{Message, Page},
    },
};

/// Asks for the file. Posts `insurer`, `full` and `file`, with the file last, to its own path.
#[derive(Clone, Debug, Serialize)]
pub struct NewPage {
    /// The insurers to choose from.
    pub insurers: Vec<InsurerChoice>,
    /// Code of the chosen one.
    pub insurer: String,
    /// Whether the file is said to be the full roster.
    pub full: bool,
    /// Megabytes that a file may have.
    pub most_megabytes: usize,
    /// What is wrong.
    pub errors: FormErrors,
}

impl Page for NewPage {
    const TEMPLATE: &'static str = "admin/roster_new.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            insurers: sample::insurers(),
            insurer: String::new(),
            full: false,
            most_megabytes: 512,
            errors: FormErrors::none(),
        };
        let mut errors = FormErrors::field("insurer", Message::new("roster-new-error-insurer"));
        errors.add("file", Message::new("roster-new-error-file"));
        let wrong = Self { insurer: "7132".to_owned(), full: true, errors, ..empty.clone() };
        let one = Self {
            insurers: sample::insurers().into_iter().take(1).collect(),
            errors: FormErrors::field("file", Message::new("roster-file-encoding")),
            ..wrong.clone()
        };
        vec![empty, wrong, one]
    }
}

/// What was chosen beside the file.
#[derive(Default)]
struct Chosen {
    insurer: String,
    full: bool,
}

impl From<&Fields> for Chosen {
    fn from(fields: &Fields) -> Self {
        Self {
            insurer: fields.get("insurer").cloned().unwrap_or_default(),
            full: fields.get("full").is_some_and(|value| value == "yes"),
        }
    }
}

/// GET `/admin/roster/new`
pub async fn get(reader: Operator) -> Result<Response, PageError> {
    page(&reader, &Chosen::default(), (StatusCode::OK, FormErrors::none()))
}

/// POST `/admin/roster/new`
pub async fn post(OperatorUpload(reader, mut form): OperatorUpload) -> Result<Response, PageError> {
    let mut fields = Fields::new();
    while let Some(part) = form.next().await? {
        let mut file = match part {
            Part::File(file) => file,
            Part::Field(name, value) => {
                fields.insert(name, value);
                continue;
            }
        };
        reader.proves(&fields)?;
        let chosen = Chosen::from(&fields);
        let taken = take(&reader, &chosen, &mut file).await?;
        // A browser that is answered before it has sent everything shows an error of its own.
        while let Ok(Some(_)) = file.next().await {}
        return match taken {
            Ok(id) => Ok(reader.visit.redirect(&format!("/admin/roster/{id}"))?),
            Err(refusal) => page(&reader, &chosen, refusal),
        };
    }
    reader.proves(&fields)?;
    page(&reader, &Chosen::from(&fields), wrong("file", Message::new("roster-new-error-file")))
}

/// Takes the file in; the id of its import.
async fn take(
    reader: &Operator,
    chosen: &Chosen,
    file: &mut IncomingFile<'_>,
) -> Result<Result<String, Refusal>, PageError> {
    let members = &reader.app().members;
    let Some(insurer) = members.insurer(&chosen.insurer) else {
        return Ok(Err(wrong("insurer", Message::new("roster-new-error-insurer"))));
    };
    reader.reach(Some(&insurer.code))?;
    let about = Announced {
        id: None,
        insurer,
        file_name: &file.name,
        complete: chosen.full,
        locale: reader.visit.locale,
    };
    let mut upload = match members.begin_roster_upload(about, &reader.actor).await? {
        Ok(upload) => upload,
        Err(refused) => return Ok(Err(refusal(refused))),
    };
    loop {
        match file.next().await {
            Ok(Some(piece)) => upload.push(&piece).await?,
            Ok(None) => return Ok(upload.finish().await?.map_err(refusal)),
            Err(StatusCode::PAYLOAD_TOO_LARGE) => {
                upload.discard().await?;
                let message =
                    Message::new("roster-new-error-large").with("megabytes", most_megabytes(reader));
                return Ok(Err((StatusCode::PAYLOAD_TOO_LARGE, FormErrors::field("file", message))));
            }
            Err(status) => {
                upload.discard().await?;
                return Err(PageError::status(status));
            }
        }
    }
}

fn refusal(refused: UploadRefused) -> Refusal {
    match refused {
        UploadRefused::Empty => wrong("file", Message::new("roster-new-error-file")),
        // The id is ours: nobody has it.
        UploadRefused::Busy | UploadRefused::IdTaken => {
            (StatusCode::CONFLICT, FormErrors::form(Message::new("roster-error-busy")))
        }
        UploadRefused::File(error) => {
            let mut message = Message::new(error.text_id());
            for (name, value) in error.args() {
                message = message.with(name, value);
            }
            wrong("file", message)
        }
    }
}

fn most_megabytes(reader: &Operator) -> usize {
    reader.app().config().roster.upload_limit_bytes / (1024 * 1024)
}

fn page(reader: &guard::Operator, chosen: &Chosen, (status, errors): Refusal) -> Result<Response, PageError> {
    let insurers = reader.app().config().insurers.iter();
    let insurers = insurers.filter(|one| reader.reach(Some(&one.code)).is_ok());
    let page = NewPage {
        insurers: insurers.map(|one| InsurerChoice::of(one, reader.visit.locale)).collect(),
        insurer: chosen.insurer.clone(),
        full: chosen.full,
        most_megabytes: most_megabytes(reader),
        errors,
    };
    Ok(reader.show(&page).status(status).render()?)
}
