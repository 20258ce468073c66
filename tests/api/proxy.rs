//! Behind a proxy: forwarding headers are used only from trusted senders.

use crate::support::*;

/// Tries a wrong password with these forwarding headers; returns the status.
async fn sign_in_wrongly(team: &Team, headers: &[(&str, &str)], email: &str) -> u16 {
    let nobody = team.nobody();
    let mut request = nobody.request("POST", "/api/session");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.json(json!({"email": email, "password": "not the password"})).send().await.status
}

#[tokio::test]
async fn trusted_proxy_names_the_client_address() {
    let team = Team::with(&[("CAMPFIRE_TRUSTED_PROXY", "127.0.0.0/8, ::1")]).await;
    for n in 0..10 {
        let email = format!("{n}@example.com");
        assert_eq!(sign_in_wrongly(&team, &[("x-forwarded-for", "203.0.113.1")], &email).await, 401);
    }
    assert_eq!(sign_in_wrongly(&team, &[("x-forwarded-for", "203.0.113.1")], "x@example.com").await, 429);
    // Entries that the client itself sent are ignored.
    let dressed = [("x-forwarded-for", "198.51.100.9, 203.0.113.1")];
    assert_eq!(sign_in_wrongly(&team, &dressed, "x@example.com").await, 429);
    assert_eq!(sign_in_wrongly(&team, &[("forwarded", "for=203.0.113.1")], "x@example.com").await, 429);
    // Other clients have their own ten tries.
    assert_eq!(sign_in_wrongly(&team, &[("x-forwarded-for", "203.0.113.2")], "y@example.com").await, 401);
    assert_eq!(sign_in_wrongly(&team, &[("forwarded", "for=\"[2001:db8::7]\"")], "z@example.com").await, 401);
    // The audit log has the forwarded address too.
    let reply = team.ada.request("POST", "/api/account/join_code").header("x-forwarded-for", "203.0.113.5");
    reply.send().await;
    let audit = team.ada.get("/api/audit").await.expect(200);
    assert!(audit.to_string().contains("\"203.0.113.5\""), "{audit}");
}

#[tokio::test]
async fn untrusted_proxy_counts_as_the_client() {
    let team = Team::with(&[("CAMPFIRE_TRUSTED_PROXY", "10.0.0.0/8")]).await;
    for n in 0..10 {
        let (email, from) = (format!("{n}@example.com"), format!("203.0.113.{n}"));
        assert_eq!(sign_in_wrongly(&team, &[("x-forwarded-for", &from)], &email).await, 401);
    }
    assert_eq!(sign_in_wrongly(&team, &[("x-forwarded-for", "203.0.113.99")], "x@example.com").await, 429);
}

#[tokio::test]
async fn trusted_proxy_with_tls_makes_cookies_secure() {
    let team = Team::with(&[("CAMPFIRE_TRUSTED_PROXY", "127.0.0.1")]).await;
    let sign_in = |scheme: &'static str| {
        let nobody = team.nobody();
        let form = json!({"email": team.ada.email, "password": PASSWORD});
        async move {
            let request = nobody.request("POST", "/api/session").header("x-forwarded-for", "203.0.113.1");
            request.header("x-forwarded-proto", scheme).json(form).send().await.cookie_line()
        }
    };
    assert!(sign_in("https").await.contains("; Secure"));
    assert!(!sign_in("http").await.contains("; Secure"));
    let request = team.ada.request("GET", "/api/account").header("x-forwarded-for", "203.0.113.1");
    let account = request.header("x-forwarded-proto", "https").send().await.expect(200);
    assert!(account["join_url"].as_str().unwrap().starts_with("https://"), "{account}");
}

#[tokio::test]
async fn metrics_are_refused_to_forwarded_requests() {
    let team = Team::start().await;
    assert_eq!(team.ada.get("/metrics").await.status, 200);
    for header in ["x-forwarded-for", "forwarded"] {
        let reply = team.ada.request("GET", "/metrics").header(header, "127.0.0.1").send().await;
        reply.problem(403, "forbidden");
    }
}

/// 35. A proxy on this machine that adds no header passes on the host by which people reach it.
#[tokio::test]
async fn metrics_are_refused_where_the_host_is_not_this_machine() {
    let server = Server::with(&[("CAMPFIRE_METRICS_TOKEN", "a secret")]);
    let client = Client::new(server.address(), http::Credentials::None);
    let get = |host: &str| client.request("GET", "/metrics").header("host", host);
    for host in ["127.0.0.1", "localhost:3000", "[::1]:3000"] {
        assert_eq!(get(host).send().await.status, 200, "{host}");
    }
    for host in ["chat.example", "chat.example:3000", "192.168.1.4", "localhost.example"] {
        get(host).send().await.problem(403, "forbidden");
        let known = get(host).header("authorization", "Bearer a secret").send().await;
        assert_eq!(known.status, 200, "{host}");
    }
    for header in ["via", "x-real-ip"] {
        get("localhost").header(header, "1.1 proxy").send().await.problem(403, "forbidden");
    }
}
