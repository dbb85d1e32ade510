//! `/login/{interaction}/members-only`: the app is for members of another insurer.

use axum::{extract::Path, response::Response};
use serde::Serialize;

use super::{flow::Flow, sample, select_account::ChoiceForm};
use crate::{
    oidc::authorize,
    texts::Given,
    web::{PageError, PageForm, Visit, templates::Page},
};

/// Says for whose members the app is and whose member is signed in. Posts `choice`, `another` or `back`, to its
/// own path.
#[derive(Clone, Debug, Serialize)]
pub struct OtherMembers {
    /// The interaction.
    pub interaction: String,
    /// Name of the relying party.
    pub client: Option<String>,
    /// The insurer that the app is for.
    pub insurer: Option<Given>,
    /// The insurer of the member.
    pub own: Option<Given>,
}

impl Page for OtherMembers {
    const TEMPLATE: &'static str = "pages/other_members.html";

    fn samples() -> Vec<Self> {
        let [sakura, momiji] = ["さくら健康保険組合", "もみじ健康保険組合"];
        let given = |name: &str| Some(Given::choose(crate::texts::Locale::Ja, name, None));
        let usual = Self {
            interaction: sample::INTERACTION.to_owned(),
            client: Some(sample::CLIENT.to_owned()),
            insurer: given(sakura),
            own: given(momiji),
        };
        let hostile = Self {
            client: Some(sample::HOSTILE.to_owned()),
            insurer: given(sample::HOSTILE),
            own: None,
            ..usual.clone()
        };
        vec![usual, hostile]
    }
}

/// GET `/login/{interaction}/members-only`
pub async fn get(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    let signed_in = flow.visit.signed_in().await?;
    let (Some(signed_in), Some(bound)) = (signed_in, &flow.bound) else {
        return flow.go(&format!("/login/{id}"));
    };
    if signed_in.member.insurer == *bound {
        return flow.proceed().await;
    }
    let name =
        |code: &str| flow.visit.app().members.insurer(code).map(|insurer| insurer.name_in(flow.visit.locale));
    let page = OtherMembers {
        interaction: id,
        client: flow.client_name(),
        insurer: name(bound),
        own: name(&signed_in.member.insurer),
    };
    Ok(flow.show(&page).render()?)
}

/// POST `/login/{interaction}/members-only`: sign in as somebody else, or back to the app, which learns that
/// nobody may.
pub async fn post(
    Path(id): Path<String>,
    PageForm(visit, form): PageForm<ChoiceForm>,
) -> Result<Response, PageError> {
    let flow = Flow::load(visit, &id).await?;
    match form.choice.as_str() {
        "back" if flow.bound.is_some() => authorize::deny(&flow.visit, flow.found).await,
        "another" => flow.go(&format!("/login/{id}")),
        _ => flow.go(&format!("/login/{id}/members-only")),
    }
}
