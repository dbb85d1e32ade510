//! A browser without JavaScript that takes failures as they come.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Method;
use scraper::{ElementRef, Html, Selector};

use super::balancer::{Answer, Balancer, ISSUER, Trouble, somebody};

/// A browser with its cookies.
pub struct Browser {
    balancer: Arc<Balancer>,
    cookies: BTreeMap<String, String>,
    from: String,
}

/// Where a navigation ended.
#[derive(Debug)]
pub enum End {
    /// On a page of the provider.
    Page(Page),
    /// At another site, with this address.
    Elsewhere(String),
}

/// A page of the provider.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub path: String,
    body: String,
}

impl Browser {
    pub fn new(balancer: &Arc<Balancer>) -> Self {
        Self { balancer: Arc::clone(balancer), cookies: BTreeMap::new(), from: somebody() }
    }

    /// Opens a path of the provider, or an address that begins with the issuer.
    pub async fn open(&mut self, address: &str) -> Result<End, Trouble> {
        self.go(Method::GET, address.to_owned(), None).await
    }

    /// Sends the form `css` of a page with these fields changed.
    pub async fn submit(&mut self, page: &Page, css: &str, changes: &[(&str, &str)]) -> Result<End, Trouble> {
        let (action, mut fields) = page.form(css).ok_or_else(|| page.unexpected(css))?;
        for (name, value) in changes {
            fields.retain(|(field, _)| field != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body =
            serde_html_form::to_string(&fields).map_err(|error| Trouble::Unexpected(error.to_string()))?;
        let action = if action.is_empty() { page.path.clone() } else { action };
        self.go(Method::POST, action, Some(body)).await
    }

    async fn go(
        &mut self,
        mut method: Method,
        mut path: String,
        mut body: Option<String>,
    ) -> Result<End, Trouble> {
        for _ in 0..12 {
            let inside = path.strip_prefix(ISSUER).unwrap_or(&path).to_owned();
            if !inside.starts_with('/') {
                return Ok(End::Elsewhere(path));
            }
            let answer = self.ask(&method, &inside, body.as_deref()).await?;
            self.keep_cookies(&answer);
            let location = answer.headers.get("location").and_then(|to| to.to_str().ok());
            match location.filter(|_| (300..400).contains(&answer.status)) {
                Some(location) => location.clone_into(&mut path),
                None => {
                    return Ok(End::Page(Page { status: answer.status, path: inside, body: answer.body }));
                }
            }
            if !matches!(answer.status, 307 | 308) {
                (method, body) = (Method::GET, None);
            }
        }
        Err(Trouble::Unexpected("redirects without end".to_owned()))
    }

    async fn ask(&self, method: &Method, path: &str, body: Option<&str>) -> Result<Answer, Trouble> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let send = |client: &reqwest::Client, base: &str| {
            let request = client
                .request(method.clone(), format!("{base}{path}"))
                .header("Accept", "text/html")
                .header("Accept-Language", "ja")
                .header("X-Forwarded-For", &self.from)
                .header("Cookie", &cookies);
            match body {
                Some(body) => request
                    .header("Origin", ISSUER)
                    .header("Sec-Fetch-Site", "same-origin")
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .body(body.to_owned()),
                None => request,
            }
        };
        self.balancer.send(None, send).await
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let Ok(text) = cookie.to_str() else { continue };
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl End {
    /// The page, where the navigation must have ended.
    pub fn page(self) -> Result<Page, Trouble> {
        match self {
            Self::Page(page) => Ok(page),
            Self::Elsewhere(_) => Err(Trouble::Unexpected("left the provider".to_owned())),
        }
    }
}

impl Page {
    /// Whether something on it matches.
    pub fn has(&self, css: &str) -> bool {
        Html::parse_document(&self.body).select(&selector(css)).next().is_some()
    }

    /// What a flow says that wanted something else here; without the parts of a path that differ each time.
    pub fn unexpected(&self, wanted: &str) -> Trouble {
        let place = self.path.split('?').next().unwrap_or_default().split('/').nth(1).unwrap_or_default();
        Trouble::Unexpected(format!("/{place} with {} lacks {wanted}", self.status))
    }

    fn form(&self, css: &str) -> Option<(String, Vec<(String, String)>)> {
        let html = Html::parse_document(&self.body);
        let form = html.select(&selector(css)).next()?;
        let action = form.attr("action").unwrap_or_default().to_owned();
        Some((action, form.select(&selector("input, textarea, select")).filter_map(field).collect()))
    }
}

fn field(element: ElementRef<'_>) -> Option<(String, String)> {
    let name = element.attr("name")?.to_owned();
    let kind = element.attr("type").unwrap_or_default();
    let value = match (element.value().name(), kind) {
        (_, "submit" | "button" | "file") => return None,
        (_, "checkbox" | "radio") => {
            element.attr("checked").and(element.attr("value").or(Some("on")))?.to_owned()
        }
        ("select", _) => {
            let chosen = element.select(&selector("option[selected]")).next();
            chosen.or_else(|| element.select(&selector("option")).next())?.attr("value")?.to_owned()
        }
        _ => element.attr("value").unwrap_or_default().to_owned(),
    };
    Some((name, value))
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}
