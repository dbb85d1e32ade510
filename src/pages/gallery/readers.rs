//! Every page of the gallery in Chromium: what axe-core finds fault with, and whether anything is lost on a
//! narrow screen or in large letters. The pages come with their own script, style and policy.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use axum::{
    Router,
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse as _, Response},
};

use super::{Picture, pictures};
use crate::{
    browser::Browser,
    texts::Locale,
    web::{assets, visit::content_security_policy},
};

/// Which rules axe-core holds a page against: all of WCAG 2.2 A and AA and its own good practice …
const ALL: &str =
    "{ type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }";
/// … and those of them that read colours or sizes rather than markup.
const LOOK: &str = "{ type: 'rule', values: ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable'] }";

const PHONE: (u32, u32) = (390, 844);
const DESKTOP: (u32, u32) = (1280, 900);

/// What was found, and on which pages.
#[derive(Default)]
struct Findings(BTreeMap<String, Vec<String>>);

impl Findings {
    fn add(&mut self, found: &serde_json::Value, page: &str, view: &str) {
        for finding in found.as_array().expect("a list") {
            let finding = finding.as_str().unwrap_or_default().to_owned();
            self.0.entry(finding).or_default().push(format!("{page} {view}"));
        }
    }

    fn report(&self) -> String {
        let line = |(finding, places): (&String, &Vec<String>)| {
            let some: Vec<&str> = places.iter().take(3).map(String::as_str).collect();
            format!("{finding}\n    on {} of them: {}\n", places.len(), some.join(", "))
        };
        self.0.iter().map(line).collect()
    }
}

/// Serves the pictures and all they need on loopback; gives the origin.
async fn serve(pictures: Vec<Picture>) -> String {
    let pages: HashMap<String, String> = pictures
        .into_iter()
        .map(|Picture { name, locale, html }| {
            // While it is looked at, no page goes on by itself.
            (
                format!("/{name}.{locale}"),
                html.replace("data-onward", "").replace("data-auto-submit", "data-held"),
            )
        })
        .collect();
    let pages = Arc::new(pages);
    let answer = move |uri: Uri| std::future::ready(answer(&pages, uri.path()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
    origin
}

fn answer(pages: &HashMap<String, String>, path: &str) -> Response {
    if let Some(html) = pages.get(path) {
        let policy = content_security_policy(&[], &[]);
        return ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html.clone())).into_response();
    }
    // Any picture will do for the logo of an insurer or a client.
    let logo = path.starts_with("/assets/logo/") || path.starts_with("/logo/");
    match assets::find(if logo { assets::icon_path() } else { path }) {
        Some(asset) => {
            ([(header::CONTENT_TYPE, asset.content_type)], asset.bytes.into_owned()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What axe-core has to say about the page, a sentence for each element.
async fn audit(browser: &Browser, rules: &str) -> serde_json::Value {
    let options = format!("{{ runOnly: {rules}, resultTypes: ['violations'], preload: false }}");
    let told = "violations.flatMap((rule) => rule.nodes.map((node) => rule.id + ': ' + node.target + ' ' + \
                (node.any[0] ?? node.all[0] ?? node.none[0]).message))";
    browser.script(&format!("return axe.run(document, {options}).then(({{ violations }}) => {told})")).await
}

async fn lost(browser: &Browser) -> serde_json::Value {
    browser.script(include_str!("lost.js")).await
}

/// The script of axe-core, which is not ours to keep.
fn axe_core() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("axe-core is missing; scripts/setup test fetches it: {error}"))
}

/// Sets the window and the colours that the reader prefers.
async fn view(browser: &Browser, (width, height): (u32, u32), dark: bool) {
    browser.resize(width, height).await;
    browser.prefer_dark(dark).await;
    let shown = format!(
        "return innerWidth === {width} && matchMedia('(prefers-color-scheme: dark)').matches === {dark}"
    );
    assert_eq!(browser.script(&shown).await, true, "{width} wide, dark: {dark}");
}

/// Looks at every page in a language.
async fn look(locale: Locale) {
    let pictures: Vec<_> = pictures().into_iter().filter(|picture| picture.locale == locale).collect();
    let names: Vec<String> = pictures.iter().map(|p| format!("{}.{}", p.name, p.locale)).collect();
    let origin = serve(pictures).await;
    let browser = Browser::desktop().await;
    browser.inject(&axe_core()).await;
    let mut found = Findings::default();
    for name in &names {
        browser.open(&format!("{origin}/{name}")).await;
        view(&browser, PHONE, false).await;
        found.add(&audit(&browser, ALL).await, name, "on a phone");
        view(&browser, PHONE, true).await;
        found.add(&audit(&browser, LOOK).await, name, "on a phone, dark");
        view(&browser, DESKTOP, true).await;
        found.add(&audit(&browser, ALL).await, name, "on a desktop, dark");
        view(&browser, DESKTOP, false).await;
        found.add(&audit(&browser, LOOK).await, name, "on a desktop");
        // WCAG 2.2, 1.4.10: a column of 320 CSS pixels, which is also 1280 at 400 %. 1.4.4: 1280 at 200 %, and
        // letters alone twice as large.
        browser.resize(320, 640).await;
        found.add(&lost(&browser).await, name, "320 wide");
        browser.resize(640, 450).await;
        found.add(&lost(&browser).await, name, "at 200 %");
        browser.resize(DESKTOP.0, DESKTOP.1).await;
        browser.script("document.documentElement.style.fontSize = '200%'").await;
        found.add(&lost(&browser).await, name, "in large letters");
    }
    browser.close().await;
    assert!(names.len() > 100, "only {} pages", names.len());
    assert!(found.0.is_empty(), "{} findings on {} pages:\n{}", found.0.len(), names.len(), found.report());
}

#[tokio::test]
async fn every_page_is_for_every_reader_of_japanese() {
    look(Locale::Ja).await;
}

#[tokio::test]
async fn every_page_is_for_every_reader_of_english() {
    look(Locale::En).await;
}

#[tokio::test]
async fn faults_are_found() {
    let page = "<!doctype html><html lang=ja><title>a</title><main><h1>a</h1><input><p style='width:999px'>b</p>\
                <div style='overflow:hidden;height:1px'>c</div><a href=x>d</a><a href=y style='margin-left:-9px'>e</a>";
    let origin = serve(Vec::new()).await;
    let browser = Browser::desktop().await;
    browser.resize(320, 640).await;
    browser.open(&format!("{origin}/nothing")).await;
    browser.script(&format!("document.open(); document.write({page:?}); document.close()")).await;
    browser.script(&axe_core()).await;
    let (axe, lost) = (audit(&browser, ALL).await.to_string(), lost(&browser).await.to_string());
    assert!(axe.contains("label: input"), "{axe}");
    for fault in ["scrolling sideways", "reaches beyond", "cut off below", "lies on"] {
        assert!(lost.contains(fault), "{fault} in {lost}");
    }
    browser.close().await;
}
