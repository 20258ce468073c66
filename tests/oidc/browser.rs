//! A browser as far as signing in goes: it keeps cookies, follows redirects and fills in forms.

use std::collections::HashMap;

use url::{Url, form_urlencoded};

use crate::support::{http::Credentials, server::Address, *};

#[derive(Default)]
pub(super) struct Browser {
    /// By host and name. Paths of cookies are not heeded.
    cookies: HashMap<(String, String), String>,
}

impl Browser {
    pub(super) async fn request(&mut self, method: &str, url: &Url, body: Option<(&str, String)>) -> Reply {
        let host = format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap());
        let client = Client::new(Address::fixed(host.parse().expect("an address")), Credentials::None);
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = client.request(method, path);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|((of, _), _)| *of == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header("cookie", &cookies.join("; "));
        }
        if let Some((kind, body)) = body {
            request = request.body(kind, body);
        }
        let reply = request.send().await;
        for line in reply.headers.get_all("set-cookie") {
            let pair = line.to_str().expect("printable").split(';').next().unwrap();
            let (name, value) = pair.split_once('=').expect("a cookie");
            let key = (host.clone(), name.to_owned());
            match value {
                "" => drop(self.cookies.remove(&key)),
                value => drop(self.cookies.insert(key, value.to_owned())),
            }
        }
        reply
    }

    /// Opens an address and goes on wherever it leads, until a page is shown. Returns that and its address.
    pub(super) async fn open(&mut self, url: &str) -> (Url, Reply) {
        let url = Url::parse(url).expect("an address");
        let reply = self.request("GET", &url, None).await;
        self.follow(url, reply).await
    }

    async fn follow(&mut self, mut url: Url, mut reply: Reply) -> (Url, Reply) {
        for _ in 0..20 {
            if !matches!(reply.status, 301..=303 | 307 | 308) {
                return (url, reply);
            }
            url = url.join(reply.header("location").expect("a location")).expect("an address");
            reply = self.request("GET", &url, None).await;
        }
        panic!("{url} leads nowhere");
    }

    /// Sends the form of a page, with its hidden fields and these.
    pub(super) async fn submit(&mut self, page: &(Url, Reply), fields: &[(&str, &str)]) -> (Url, Reply) {
        let html = page.1.text();
        let form = html.split("<form").nth(1).unwrap_or_else(|| panic!("no form at {}: {html}", page.0));
        let form = form.split("</form>").next().unwrap();
        let attribute = |tag: &str, name: &str| {
            Some(tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?.replace("&amp;", "&"))
        };
        let action = page.0.join(&attribute(form, "action").expect("an action")).expect("an address");
        let mut body = form_urlencoded::Serializer::new(String::new());
        for input in form.split("<input").skip(1).filter(|input| input.contains("type=\"hidden\"")) {
            body.append_pair(
                &attribute(input, "name").expect("a name"),
                &attribute(input, "value").unwrap_or_default(),
            );
        }
        for (name, value) in fields {
            body.append_pair(name, value);
        }
        let kind = "application/x-www-form-urlencoded";
        let reply = self.request("POST", &action, Some((kind, body.finish()))).await;
        self.follow(action, reply).await
    }

    /// The session at a server of ours, if there is one.
    pub(super) fn session(&self, team: &Team) -> Option<Client> {
        let key = (team.ada.address().to_string(), "campfire_session".to_owned());
        Some(team.nobody().with(Credentials::Cookie(self.cookies.get(&key)?.clone())))
    }
}
