//! `/consent/{interaction}`: may this app see that?

use super::flow::Flow;
use crate::{
    app::App,
    audit::{self, Event},
    clients::redirect_uri,
    fault::Fault,
    members::session::SignedIn,
    oidc::{authorize, claims::about_members, permission::Permission, scope},
    storage::consent,
    web::{PageError, PageForm, Visit},
};
use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde::Serialize;

use super::{parts::AboutClient, sample};
use crate::web::templates::Page;

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
        Self { name: name.to_owned(), explained: explained().any(|known| known == name) }
    }
}

/// The scopes that have an explanation in `templates/texts/`: all that a member can be asked for.
fn explained() -> impl Iterator<Item = &'static str> {
    scope::Scope::of_members().map(scope::Scope::as_str)
}

/// Single claims by the names of their texts: one for a claim in all of its languages.
pub fn claims(permission: &Permission) -> Vec<String> {
    texts_of(permission.claims.iter().map(String::as_str))
}

fn texts_of<'a>(claims: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names = Vec::new();
    for claim in claims {
        let name = claim.split('#').next().unwrap_or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
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
        let everything = Self {
            scopes: explained().map(Scope::new).collect(),
            about: AboutClient::default(),
            host: None,
            ..usual.clone()
        };
        let single = Self { scopes: scopes(&["openid"]), claims: texts_of(about_members()), ..usual.clone() };
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
