//! Monitors: Alertmanager and Netdata.

use std::process::Stdio;

use super::fetched::{debian, hook, messages};
use crate::support::{
    http::{Client, Credentials},
    server::Address,
    *,
};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Fifty groups at once: each alert is shown.
#[tokio::test]
async fn alertmanager_sends_all_its_groups_at_once() {
    let team = Team::with(&[("CAMPFIRE_POST_LIMIT", "20")]).await;
    let url = hook(&team).await;
    let dir = tempfile::tempdir().unwrap();
    let config = format!(
        "route: {{receiver: chat, group_by: [alertname], group_wait: 1s, group_interval: 5m}}\nreceivers:\n- name: chat\n  slack_configs:\n  - api_url: {url}\n    title: '{{{{ .GroupLabels.alertname }}}}'\n    text: '*Severity:* {{{{ .CommonLabels.severity }}}}'\n    actions: [{{type: button, text: Runbook, url: 'https://wiki.example/'}}]\n"
    );
    std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    // Debian's build reads its templates from below /usr/share, wherever it is itself: they are mounted there.
    let mut alertmanager = tokio::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount --bind \"$0/usr/share\" /usr/share && exec \"$0/usr/bin/prometheus-alertmanager\" \"$@\"")
        .arg(debian())
        .arg(format!("--config.file={}", dir.path().join("alertmanager.yml").display()))
        .arg(format!("--storage.path={}", dir.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("Alertmanager");
    let alerts: Vec<Value> = (0..50)
        .map(|n| json!({"labels": {"alertname": format!("Alert{n:02}"), "severity": "critical"}}))
        .collect();
    let client = Client::new(Address::fixed(address.parse().unwrap()), Credentials::None);
    within("Alertmanager", async {
        loop {
            let sent = client.request("POST", "/api/v2/alerts").json(json!(alerts)).try_send().await;
            if sent.is_ok_and(|reply| reply.status == 200) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    within("all alerts", async {
        while messages(&team).await.len() < 50 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
    let shown = messages(&team).await;
    for n in 0..50 {
        let title = format!("Alert{n:02}</a></strong>");
        let of_it: Vec<_> = shown.iter().filter(|html| html.contains(&title)).collect();
        assert_eq!(of_it.len(), 1, "{title}");
        assert!(of_it[0].contains("<strong>Severity:</strong> critical"), "{}", of_it[0]);
        assert!(of_it[0].contains("<a href=\"https://wiki.example/\"") && of_it[0].contains(">Runbook</a>"));
    }
    alertmanager.kill().await.expect("it ends");
}

#[tokio::test]
async fn netdata_sends_an_alarm() {
    let team = Team::start().await;
    let url = hook(&team).await;
    let dir = tempfile::tempdir().unwrap();
    let config = format!(
        "SEND_SLACK=YES\nSLACK_WEBHOOK_URL='{url}'\nDEFAULT_RECIPIENT_SLACK='#'\nSEND_EMAIL=NO\nSEND_SYSLOG=NO\nrole_recipients_slack[sysadmin]='#'\n"
    );
    std::fs::write(dir.path().join("health_alarm_notify.conf"), config).unwrap();
    let script = debian().join("usr/lib/netdata/plugins.d/alarm-notify.sh");
    let mut command = tokio::process::Command::new("bash");
    command
        .arg(script)
        .args(["test", "sysadmin"])
        .env("NETDATA_USER_CONFIG_DIR", dir.path())
        .env("NETDATA_STOCK_CONFIG_DIR", dir.path())
        .env("NETDATA_CACHE_DIR", dir.path())
        .kill_on_drop(true);
    let output = within("Netdata", command.output()).await.expect("bash");
    let shown = messages(&team).await;
    let log = String::from_utf8_lossy(&output.stderr);
    // A warning, a critical alarm and the all-clear.
    assert_eq!(shown.len(), 3, "{log}");
    for (html, sign) in shown.iter().zip(["🟡", "🔴", "🟢"]) {
        assert!(html.contains(sign) && html.contains("<strong>netdata on "), "{html}");
        assert!(!html.contains("payload") && html.contains("<code>test.chart</code>"), "{html}");
    }
}
