//! Codes and tokens that are altered, replayed, raced or used where they do not belong.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use kenpos_idp::clients::Metadata;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::{
    report::Report,
    support::{
        attack::{CHALLENGE, encoded, good_request, parameter, with},
        http_browser::HttpBrowser,
        relying_party::Registered,
    },
    target::{Answer, Target},
};

/// Requests that race.
const RACERS: usize = 50;
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A JWT that says it is not signed.
fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "JWT" })), encode(claims))
}

/// A JWT with a signature that fits nothing.
fn signed_by_nobody(header: &Value, claims: &Value) -> String {
    format!("{}.{}.{}", encode(header), encode(claims), BASE64_URL_SAFE_NO_PAD.encode([7; 256]))
}

pub async fn run(target: &Target, report: &mut Report) {
    forged(target, report).await;
    let (Some(client), Some(browser)) = (&target.client, target.signed_in().await) else {
        return report.not_run("codes and tokens", "--client-id, --login-id and --password");
    };
    pkce(target, report, client, &browser).await;
    codes(target, report, client, &browser).await;
    elsewhere(target, report, client, &browser).await;
    races(target, report, client, &browser).await;
}

/// What needs no account: tokens that nobody gave.
async fn forged(target: &Target, report: &mut Report) {
    let claims = json!({ "iss": target.issuer, "sub": "x", "aud": target.issuer, "exp": 4_102_444_800_u64 });
    let jwks = target.program(Method::GET, "/jwks", &[], "").await;
    let kid = jwks.json.pointer("/keys/0/kid").cloned().unwrap_or_default();
    let own_key = json!({ "kty": "oct", "k": "AAAA" });
    for (what, token) in [
        ("alg none", unsigned(&claims)),
        ("unknown kid", signed_by_nobody(&json!({ "alg": "RS256", "kid": "nobody" }), &claims)),
        ("HS256 under a key of ours", signed_by_nobody(&json!({ "alg": "HS256", "kid": kid }), &claims)),
        ("embedded jwk", signed_by_nobody(&json!({ "alg": "HS256", "jwk": own_key }), &claims)),
        ("nonsense", "a.b.c".to_owned()),
    ] {
        let answer = target.userinfo(&token).await;
        let name = format!("userinfo: {what}");
        report.case(&name, "Bearer token", "401 invalid_token", answer.brief(), answer.status == 401);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", token.as_str()),
        ];
        let nobody = Registered { id: "nobody".to_owned(), secret: None, metadata: Metadata::default() };
        let answer = target.post("/token", &nobody, &fields).await;
        let holds = [400, 401].contains(&answer.status) && answer.json["access_token"].is_null();
        report.case(&format!("client assertion: {what}"), "/token", "400 or 401", answer.brief(), holds);
        let hint = [
            ("id_token_hint", token.clone()),
            ("post_logout_redirect_uri", "https://evil.example/".to_owned()),
        ];
        let page = HttpBrowser::new().get(&target.url(&format!("/logout?{}", encoded(&hint)))).await;
        let holds = page.location().is_none_or(|to| to.as_str().starts_with(&target.issuer));
        report.case(&format!("id_token_hint: {what}"), "/logout", "leads nowhere else", page.status, holds);
    }
}

async fn pkce(target: &Target, report: &mut Report, client: &Registered, browser: &HttpBrowser) {
    let without = |name: &str| {
        let mut pairs = good_request(client, "openid");
        pairs.retain(|(known, _)| *known != name);
        pairs
    };
    for (what, pairs) in [
        ("omitted", {
            let mut pairs = without("code_challenge");
            pairs.retain(|(name, _)| *name != "code_challenge_method");
            pairs
        }),
        ("plain", with(good_request(client, "openid"), "code_challenge_method", "plain")),
        ("no method, which means plain", without("code_challenge_method")),
        ("too short", with(good_request(client, "openid"), "code_challenge", &CHALLENGE[..20])),
        ("too long", with(good_request(client, "openid"), "code_challenge", &CHALLENGE.repeat(4))),
    ] {
        let page = target.callback(browser, &pairs).await;
        let code = page.location().and_then(|to| parameter(&to, "code"));
        let seen = page.location().and_then(|to| parameter(&to, "error")).unwrap_or_default();
        report.case(&format!("PKCE: {what}"), "/authorize", "no code", seen, code.is_none());
    }
    let code = target.code(browser, client).await;
    for (what, verifier) in [("no verifier", ""), ("another verifier", CHALLENGE)] {
        let answer = target.redeem(client, &code, &[("code_verifier", verifier)]).await;
        let holds = answer.status == 400 && answer.json["access_token"].is_null();
        report.case(&format!("PKCE: {what}"), "/token", "400", answer.brief(), holds);
    }
}

async fn codes(target: &Target, report: &mut Report, client: &Registered, browser: &HttpBrowser) {
    let refused = |answer: &Answer| {
        answer.status >= 400 && answer.status < 500 && answer.json["access_token"].is_null()
    };
    let code = target.code(browser, client).await;
    let mut altered = code.clone();
    altered.pop();
    altered.push(if code.ends_with('A') { 'B' } else { 'A' });
    let other = Registered { id: "nobody".to_owned(), secret: None, metadata: client.metadata.clone() };
    let answer = target.redeem(&other, &code, &[]).await;
    report.case("code by another client", "/token", "4xx, no token", answer.brief(), refused(&answer));
    let answer = target.redeem(client, &altered, &[]).await;
    report.case("code altered", "/token", "4xx, no token", answer.brief(), refused(&answer));
    let code = target.code(browser, client).await;
    let answer = target.redeem(client, &code, &[("redirect_uri", "https://evil.example/")]).await;
    report.case(
        "code with another redirect_uri",
        "/token",
        "4xx, no token",
        answer.brief(),
        refused(&answer),
    );
    let code = target.code(browser, client).await;
    let tokens = target.redeem(client, &code, &[]).await;
    report.case("a good code", "/token", "200", tokens.brief(), tokens.status == 200);
    let access = tokens.text("access_token");
    let alive = target.userinfo(&access).await;
    let replayed = target.redeem(client, &code, &[]).await;
    let dead = target.userinfo(&access).await;
    let seen = format!("{}, then {} and {}", alive.brief(), replayed.brief(), dead.brief());
    let holds = alive.status == 200 && refused(&replayed) && dead.status == 401;
    report.case("replay of a code revokes", "/token twice, /userinfo", "200, then 400 and 401", seen, holds);
}

/// Each token at every other endpoint, truncated and with one bit changed.
async fn elsewhere(target: &Target, report: &mut Report, client: &Registered, browser: &HttpBrowser) {
    let code = target.code(browser, client).await;
    let unused = target.code(browser, client).await;
    let tokens = target.redeem(client, &code, &[]).await;
    let (access, refresh, id_token) =
        (tokens.text("access_token"), tokens.text("refresh_token"), tokens.text("id_token"));
    for (what, token) in [("code", &unused), ("refresh token", &refresh), ("ID token", &id_token)] {
        let answer = target.userinfo(token).await;
        report.case(
            &format!("{what} as access token"),
            "/userinfo",
            "401",
            answer.brief(),
            answer.status == 401,
        );
    }
    for (what, token) in [("access token", &access), ("code", &unused), ("ID token", &id_token)] {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let answer = target.post("/token", client, &fields).await;
        let holds = answer.status == 400 && answer.json["access_token"].is_null();
        report.case(&format!("{what} as refresh token"), "/token", "400", answer.brief(), holds);
    }
    for (what, token) in [("access token", &access), ("refresh token", &refresh)] {
        let answer = target.redeem(client, token, &[]).await;
        let holds = answer.status == 400 && answer.json["access_token"].is_null();
        report.case(&format!("{what} as code"), "/token", "400", answer.brief(), holds);
    }
    let (mut passed, mut tried) = (0, 0);
    for at in 0..access.len() {
        let mut flipped = access.clone().into_bytes();
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        for wrong in [access[..at].to_owned(), String::from_utf8_lossy(&flipped).into_owned()] {
            if wrong != access {
                tried += 1;
                passed += usize::from(target.userinfo(&wrong).await.status == 200);
            }
        }
    }
    let seen = format!("{passed} of {tried} let in");
    report.case("truncated and changed access tokens", "/userinfo", "none let in", seen, passed == 0);
    let still = target.userinfo(&access).await;
    report.case("the token itself afterwards", "/userinfo", "200", still.brief(), still.status == 200);
    for path in ["/introspect", "/revoke"] {
        let nobody = Registered {
            id: "nobody".to_owned(),
            secret: Some("x".to_owned()),
            metadata: client.metadata.clone(),
        };
        let answer = target.post(path, &nobody, &[("token", access.as_str())]).await;
        report.case(
            &format!("{path} by a client that nobody knows"),
            path,
            "401",
            answer.brief(),
            answer.status == 401,
        );
    }
    let url =
        Url::parse_with_params(&target.url("/userinfo"), [("access_token", access.as_str())]).expect("a URL");
    let page = HttpBrowser::new().raw(Method::GET, url.as_str(), &[], "").await;
    report.case(
        "access token in the URL",
        "/userinfo?access_token=…",
        "4xx",
        page.status,
        page.status.is_client_error(),
    );
}

async fn races(target: &Target, report: &mut Report, client: &Registered, browser: &HttpBrowser) {
    let code = target.code(browser, client).await;
    let answers = join_all((0..RACERS).map(|_| target.redeem(client, &code, &[]))).await;
    let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    let access = won.first().map(|answer| answer.text("access_token")).unwrap_or_default();
    let dead = target.userinfo(&access).await;
    let seen = format!("{} succeeded, its token {}", won.len(), dead.brief());
    let holds = won.len() == 1 && dead.status == 401;
    report.case("50 redemptions at once", "/token", "1 succeeds, its token is revoked", seen, holds);
    let code = target.code(browser, client).await;
    let refresh = target.redeem(client, &code, &[]).await.text("refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let answers = join_all((0..RACERS).map(|_| target.post("/token", client, &fields))).await;
    let successors: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.text("refresh_token"))
        .collect();
    let seen = format!("{} different successors", successors.len());
    report.case("50 refreshes at once", "/token", "1 successor", seen, successors.len() == 1);
}
