//! The account with an authority: opened once and stored.

use instant_acme::{Account, AccountCredentials, NewAccount};

use super::{
    Failure,
    line::Line,
    storage::{Storage, StoredAccount},
};

/// The stored account at this directory, or a new one. Its contact is updated if `email` has changed.
pub(super) async fn account(
    storage: &Storage,
    line: &Line,
    directory: &str,
    email: Option<&str>,
) -> Result<Account, Failure> {
    let contact = email.map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.as_deref().into_iter().collect();
    let builder = Account::builder_with_http(Box::new(line.clone()));
    if let Some(stored) = storage.account(directory)? {
        let unread = |error: serde_json::Error| {
            std::io::Error::other(format!("the account for {directory} cannot be read ({error})"))
        };
        let credentials: AccountCredentials =
            serde_json::from_value(stored.credentials.clone()).map_err(unread)?;
        let account = builder.from_credentials(credentials).await?;
        if stored.email.as_deref() != email {
            account.update_contacts(&contact).await?;
            let email = email.map(str::to_owned);
            storage.store_account(directory, StoredAccount { email, ..stored })?;
        }
        return Ok(account);
    }
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&new, directory.to_owned(), None).await?;
    let credentials = serde_json::to_value(credentials).map_err(std::io::Error::other)?;
    storage.store_account(directory, StoredAccount { email: email.map(str::to_owned), credentials })?;
    tracing::info!(
        account = account.id(),
        "opened an account with {directory}, which accepts the terms of service of that authority"
    );
    Ok(account)
}
