//! The guard before every URL of the console, and what a handler behind it is handed.

use axum::{
    extract::{FromRequest, FromRequestParts, MatchedPath, Request, State},
    http::{Method, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde::de::DeserializeOwned;

use super::{access, access::Access, frame};
use crate::{
    app::App,
    audit::Actor,
    crypto::digest,
    operators::{self, Permission, session::SignedIn},
    web::{
        PageError, Posted, Visit,
        file_form::{Fields, FileForm},
        templates::{Message, Page},
        visit::Reply,
    },
};

/// Purpose of the keyed hash that says for whom a form was made.
const FORM: &str = "console-form";

/// A signed-in operator whose role may do what is asked for.
pub struct Operator {
    /// The request.
    pub visit: Visit,
    /// Who it is.
    pub signed_in: SignedIn,
    /// Who it is, as the audit says it.
    pub actor: Actor,
}

/// A form that this very operator's page sent from this very browser.
pub struct OperatorForm<T>(pub Operator, pub T);

/// A form with a file that this very operator's browser sends. Whether it is this operator's own says
/// [`Operator::proves`], once the fields before the file have come.
pub struct OperatorUpload(pub Operator, pub FileForm);

/// That [`check`] let a request pass.
#[derive(Clone)]
struct Passed(SignedIn);

/// Lets a request pass if the table of [`access`] has its route and says so; else the way to the sign-in, 403,
/// or 404 as for a page that is not there.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    match judge(&app, request).await {
        Ok(Ok(request)) => next.run(request).await,
        Ok(Err(elsewhere)) => elsewhere,
        Err(error) => error.into_response(),
    }
}

async fn judge(app: &App, request: Request) -> Result<Result<Request, Response>, PageError> {
    let (mut parts, body) = request.into_parts();
    let route =
        parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let Some(access) = access::of(&route, &parts.method) else {
        return Err(PageError::status(StatusCode::NOT_FOUND));
    };
    if access != Access::Open {
        let mut visit = Visit::new(app, &parts);
        let Some(signed_in) = visit.operator().await? else {
            visit.forget_operator_session();
            let to = if parts.method == Method::GET { "/admin/sign-in" } else { "/admin/sign-in?ended" };
            return Ok(Err(visit.redirect(to)?));
        };
        match access {
            Access::Never => return Err(PageError::status(StatusCode::METHOD_NOT_ALLOWED)),
            Access::May(permission) if !operators::may(signed_in.operator.role, permission) => {
                let message = Message::new("console-error-forbidden");
                return Err(PageError::explained(StatusCode::FORBIDDEN, message).restarting_at("/admin"));
            }
            _ => {}
        }
        parts.extensions.insert(Passed(signed_in));
    }
    Ok(Ok(Request::from_parts(parts, body)))
}

impl Operator {
    fn new(mut visit: Visit, Passed(signed_in): Passed) -> Self {
        visit.prefer(Some(signed_in.operator.locale));
        let actor = Actor::operator(&signed_in.operator.id);
        Self { visit, signed_in, actor }
    }

    /// The provider.
    pub const fn app(&self) -> &App {
        self.visit.app()
    }

    /// Whether the role may do something more than what was asked for, such as what a button leads to.
    pub fn may(&self, permission: Permission) -> bool {
        operators::may(self.signed_in.operator.role, permission)
    }

    /// Whether a thing of this insurer (none: of several, or of none) is this operator's business; else it is
    /// as if it was not there.
    pub fn reach(&self, insurer: Option<&str>) -> Result<(), PageError> {
        if operators::reaches(&self.signed_in.operator, insurer) {
            Ok(())
        } else {
            Err(PageError::status(StatusCode::NOT_FOUND))
        }
    }

    /// The one insurer whose things this operator may see; none: all.
    pub fn scope(&self) -> Option<&str> {
        self.signed_in.operator.insurer.as_deref()
    }

    /// What the forms of this operator's pages send as `who`.
    pub fn who(&self) -> String {
        self.app().members.master.mac_base64url(FORM, self.signed_in.operator.id.as_bytes())
    }

    /// Whether one of this operator's pages, in this browser, sent a form with these fields.
    pub fn proves(&self, fields: &Fields) -> Result<(), PageError> {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if !self.visit.csrf_matches(field("csrf")) {
            return Err(PageError::explained(StatusCode::FORBIDDEN, Message::new("error-403-message")));
        }
        // A page left open by one operator does nothing in the name of the next one at the same browser.
        if !digest::equal(self.who().as_bytes(), field("who").as_bytes()) {
            return Err(PageError::status(StatusCode::CONFLICT).restarting_at("/admin"));
        }
        Ok(())
    }

    /// A page in the frame of the console.
    pub fn show<'a, P: Page>(&'a self, page: &'a P) -> Reply<'a, P> {
        self.visit.show(page).console(frame::of(self))
    }

    /// An instant in words.
    pub fn date_time(&self, at: crate::clock::Timestamp) -> String {
        self.app().texts.date_time(self.visit.locale, at)
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        Ok(Self::new(Visit::new(app, parts), passed(parts)?))
    }
}

impl<T: DeserializeOwned> FromRequest<App> for OperatorForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let passed = passed(&parts)?;
        let posted = Posted::read(Request::from_parts(parts, body), app).await?;
        let (who, form) = (posted.field("who"), posted.form()?);
        let operator = Operator::new(posted.visit, passed);
        // A page left open by one operator does nothing in the name of the next one at the same browser.
        if !digest::equal(operator.who().as_bytes(), who.as_bytes()) {
            return Err(PageError::status(StatusCode::CONFLICT).restarting_at("/admin"));
        }
        Ok(Self(operator, form))
    }
}

impl FromRequest<App> for OperatorUpload {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let passed = passed(&parts)?;
        let operator = Operator::new(Visit::new(app, &parts), passed);
        let form = FileForm::read(Request::from_parts(parts, body), app).await?;
        Ok(Self(operator, form))
    }
}

/// A handler that the guard does not stand before serves nobody.
fn passed(parts: &Parts) -> Result<Passed, PageError> {
    parts.extensions.get::<Passed>().cloned().ok_or_else(|| PageError::status(StatusCode::NOT_FOUND))
}
