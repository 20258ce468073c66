//! What claims say about a person, in the forms that real providers send.

use serde_json::Value;

use super::{Fault, Provider, id_token::Claims};

/// Groups of a person that are read.
const MAX_GROUPS: usize = 10_000;

/// An e-mail address, and whether it counts as the person's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    pub address: String,
    pub is_verified: bool,
}

/// Who has signed in at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// With the subject, the key of the account there. An address is none: it may be given to somebody else.
    pub issuer: String,
    pub subject: String,
    pub email: Option<Email>,
    /// Names to call them by, the best first.
    pub names: Vec<String>,
    /// None if the provider does not say.
    pub groups: Option<Vec<String>>,
}

impl Person {
    /// Whether they are in a group; None if the provider does not say.
    pub fn is_in(&self, group: &str) -> Option<bool> {
        Some(self.groups.as_ref()?.iter().any(|own| same_group(own, group)))
    }
}

/// Groups are compared as a whole. Keycloak sends paths: the slash of one at the top may be left out, so `admins` is
/// `/admins`, and never `/team/admins`.
pub fn same_group(one: &str, other: &str) -> bool {
    fn bare(group: &str) -> &str {
        group.strip_prefix('/').filter(|rest| !rest.is_empty() && !rest.contains('/')).unwrap_or(group)
    }
    bare(one) == bare(other)
}

/// A claim by its name or, if there is none of that name, by a path like `realm_access.roles`.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
}

/// A list, one text, or an object whose keys are the groups (Zitadel). None: unknown, also where the provider says only
/// where it could be asked (`_claim_names`, as Entra does beyond some 200 groups).
fn groups(claims: &Claims, name: &str) -> Option<Vec<String>> {
    if claims.get("_claim_names").is_some_and(|elsewhere| elsewhere.get(name).is_some()) {
        return None;
    }
    let found: Vec<String> = match find(claims, name)? {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => {
            all.iter().filter_map(Value::as_str).take(MAX_GROUPS).map(str::to_owned).collect()
        }
        Value::Object(all) => all.keys().take(MAX_GROUPS).cloned().collect(),
        _ => return None,
    };
    Some(found)
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// Whether something that the settings need is missing, so that the userinfo endpoint has to be asked. Conformant providers
/// send little more than the subject in the ID token.
pub(super) fn are_incomplete(claims: &Claims, provider: &Provider) -> bool {
    let lacks = |name: &str| text(claims, name).is_none();
    lacks("email")
        || !claims.contains_key("email_verified")
        || lacks("name") && lacks("preferred_username")
        || provider.uses_groups() && find(claims, &provider.groups_claim).is_none()
}

/// The claims of an ID token, overlaid by those of the userinfo endpoint. Refused if the latter are another person's.
pub(super) fn overlaid(mut claims: Claims, userinfo: Claims) -> Result<Claims, Fault> {
    if userinfo.get("sub").is_none() || userinfo.get("sub") != claims.get("sub") {
        return Err(Fault::Untrusted("its userinfo endpoint speaks of another person (sub)".into()));
    }
    if userinfo.contains_key("email") && userinfo.get("email") != claims.get("email") {
        // What was said about another address says nothing about this one.
        claims.remove("email_verified");
    }
    claims.extend(userinfo);
    Ok(claims)
}

pub(super) fn person(provider: &Provider, issuer: &str, subject: String, claims: &Claims) -> Person {
    let is_verified = match claims.get("email_verified") {
        Some(Value::Bool(is_verified)) => *is_verified,
        // Cognito, JumpCloud and others send a text.
        Some(Value::String(word)) => word == "true",
        _ => false,
    };
    let email = text(claims, "email").map(|address| Email {
        address: address.to_owned(),
        is_verified: is_verified || provider.trust_email,
    });
    let full = match (text(claims, "given_name"), text(claims, "family_name")) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (given, family) => given.or(family).map(str::to_owned),
    };
    let before_at = email.as_ref().and_then(|email| email.address.split('@').next()).map(str::to_owned);
    let of = |name: &str| text(claims, name).map(str::to_owned);
    let names =
        [of("name"), full, of("nickname"), of("preferred_username"), before_at, Some(subject.clone())];
    Person {
        issuer: issuer.to_owned(),
        subject,
        email,
        names: names.into_iter().flatten().collect(),
        groups: groups(claims, &provider.groups_claim),
    }
}
