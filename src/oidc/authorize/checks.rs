//! The rules of an authorization request, one a function, in the order they are applied.
//!
//! [`CHECKS`] is the whole table: a rule reads the parameters and fills in its part of the [`Draft`].

use super::{
    params::Params,
    request::{AuthorizationRequest, Callback, Prompt, ResponseMode},
};
use crate::{
    clients::Client,
    oidc::scope::{Scope, Scopes},
    texts::Locale,
};

/// An error that goes back to the client (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationError {
    /// `error`.
    pub code: &'static str,
    /// `error_description`: which parameter breaks which rule.
    pub description: String,
}

impl AuthorizationError {
    /// An error of this code.
    pub fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }
}

/// Why a request is refused on a page of ours: nothing is known yet that it could be sent back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRefusal {
    /// The parameter at fault.
    pub parameter: &'static str,
    /// Text that says so.
    pub text: &'static str,
}

/// A request while it is checked.
#[derive(Debug)]
pub struct Draft<'a> {
    params: &'a Params,
    client: &'a Client,
    request: AuthorizationRequest,
}

type Check = fn(&mut Draft<'_>) -> Result<(), AuthorizationError>;

/// The rules, in order.
const CHECKS: &[Check] = &[
    parameters_come_once,
    response_mode_is_known,
    request_objects_are_not_supported,
    response_type_is_code,
    scope_has_openid,
    pkce_is_s256,
    prompt_is_consistent,
    max_age_is_a_number,
    nonce_and_hints,
];

/// The callback of a request: a client that exists and a redirect URI that it registered. Until this
/// holds, nothing is redirected, whatever the parameters say (RFC 6749 §4.1.2.1).
pub fn callback(params: &Params, client: &Client) -> Result<Callback, PageRefusal> {
    let refuse = |text| PageRefusal { parameter: "redirect_uri", text };
    if !params.is_clear("redirect_uri") {
        return Err(refuse("error-redirect-uri-mismatch"));
    }
    // OIDC Core §3.1.2.1 requires it, even of a client with a single one.
    let requested = params.get("redirect_uri").ok_or_else(|| refuse("error-redirect-uri-missing"))?;
    let web = requested.starts_with("http");
    let mode = params.get("response_mode").and_then(ResponseMode::parse).filter(|_| web);
    let mode = mode.unwrap_or(ResponseMode::Query);
    let state = params.get("state").map(str::to_owned);
    Callback::new(client, requested, mode, state).ok_or_else(|| refuse("error-redirect-uri-mismatch"))
}

/// Applies every rule.
pub fn check(
    params: &Params,
    client: &Client,
    callback: Callback,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let request = AuthorizationRequest {
        client_id: client.id.clone(),
        callback,
        scope: Scopes::default(),
        nonce: None,
        code_challenge: None,
        prompt: Vec::new(),
        max_age: None,
        login_hint: None,
        locale: None,
    };
    let mut draft = Draft { params, client, request };
    for check in CHECKS {
        check(&mut draft)?;
    }
    Ok(draft.request)
}

fn invalid(description: impl Into<String>) -> AuthorizationError {
    AuthorizationError::new("invalid_request", description)
}

/// RFC 6749 §3.1: parameters must not be included more than once.
fn parameters_come_once(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    if draft.params.has_repeated() {
        return Err(invalid("a parameter is included more than once (RFC 6749 section 3.1)"));
    }
    if draft.params.has_too_long() {
        return Err(invalid("a parameter is longer than 4096 bytes"));
    }
    Ok(())
}

fn response_mode_is_known(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    match draft.params.get("response_mode") {
        Some(mode) if ResponseMode::parse(mode).is_none() => {
            Err(invalid("response_mode must be query or form_post"))
        }
        // A browser cannot post to a private-use scheme.
        Some("form_post") if !draft.request.callback.redirect_uri().starts_with("http") => {
            Err(invalid("response_mode=form_post needs an http redirect_uri"))
        }
        _ => Ok(()),
    }
}

/// OIDC Core §3.1.2.6: each has an error code of its own; ignoring them would be worse than refusing.
fn request_objects_are_not_supported(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    for (parameter, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if draft.params.get(parameter).is_some() {
            return Err(AuthorizationError::new(code, format!("the parameter {parameter} is not supported")));
        }
    }
    Ok(())
}

fn response_type_is_code(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    match draft.params.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(AuthorizationError::new("unsupported_response_type", "response_type must be code")),
        None => Err(invalid("response_type is missing; it must be code")),
    }
}

fn scope_has_openid(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    let asked = Scopes::parse(draft.params.get("scope").unwrap_or_default());
    if !asked.has(Scope::OpenId) {
        return Err(AuthorizationError::new("invalid_scope", "scope must include openid"));
    }
    draft.request.scope = asked.allowed_to(draft.client);
    Ok(())
}

/// RFC 7636 §4.2–4.4: S256 alone, and by default required of every client (RFC 9700 §2.1.1).
fn pkce_is_s256(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    let Some(challenge) = draft.params.get("code_challenge") else {
        if draft.params.get("code_challenge_method").is_some() {
            return Err(invalid("code_challenge is missing beside code_challenge_method"));
        }
        if draft.client.metadata.pkce_optional {
            return Ok(());
        }
        return Err(invalid("code_challenge is required (RFC 7636), with code_challenge_method=S256"));
    };
    // An absent method means plain (RFC 7636 §4.3), which is refused too.
    if draft.params.get("code_challenge_method") != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let base64url = challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if challenge.len() != 43 || !base64url {
        return Err(invalid("code_challenge must be the 43 base64url characters of a SHA-256"));
    }
    draft.request.code_challenge = Some(challenge.to_owned());
    Ok(())
}

/// OIDC Core §3.1.2.1: `none` stands alone.
fn prompt_is_consistent(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    for name in draft.params.get("prompt").unwrap_or_default().split_ascii_whitespace() {
        let prompt = Prompt::parse(name).ok_or_else(|| {
            invalid("prompt must be none, or any of login, consent, select_account, create")
        })?;
        if !draft.request.prompts(prompt) {
            draft.request.prompt.push(prompt);
        }
    }
    if draft.request.prompts(Prompt::None) && draft.request.prompt.len() > 1 {
        return Err(invalid("prompt=none must stand alone (OIDC Core section 3.1.2.1)"));
    }
    Ok(())
}

fn max_age_is_a_number(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    if let Some(text) = draft.params.get("max_age") {
        let seconds = text.parse().map_err(|_| invalid("max_age must be a number of seconds"))?;
        draft.request.max_age = Some(seconds);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a rule of the table that refuses nothing")]
fn nonce_and_hints(draft: &mut Draft<'_>) -> Result<(), AuthorizationError> {
    draft.request.nonce = draft.params.get("nonce").map(str::to_owned);
    // A hint is only a hint: one that makes no sense is left out.
    draft.request.login_hint =
        draft.params.get("login_hint").filter(|hint| hint.len() <= 254).map(str::to_owned);
    draft.request.locale = draft.params.get("ui_locales").and_then(Locale::of_list);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::Metadata, clock::Timestamp};

    const GOOD: &str = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb\
        &scope=openid+email+offline_access&state=s&nonce=n\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn client() -> Client {
        Client {
            id: "app".to_owned(),
            metadata: Metadata {
                client_name: "App".to_owned(),
                redirect_uris: vec!["https://app.example.com/cb".to_owned()],
                scope: "openid email".to_owned(),
                ..Metadata::default()
            },
            secrets: Vec::new(),
            disabled_at: None,
            created_at: Timestamp::from_millis(0),
        }
    }

    fn checked(query: &str) -> Result<AuthorizationRequest, AuthorizationError> {
        let (params, client) = (Params::parse(query.as_bytes()), client());
        let callback = callback(&params, &client).expect("the callback is fine");
        check(&params, &client, callback)
    }

    #[test]
    fn a_good_request_keeps_what_the_client_may_have() {
        let request = checked(GOOD).unwrap();
        assert_eq!(request.scope.to_string(), "openid email");
        assert_eq!(request.callback.state(), Some("s"));
        assert_eq!(request.callback.mode(), ResponseMode::Query);
        assert_eq!(
            checked(&format!("{GOOD}&extra=foobar&ui_locales=se+en")).unwrap().locale,
            Some(Locale::En)
        );
    }

    #[test]
    fn each_broken_rule_has_its_error() {
        let replaced = |from: &str, to: &str| checked(&GOOD.replace(from, to)).unwrap_err().code;
        assert_eq!(replaced("response_type=code", "response_type=token"), "unsupported_response_type");
        assert_eq!(replaced("response_type=code&", ""), "invalid_request");
        assert_eq!(replaced("openid+", ""), "invalid_scope");
        assert_eq!(replaced("S256", "plain"), "invalid_request");
        assert_eq!(replaced("&code_challenge_method=S256", ""), "invalid_request");
        assert_eq!(replaced("cM&", "&"), "invalid_request");
        let added = |more: &str| checked(&format!("{GOOD}&{more}")).unwrap_err().code;
        assert_eq!(added("prompt=none+login"), "invalid_request");
        assert_eq!(added("prompt=nonsense"), "invalid_request");
        assert_eq!(added("max_age=-1"), "invalid_request");
        assert_eq!(added("nonce=again"), "invalid_request");
        assert_eq!(added("response_mode=web_message"), "invalid_request");
        assert_eq!(added("request=x.y.z"), "request_not_supported");
        assert_eq!(added("request_uri=https%3A%2F%2Fx"), "request_uri_not_supported");
    }

    #[test]
    fn no_callback_without_the_exact_redirect_uri_in_any_response_mode() {
        for query in [
            "client_id=app",
            "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%2Fmore",
            "redirect_uri=https%3A%2F%2Fapp.example.com.evil%2Fcb&response_mode=form_post",
            "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&redirect_uri=https%3A%2F%2Fevil",
            "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%23x&response_mode=query",
        ] {
            assert!(callback(&Params::parse(query.as_bytes()), &client()).is_err(), "{query}");
        }
    }

    #[test]
    fn pkce_may_be_left_out_only_by_a_client_flagged_so() {
        let query = GOOD.split("&code_challenge=").next().unwrap();
        assert_eq!(checked(query).unwrap_err().code, "invalid_request");
        let mut client = client();
        client.metadata.pkce_optional = true;
        let params = Params::parse(query.as_bytes());
        let callback = callback(&params, &client).unwrap();
        assert!(check(&params, &client, callback).is_ok());
    }
}
