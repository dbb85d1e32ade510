//! One extractor for what every page needs to know about a request: which browser, which language, from
//! where, and who is signed in.

mod operator;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use super::{
    cookies::{self, Name},
    csrf, language,
    templates::{Brand, ConsoleFrame, Frame, Page},
    trace::reference_of,
};
use crate::{
    app::App,
    clients::Client,
    crypto::digest,
    fault::Fault,
    members::{
        device::Device,
        session::{self, Beside, Session, SignedIn},
    },
    storage::standing::Towards,
    texts::Locale,
    web::client_ip::client_ip,
};

/// Length of the secrets in our cookies; anything else is not ours.
const SECRET_LENGTH: usize = 43;

/// Length of the value of a cookie.
const fn length_of(name: Name) -> usize {
    match name {
        Name::Session => session::COOKIE,
        _ => SECRET_LENGTH,
    }
}

/// A request as a page sees it.
#[derive(Clone)]
pub struct Visit {
    app: App,
    /// Language of the answer.
    pub locale: Locale,
    /// Whether the reader chose that language, here or earlier.
    pub locale_chosen: bool,
    /// Address of the client.
    pub address: IpAddr,
    /// Reference number of the request.
    pub reference: String,
    /// What kind of device it comes from.
    pub device: Device,
    /// Whether the request brought no cookie of ours that binds it to a browser.
    pub is_unbound: bool,
    /// Whether it is a HEAD request, whose handler is that of GET.
    pub is_head: bool,
    browser: String,
    session_cookie: Option<String>,
    operator_cookie: Option<String>,
    path: String,
    query: String,
    set_cookies: Vec<HeaderValue>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::new(app, parts))
    }
}

impl Visit {
    /// Reads a request.
    pub fn new(app: &App, parts: &Parts) -> Self {
        let config = app.config();
        let secure = config.server.secure();
        let read = |name| {
            cookies::read(&parts.headers, name, secure)
                .filter(|value: &String| value.len() == length_of(name))
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        let mut set_cookies = Vec::new();
        let bound = read(Name::Browser);
        let is_unbound = bound.is_none();
        let browser = bound.unwrap_or_else(|| {
            let fresh = app.members.entropy.secret();
            // A POST without our cookie may come from another site, and the browser has one that it was not
            // allowed to send (RFC 6265bis §5.6.7.1). It must not be replaced: every tab hangs on it.
            if parts.method.is_safe() {
                set_cookies.extend(cookies::set(Name::Browser, &fresh, secure));
            }
            fresh
        });
        // At the authorization endpoint `ui_locales` is the client's wish, not the reader's choice.
        let ours = parts.uri.path() != "/authorize";
        let asked = language::asked(parts.uri.query()).filter(|_| ours);
        if let Some(locale) = asked {
            set_cookies.extend(cookies::set(Name::Locale, locale.tag(), secure));
        }
        let remembered = || Locale::from_tag(&cookies::read(&parts.headers, Name::Locale, secure)?);
        let chosen = asked.or_else(remembered);
        Self {
            app: app.clone(),
            locale: chosen.or_else(|| language::accepted(&parts.headers)).unwrap_or_default(),
            locale_chosen: chosen.is_some(),
            address: client_ip(peer, &parts.headers, &config.server.trusted_proxies),
            reference: reference_of(parts),
            device: parts
                .headers
                .get(header::USER_AGENT)
                .and_then(|text| text.to_str().ok())
                .map(Device::of_user_agent)
                .unwrap_or_default(),
            is_unbound,
            is_head: parts.method == Method::HEAD,
            browser,
            session_cookie: read(Name::Session),
            operator_cookie: read(Name::Operator),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            set_cookies,
        }
    }

    /// The provider.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The path of the URL.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query of the URL.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// SHA-256 of the browser's secret, to bind records to it.
    pub fn browser_hash(&self) -> String {
        digest::sha256_base64url(&self.browser)
    }

    /// Whether a posted CSRF token is this browser's.
    pub fn csrf_matches(&self, posted: &str) -> bool {
        csrf::verify(&self.app.members.master, &self.browser, posted)
    }

    /// Who is signed in, and what is known of the member, towards a client if there is one.
    pub async fn signed_in_towards(
        &self,
        client: Option<&Client>,
    ) -> Result<Option<(SignedIn, Beside)>, Fault> {
        let Some(cookie) = &self.session_cookie else { return Ok(None) };
        let sector = client.and_then(Client::pairwise_sector);
        let client_id = client.map_or("", |client| &client.id);
        let towards = Towards { client_id, sector: sector.as_deref() };
        self.app.members.session_towards(cookie, towards).await
    }

    /// Who is signed in.
    pub async fn signed_in(&self) -> Result<Option<SignedIn>, Fault> {
        match &self.session_cookie {
            Some(cookie) => self.app.members.session(cookie).await,
            None => Ok(None),
        }
    }

    /// Gives the browser the session of a cookie; an earlier cookie ends, so it never outlives a sign-in.
    pub async fn begin_session(&mut self, fresh: &str) -> Result<(), Fault> {
        let members = &self.app.members;
        let old = self.session_cookie.take();
        let cookie = Box::pin(members.replace_session(old.as_deref(), fresh)).await?;
        let secure = self.app.config().server.secure();
        let state = members.browser_state(session::sid_of(&cookie));
        self.set_cookies.extend(cookies::set(Name::Session, &cookie, secure));
        self.set_cookies.extend(cookies::set(Name::State, &state, secure));
        self.session_cookie = Some(cookie);
        Ok(())
    }

    /// Ends the browser's session, and gives it.
    pub async fn end_session(&mut self) -> Result<Option<Session>, Fault> {
        let ended = match self.session_cookie.take() {
            Some(old) => self.app.members.end_session_of(&old).await?,
            None => None,
        };
        let secure = self.app.config().server.secure();
        self.set_cookies
            .extend([Name::Session, Name::State].iter().filter_map(|name| cookies::clear(*name, secure)));
        Ok(ended)
    }

    /// Answers in this language unless the reader chose one.
    pub const fn prefer(&mut self, locale: Option<Locale>) {
        if let (Some(locale), false) = (locale, self.locale_chosen) {
            self.locale = locale;
        }
    }

    /// A page of the service itself; see [`Reply`] for more.
    pub const fn show<'a, P: Page>(&'a self, page: &'a P) -> Reply<'a, P> {
        Reply {
            visit: self,
            page,
            status: StatusCode::OK,
            brand: None,
            console: None,
            targets: Vec::new(),
            frames: Vec::new(),
            referrer: true,
        }
    }

    /// Sends the browser on with a GET (RFC 9110 §15.4.4).
    pub fn redirect(&self, to: &str) -> Result<Response, Fault> {
        let location = HeaderValue::from_str(to).map_err(Fault::internal)?;
        Ok(self.with_cookies((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()))
    }

    /// JSON for our own script.
    pub fn json(&self, value: &impl Serialize) -> Response {
        self.with_cookies(axum::Json(value).into_response())
    }

    fn with_cookies(&self, mut response: Response) -> Response {
        for cookie in &self.set_cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        response
    }
}

/// A page on its way out.
pub struct Reply<'a, P: Page> {
    visit: &'a Visit,
    page: &'a P,
    status: StatusCode,
    brand: Option<Brand>,
    console: Option<ConsoleFrame>,
    targets: Vec<String>,
    frames: Vec<String>,
    referrer: bool,
}

impl<P: Page> Reply<'_, P> {
    /// With this status instead of 200.
    #[must_use]
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// In the name of an insurer.
    #[must_use]
    pub fn brand(mut self, brand: Brand) -> Self {
        self.brand = Some(brand);
        self
    }

    /// In the frame of the console.
    #[must_use]
    pub fn console(mut self, console: ConsoleFrame) -> Self {
        self.console = Some(console);
        self
    }

    /// Its forms may lead to these origins: browsers apply `form-action` to redirects too (CSP3 §6.4.2).
    #[must_use]
    pub fn leads_to(mut self, targets: Vec<String>) -> Self {
        self.targets = targets;
        self
    }

    /// It has frames of these origins.
    #[must_use]
    pub fn framing(mut self, origins: Vec<String>) -> Self {
        self.frames = origins;
        self
    }

    /// Its URL is a secret.
    #[must_use]
    pub const fn without_referrer(mut self) -> Self {
        self.referrer = false;
        self
    }

    /// Renders it.
    pub fn render(self) -> Result<Response, Fault> {
        let visit = self.visit;
        let frame = Frame {
            locale: visit.locale,
            brand: self.brand.unwrap_or_else(Brand::service),
            console: self.console,
            csrf: csrf::token(&visit.app.members.master, &visit.browser),
            query: visit.query.clone(),
            reference: visit.reference.clone(),
        };
        let html = visit.app.templates.render(&frame, self.page).map_err(Fault::internal)?;
        let mut response = (self.status, Html(html)).into_response();
        let policy = content_security_policy(&self.targets, &self.frames);
        let headers = response.headers_mut();
        let policy = HeaderValue::from_str(&policy).map_err(Fault::internal)?;
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(visit.locale.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
        if !self.referrer {
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            headers.insert(
                HeaderName::from_static("x-robots-tag"),
                HeaderValue::from_static("noindex, nofollow"),
            );
        }
        Ok(visit.with_cookies(response))
    }
}

/// The `Content-Security-Policy` of a page whose forms may lead to `targets` and whose frames are of the origins
/// `frames`: nothing inline, nothing from elsewhere.
pub fn content_security_policy(targets: &[String], frames: &[String]) -> String {
    // An origin that could end the directive is left out: its own form or frame does not work, all else does.
    let list = |sources: &[String]| {
        let plain = sources.iter().filter(|source| !source.contains([';', ',', ' ']));
        plain.map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let frames = list(frames);
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self' {}; frame-src {}; frame-ancestors 'none'; base-uri 'none'",
        list(targets),
        if frames.is_empty() { "'none'" } else { &frames },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_origin_ends_a_directive() {
        let own = ["https://good.example", "https://x.example;sandbox", "https://y.example,frame-src"];
        let own = own.map(str::to_owned);
        let policy = content_security_policy(&own, &own);
        assert!(policy.contains("form-action 'self' https://good.example; frame-src https://good.example;"));
        assert!(content_security_policy(&[], &[]).contains("frame-src 'none';"));
    }
}
