//! Programs that post to Slack, Mattermost and Rocket.Chat, started against incoming webhooks, and clients that upload files.
//! They are fetched into `target/senders`, in pinned versions, and run there: nothing is installed on the machine.

mod support;

mod senders {
    mod fetched;
    mod files;
    mod monitors;
    mod slack;
}
