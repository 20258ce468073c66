//! Discovery: the document in which a provider says where its endpoints are (OpenID Connect Discovery 1.0).

use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::Fault;

/// Methods of authentication at the token endpoint that we speak, the one to prefer first.
pub(super) const BASIC: &str = "client_secret_basic";
pub(super) const POST: &str = "client_secret_post";
pub(super) const NONE: &str = "none";

/// What of the document is used. Lists are None where the provider does not give them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Document {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub userinfo_endpoint: Option<String>,
    pub end_session_endpoint: Option<String>,
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
    pub code_challenge_methods_supported: Option<Vec<String>>,
    pub scopes_supported: Option<Vec<String>>,
    pub claims_supported: Option<Vec<String>>,
    /// Whether `iss` comes with every callback (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
}

/// Where the document of an issuer is.
pub(super) fn location(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Document {
    /// `issuer` is the one in the settings. That of the document may differ by the last slash, which is often left out or
    /// added by hand; from then on the document's counts, byte by byte.
    pub(super) fn parse(body: &[u8], issuer: &str) -> Result<Self, Fault> {
        let none =
            || Fault::Unreachable("what it answers at its discovery address is no discovery document".into());
        // A list would be taken for the members in their order.
        let object: serde_json::Map<_, _> = serde_json::from_slice(body).map_err(|_| none())?;
        let document: Self = serde_json::from_value(object.into()).map_err(|_| none())?;
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        if document.issuer.is_empty() {
            return Err(Fault::Untrusted("its discovery document has no issuer".into()));
        }
        if bare(&document.issuer) != bare(issuer) {
            let own: String = document.issuer.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(Fault::Unfit(format!(
                "it calls itself {own:?}, and the issuer in the settings is {issuer:?}"
            )));
        }
        let is_plain_fine = issuer.starts_with("http://");
        for (name, endpoint) in [
            ("authorization_endpoint", Some(&document.authorization_endpoint)),
            ("token_endpoint", Some(&document.token_endpoint)),
            ("jwks_uri", Some(&document.jwks_uri)),
            ("userinfo_endpoint", document.userinfo_endpoint.as_ref()),
            ("end_session_endpoint", document.end_session_endpoint.as_ref()),
        ] {
            let Some(endpoint) = endpoint else { continue };
            if endpoint.is_empty() {
                return Err(Fault::Untrusted(format!("its discovery document has no {name}")));
            }
            let is_good = Url::parse(endpoint).is_ok_and(|url| {
                (url.scheme() == "https" || is_plain_fine && url.scheme() == "http")
                    && url.host_str().is_some_and(|host| !host.is_empty())
                    && url.username().is_empty()
                    && url.password().is_none()
            });
            if !is_good {
                return Err(Fault::Untrusted(format!(
                    "the {name} in its discovery document is no https address"
                )));
            }
        }
        Ok(document)
    }

    /// How the client authenticates itself. Without a secret it is a public one (RFC 6749, section 2.1). One with characters
    /// that have to be encoded for Basic is better sent in the body, as not all providers decode it: glewlwyd 2.7 does not.
    pub(super) fn auth_method(&self, secret: Option<&str>) -> Result<&'static str, Fault> {
        let Some(secret) = secret else { return Ok(NONE) };
        // Without the list it is this one (Discovery, section 3).
        let Some(methods) = &self.token_endpoint_auth_methods_supported else { return Ok(BASIC) };
        let is_plain = form_urlencoded::byte_serialize(secret.as_bytes()).eq([secret]);
        let preferred = if is_plain { [BASIC, POST] } else { [POST, BASIC] };
        preferred
            .into_iter()
            .find(|known| methods.iter().any(|method| method == known))
            .ok_or_else(|| Fault::Unfit(format!("it takes the secret neither by {BASIC} nor by {POST}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let mut document = json!({
            "issuer": "https://id.example/realm",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://keys.example/jwks",
        });
        change(&mut document);
        document.to_string().into_bytes()
    }

    #[test]
    fn issuer_may_differ_from_the_settings_by_its_last_slash_only() {
        let issuer = |own: &str, typed: &str| {
            Document::parse(&document(|it| it["issuer"] = own.into()), typed).map(|it| it.issuer)
        };
        for (own, typed) in [
            ("https://id.example/realm", "https://id.example/realm"),
            ("https://id.example/realm/", "https://id.example/realm"),
            ("https://id.example/realm", "https://id.example/realm/"),
        ] {
            assert_eq!(issuer(own, typed).unwrap(), own);
        }
        for own in
            ["https://id.example/other", "https://ID.example/realm", "https://id.example/{tenantid}/v2.0"]
        {
            let refused = issuer(own, "https://id.example/realm").unwrap_err().to_string();
            assert!(refused.contains(own) && refused.contains("the issuer in the settings"), "{refused}");
        }
    }

    #[test]
    fn endpoints_are_https_and_all_there() {
        let refused = |change: &dyn Fn(&mut serde_json::Value)| {
            Document::parse(&document(change), "https://id.example/realm").unwrap_err().to_string()
        };
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            assert!(
                refused(&|it| drop(it.as_object_mut().unwrap().remove(name))).contains(&format!("no {name}"))
            );
            for bad in [
                "http://id.example/x",
                "ftp://id.example",
                "/token",
                "https://",
                "https://me:pw@id.example/x",
            ] {
                let why = refused(&|it| it[name] = bad.into());
                assert!(why.contains(name) && why.contains("no https address"), "{bad}: {why}");
            }
        }
        assert!(refused(&|it| it["userinfo_endpoint"] = "http://id.example/me".into()).contains("userinfo"));
        assert!(matches!(
            Document::parse(b"<html>bad gateway</html>", "https://id.example"),
            Err(Fault::Unreachable(_))
        ));
    }

    #[test]
    fn secret_is_sent_as_the_provider_takes_it() {
        let method = |methods: Option<&[&str]>, secret| {
            let methods = methods.map(|list| list.iter().map(|it| (*it).to_owned()).collect());
            Document { token_endpoint_auth_methods_supported: methods, ..Document::default() }
                .auth_method(secret)
        };
        let secret = Some("s3cret");
        assert_eq!(method(None, secret), Ok(BASIC));
        assert_eq!(method(Some(&[POST, BASIC]), secret), Ok(BASIC));
        assert_eq!(method(Some(&["private_key_jwt", POST]), secret), Ok(POST));
        assert_eq!(method(Some(&[BASIC]), None), Ok(NONE));
        assert!(matches!(method(Some(&["private_key_jwt"]), secret), Err(Fault::Unfit(_))));
        // What would be changed on the way goes in the body, if it may.
        assert_eq!(method(Some(&[BASIC, POST]), Some("s3:cr%t")), Ok(POST));
        assert_eq!(method(Some(&[BASIC]), Some("s3:cr%t")), Ok(BASIC));
        assert_eq!(method(None, Some("a b")), Ok(BASIC));
    }
}
