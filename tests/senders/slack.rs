//! Libraries for Slack's webhooks.

use std::path::Path;

use super::fetched::{hook, messages, node, python, script};
use crate::support::*;

#[tokio::test]
async fn webhook_of_node_7_and_8() {
    let team = Team::start().await;
    let url = hook(&team).await;
    for major in ["7", "8"] {
        let source = r#"
            import { IncomingWebhook } from '@slack/webhook';
            const webhook = new IncomingWebhook(process.argv[2]);
            const sent = await webhook.send({ text: 'Deployed *v1* \u{1F680}'.slice(0, 15), blocks: [
              { type: 'header', text: { type: 'plain_text', text: 'Deploy' } },
              { type: 'markdown', text: '**done** in [CI](https://ci.example/7)' },
              { type: 'table', rows: [[{ type: 'raw_text', text: 'n' }], [{ type: 'raw_text', text: '1' }]] },
            ] });
            await webhook.send('cut in half \u{1F680}'.slice(0, -1));
            const refused = await webhook.send({ text: '' }).catch((error) => error.original?.response?.data ?? error.code);
            console.log(sent.text, refused);
        "#;
        let printed = script(Path::new("node"), &node(major), source, &[&url]).await;
        assert!(printed.starts_with("ok "), "{printed}");
        let shown = messages(&team).await;
        let [.., deploy, half] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!(
            deploy,
            "<h3>Deploy</h3><p><strong>done</strong> in <a href=\"https://ci.example/7\" rel=\"noopener noreferrer\" target=\"_blank\">CI</a></p><table><thead><tr><th>n</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
        );
        assert_eq!(half, "<p>cut in half \u{FFFD}</p>");
    }
}

#[tokio::test]
async fn slack_sdk_of_python() {
    let team = Team::start().await;
    let url = hook(&team).await;
    let source = r#"
import sys
from slack_sdk.webhook import WebhookClient
from slack_sdk.models.blocks import *
from slack_sdk.models.attachments import Attachment, AttachmentField
client = WebhookClient(sys.argv[1])
section = SectionBlock(text=MarkdownTextObject(text="*Build* <https://ci.example/7|#7> :white_check_mark:"), accessory=ButtonElement(text="View run", url="https://ci.example/7", action_id="a"))
rich = RichTextBlock(elements=[RichTextSectionElement(elements=[RichTextElementParts.Text(text="bold ", style=RichTextElementParts.TextStyle(bold=True)), RichTextElementParts.Broadcast(range="here")])])
sent = client.send(text="fallback", blocks=[section, DividerBlock(), rich])
other = client.send(text="Report", attachments=[Attachment(text="_slow_", color="danger", title="DB", fields=[AttachmentField(title="host", value="pi-4")])])
wrong = client.send(text="")
print(sent.status_code, sent.body, other.body, wrong.status_code, wrong.body)
"#;
    let printed = script(&python(), Path::new(env!("CARGO_TARGET_TMPDIR")), source, &[&url]).await;
    assert_eq!(printed, "200 ok ok 400 no_text");
    let run = "<a href=\"https://ci.example/7\" rel=\"noopener noreferrer\" target=\"_blank\">";
    assert_eq!(
        messages(&team).await,
        [
            format!("<p><strong>Build</strong> {run}#7</a> ✅</p><p>{run}View run</a></p><hr><p><strong>bold</strong> <span class=\"mention\">@here</span></p>"),
            "<p>Report</p><p>🔴 <strong>DB</strong></p><p><em>slow</em></p><ul><li><strong>host</strong>: pi-4</li></ul>".to_owned(),
        ]
    );
}

#[tokio::test]
async fn apprise_of_python() {
    let team = Team::start().await;
    let url = hook(&team).await;
    // Its addresses name Slack's own host, so each call is led here.
    let source = r#"
import sys
from unittest import mock
import apprise, requests
real = requests.Session.request
def request(self, method, url, **kwargs):
    return real(self, method, sys.argv[1], **kwargs)
with mock.patch("requests.Session.request", request):
    for service in ["slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", "mmost://localhost/3ccdd113474722377935511fc85d3dd4"]:
        sender = apprise.Apprise()
        sender.add(service)
        sent = sender.notify(title="Disk *full*", body="**pi-4** is [full](https://g.example/d)\n- / 97%\nnow", notify_type="warning", body_format="markdown")
        print(bool(sent))
"#;
    let printed = script(&python(), Path::new(env!("CARGO_TARGET_TMPDIR")), source, &[&url]).await;
    assert_eq!(printed, "True\nTrue");
    let shown = messages(&team).await;
    assert_eq!(shown.len(), 2, "{shown:?}");
    for html in &shown {
        assert!(html.contains("<strong>pi-4</strong>"), "{html}");
        assert!(html.contains("<a href=\"https://g.example/d\""), "{html}");
        assert!(!html.contains("now</li>"), "{html}");
    }
}
