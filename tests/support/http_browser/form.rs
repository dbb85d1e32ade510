//! Forms, filled in and sent as a browser does it (HTML §4.10.22).

use reqwest::Method;
use scraper::ElementRef;

use super::{Page, selector};

/// A form of a page with the values that it would send.
pub struct Form<'a> {
    page: &'a Page,
    action: String,
    method: Method,
    controls: Vec<Control>,
    buttons: Vec<Button>,
    clicked: usize,
}

/// A field. Radio buttons, checkboxes and options of a `select` are one control each.
struct Control {
    name: String,
    value: String,
    kind: Kind,
    sent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Checkbox,
    /// One of its name, as radio buttons and options are.
    OneOf,
}

struct Button {
    name: String,
    value: String,
    action: Option<String>,
}

impl<'a> Form<'a> {
    pub(super) fn read(page: &'a Page, css: &str) -> Self {
        let html = page.html();
        let form = html.select(&selector(css)).next();
        let form = form.unwrap_or_else(|| panic!("no form {css} on {}:\n{}", page.url, page.text()));
        let mut read = Self {
            page,
            action: form.attr("action").unwrap_or_default().to_owned(),
            method: method(form.attr("method")),
            controls: Vec::new(),
            buttons: Vec::new(),
            clicked: 0,
        };
        for element in html.select(&selector("input, select, textarea, button")) {
            if belongs(element, form) && !is_disabled(element) {
                read.take(element);
            }
        }
        read
    }

    fn take(&mut self, element: ElementRef<'_>) {
        let attr = |name: &str| element.attr(name).unwrap_or_default().to_owned();
        let tag = element.value().name();
        let kind = attr("type").to_ascii_lowercase();
        match (tag, kind.as_str()) {
            (_, "button" | "reset" | "image" | "file") => {}
            ("button", _) | ("input", "submit") => self.buttons.push(Button {
                name: attr("name"),
                value: attr("value"),
                action: element.attr("formaction").map(str::to_owned),
            }),
            _ if attr("name").is_empty() => {}
            ("select", _) => self.take_options(&attr("name"), element),
            ("textarea", _) => self.push(attr("name"), element.text().collect(), Kind::Text, true),
            (_, "checkbox" | "radio") => {
                let one = if kind == "radio" { Kind::OneOf } else { Kind::Checkbox };
                let value = element.attr("value").unwrap_or("on").to_owned();
                self.push(attr("name"), value, one, element.attr("checked").is_some());
            }
            _ => self.push(attr("name"), attr("value"), Kind::Text, true),
        }
    }

    fn take_options(&mut self, name: &str, select: ElementRef<'_>) {
        let from = self.controls.len();
        for option in select.select(&selector("option")) {
            let value = option.attr("value").map_or_else(|| option.text().collect(), str::to_owned);
            self.push(name.to_owned(), value, Kind::OneOf, option.attr("selected").is_some());
        }
        // A drop-down list shows its first option unless told otherwise.
        if let options @ [_, ..] = &mut self.controls[from..]
            && options.iter().all(|option| !option.sent)
        {
            options[0].sent = true;
        }
    }

    fn push(&mut self, name: String, value: String, kind: Kind, sent: bool) {
        self.controls.push(Control { name, value, kind, sent });
    }

    /// Types a text, ticks the checkbox or picks the option of that value. The form must have it: what no
    /// person could enter is a matter for [`HttpBrowser::raw`](super::HttpBrowser::raw).
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        let mut found = false;
        for control in self.controls.iter_mut().filter(|control| control.name == name) {
            let this = control.kind == Kind::Text || control.value == value;
            match control.kind {
                Kind::Text => value.clone_into(&mut control.value),
                Kind::Checkbox => control.sent |= this,
                Kind::OneOf => control.sent = this,
            }
            found |= this;
        }
        assert!(found, "the form has no {name} for {value:?}; it has {}", self.names());
        self
    }

    /// Takes the tick out of a checkbox, or the field out of what is sent.
    #[must_use]
    pub fn unset(mut self, name: &str) -> Self {
        for control in self.controls.iter_mut().filter(|control| control.name == name) {
            control.sent = false;
        }
        self
    }

    /// The value that would be sent.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.controls.iter().find(|control| control.name == name && control.sent).map(|c| c.value.as_str())
    }

    /// Chooses the button to submit with, rather than the first.
    #[must_use]
    pub fn click(mut self, name: &str, value: &str) -> Self {
        let found = self.buttons.iter().position(|button| button.name == name && button.value == value);
        self.clicked = found.unwrap_or_else(|| panic!("no button {name}={value}; there is {}", self.names()));
        self
    }

    /// Sends the form; the answer comes as it is, redirects too.
    pub async fn submit(self) -> Page {
        let button = self.buttons.get(self.clicked);
        let fields = self.controls.iter().filter(|control| control.sent);
        let mut pairs: Vec<(&str, String)> =
            fields.map(|field| (field.name.as_str(), with_crlf(&field.value))).collect();
        if let Some(button) = button.filter(|button| !button.name.is_empty()) {
            pairs.push((&button.name, button.value.clone()));
        }
        let action = button.and_then(|button| button.action.as_ref()).unwrap_or(&self.action);
        // An empty action is the page itself.
        let mut url = self.page.url.join(action).unwrap();
        url.set_fragment(None);
        let encoded = serde_html_form::to_string(&pairs).unwrap();
        if self.method == Method::GET {
            url.set_query(Some(&encoded));
            return self.page.go(Method::GET, url, None).await;
        }
        let body = ("application/x-www-form-urlencoded".to_owned(), encoded.into_bytes());
        self.page.go(self.method, url, Some(body)).await
    }

    /// Sends the form with a file in its last field (RFC 7578).
    pub async fn submit_with_file(self, field: &str, file_name: &str, content: &[u8]) -> Page {
        const BOUNDARY: &str = "----a-boundary-that-no-file-has";
        let mut body = Vec::new();
        for control in self.controls.iter().filter(|control| control.sent) {
            let head =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n", control.name);
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(with_crlf(&control.value).as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{file_name}\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let url = self.page.url.join(&self.action).unwrap();
        self.page
            .go(self.method, url, Some((format!("multipart/form-data; boundary={BOUNDARY}"), body)))
            .await
    }

    fn names(&self) -> String {
        let controls = self.controls.iter().map(|control| format!("{}={}", control.name, control.value));
        let buttons = self.buttons.iter().map(|button| format!("[{}={}]", button.name, button.value));
        controls.chain(buttons).collect::<Vec<_>>().join(" ")
    }
}

fn method(name: Option<&str>) -> Method {
    if name.is_some_and(|name| name.eq_ignore_ascii_case("post")) { Method::POST } else { Method::GET }
}

/// By its `form` attribute or, without one, by where it stands.
fn belongs(element: ElementRef<'_>, form: ElementRef<'_>) -> bool {
    match element.attr("form") {
        Some(owner) => form.attr("id") == Some(owner),
        None => element.ancestors().any(|ancestor| ancestor.id() == form.id()),
    }
}

fn is_disabled(element: ElementRef<'_>) -> bool {
    let mut fieldsets = element.ancestors().filter_map(ElementRef::wrap);
    element.attr("disabled").is_some()
        || fieldsets.any(|outer| outer.value().name() == "fieldset" && outer.attr("disabled").is_some())
}

/// Line ends as forms send them.
fn with_crlf(value: &str) -> String {
    value.replace("\r\n", "\n").replace('\n', "\r\n")
}
