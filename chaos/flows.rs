//! The load: members who sign in, apps that refresh, newcomers who register, an operator who acts. Each is a
//! loop that tries again after a failure, as people and programs do, and knows what must never be answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kenpos_idp::{clock::Entropy, crypto::digest};
use serde_json::{Value, json};
use tokio::time::sleep;
use url::Url;

use super::{
    balancer::{Trouble, somebody},
    browser::{Browser, End},
    stage::{CALLBACK, Credentials, Load, PASSWORD, Person},
};

/// Between two acts of a loop.
const PAUSE: Duration = Duration::from_millis(120);
/// How long a loop goes on trying one thing.
const PATIENCE: Duration = Duration::from_secs(50);
/// Refreshes of a chain, after which an old token of it is misused.
const CHAIN: usize = 24;

/// A code, and what proves that it is ours.
pub struct Code {
    code: String,
    verifier: String,
}

/// Signs somebody in to the app.
async fn authorize(load: &Load, browser: &mut Browser, person: &Person) -> Result<Code, Trouble> {
    let entropy = Entropy::system();
    let (verifier, state) = (entropy.secret(), entropy.id());
    let query = serde_html_form::to_string([
        ("response_type", "code"),
        ("client_id", &load.app.id),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email offline_access"),
        ("state", &state),
        ("code_challenge", &digest::sha256_base64url(&verifier)),
        ("code_challenge_method", "S256"),
    ])
    .expect("a query");
    let mut end = browser.open(&format!("/authorize?{query}")).await?;
    for _ in 0..5 {
        let page = match end {
            End::Elsewhere(address) => return code_of(&address, &state).map(|code| Code { code, verifier }),
            End::Page(page) => page,
        };
        end = if page.has("#login-id-form") {
            browser.submit(&page, "#login-id-form", &[("login_id", &person.login_id)]).await?
        } else if page.has("#password-form") {
            browser.submit(&page, "#password-form", &[("password", PASSWORD)]).await?
        } else if page.has("#consent-form") {
            browser.submit(&page, "#consent-form", &[("decision", "allow")]).await?
        } else {
            return Err(page.unexpected("a step of the sign-in"));
        };
    }
    Err(Trouble::Unexpected("a sign-in without end".to_owned()))
}

fn code_of(address: &str, state: &str) -> Result<String, Trouble> {
    let url = Url::parse(address).map_err(|_| Trouble::Unexpected("no address".to_owned()))?;
    let get =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if get("state").as_deref() != Some(state) {
        return Err(Trouble::Unexpected("another state".to_owned()));
    }
    get("code").ok_or_else(|| Trouble::Unexpected(get("error").unwrap_or_default()))
}

/// Asks for tokens; nothing when the grant is refused (`invalid_grant`).
async fn token(
    load: &Load,
    to: Option<usize>,
    client: &Credentials,
    form: &[(&str, &str)],
) -> Result<Option<Value>, Trouble> {
    let body = serde_html_form::to_string(form).expect("a form");
    let send = |http: &reqwest::Client, base: &str| {
        http.post(format!("{base}/token"))
            .basic_auth(&client.id, Some(&client.secret))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("X-Forwarded-For", somebody())
            .body(body.clone())
    };
    let answer = load.balancer.send(to, send).await?;
    let json: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    match (answer.status, json["error"].as_str()) {
        (200, None) => Ok(Some(json)),
        (400, Some("invalid_grant")) => Ok(None),
        (status, error) => Err(Trouble::Unexpected(format!("/token {status} {}", error.unwrap_or_default()))),
    }
}

/// Redeems a code.
pub async fn redeem(
    load: &Load,
    to: Option<usize>,
    code: &str,
    verifier: &str,
) -> Result<Option<Value>, Trouble> {
    let grant = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    token(load, to, &load.app, &[&grant[..], &[("code_verifier", verifier)]].concat()).await
}

/// Uses a refresh token.
pub async fn refresh(load: &Load, to: Option<usize>, refresh_token: &str) -> Result<Option<Value>, Trouble> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    token(load, to, &load.app, &form).await
}

/// The claims of userinfo; nothing when the token is worth nothing.
async fn userinfo(load: &Load, tokens: &Value) -> Result<Option<Value>, Trouble> {
    let access_token = tokens["access_token"].as_str().unwrap_or_default();
    let send =
        |http: &reqwest::Client, base: &str| http.get(format!("{base}/userinfo")).bearer_auth(access_token);
    let answer = load.balancer.send(None, send).await?;
    match answer.status {
        200 => Ok(serde_json::from_str(&answer.body).ok()),
        401 => Ok(None),
        status => Err(Trouble::Unexpected(format!("/userinfo {status}"))),
    }
}

/// Redeems a code, once more if the first answer was lost.
async fn redeem_once(load: &Load, code: &Code) -> Result<Value, Trouble> {
    let mut lost = None;
    for _ in 0..2 {
        match redeem(load, None, &code.code, &code.verifier).await {
            Ok(Some(tokens)) => {
                load.ledger.redeemed(&code.code, &code.verifier);
                return Ok(tokens);
            }
            Ok(None) => return Err(lost.unwrap_or(Trouble::Unexpected("the code is refused".to_owned()))),
            Err(trouble) => lost = Some(trouble),
        }
        sleep(PAUSE).await;
    }
    Err(lost.unwrap_or(Trouble::Refused))
}

/// Who the tokens are for must be who signed in.
async fn check_who(load: &Load, tokens: &Value, person: &Person) -> Result<(), Trouble> {
    let Some(claims) = userinfo(load, tokens).await? else {
        return Err(Trouble::Unexpected("the access token is refused".to_owned()));
    };
    if claims["email"] != person.email.as_str() {
        load.ledger.wrong("a member is signed in as another");
    }
    Ok(())
}

/// A code is used twice, one after the other or at once: it gives tokens once, and then none that work.
async fn misuse(load: &Load, code: &Code, at_once: bool) -> Result<(), Trouble> {
    let use_at = |node| redeem(load, Some(node), &code.code, &code.verifier);
    let answers = if at_once {
        let (one, other) = tokio::join!(use_at(0), use_at(1));
        [one, other]
    } else {
        [use_at(0).await, use_at(1).await]
    };
    let given: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()?.as_ref()).collect();
    if given.len() > 1 {
        load.ledger.wrong("a code was honoured twice");
    }
    if !given.is_empty() {
        load.ledger.redeemed(&code.code, &code.verifier);
    }
    for answer in &answers {
        answer.as_ref().map_err(Clone::clone)?;
    }
    let Some(tokens) = given.first() else {
        return Err(Trouble::Unexpected("the code is refused".to_owned()));
    };
    if userinfo(load, tokens).await?.is_some() && !load.clock_jumps {
        load.ledger.wrong("an access token works although its code came twice");
    }
    Ok(())
}

/// Signs these members in again and again, sometimes in a browser that is signed in already.
pub async fn sign_ins(load: Arc<Load>, members: Vec<Person>) {
    let mut kept: Option<(Browser, usize)> = None;
    for turn in 0_usize.. {
        if load.is_stopped() {
            return;
        }
        sleep(PAUSE).await;
        let (mut browser, who) = match kept.take() {
            Some(kept) if turn % 4 == 1 => kept,
            _ => (Browser::new(&load.balancer), turn % members.len()),
        };
        let signed_in = async {
            let code = authorize(&load, &mut browser, &members[who]).await?;
            match turn % 4 {
                2 => misuse(&load, &code, false).await,
                3 => misuse(&load, &code, true).await,
                _ => check_who(&load, &redeem_once(&load, &code).await?, &members[who]).await,
            }
        };
        match signed_in.await {
            Ok(()) => load.ledger.done("sign in"),
            Err(trouble) => load.ledger.error("sign in", &trouble),
        }
        kept = Some((browser, who));
    }
}

/// Lets an app refresh for this member, chain after chain.
pub async fn refreshes(load: Arc<Load>, person: Person) {
    while !load.is_stopped() {
        sleep(PAUSE).await;
        let begun = async {
            let code = authorize(&load, &mut Browser::new(&load.balancer), &person).await?;
            let tokens = redeem_once(&load, &code).await?;
            let token = tokens["refresh_token"].as_str();
            token.map(str::to_owned).ok_or_else(|| Trouble::Unexpected("no refresh token".to_owned()))
        };
        match begun.await {
            Ok(first) => chain(&load, first).await,
            Err(trouble) => load.ledger.error("refresh", &trouble),
        }
    }
}

/// Refreshes until the chain is long enough; then an old token must end it.
async fn chain(load: &Load, first: String) {
    let mut tokens = vec![first];
    let mut asked = Instant::now();
    while tokens.len() <= CHAIN && !load.is_stopped() {
        sleep(PAUSE).await;
        let current = tokens[tokens.len() - 1].clone();
        // Every now and then it is used at two nodes at once, as by an app that runs twice.
        let answers = if tokens.len() % 4 == 3 {
            let (one, other) =
                tokio::join!(refresh(load, Some(0), &current), refresh(load, Some(1), &current));
            vec![one, other]
        } else {
            vec![refresh(load, None, &current).await]
        };
        let next: Vec<_> = answers
            .iter()
            .filter_map(|answer| answer.as_ref().ok()?.as_ref()?["refresh_token"].as_str())
            .collect();
        if next.windows(2).any(|two| two[0] != two[1]) {
            load.ledger.wrong("a refresh token has two successors");
        }
        let trouble = answers.iter().find_map(|answer| answer.as_ref().err());
        if let Some(trouble) = trouble {
            load.ledger.error("refresh", trouble);
        }
        match next.first() {
            Some(next) => {
                load.ledger.done("refresh");
                tokens.push((*next).to_owned());
                asked = Instant::now();
            }
            None if trouble.is_none() => {
                load.ledger.failed("refresh: the chain is lost".to_owned());
                return;
            }
            None if asked.elapsed() > PATIENCE => return,
            None => {}
        }
    }
    let old = tokens.len().saturating_sub(2);
    if tokens.len() > CHAIN {
        match refresh(load, None, &tokens[old - 1]).await {
            Ok(Some(_)) => load.ledger.wrong("an old refresh token was honoured"),
            Ok(None) => {
                if matches!(refresh(load, None, &tokens[tokens.len() - 1]).await, Ok(Some(_))) {
                    load.ledger.wrong("a chain lives on although an old token of it came");
                }
            }
            Err(_) => {}
        }
    }
    load.ledger.sums().retired.extend(tokens.drain(..old));
}

/// Registers newcomers, one after the other.
pub async fn registrations(load: Arc<Load>) {
    while !load.is_stopped() {
        let Some(person) = load.newcomer() else { return };
        register(&load, &person).await;
        sleep(PAUSE).await;
    }
}

/// Registers somebody, however often that must be begun again.
pub async fn register(load: &Load, person: &Person) {
    let began = Instant::now();
    let mut seen = 0;
    loop {
        match try_to_register(load, person, &mut seen).await {
            Ok(()) => {
                load.ledger.done("register");
                let (number, email) = (person.number.clone(), person.email.clone());
                load.ledger.sums().registered.push(super::ledger::Registered { number, email });
                return;
            }
            Err(trouble) => load.ledger.error("register", &trouble),
        }
        if began.elapsed() > PATIENCE + load.mail_patience {
            return load.ledger.wrong("somebody cannot register any more");
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn try_to_register(load: &Load, person: &Person, seen: &mut usize) -> Result<(), Trouble> {
    let mut browser = Browser::new(&load.balancer);
    let page = browser.open("/login").await?.page()?;
    let page = browser.submit(&page, "#login-id-form", &[("login_id", &person.login_id)]).await?.page()?;
    let page = browser.submit(&page, "#password-form", &[("password", &person.born)]).await?.page()?;
    if page.has("#password-form") {
        // The birth date works no more: was it done, and the answer lost?
        authorize(load, &mut Browser::new(&load.balancer), person).await?;
        return Ok(());
    }
    let page =
        browser.submit(&page, "#documents-form", &[("privacy", "on"), ("terms", "on")]).await?.page()?;
    let details = [("kana", person.kana.as_str()), ("password", PASSWORD), ("email", person.email.as_str())];
    let page = browser.submit(&page, "#details-form", &details).await?.page()?;
    let page = browser.submit(&page, "#confirm-form", &[]).await?.page()?;
    if !page.path.ends_with("/sent") {
        return Err(page.unexpected("the notice that a mail was sent"));
    }
    *load.ledger.sums().sent.entry(person.email.clone()).or_default() += 1;
    let link = next_link(load, person, seen).await?;
    let page = browser.open(&link).await?.page()?;
    let page = browser.submit(&page, "#link-form", &[("password", PASSWORD)]).await?.page()?;
    if page.has("#done-form") || page.has("#to-login") || page.path == "/account" {
        Ok(())
    } else {
        Err(page.unexpected("the end of the registration"))
    }
}

/// The link of the newest mail that has come for somebody since the last look.
async fn next_link(load: &Load, person: &Person, seen: &mut usize) -> Result<String, Trouble> {
    let began = Instant::now();
    while began.elapsed() < load.mail_patience {
        let mails = load.received.all();
        let links = mails.iter().filter(|mail| mail.number > *seen && mail.is_for(&person.email));
        let mut links = links.flat_map(|mail| mail.links().into_iter().map(|link| (mail.number, link)));
        if let Some((number, link)) = links.rfind(|(_, link)| link.path().starts_with("/registration/link/"))
        {
            *seen = number;
            return Ok(link.to_string());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err(Trouble::Unexpected("no mail came".to_owned()))
}

/// Freezes and unfreezes a member through the operators' API, each act under a key of its own.
pub async fn operations(load: Arc<Load>, person: Person) {
    let mut bearer = String::new();
    let (mut turn, mut frozen) = (0_u32, false);
    while !load.is_stopped() {
        sleep(4 * PAUSE).await;
        let acted = async {
            if bearer.is_empty() {
                let form = [("grant_type", "client_credentials")];
                let tokens = token(&load, None, &load.program, &form).await?.unwrap_or_default();
                tokens["access_token"].as_str().unwrap_or_default().clone_into(&mut bearer);
            }
            operate(&load, &bearer, &person, &format!("chaos-{turn}"), frozen).await
        };
        match acted.await {
            Ok(()) => {
                load.ledger.done("operate");
                (turn, frozen) = (turn + 1, !frozen);
            }
            Err(trouble) => {
                load.ledger.error("operate", &trouble);
                match trouble.kind().as_str() {
                    "401" => bearer.clear(),
                    // Done, but the memory of the key is lost.
                    "409 conflict" => (turn, frozen) = (turn + 1, !frozen),
                    // The key is blocked for a while by the request that broke off: a fresh one, then.
                    "409 idempotency_in_progress" => turn += 1,
                    _ => {}
                }
            }
        }
    }
}

/// One act, and a look from the other side at whether it was done.
async fn operate(load: &Load, bearer: &str, person: &Person, key: &str, frozen: bool) -> Result<(), Trouble> {
    let found = api(load, bearer, "search", None, &json!({ "query": person.login_id })).await?;
    let items = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let subject = items.iter().find_map(|item| item["subject"].as_str()).unwrap_or_default();
    let (act, state) = if frozen { ("unfreeze", "active") } else { ("freeze", "frozen") };
    api(load, bearer, &format!("{subject}/{act}"), Some(key), &json!({ "reason": key })).await?;
    load.ledger.sums().acts.push(key.to_owned());
    let found = api(load, bearer, "search", None, &json!({ "query": person.login_id })).await?;
    let items = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !items.iter().any(|item| item["state"] == state) {
        load.ledger.wrong("an act that was said to be done was not");
    }
    Ok(())
}

async fn api(
    load: &Load,
    bearer: &str,
    path: &str,
    key: Option<&str>,
    body: &Value,
) -> Result<Value, Trouble> {
    let send = |http: &reqwest::Client, base: &str| {
        let request = http
            .post(format!("{base}/admin/api/v1/members/{path}"))
            .bearer_auth(bearer)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    };
    let answer = load.balancer.send(None, send).await?;
    let json: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    match answer.status {
        200 => Ok(json),
        401 => Err(Trouble::Unexpected("401".to_owned())),
        status => Err(Trouble::Unexpected(format!("{status} {}", json["code"].as_str().unwrap_or_default()))),
    }
}
