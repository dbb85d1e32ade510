//! A relying party: its metadata, in the names of OIDC Registration §2, and its secrets.

use serde::{Deserialize, Serialize};

use super::{
    redirect_uri,
    secret::{self, StoredSecret},
};
use crate::{
    clock::{Entropy, Timestamp},
    storage::{Db, On, StorageError, client as table, client::ClientRow},
    texts::Locale,
};

/// How a client proves itself at the token endpoint (OIDC Core §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Secret in the Authorization header.
    #[default]
    ClientSecretBasic,
    /// Secret in the form body.
    ClientSecretPost,
    /// No secret: a public client, which PKCE protects.
    None,
}

impl AuthMethod {
    /// Every method, as metadata lists them.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// Name in metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// Where the client runs (OIDC Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a web server or in a browser.
    #[default]
    Web,
    /// On the member's own device.
    Native,
}

/// Whether relying parties can compare subjects (OIDC Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// Another `sub` in each sector.
    #[default]
    Pairwise,
    /// The same `sub` everywhere; only for a client that is flagged so.
    Public,
}

/// What a client registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metadata {
    /// Name on the login and consent pages.
    pub client_name: String,
    /// Name on English pages.
    #[serde(rename = "client_name#en", skip_serializing_if = "Option::is_none")]
    pub client_name_en: Option<String>,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<String>,
    /// Where members may go after they signed out (RP-Initiated Logout §3.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Page that starts a login (OIDC Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// See [`AuthMethod`].
    pub token_endpoint_auth_method: AuthMethod,
    /// See [`ApplicationType`].
    pub application_type: ApplicationType,
    /// Scopes that it may ask for, space-separated; others are left out of what it gets.
    pub scope: String,
    /// See [`SubjectType`].
    pub subject_type: SubjectType,
    /// Sector of pairwise subjects, when the redirect URIs have more than one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// JWS algorithm of ID tokens; RS256 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// Runs a 健康保険事業, so it may ask for `insured_number` (健康保険法 §194-2 forbids it to others).
    pub health_insurance_business: bool,
    /// Whether a code may be had without PKCE; never for public clients.
    pub pkce_optional: bool,
}

/// What is wrong with a client's metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct MetadataError {
    /// Name of the metadata field.
    pub field: &'static str,
    /// The rule it breaks.
    pub reason: String,
}

impl Metadata {
    /// Checks every rule that a single client can break; `algorithms` are those that have a signing key.
    pub fn validate(&self, known_scopes: &[&str], algorithms: &[&str]) -> Result<(), MetadataError> {
        let refuse = |field, reason: &dyn ToString| Err(MetadataError { field, reason: reason.to_string() });
        let native = self.application_type == ApplicationType::Native;
        let name = self.client_name.trim();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            return refuse("client_name", &"must be 1 to 80 characters");
        }
        if self.redirect_uris.is_empty() {
            return refuse("redirect_uris", &"must have at least one URI");
        }
        for uri in &self.redirect_uris {
            redirect_uri::check(uri, native)
                .or_else(|refusal| refuse("redirect_uris", &format!("{uri:?} {refusal}")))?;
        }
        for uri in &self.post_logout_redirect_uris {
            redirect_uri::check(uri, native)
                .or_else(|refusal| refuse("post_logout_redirect_uris", &format!("{uri:?} {refusal}")))?;
        }
        for (field, uri) in
            [("client_uri", &self.client_uri), ("initiate_login_uri", &self.initiate_login_uri)]
        {
            if let Some(uri) = uri {
                redirect_uri::check_page(uri)
                    .or_else(|refusal| refuse(field, &format!("{uri:?} {refusal}")))?;
            }
        }
        for scope in self.scope.split_ascii_whitespace() {
            if !known_scopes.contains(&scope) {
                return refuse(
                    "scope",
                    &format!("{scope:?} is not known; known are {}", known_scopes.join(" ")),
                );
            }
        }
        if !self.scope.split_ascii_whitespace().any(|scope| scope == "openid") {
            return refuse("scope", &"must have openid");
        }
        if self.allows("insured_number") && !self.health_insurance_business {
            return refuse("scope", &"insured_number is only for a 健康保険事業 (health_insurance_business)");
        }
        if let Some(alg) = &self.id_token_signed_response_alg
            && !algorithms.contains(&alg.as_str())
        {
            return refuse(
                "id_token_signed_response_alg",
                &format!("must be one of {}", algorithms.join(" ")),
            );
        }
        if self.subject_type == SubjectType::Pairwise && self.sector_identifier().is_none() {
            return refuse(
                "sector",
                &"must be given: the redirect URIs have more than one host (OIDC Core §8.1)",
            );
        }
        if self.pkce_optional && self.token_endpoint_auth_method == AuthMethod::None {
            return refuse("pkce_optional", &"a public client always needs PKCE (RFC 9700 §2.1.1)");
        }
        Ok(())
    }

    /// Whether the client may ask for a scope.
    pub fn allows(&self, scope: &str) -> bool {
        self.scope.split_ascii_whitespace().any(|allowed| allowed == scope)
    }

    /// The sector of pairwise subjects: the one given, or the host that all redirect URIs share; a
    /// private-use scheme stands for itself.
    pub fn sector_identifier(&self) -> Option<String> {
        if let Some(sector) = &self.sector {
            return Some(sector.clone());
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| {
            redirect_uri::host(uri).or_else(|| uri.split_once(':').map(|(scheme, _)| scheme.to_owned()))
        });
        let first = hosts.next()??;
        hosts.all(|host| host.as_deref() == Some(first.as_str())).then_some(first)
    }
}

/// A registered relying party.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// What it registered.
    pub metadata: Metadata,
    /// Hashes of its secrets.
    pub secrets: Vec<StoredSecret>,
    /// When an operator disabled it.
    pub disabled_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Client {
    /// The enabled client of this `client_id`.
    pub async fn find(db: &Db, id: &str) -> Result<Option<Self>, StorageError> {
        // No client_id is longer or has other characters (RFC 6749 appendix A.1), and PostgreSQL refuses
        // a text with NUL.
        if id.is_empty() || id.len() > 200 || !id.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            return Ok(None);
        }
        let row = table::find(db, id).await?;
        Ok(row.map(Self::try_from).transpose()?.filter(|client| client.disabled_at.is_none()))
    }

    /// Every client, disabled ones too, oldest first.
    pub async fn list(db: &Db) -> Result<Vec<Self>, StorageError> {
        table::list(db).await?.into_iter().map(Self::try_from).collect()
    }

    /// Registers a client and gives it with its secret, which is shown once; public clients have none.
    /// The metadata must have been validated.
    pub async fn create(
        on: impl Into<On<'_>>,
        entropy: &Entropy,
        now: Timestamp,
        id: Option<String>,
        metadata: Metadata,
    ) -> Result<(Self, Option<String>), StorageError> {
        let (text, stored) = match metadata.token_endpoint_auth_method {
            AuthMethod::None => (None, Vec::new()),
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
                let (text, stored) = secret::generate(entropy, now);
                (Some(text), vec![stored])
            }
        };
        let id = id.unwrap_or_else(|| entropy.id());
        let client = Self { id, metadata, secrets: stored, disabled_at: None, created_at: now };
        client.insert(on, now).await?;
        Ok((client, text))
    }

    /// Stores a client that is not there yet; [`StorageError::Conflict`] if its id is taken.
    pub async fn insert(&self, on: impl Into<On<'_>>, now: Timestamp) -> Result<(), StorageError> {
        table::insert(on, &self.row(now)).await
    }

    /// Stores changed metadata or secrets; false when the client is gone.
    pub async fn save(&self, db: &Db, now: Timestamp) -> Result<bool, StorageError> {
        table::update(db, &self.row(now)).await
    }

    fn row(&self, now: Timestamp) -> ClientRow {
        ClientRow {
            id: self.id.clone(),
            metadata: serde_json::to_string(&self.metadata).unwrap_or_default(),
            secrets: serde_json::to_string(&self.secrets).unwrap_or_default(),
            disabled_at: self.disabled_at.map(Timestamp::millis),
            created_at: self.created_at.millis(),
            updated_at: now.millis(),
        }
    }

    /// The registered redirect URI that matches, in the form that was requested.
    pub fn redirect_uri_matches(&self, requested: &str) -> bool {
        let native = self.metadata.application_type == ApplicationType::Native;
        self.metadata.redirect_uris.iter().any(|known| redirect_uri::matches(known, requested, native))
    }

    /// Whether members may be sent there after they signed out.
    pub fn post_logout_redirect_uri_matches(&self, requested: &str) -> bool {
        self.metadata.post_logout_redirect_uris.iter().any(|known| known == requested)
    }

    /// Whether `presented` is one of its valid secrets.
    pub fn verify_secret(&self, presented: &str, now: Timestamp) -> bool {
        secret::verify(&self.secrets, presented, now)
    }

    /// Its name in the language of the reader.
    pub fn name_in(&self, locale: Locale) -> &str {
        match (locale, &self.metadata.client_name_en) {
            (Locale::En, Some(name)) => name,
            _ => &self.metadata.client_name,
        }
    }

    /// Where a member who ended up elsewhere goes on: the page that starts a login, or the home page.
    pub fn way_back(&self) -> Option<&str> {
        self.metadata.initiate_login_uri.as_deref().or(self.metadata.client_uri.as_deref())
    }

    /// Origins that a form on our pages may lead to by redirection, for the `form-action` of the CSP.
    pub fn form_targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = self
            .metadata
            .redirect_uris
            .iter()
            .chain(&self.metadata.post_logout_redirect_uris)
            .filter_map(|uri| url::Url::parse(uri).ok())
            .map(|url| match url.origin() {
                origin if origin.is_tuple() => origin.ascii_serialization(),
                _ => format!("{}:", url.scheme()),
            })
            .collect();
        targets.sort();
        targets.dedup();
        targets
    }
}

impl TryFrom<ClientRow> for Client {
    type Error = StorageError;

    fn try_from(row: ClientRow) -> Result<Self, StorageError> {
        let impossible = |column, error: serde_json::Error| StorageError::Impossible {
            table: "client",
            column,
            row: row.id.clone(),
            reason: error.to_string(),
        };
        Ok(Self {
            metadata: serde_json::from_str(&row.metadata).map_err(|error| impossible("metadata", error))?,
            secrets: serde_json::from_str(&row.secrets).map_err(|error| impossible("secrets", error))?,
            disabled_at: row.disabled_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            id: row.id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            client_name: "健康アプリ".to_owned(),
            redirect_uris: vec!["https://app.example.com/callback".to_owned()],
            scope: "openid profile".to_owned(),
            ..Metadata::default()
        }
    }

    const SCOPES: &[&str] = &["openid", "profile", "insured_number"];

    fn refused(change: impl FnOnce(&mut Metadata)) -> &'static str {
        let mut metadata = metadata();
        change(&mut metadata);
        metadata.validate(SCOPES, &["RS256"]).unwrap_err().field
    }

    #[test]
    fn each_rule_names_its_field() {
        assert_eq!(metadata().validate(SCOPES, &["RS256"]), Ok(()));
        assert_eq!(refused(|m| m.client_name = " ".to_owned()), "client_name");
        assert_eq!(refused(|m| m.redirect_uris.clear()), "redirect_uris");
        assert_eq!(refused(|m| m.redirect_uris.push("javascript:1".to_owned())), "redirect_uris");
        assert_eq!(refused(|m| m.client_uri = Some("http://evil.example".to_owned())), "client_uri");
        assert_eq!(refused(|m| m.scope = "openid nonsense".to_owned()), "scope");
        assert_eq!(refused(|m| m.scope = "profile".to_owned()), "scope");
        assert_eq!(refused(|m| m.scope = "openid insured_number".to_owned()), "scope");
        assert_eq!(
            refused(|m| m.id_token_signed_response_alg = Some("none".to_owned())),
            "id_token_signed_response_alg"
        );
        assert_eq!(refused(|m| m.redirect_uris.push("https://other.example.com/".to_owned())), "sector");
        assert_eq!(
            refused(|m| {
                m.pkce_optional = true;
                m.token_endpoint_auth_method = AuthMethod::None;
            }),
            "pkce_optional"
        );
    }

    #[tokio::test]
    async fn a_disabled_client_is_not_found_and_a_secret_is_stored_as_its_hash() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let now = Timestamp::from_millis(1);
        let (mut client, secret) =
            Client::create(&db, &Entropy::system(), now, None, metadata()).await.unwrap();
        let secret = secret.unwrap();
        let found = Client::find(&db, &client.id).await.unwrap().unwrap();
        assert!(found.verify_secret(&secret, now));
        assert!(!table::find(&db, &client.id).await.unwrap().unwrap().secrets.contains(&secret));
        client.disabled_at = Some(now);
        assert!(client.save(&db, now).await.unwrap());
        assert!(Client::find(&db, &client.id).await.unwrap().is_none());
        assert_eq!(Client::list(&db).await.unwrap().len(), 1);
    }
}
