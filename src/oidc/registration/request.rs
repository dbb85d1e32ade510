//! What a client asks to be registered with, and what it may have without an operator.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::supported;
use crate::{
    app::App,
    clients::{
        ApplicationType, AuthMethod, Client, GrantType, Metadata, MetadataError, Shown, SubjectType,
        redirect_uri, sector,
    },
    clock::Timestamp,
    oidc::error::OAuthError,
};

/// The fields that a client may set itself; all others of [`Metadata`] are for operators, and unknown ones
/// are ignored (RFC 7591 §2).
const REGISTRABLE: &[&str] = &[
    "client_name",
    "redirect_uris",
    "response_types",
    "grant_types",
    "application_type",
    "contacts",
    "logo_uri",
    "client_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "jwks",
    "sector_identifier_uri",
    "subject_type",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "request_object_signing_alg",
    "request_uris",
    "require_signed_request_object",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "post_logout_redirect_uris",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "require_pushed_authorization_requests",
    "software_id",
    "software_version",
    "scope",
];

/// Most URIs that a field of such a client may list.
const MOST_URIS: usize = 20;

/// Whether a client may set the field, or a translation of it.
pub(super) fn is_registrable(name: &str) -> bool {
    match name.split_once('#') {
        Some((field, _)) => Shown::ALL.iter().any(|what| what.field() == field),
        None => REGISTRABLE.contains(&name),
    }
}

/// The metadata of a request, checked by every rule. What operators granted the client `before` stays: it is
/// not the client's to change.
pub(super) async fn metadata(
    app: &App,
    sent: &Map<String, Value>,
    before: Option<&Metadata>,
) -> Result<Metadata, OAuthError> {
    if sent.contains_key("software_statement") {
        // RFC 7591 §3.2.2: no publisher of software is trusted here.
        let description = "software statements are not approved here";
        return Err(OAuthError::new("unapproved_software_statement", description));
    }
    let standard = Metadata::default();
    let before = before.unwrap_or(&standard);
    let mut metadata = settled(app, read(sent, before)?, before);
    let open = sent.get("subject_type").is_none_or(Value::is_null);
    if open && metadata.sector_identifier().is_none() && may_be_public(app, before) {
        // Redirect URIs of several hosts name no sector for pairwise subjects (OIDC Core §8.1).
        metadata.subject_type = SubjectType::Public;
    }
    metadata.validate(&supported(app.config())).map_err(|error| explain(&error))?;
    beyond_reach(app, &metadata, before).map_err(|error| explain(&error))?;
    sector::check(&app.egress, &metadata).await.map_err(|error| explain(&error))?;
    Ok(metadata)
}

/// Reads the fields one by one, so that an error names the field. `null` counts as absent (RFC 7592 §2.2).
/// Whatever a client cannot set is as it was before, in whichever field an operator granted it.
fn read(sent: &Map<String, Value>, before: &Metadata) -> Result<Metadata, OAuthError> {
    let mut fields = match serde_json::to_value(before) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.retain(|name, _| !is_registrable(name));
    for (name, value) in sent.iter().filter(|(name, value)| is_registrable(name) && !value.is_null()) {
        if let Err(error) = serde_json::from_value::<Metadata>(json!({ name: value })) {
            let code =
                if name == "redirect_uris" { "invalid_redirect_uri" } else { "invalid_client_metadata" };
            let reason: String = error.to_string().chars().take(200).collect();
            return Err(OAuthError::new(code, format!("{name}: {reason}")));
        }
        fields.insert(name.clone(), value.clone());
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|_| OAuthError::new("invalid_client_metadata", "the metadata cannot be read"))
}

/// Fills in what the client left open and takes away what it cannot have, as RFC 7591 §2 lets a server do;
/// the answer tells.
fn settled(app: &App, mut metadata: Metadata, before: &Metadata) -> Metadata {
    let settings = &app.config().registration;
    if metadata.client_name.trim().is_empty() {
        // Members see it, so it has to say who asks.
        let host = metadata.redirect_uris.first().and_then(|uri| redirect_uri::host(uri));
        metadata.client_name = host.unwrap_or_else(|| "app".to_owned()).chars().take(80).collect();
    }
    let refreshes = metadata.grant_types.0.contains(&GrantType::RefreshToken);
    let asked: BTreeSet<&str> = metadata.scope.split_ascii_whitespace().collect();
    // What an operator granted beyond the setting stays within reach.
    let allowed = settings.scopes.iter().map(String::as_str).chain(before.scope.split_ascii_whitespace());
    let wanted = |scope: &&str| {
        (asked.is_empty() || asked.contains(scope) || *scope == "openid")
            && (*scope != "offline_access" || refreshes)
    };
    let scopes: BTreeSet<&str> = allowed.filter(wanted).collect();
    metadata.scope = scopes.into_iter().collect::<Vec<_>>().join(" ");
    let confidential = metadata.token_endpoint_auth_method != AuthMethod::None;
    metadata.pkce_optional = (settings.certification || before.pkce_optional) && confidential;
    metadata
}

/// Whether the setting or an operator lets the client have public subjects.
fn may_be_public(app: &App, before: &Metadata) -> bool {
    app.config().registration.certification || before.subject_type == SubjectType::Public
}

/// Rules for those whom no operator looked at.
fn beyond_reach(app: &App, metadata: &Metadata, before: &Metadata) -> Result<(), MetadataError> {
    let refuse = |field, reason: &str| Err(MetadataError::new(field, reason));
    if metadata.subject_type == SubjectType::Public && !may_be_public(app, before) {
        return refuse("subject_type", "must be pairwise; public subjects are granted by operators");
    }
    for (field, uris) in [
        ("redirect_uris", &metadata.redirect_uris),
        ("post_logout_redirect_uris", &metadata.post_logout_redirect_uris),
        ("request_uris", &metadata.request_uris),
    ] {
        if uris.len() > MOST_URIS {
            return refuse(field, "must have 20 URIs at most");
        }
        let plain = |uri: &String| uri.starts_with("http:");
        if metadata.application_type == ApplicationType::Web && uris.iter().any(plain) {
            return refuse(field, "must use https for an application_type of web");
        }
    }
    for (field, uri) in [
        ("client_uri", &metadata.client_uri),
        ("logo_uri", &metadata.logo_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
        ("initiate_login_uri", &metadata.initiate_login_uri),
        ("frontchannel_logout_uri", &metadata.frontchannel_logout_uri),
    ] {
        if uri.as_ref().is_some_and(|uri| !uri.starts_with("https:")) {
            return refuse(field, "must use https");
        }
    }
    let services = [
        ("jwks_uri", metadata.jwks_uri.as_ref()),
        ("backchannel_logout_uri", metadata.backchannel_logout_uri.as_ref()),
        ("logo_uri", metadata.logo_uri.as_ref()),
    ];
    let requests = metadata.request_uris.iter().map(|uri| ("request_uris", Some(uri)));
    for (field, uri) in services.into_iter().chain(requests) {
        if let Some(Err(error)) = uri.map(|uri| app.egress.check(uri)) {
            return refuse(field, &error.to_string());
        }
    }
    Ok(())
}

/// What a PUT must say of the client itself, and must not (RFC 7592 §2.2).
pub(super) fn check_update(
    sent: &Map<String, Value>,
    client: &Client,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let invalid = |description: &str| Err(OAuthError::invalid_request(description));
    let forbidden = [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ];
    if forbidden.iter().any(|name| sent.contains_key(*name)) {
        return invalid(
            "the request must not have what only the server says, such as registration_client_uri",
        );
    }
    if sent.get("client_id").and_then(Value::as_str) != Some(&client.id) {
        return invalid("client_id must be that of the client");
    }
    match sent.get("client_secret").map(Value::as_str) {
        None => Ok(()),
        Some(Some(secret)) if client.verify_secret(secret, now) => Ok(()),
        Some(_) => invalid("client_secret must be the current one, or absent"),
    }
}

/// RFC 7591 §3.2.2
fn explain(error: &MetadataError) -> OAuthError {
    let redirects = ["redirect_uris", "post_logout_redirect_uris"].contains(&error.field);
    let code = if redirects { "invalid_redirect_uri" } else { "invalid_client_metadata" };
    OAuthError::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_what_operators_granted_and_takes_nothing_that_they_grant() {
        let before: Metadata = serde_json::from_value(json!({
            "client_name": "before", "policy_uri": "https://app.example.com/policy", "scope": "openid",
            "insurer": "7132", "sector": "app.example.com", "strict_assertions": true,
            "access_token_lifetime": 60, "pkce_optional": true, "health_insurance_business": true,
        }))
        .unwrap();
        let sent = json!({
            "client_name": "after", "insurer": null, "sector": "other.example", "access_token_lifetime": 6000,
            "strict_assertions": false, "resources": ["https://records.example.com"],
        });
        let after = read(sent.as_object().unwrap(), &before).unwrap();
        let expected = Metadata {
            client_name: "after".to_owned(),
            policy_uri: None,
            scope: String::new(),
            ..before.clone()
        };
        assert_eq!(after, expected);
    }
}
