//! A browser without JavaScript: cookies, forms and redirects over plain HTTP, with the headers that a real
//! browser sends, so that a test sees every single answer.

mod form;
mod initiator;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub use form::Form;
use initiator::{Distance, Initiator};
use reqwest::{
    Method, StatusCode,
    header::{COOKIE, HeaderMap, LOCATION, REFERRER_POLICY, SET_COOKIE},
    redirect::Policy,
};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// A browser with its cookies; clones share them.
#[derive(Clone)]
pub struct HttpBrowser {
    client: reqwest::Client,
    jar: Arc<Mutex<BTreeMap<String, Cookies>>>,
}

/// The cookies of an origin, by name.
type Cookies = BTreeMap<String, Cookie>;

struct Cookie {
    value: String,
    same_site: String,
}

/// An answer, as it came: no redirect is followed unasked.
#[derive(Clone)]
pub struct Page {
    pub status: StatusCode,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: String,
    browser: HttpBrowser,
    request: Request,
}

/// What a navigation sends, and who began it.
#[derive(Clone)]
struct Request {
    method: Method,
    /// Its type, and the form.
    body: Option<(String, Vec<u8>)>,
    initiator: Option<Initiator>,
    /// `Sec-Fetch-Site`; a redirect can only make it worse.
    site: Distance,
}

impl HttpBrowser {
    pub fn new() -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { client, jar: Arc::default() }
    }

    /// Opens an address as if it was typed.
    pub async fn get(&self, url: &str) -> Page {
        let request = Request { method: Method::GET, body: None, initiator: None, site: Distance::None };
        self.navigate(Url::parse(url).unwrap(), request).await
    }

    /// Any request, for attacks: nothing but the given headers and, unless one of them is `Cookie`, the
    /// cookies of the origin, whatever their `SameSite` says.
    pub async fn raw(&self, method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Page {
        let url = Url::parse(url).unwrap();
        let mut sent = self.client.request(method.clone(), url.clone());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            sent = self.with_cookies(sent, &url, |_| true);
        }
        for (name, value) in headers {
            sent = sent.header(*name, *value);
        }
        let sent_body = Some((String::new(), body.as_bytes().to_vec()));
        let request = Request { method, body: sent_body, initiator: None, site: Distance::None };
        self.answer(sent.body(body.to_owned()), request).await
    }

    /// The value of a cookie of the origin of `url`.
    pub fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let origin = origin(&Url::parse(url).unwrap());
        Some(self.jar.lock().unwrap().get(&origin)?.get(name)?.value.clone())
    }

    /// Forgets all cookies.
    pub fn clear_cookies(&self) {
        self.jar.lock().unwrap().clear();
    }

    async fn navigate(&self, url: Url, request: Request) -> Page {
        let mut sent = self
            .client
            .request(request.method.clone(), url.clone())
            .header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("Accept-Language", "ja")
            .header("Sec-Fetch-Site", request.site.name())
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Dest", "document");
        // RFC 6265bis §5.6.7.1: from another site, Lax cookies come with safe methods only.
        let (foreign, safe) = (request.site == Distance::CrossSite, request.method == Method::GET);
        sent = self.with_cookies(sent, &url, |cookie| match cookie.same_site.as_str() {
            "none" => true,
            "strict" => !foreign,
            _ => !foreign || safe,
        });
        if let Some(initiator) = &request.initiator {
            if let Some(referer) = initiator.referer(&url) {
                sent = sent.header("Referer", referer);
            }
            if !safe {
                sent = sent.header("Origin", initiator.origin_header(&url));
            }
        }
        if let Some((kind, body)) = &request.body {
            sent = sent.header("Content-Type", kind).body(body.clone());
        }
        self.answer(sent, request).await
    }

    async fn answer(&self, sent: reqwest::RequestBuilder, request: Request) -> Page {
        let answer = sent.send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"));
        let (status, url, headers) = (answer.status(), answer.url().clone(), answer.headers().clone());
        let body = answer.text().await.unwrap();
        for cookie in headers.get_all(SET_COOKIE) {
            self.keep(&url, cookie.to_str().unwrap());
        }
        Page { status, url, headers, body, browser: self.clone(), request }
    }

    fn with_cookies(
        &self,
        sent: reqwest::RequestBuilder,
        url: &Url,
        fits: impl Fn(&Cookie) -> bool,
    ) -> reqwest::RequestBuilder {
        let jar = self.jar.lock().unwrap();
        let cookies = jar.get(&origin(url)).into_iter().flatten().filter(|(_, cookie)| fits(cookie));
        let pairs: Vec<String> = cookies.map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
        if pairs.is_empty() { sent } else { sent.header(COOKIE, pairs.join("; ")) }
    }

    /// Keeps a `Set-Cookie`, or forgets the cookie that it ends. A path is not regarded, and `Secure` is as
    /// good as met, as on the loopback address of a real browser.
    fn keep(&self, url: &Url, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: BTreeMap<String, String> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()))
            .collect();
        let attribute = |name: &str| attributes.get(name).map_or("", String::as_str);
        let ended = match attribute("max-age") {
            "" => attribute("expires").contains(" 1970 "),
            seconds => seconds.parse::<i64>().unwrap() <= 0,
        };
        let mut jar = self.jar.lock().unwrap();
        let cookies = jar.entry(origin(url)).or_default();
        if ended {
            cookies.remove(name);
        } else {
            let same_site = attribute("samesite").to_owned();
            cookies.insert(name.to_owned(), Cookie { value: value.to_owned(), same_site });
        }
    }
}

impl Page {
    /// Where a redirect leads.
    pub fn location(&self) -> Option<Url> {
        let location = self.status.is_redirection().then(|| self.headers.get(LOCATION))??;
        Some(self.url.join(location.to_str().unwrap()).unwrap())
    }

    /// Follows redirects, ten at most, to the page at their end.
    pub async fn follow(self) -> Self {
        self.follow_while(|_| true).await
    }

    /// Follows redirects inside this origin; one that leads out comes back as it is, with its `location()`.
    pub async fn follow_here(self) -> Self {
        let here = origin(&self.url);
        self.follow_while(|next| origin(next) == here).await
    }

    async fn follow_while(mut self, go_on: impl Fn(&Url) -> bool) -> Self {
        for _ in 0..10 {
            match self.location() {
                Some(next) if go_on(&next) => self = self.hop(next).await,
                _ => return self,
            }
        }
        panic!("more than 10 redirects, the last one to {}", self.url);
    }

    /// One redirect (Fetch §4.4): 307 and 308 repeat the request, the others ask with GET.
    async fn hop(self, next: Url) -> Self {
        let mut request = self.request;
        if !matches!(self.status.as_u16(), 307 | 308) {
            (request.method, request.body) = (Method::GET, None);
        }
        if request.initiator.is_some() {
            request.site = request.site.max(Distance::between(&self.url, &next));
        }
        self.browser.navigate(next, request).await
    }

    /// Follows the link `css`.
    pub async fn click(&self, css: &str) -> Self {
        let links = self.select(css);
        let href = links.first().and_then(|link| link.attr("href"));
        self.visit(href.unwrap_or_else(|| panic!("no link {css} on {}:\n{}", self.url, self.text()))).await
    }

    /// Goes where a link to `href` on this page would lead.
    pub async fn visit(&self, href: &str) -> Self {
        self.go(Method::GET, self.url.join(href).unwrap(), None).await
    }

    /// The form `css`, filled in as the page came.
    pub fn form(&self, css: &str) -> Form<'_> {
        Form::read(self, css)
    }

    /// The page as it is without JavaScript: the parser takes `noscript` for plain text.
    fn html(&self) -> Html {
        Html::parse_document(&self.body.replace("<noscript>", "").replace("</noscript>", ""))
    }

    /// A navigation that this page begins.
    async fn go(&self, method: Method, url: Url, body: Option<(String, Vec<u8>)>) -> Self {
        let policy = self.headers.get(REFERRER_POLICY).map_or("", |policy| policy.to_str().unwrap());
        let initiator = Initiator { url: self.url.clone(), referrer_policy: policy.to_owned() };
        let site = Distance::between(&self.url, &url);
        self.browser.navigate(url, Request { method, body, initiator: Some(initiator), site }).await
    }

    /// The text of the page, with single spaces.
    pub fn text(&self) -> String {
        Piece::of(self.html().root_element()).text
    }

    /// The elements that match.
    pub fn select(&self, css: &str) -> Vec<Piece> {
        self.html().select(&selector(css)).map(Piece::of).collect()
    }
}

/// An element of a page.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its text, with single spaces.
    pub text: String,
    attributes: BTreeMap<String, String>,
}

impl Piece {
    fn of(element: ElementRef<'_>) -> Self {
        let shown = element.descendants().filter(|node| {
            let parent = node.parent().and_then(ElementRef::wrap);
            !parent.is_some_and(|parent| matches!(parent.value().name(), "script" | "style" | "title"))
        });
        let words = shown.filter_map(|node| node.value().as_text()).flat_map(|text| text.split_whitespace());
        let text: Vec<&str> = words.collect();
        let attributes = element.value().attrs().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { text: text.join(" "), attributes: attributes.collect() }
    }

    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap_or_else(|error| panic!("{css} is no selector: {error}"))
}
