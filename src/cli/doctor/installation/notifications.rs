//! Whether the push services take the notifications of this server.

use super::Finding;
use crate::{
    cli::doctor::host::Host,
    config::Config,
    store::{DataDir, Reader},
};

/// Fails while a push service refuses the pushes to a device.
pub(super) fn notifications(_: &Host, config: &Config) -> Finding {
    let what = "notifications";
    // Opened while no server runs, the database would leave files of whoever asks.
    if !config.data.join("campfire.db-shm").exists() {
        return Finding::unknown(what, "the server does not run");
    }
    let refused = DataDir::look(&config.data)
        .map_err(|error| error.to_string())
        .and_then(|data| Reader::open(&data).map_err(|error| error.to_string()))
        .and_then(|reader| reader.refused_subscriptions().map_err(|error| error.to_string()));
    let refused = match refused {
        Ok(refused) => refused,
        Err(error) => return Finding::unknown(what, format!("the devices cannot be read: {error}")),
    };
    let Some((device, error)) =
        refused.first().and_then(|device| Some((device, device.last_error.as_ref()?)))
    else {
        return Finding::ok(what, "no push service has refused one");
    };
    let service = url::Url::parse(&device.endpoint).ok();
    let service = service.as_ref().and_then(url::Url::host_str).unwrap_or(&device.endpoint).to_owned();
    let found = format!(
        "{} devices get none; {service} answered {} on {}: {}",
        refused.len(),
        error.status,
        error.at,
        if error.detail.is_empty() { "it gave no reason" } else { &error.detail }
    );
    let finding = Finding::failed(what, found, "push services refuse what they cannot attribute to a server");
    if config.base_url().starts_with("https://") {
        finding.fix("on each of the devices", "Settings, Notifications: turn them off and on again")
    } else {
        finding
            .fix("in the settings", "public_url = \"https://chat.example.org\", the address that people use")
    }
}
