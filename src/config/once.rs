//! What the `once` tool gives a container instead of our settings: a volume at /storage, and variables of Rails. It asks
//! `GET /up` on port 80.

use std::path::Path;

/// Where the volume is mounted.
pub(super) const VOLUME: &str = "/storage";

/// Variables by which its containers are known, beside the volume.
const VARIABLES: [&str; 3] = ["SECRET_KEY_BASE", "DISABLE_SSL", "SSL_DOMAIN"];

/// The database of ONCE Campfire in its volume.
const DATABASE: &str = "db/production.sqlite3";

/// Our data in a volume of ONCE Campfire, beside its own.
const BESIDE: &str = "campfire";

/// The settings that follow, with where each comes from. None outside such a container. Any other source of a setting has
/// precedence.
pub(super) fn settings(
    volume: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String, &'static str)> {
    let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    if !volume.is_dir() || VARIABLES.iter().all(|name| given(name).is_none()) {
        return Vec::new();
    }
    let data = match volume.join(DATABASE).is_file() {
        true => volume.join(BESIDE),
        false => volume.to_owned(),
    };
    let data = ("data", data.to_string_lossy().into_owned(), "the volume of once");
    // Rails takes any text in it for yes.
    match given("SSL_DOMAIN").filter(|_| given("DISABLE_SSL").is_none()) {
        Some(domain) => vec![data, ("domain", domain, "SSL_DOMAIN")],
        None => vec![data, ("listen", "0.0.0.0:80".to_owned(), "the port of once")],
    }
}

/// Why a server must not start in a volume of ONCE Campfire: its data was not moved, and whoever came first would set an
/// empty chat up.
pub fn unmoved(data: &Path) -> Option<String> {
    let volume = data.parent().filter(|volume| volume.join(DATABASE).is_file())?;
    let is_ours = data.ends_with(BESIDE) && !data.join("campfire.db").exists();
    is_ours.then(|| {
        format!(
            "{} has the data of ONCE Campfire, which was not moved yet: campfire import once {0} --data {}",
            volume.display(),
            data.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(volume: &Path, variables: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        settings(volume, variable).into_iter().map(|(key, value, _)| (key, value)).collect()
    }

    #[test]
    fn containers_of_once_are_served_on_port_80_from_their_volume() {
        let dir = tempfile::tempdir().unwrap();
        let data = ("data", dir.path().to_str().unwrap().to_owned());
        let http = ("listen", "0.0.0.0:80".to_owned());
        let secret = ("SECRET_KEY_BASE", "0a1b");
        let domain = ("SSL_DOMAIN", "chat.example");
        for variables in [
            &[secret][..],
            &[("DISABLE_SSL", "true")],
            &[secret, domain, ("DISABLE_SSL", "1")],
            &[secret, ("SSL_DOMAIN", " "), ("DISABLE_SSL", "")],
        ] {
            assert_eq!(given(dir.path(), variables), [data.clone(), http.clone()], "{variables:?}");
        }
        for variables in [&[domain][..], &[secret, domain, ("DISABLE_SSL", "")]] {
            let https = ("domain", "chat.example".to_owned());
            assert_eq!(given(dir.path(), variables), [data.clone(), https], "{variables:?}");
        }
        for variables in
            [&[][..], &[("SECRET_KEY_BASE", "")], &[("VAPID_PUBLIC_KEY", "x"), ("NUM_CPUS", "2")]]
        {
            assert_eq!(given(dir.path(), variables), [], "{variables:?}");
        }
        assert_eq!(given(&dir.path().join("missing"), &[secret]), [], "no volume");
    }

    #[test]
    fn volume_of_once_campfire_is_left_to_the_import() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("db")).unwrap();
        std::fs::write(dir.path().join(DATABASE), "").unwrap();
        let beside = dir.path().join("campfire");
        let found = given(dir.path(), &[("SECRET_KEY_BASE", "0a1b")]);
        assert_eq!(found[0], ("data", beside.to_str().unwrap().to_owned()));
        let refused = unmoved(&beside).unwrap();
        assert!(
            refused.contains(&format!("campfire import once {} --data", dir.path().display())),
            "{refused}"
        );
        assert_eq!(unmoved(&dir.path().join("elsewhere")), None);
        std::fs::create_dir(&beside).unwrap();
        std::fs::write(beside.join("campfire.db"), "").unwrap();
        assert_eq!(unmoved(&beside), None, "it was moved");
        assert_eq!(unmoved(Path::new("data")), None);
    }
}
