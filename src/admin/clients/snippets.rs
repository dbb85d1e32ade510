//! Texts to copy for libraries, filled in with what a client registered. The programs in `tests/relying_parties`
//! and the code in `docs/app-developers.md` are the same settings, run.

use super::settings::Library;
use crate::clients::{AuthMethod, Client};

/// Name, text with blanks `{…}`. A line with `{secret}` is for clients that have a secret.
const TEXTS: [(&str, &str, &str); 6] = [
    (
        "openid-client",
        "openid-client (TypeScript, Node.js)",
        r#"import * as oidc from "openid-client";

const config = await oidc.discovery(
  new URL("{issuer}"), "{client_id}",
  undefined, {node_auth},
);
const redirect_uri = "{redirect_uri}";
const scope = "{scope}";

// To log in; keep verifier, state and nonce in the session.
const verifier = oidc.randomPKCECodeVerifier();
const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
const url = oidc.buildAuthorizationUrl(config, {
  redirect_uri, scope, state, nonce,
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});

// In the callback.
const tokens = await oidc.authorizationCodeGrant(config, callbackUrl, {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce,
});
"#,
    ),
    (
        "oidc-client-ts",
        "oidc-client-ts (JavaScript, browser)",
        r#"const users = new oidc.UserManager({
  authority: "{issuer}",
  client_id: "{client_id}",
  redirect_uri: "{redirect_uri}",
  post_logout_redirect_uri: "{post_logout_redirect_uri}",
  scope: "{scope}",
  loadUserInfo: true,
});

await users.signinRedirect();   // to log in, with PKCE
await users.signinCallback();   // on the redirect URI
"#,
    ),
    (
        "authlib",
        "Authlib (Python, Flask)",
        r#"kenpos = OAuth(app).register(
    "kenpos",
    server_metadata_url="{issuer}/.well-known/openid-configuration",
    client_id="{client_id}",
    client_secret=os.environ["CLIENT_SECRET"],{secret}
    client_kwargs={
        "scope": "{scope}",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "{method}",
    },
)

# To log in, and in the callback.
kenpos.authorize_redirect("{redirect_uri}")
token = kenpos.authorize_access_token()
"#,
    ),
    (
        "spring-security",
        "Spring Security (Java, application.yml)",
        r#"spring.security.oauth2.client:
  provider.kenpos.issuer-uri: {issuer}
  registration.kenpos:
    client-id: {client_id}
    client-secret: ${CLIENT_SECRET}{secret}
    client-authentication-method: {method}
    authorization-grant-type: authorization_code
    redirect-uri: "{redirect_uri}"
    scope: {scope_list}
# PKCE has to be turned on for confidential clients:
# OAuth2AuthorizationRequestCustomizers.withPkce()
"#,
    ),
    (
        "openidconnect",
        "openidconnect (Rust)",
        r#"let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
let issuer = IssuerUrl::new("{issuer}".to_owned())?;
let provider = CoreProviderMetadata::discover_async(issuer, &http).await?;
let id = ClientId::new("{client_id}".to_owned());
let client = CoreClient::from_provider_metadata(provider, id, {rust_secret})
    .set_redirect_uri(RedirectUrl::new("{redirect_uri}".to_owned())?);

// To log in; keep state, nonce and verifier in the session.
let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
let (url, state, nonce) = client
    .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
    .set_pkce_challenge(challenge)
    .add_scopes("{scope_rest}".split(' ').map(|scope| Scope::new(scope.to_owned())))
    .url();
"#,
    ),
    (
        "mod_auth_openidc",
        "mod_auth_openidc (Apache)",
        r#"OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret ${CLIENT_SECRET}{secret}
OIDCProviderTokenEndpointAuth {method}
OIDCPKCEMethod S256
OIDCScope "{scope}"
OIDCRedirectURI {redirect_uri}
OIDCCryptoPassphrase ${SESSION_SECRET}

<Location /members/>
  AuthType openid-connect
  Require valid-user
</Location>
"#,
    ),
];

/// The texts for a client.
pub fn all(issuer: &str, client: &Client) -> Vec<Library> {
    let filled = |text| fill(text, issuer, client);
    TEXTS.into_iter().map(|(id, name, text)| Library { id, name, text: filled(text) }).collect()
}

fn fill(text: &str, issuer: &str, client: &Client) -> String {
    let metadata = &client.metadata;
    let method = metadata.token_endpoint_auth_method;
    let secret = method.has_secret();
    let kept = text.lines().filter(|line| secret || !line.contains("{secret}"));
    let text: String = kept.flat_map(|line| [line.trim_end_matches("{secret}"), "\n"]).collect();
    let node_auth = match method {
        AuthMethod::None => "oidc.None()",
        AuthMethod::ClientSecretPost => "oidc.ClientSecretPost(process.env.CLIENT_SECRET)",
        AuthMethod::ClientSecretJwt => "oidc.ClientSecretJwt(process.env.CLIENT_SECRET)",
        AuthMethod::PrivateKeyJwt => "oidc.PrivateKeyJwt(privateKey)",
        AuthMethod::ClientSecretBasic => "oidc.ClientSecretBasic(process.env.CLIENT_SECRET)",
    };
    let rust_secret =
        if secret { "Some(ClientSecret::new(std::env::var(\"CLIENT_SECRET\")?))" } else { "None" };
    let scopes: Vec<&str> = metadata.scope.split_ascii_whitespace().collect();
    let rest: Vec<&str> = scopes.iter().copied().filter(|scope| *scope != "openid").collect();
    text.replace("{issuer}", issuer)
        .replace("{node_auth}", node_auth)
        .replace("{rust_secret}", rust_secret)
        .replace("{method}", method.as_str())
        .replace("{scope}", &scopes.join(" "))
        .replace("{scope_list}", &scopes.join(", "))
        .replace("{scope_rest}", &rest.join(" "))
        .replace("{client_id}", quotable(Some(&client.id)))
        .replace("{redirect_uri}", quotable(metadata.redirect_uris.first()))
        .replace("{post_logout_redirect_uri}", quotable(metadata.post_logout_redirect_uris.first()))
}

/// A value that ends no text of any of these languages; else a place to fill in by hand.
fn quotable(value: Option<&String>) -> &str {
    let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'`$\\<>{}".contains(&b));
    value.map(String::as_str).filter(plain).unwrap_or("…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::Metadata, clock::Timestamp};

    fn client(method: AuthMethod, uri: &str) -> Client {
        let metadata = Metadata {
            redirect_uris: vec![uri.to_owned()],
            scope: "openid email".to_owned(),
            token_endpoint_auth_method: method,
            ..Metadata::default()
        };
        Client::new("app".to_owned(), metadata, Timestamp::from_millis(0))
    }

    #[test]
    fn no_blank_is_left_and_a_secret_is_only_where_there_is_one() {
        for method in AuthMethod::ALL {
            for library in all("https://op.example", &client(method, "https://app.example.com/cb")) {
                let text = library.text;
                let blank = text.split('{').skip(1).any(|rest| {
                    let name = rest.split('}').next().unwrap_or_default();
                    rest.contains('}')
                        && !name.is_empty()
                        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                });
                assert!(!blank, "{text}");
                let secret = text.contains("CLIENT_SECRET");
                let never = library.id == "oidc-client-ts";
                assert_eq!(secret, method.has_secret() && !never, "{method:?}: {text}");
                assert!(text.contains("https://op.example") && text.contains("https://app.example.com/cb"));
            }
        }
    }

    #[test]
    fn what_is_filled_in_cannot_end_a_text() {
        for library in all("https://op.example", &client(AuthMethod::None, "https://a.example/\");evil(\"")) {
            assert!(!library.text.contains("evil"), "{}", library.text);
        }
    }
}
