//! `/consent/{interaction}`: may this app see that?

use super::flow::Flow;
use crate::{
    app::App,
    audit::{self, Event},
    clients::redirect_uri,
    fault::Fault,
    members::session::SignedIn,
    oidc::{authorize, permission::Permission},
    storage::consent,
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::AboutClient, sample};
use crate::web::templates::Page;

/// The scopes that have an explanation in `templates/texts/`.
const EXPLAINED: &[&str] = &[
    "openid",
    "profile",
    "birthdate",
    "gender",
    "email",
    "membership",
    "insured_number",
    "address",
    "phone",
    "offline_access",
];

/// The claims that have a text: all that can be asked for one by one.
const EXPLAINED_CLAIMS: &[&str] = &[
    "name",
    "family_name",
    "given_name",
    "nickname",
    "locale",
    "zoneinfo",
    "updated_at",
    "birthdate",
    "gender",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "insurer_code",
    "insurer_name",
    "member_category",
    "eligibility_status",
    "eligible_from",
    "eligible_until",
    "identity_assurance",
    "insurer_number",
    "symbol",
    "number",
    "branch",
];

/// What a relying party asks for. Posts `decision`, `allow` or `deny`, to its own path, and `session` for whom
/// it was shown to.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party.
    pub client: String,
    /// What else it shows of itself.
    pub about: AboutClient,
    /// Host that the answer goes to: a name can be anybody's, an address cannot.
    pub host: Option<String>,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Single claims beside those of the scopes, by the name of their text.
    pub claims: Vec<String>,
    /// Who is signed in: name or login ID, masked.
    pub account: String,
    /// `sid` of that session: another member may sign in to this browser before the answer comes.
    pub session: String,
}

/// A scope on the consent page.
#[derive(Clone, Debug, Serialize)]
pub struct Scope {
    name: String,
    explained: bool,
}

impl Scope {
    /// A scope by its name; one without an explanation is shown by its name, never left out.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), explained: EXPLAINED.contains(&name) }
    }
}

/// Single claims by the names of their texts: one for a claim in all of its languages.
pub fn claims(permission: &Permission) -> Vec<String> {
    let mut names: Vec<String> = permission
        .claims
        .iter()
        .map(|claim| claim.split('#').next().unwrap_or_default().to_owned())
        .collect();
    names.dedup();
    names
}

impl Page for Consent {
    const TEMPLATE: &'static str = "pages/consent.html";

    fn samples() -> Vec<Self> {
        let scopes = |names: &[&str]| names.iter().map(|name| Scope::new(name)).collect();
        let usual = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: sample::CLIENT.to_owned(),
            about: AboutClient::sample(),
            host: Some("app.example.com".to_owned()),
            scopes: scopes(&["openid", "profile", "email", "membership"]),
            claims: Vec::new(),
            account: "7132-•••••••01".to_owned(),
            session: sample::INTERACTION.to_owned(),
        };
        let everything =
            Self { scopes: scopes(EXPLAINED), about: AboutClient::default(), host: None, ..usual.clone() };
        let single = Self {
            scopes: scopes(&["openid"]),
            claims: EXPLAINED_CLAIMS.iter().map(|name| (*name).to_owned()).collect(),
            ..usual.clone()
        };
        let hostile = Self {
            client: sample::HOSTILE.to_owned(),
            scopes: scopes(&["openid", sample::HOSTILE, sample::LONG]),
            account: sample::HOSTILE.to_owned(),
            ..usual.clone()
        };
        vec![usual, everything, single, hostile]
    }
}

/// What the page sends.
#[derive(Deserialize)]
pub struct ConsentForm {
    #[serde(default)]
    decision: String,
    #[serde(default)]
    session: String,
}

/// GET `/consent/{interaction}`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let signed_in = flow.visit.signed_in().await?;
    let (Some(request), Some(signed_in), Some(client)) =
        (&flow.found.value.request, signed_in, flow.client_name())
    else {
        return flow.proceed().await;
    };
    let page = Consent {
        interaction: id.clone(),
        client,
        about: flow.about_client(),
        host: redirect_uri::host(request.callback.redirect_uri()),
        scopes: request.scope.iter().map(|scope| Scope::new(scope.as_str())).collect(),
        claims: claims(&request.needs()),
        account: account_name(&signed_in),
        session: signed_in.session.sid,
    };
    Ok(flow.show(&page).render()?)
}

/// POST `/consent/{interaction}`
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<ConsentForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let signed_in = flow.visit.signed_in().await?;
    let (Some(request), Some(signed_in)) = (&flow.found.value.request, signed_in) else {
        return flow.proceed().await;
    };
    match form.decision.as_str() {
        // Somebody else signed in meanwhile, who was not asked yet.
        _ if form.session != signed_in.session.sid => flow.go(&format!("/consent/{id}")),
        "allow" => {
            remember(flow.visit.app(), &signed_in, &request.client_id, &request.needs()).await?;
            let flow = flow.update(|interaction| interaction.consented = true).await?;
            flow.proceed().await
        }
        "deny" => authorize::deny(&flow.visit, flow.found).await,
        // An empty POST decides nothing.
        _ => flow.go(&format!("/consent/{id}")),
    }
}

/// Remembers what is allowed beside what was allowed before.
pub(super) async fn remember(
    app: &App,
    signed_in: &SignedIn,
    client_id: &str,
    allowed: &Permission,
) -> Result<(), Fault> {
    let members = &app.members;
    let (member, now) = (&signed_in.member, app.now());
    let mut tx = members.db.begin().await?;
    let before = consent::find(&mut tx, &member.id, client_id).await?;
    let both = allowed.union(&before.as_ref().map(Permission::given).unwrap_or_default());
    let (scope, claims) = (both.scopes.to_string(), both.claims_text());
    consent::remember(&mut tx, &member.id, client_id, &scope, now).await?;
    consent::remember_claims(&mut tx, &member.id, client_id, &claims).await?;
    let event = Event::member("member.consented", member)
        .with_client(Some(client_id))
        .with_detail(serde_json::json!({ "scope": scope, "claims": claims }));
    audit::record(&mut tx, &members.entropy, now, event).await?;
    tx.commit().await?;
    Ok(())
}

/// Who is signed in: the name as typed at registration, or else the login ID, masked.
pub(super) fn account_name(signed_in: &SignedIn) -> String {
    signed_in.member.kana.clone().unwrap_or_else(|| format!("{}-***", signed_in.member.insurer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::{
        claims::{SUPPORTED, scope_of},
        claims_request::ClaimsRequest,
        scope::Scopes,
    };

    #[test]
    fn every_claim_that_can_be_asked_for_has_a_text_and_one_for_all_languages() {
        let names = SUPPORTED.iter().filter(|name| scope_of(name).is_some());
        let asked: serde_json::Map<_, _> =
            names.map(|name| ((*name).to_owned(), serde_json::Value::Null)).collect();
        let asked = serde_json::json!({ "userinfo": asked }).to_string();
        let all = claims(&Permission::needed(&Scopes::default(), &ClaimsRequest::parse(&asked).unwrap()));
        let mut texts = EXPLAINED_CLAIMS.to_vec();
        texts.sort_unstable();
        assert_eq!(all, texts);
    }
}
