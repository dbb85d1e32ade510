//! `/admin/api/v1/insurers`: the insurers of the configuration.

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::guard::Caller;

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Doc;

/// An insurer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Insurer {
    /// Portal code, with which everything else names it.
    #[schema(example = "7132")]
    pub code: String,
    /// 保険者番号
    #[schema(example = "06139497")]
    pub number: String,
    /// Name.
    pub name: String,
    /// Name in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
}

/// The insurers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Insurers {
    /// Those that the client reaches, in the order of the configuration.
    pub items: Vec<Insurer>,
}

/// Lists the insurers
///
/// Those that the client reaches: all, or its own one.
#[utoipa::path(
    get, path = "/admin/api/v1/insurers", tag = "Insurers", operation_id = "listInsurers",
    responses((status = 200, description = "The insurers", body = Insurers)),
)]
pub async fn list(caller: Caller) -> Json<Insurers> {
    let all = caller.app().config().insurers.iter();
    let reached = all.filter(|one| caller.reach(Some(&one.code)).is_ok());
    let view = |one: &crate::config::Insurer| Insurer {
        code: one.code.clone(),
        number: one.number.clone(),
        name: one.name.clone(),
        name_en: one.name_en.clone(),
    };
    Json(Insurers { items: reached.map(view).collect() })
}
