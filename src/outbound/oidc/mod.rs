//! Sign-in through an identity provider by OpenID Connect: what a provider is asked, and what of its answers is believed.
//!
//! A client finds the provider's endpoints by discovery, sends people there with PKCE, state and nonce, redeems the code
//! that they come back with, and checks the ID token. The signatures are checked by ring, which TLS brings along.

mod claims;
mod client;
mod discovery;
mod id_token;
mod keys;
#[cfg(test)]
mod tests;
mod thread;

use std::{fmt, path::PathBuf};

pub use self::{
    claims::{Email, Person, same_group},
    client::{Client, Returned, Start},
    discovery::Document,
    thread::{Handle, Runner, channel},
};

/// The provider of the settings that have no name of their own.
pub const MAIN: &str = "main";

/// The settings of one provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name in addresses and in the settings.
    pub id: String,
    /// As the operator has typed it. The provider's own may differ by the last slash.
    pub issuer: String,
    pub client_id: String,
    pub secret: Secret,
    pub secret_file: Option<PathBuf>,
    /// Its name for people.
    pub name: String,
    pub scopes: Vec<String>,
    pub groups_claim: String,
    /// Who is in it is an administrator, and nobody else; None: groups make nobody one.
    pub admin_group: Option<String>,
    /// Who may come in; empty for everybody whom the provider knows.
    pub allowed_domains: Vec<String>,
    pub allowed_groups: Vec<String>,
    /// Whether e-mail addresses count as verified of which the provider does not say so.
    pub trust_email: bool,
    pub new_accounts: bool,
    /// Whether signing out here leads to signing out there.
    pub sign_out: bool,
}

impl Provider {
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            issuer: String::new(),
            client_id: String::new(),
            secret: Secret::default(),
            secret_file: None,
            name: String::new(),
            scopes: ["openid", "email", "profile"].map(str::to_owned).into(),
            groups_claim: "groups".to_owned(),
            admin_group: None,
            allowed_domains: Vec::new(),
            allowed_groups: Vec::new(),
            trust_email: false,
            new_accounts: true,
            sign_out: true,
        }
    }

    /// What people read on the button.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Whether any setting asks for groups.
    pub fn uses_groups(&self) -> bool {
        self.admin_group.is_some() || !self.allowed_groups.is_empty()
    }

    /// The name of one of its settings, as the operator writes it.
    pub fn setting(&self, key: &str) -> String {
        if self.id == MAIN { format!("oidc_{key}") } else { format!("{key} in [oidc.{}]", self.id) }
    }

    /// The address to which the provider sends people back. It has to be registered there.
    pub fn redirect_uri(&self, base_url: &str) -> String {
        format!("{base_url}/signin/oidc/{}/callback", self.id)
    }
}

/// A secret that is not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub Option<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "(hidden)" } else { "(none)" })
    }
}

/// Why a provider did not let somebody in. The sentences have no code, token or address in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It was not reached, or something else answered in its place. It may work another time.
    Unreachable(String),
    /// It refused, with one of its words, like `access_denied`.
    Answered(String),
    /// Its answer is not believed. Something is wrong there, or somebody meddles.
    Untrusted(String),
    /// The settings here do not fit the provider.
    Unfit(String),
    /// Too many sign-ins are under way.
    Busy,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "the provider is not reachable right now: {why}"),
            Self::Answered(word) => write!(f, "the provider answered: {word}"),
            Self::Untrusted(why) => write!(f, "the provider's answer is not accepted: {why}"),
            Self::Unfit(why) => write!(f, "the settings do not fit the provider: {why}"),
            Self::Busy => f.write_str("too many sign-ins are under way"),
        }
    }
}

/// An error word of a provider, for people and the log: the characters of RFC 6749, section 5.2, and no more than 64.
/// Some send sentences, which are cut.
pub fn error_word(text: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "_-. ".contains(*c);
    let word: String = text.chars().filter(is_plain).take(64).collect();
    if word.trim().is_empty() { "an error without a name".to_owned() } else { word }
}
