//! ID tokens and userinfo for a client that wants them encrypted to its own key (OIDC Core §10.2).

use super::error::OAuthError;
use crate::{
    app::App,
    clients::{Client, ClientKeysError},
    crypto::{ContentEncryption, KeyManagement, jwe},
    fault::Fault,
};

/// How something is encrypted.
pub type Encryption = (KeyManagement, ContentEncryption);

/// How the ID tokens of a client are encrypted, if they are.
pub fn of_id_token(client: &Client) -> Option<Encryption> {
    let metadata = &client.metadata;
    let enc = metadata.id_token_encrypted_response_enc.unwrap_or_default();
    Some((metadata.id_token_encrypted_response_alg?, enc))
}

/// How userinfo for a client is encrypted, if it is.
pub fn of_userinfo(client: &Client) -> Option<Encryption> {
    let metadata = &client.metadata;
    let enc = metadata.userinfo_encrypted_response_enc.unwrap_or_default();
    Some((metadata.userinfo_encrypted_response_alg?, enc))
}

/// Sees that the key is at hand before anything is spent, so that a client whose `jwks_uri` is down for the
/// moment can come again with the same code.
pub async fn ready(app: &App, client: &Client, how: Option<Encryption>) -> Result<(), OAuthError> {
    let Some((alg, _)) = how else { return Ok(()) };
    match app.client_keys.encryption(&client.metadata, alg).await {
        Ok(_) => Ok(()),
        Err(ClientKeysError::Unreachable(error)) => Err(Fault::Unavailable(Box::new(error)).into()),
        Err(error) => {
            Err(OAuthError::invalid_request(format!("nothing can be encrypted to the client: {error}")))
        }
    }
}

/// Encrypts to the client's key; `is_jwt` where the content is a JWT itself (RFC 7519 §5.2).
pub async fn encrypt(
    app: &App,
    client: &Client,
    content: &[u8],
    is_jwt: bool,
    how: Encryption,
) -> Result<String, Fault> {
    let key = app.client_keys.encryption(&client.metadata, how.0).await.map_err(|error| match error {
        ClientKeysError::Unreachable(_) => Fault::Unavailable(Box::new(error)),
        error => Fault::internal(error),
    })?;
    jwe::encrypt(content, is_jwt.then_some("JWT"), how, &key).map_err(Fault::internal)
}
