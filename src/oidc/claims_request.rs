//! The `claims` parameter (OIDC Core §5.5): claims that are asked for one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{claims, scope::Scope};
use crate::clients::Client;

/// What the parameter asks for, by the names that this provider uses. Claims that it does not know are left
/// out (OIDC Core §5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// Claims to be returned by userinfo.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Wanted>,
    /// Claims to be returned in the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Wanted>,
}

/// How a claim is wanted (OIDC Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// The client needs it for what the member wants to do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// `value`, or all of `values`: what the claim should be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl ClaimsRequest {
    /// Reads the parameter; the error says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // serde_json itself gives up on JSON that is nested deeply.
        let members: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| "claims must be a JSON object (OIDC Core section 5.5)")?;
        Ok(Self { userinfo: read(members.get("userinfo"))?, id_token: read(members.get("id_token"))? })
    }

    /// What of it the client may ask for: single claims of the scopes that it is registered for. 記号・番号
    /// and their like are given by userinfo alone.
    #[must_use]
    pub fn allowed_to(mut self, client: &Client) -> Self {
        let allowed = |name: &str| claims::scope_of(name).is_none_or(|scope| claims::may_have(client, scope));
        self.userinfo.retain(|name, _| allowed(name));
        self.id_token.retain(|name, _| allowed(name) && claims::scope_of(name) != Some(Scope::InsuredNumber));
        self
    }

    /// The claims about the member that are asked for in either place.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.userinfo.keys().chain(self.id_token.keys());
        names.map(String::as_str).filter(|name| claims::scope_of(name).is_some())
    }

    /// The members that the request is for, if it says so: `sub` with a value (OIDC Core §3.1.2.2).
    pub fn subjects(&self) -> Option<Vec<String>> {
        let wanted = [&self.id_token, &self.userinfo].into_iter().filter_map(|place| place.get("sub"));
        let texts =
            |wanted: &Wanted| wanted.values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        wanted
            .filter(|wanted| !wanted.values.is_empty())
            .map(texts)
            .reduce(|one: Vec<String>, other| one.into_iter().filter(|sub| other.contains(sub)).collect())
    }

    /// The context classes one of which the ID token must have (OIDC Core §5.5.1.1); none if any will do.
    pub fn essential_acr(&self) -> Option<&[Value]> {
        let acr = self.id_token.get("acr")?;
        (acr.essential && !acr.values.is_empty()).then_some(&acr.values)
    }
}

fn read(member: Option<&Value>) -> Result<BTreeMap<String, Wanted>, &'static str> {
    let claims = match member {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err("claims: userinfo and id_token must be JSON objects"),
    };
    let mut found = BTreeMap::new();
    for (name, value) in claims {
        let wanted = wanted(value)?;
        if let Some(name) = claims::canonical(name) {
            found.insert(name.to_owned(), wanted);
        }
    }
    Ok(found)
}

fn wanted(value: &Value) -> Result<Wanted, &'static str> {
    let members = match value {
        // Wanted, but not needed.
        Value::Null => return Ok(Wanted::default()),
        Value::Object(members) => members,
        _ => return Err("claims: what is said of a claim must be null or a JSON object"),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err("claims: essential must be true or false"),
    };
    let mut values: Vec<Value> = members.get("value").cloned().into_iter().collect();
    match members.get("values") {
        None => {}
        Some(Value::Array(more)) => values.extend(more.iter().cloned()),
        Some(_) => return Err("claims: values must be a JSON array"),
    }
    Ok(Wanted { essential, values })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{clients::Metadata, clock::Timestamp};

    fn client(scope: &str, business: bool) -> Client {
        let metadata =
            Metadata { scope: scope.to_owned(), health_insurance_business: business, ..Metadata::default() };
        Client::new("app".to_owned(), metadata, Timestamp::from_millis(0))
    }

    fn parsed(value: &Value) -> ClaimsRequest {
        ClaimsRequest::parse(&value.to_string()).unwrap()
    }

    #[test]
    fn known_claims_are_kept_with_what_is_said_of_them_and_unknown_ones_left_out() {
        let request = parsed(&json!({
            "userinfo": { "email": null, "website": { "essential": true }, "name": { "essential": true } },
            "id_token": { "acr": { "values": ["aal2", "aal1"] }, "birthdate": { "value": "x", "odd": 1 } },
            "other": 7
        }));
        assert_eq!(request.userinfo.keys().collect::<Vec<_>>(), ["email", "name"]);
        assert!(request.userinfo["name"].essential && !request.userinfo["email"].essential);
        assert_eq!(request.id_token["birthdate"].values, [json!("x")]);
        assert_eq!(request.names().collect::<Vec<_>>(), ["email", "name", "birthdate"]);
        assert_eq!(request.essential_acr(), None, "a wish is no condition");
        let stored = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&stored).unwrap(), request);
    }

    #[test]
    fn language_tags_are_compared_without_case_and_a_shorter_one_finds_what_it_is_short_for() {
        for name in
            ["family_name#ja-Kana-JP", "family_name#JA-kana-jp", "family_name#ja-Kana", "family_name#ja"]
        {
            let request = parsed(&json!({ "userinfo": { name: null } }));
            assert_eq!(request.userinfo.keys().collect::<Vec<_>>(), ["family_name#ja-Kana-JP"], "{name}");
        }
        for name in
            ["family_name#", "family_name#en", "family_name#j", "email#ja", "#ja", "family_name#ja-Kana-JP-x"]
        {
            assert_eq!(parsed(&json!({ "userinfo": { name: null } })), ClaimsRequest::default(), "{name}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let deep =
            format!("{{\"userinfo\":{{\"x\":{{\"value\":{}1{}}}}}}}", "[".repeat(400), "]".repeat(400));
        for text in [
            "",
            "null",
            "[]",
            "\"userinfo\"",
            "{",
            "{}{}",
            r#"{"userinfo":[]}"#,
            r#"{"id_token":"name"}"#,
            r#"{"userinfo":null}"#,
            r#"{"userinfo":{"name":true}}"#,
            r#"{"userinfo":{"nickname":"x"}}"#,
            r#"{"userinfo":{"name":{"essential":"true"}}}"#,
            r#"{"id_token":{"acr":{"values":"aal1"}}}"#,
            &deep,
        ] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text}");
        }
        assert_eq!(ClaimsRequest::parse("{}"), Ok(ClaimsRequest::default()));
    }

    #[test]
    fn a_client_gets_only_single_claims_of_its_scopes_and_numbers_never_in_an_id_token() {
        let all = parsed(&json!({
            "userinfo": { "email": null, "birthdate": null, "number": null },
            "id_token": { "email": null, "symbol": null, "sub": null }
        }));
        let names = |scope, business| {
            let allowed = all.clone().allowed_to(&client(scope, business));
            (
                allowed.userinfo.into_keys().collect::<Vec<_>>(),
                allowed.id_token.into_keys().collect::<Vec<_>>(),
            )
        };
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names("openid email", false), (list(&["email"]), list(&["email", "sub"])));
        assert_eq!(names("openid insured_number", true), (list(&["number"]), list(&["sub"])));
        assert_eq!(names("openid insured_number", false), (list(&[]), list(&["sub"])), "健康保険法 §194-2");
    }

    #[test]
    fn a_subject_and_a_context_class_can_be_conditions() {
        let request = parsed(&json!({
            "id_token": { "sub": { "value": "a" }, "acr": { "essential": true, "values": ["aal2"] } }
        }));
        assert_eq!(request.subjects(), Some(vec!["a".to_owned()]));
        assert_eq!(request.essential_acr(), Some(&[json!("aal2")][..]));
        let both = parsed(
            &json!({ "id_token": { "sub": { "value": "a" } }, "userinfo": { "sub": { "value": "b" } } }),
        );
        assert_eq!(both.subjects(), Some(Vec::new()), "nobody is both");
        assert_eq!(parsed(&json!({ "id_token": { "sub": null } })).subjects(), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = ClaimsRequest::parse(&text);
        }

        #[test]
        fn any_json_is_read_or_refused_and_only_known_names_are_kept(
            name in "[a-z_#-]{0,20}", essential in any::<bool>(), values in prop::collection::vec(any::<i64>(), 0..4),
        ) {
            let text = json!({ "userinfo": { &name: { "essential": essential, "values": values } } }).to_string();
            let request = ClaimsRequest::parse(&text).unwrap();
            prop_assert!(request.userinfo.keys().all(|name| claims::supported().any(|known| known == name)));
        }
    }
}
