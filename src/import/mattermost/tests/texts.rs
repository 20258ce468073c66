//! Names of people, channels and emoji in Markdown.

use proptest::prelude::*;

use super::*;
use crate::import::{
    mattermost::{rooms::Rooms, text::Texts},
    staging::Staging,
};

proptest! {
    #[test]
    fn text_without_known_names_stays_as_it_was(text in "(@q|~q|:q:|`|``|```|~~~|\\(|\\]\\(|h|http://q|\n|\r\n|    |\t|é|\\\\|>|- ){0,16}") {
        let dir = tempfile::tempdir().unwrap();
        let staging = Staging::new(dir.path(), None).unwrap();
        let texts = Texts { staging: &staging, rooms: &Rooms::default(), team: "blue" };
        prop_assert_eq!(texts.markdown(&text), text);
    }
}

#[test]
fn names_in_texts_are_mentions_links_and_emoji() {
    for (typed, expected) in [
        (
            "@noor, @Pia. (@pia) **@pia**",
            "@[noor](user:1), @[pia](user:2). (@[pia](user:2)) **@[pia](user:2)**",
        ),
        ("@a.b-c. @a.b-c- @a.b", "@[A\\. \\[B\\] C](user:3). @[A\\. \\[B\\] C](user:3)- @a.b"),
        ("@nobody x@noor.example noor@pia", "@nobody x@noor.example noor@pia"),
        ("@channel @all @here @allison", "@room @room @here @allison"),
        (
            "~square ~board, ~nowhere ~~square~~",
            "[#Main Square](</rooms/1>) [#board](</rooms/2>), ~nowhere ~~square~~",
        ),
        (":smile: :tick: 10:100:20 :+1:", "😄 :tick: 10:100:20 👍"),
        ("`@noor` and ``@pia ` @pia`` @noor", "`@noor` and ``@pia ` @pia`` @[noor](user:1)"),
        ("`open @noor", "`open @[noor](user:1)"),
        ("`two\n@noor lines` @noor", "`two\n@noor lines` @[noor](user:1)"),
        ("```\n@noor\n``` x\n```\n@noor", "```\n@noor\n``` x\n```\n@[noor](user:1)"),
        ("~~~\n@noor\n```\n~~~~\n@noor", "~~~\n@noor\n```\n~~~~\n@[noor](user:1)"),
        ("    @noor\n\n    @noor\n@noor", "    @noor\n\n    @noor\n@[noor](user:1)"),
        ("text\n    @noor", "text\n    @[noor](user:1)"),
        (
            "https://x.example/@noor/~square?:smile: [l](https://x.example/~square) @noor",
            "https://x.example/@noor/~square?:smile: [l](https://x.example/~square) @[noor](user:1)",
        ),
        ("\\@noor \\:smile:", "\\@noor \\:smile:"),
        (
            "# Head\n\n| a | b |\n|---|---|\n| 1 | @noor |\n\n1. x\n2. *y*",
            "# Head\n\n| a | b |\n|---|---|\n| 1 | @[noor](user:1) |\n\n1. x\n2. *y*",
        ),
        ("日本@noor 日本 @noorさん", "日本@noor 日本 @[noor](user:1)さん"),
        ("@ ~ : `` ( http:// @", "@ ~ : `` ( http:// @"),
        ("line\r\n@noor\r\n", "line\r\n@[noor](user:1)\r\n"),
    ] {
        assert_eq!(text_of(json!({ "message": typed })), expected, "{typed:?}");
    }
}

#[test]
fn attachments_and_chosen_names_stand_in_the_text() {
    let attachment = json!({ "pretext": "New", "title": "Build", "title_link": "https://ci.example/1", "text": "**red**" });
    let props = json!({ "from_webhook": "true", "override_username": "CI *x*", "attachments": [attachment] });
    let expected = "**CI \\*x\\***\n\nsee\n\nNew\n\n**[Build](<https://ci.example/1>)**\n\n**red**";
    assert_eq!(text_of(json!({ "message": "see", "props": props })), expected);
    assert_eq!(text_of(json!({ "message": "see", "props": props.to_string() })), expected);
    // The name of the author needs no line.
    assert_eq!(text_of(json!({ "message": "see", "props": { "override_username": "noor" } })), "see");
}

#[test]
fn tones_of_skin_are_one_boost_of_a_person() {
    let reaction = |name: &str| json!({ "user": "pia", "emoji_name": name });
    let names =
        ["+1", "thumbsup", "+1_medium_dark_skin_tone", "+1_light_skin_tone", "heart", "own_dark_skin_tone"];
    let imported = with(&[json!({ "reactions": names.map(reaction) })]);
    assert_eq!(imported.rows("select content from boosts order by id"), ["👍", "❤️", ":own_dark_skin_tone:"]);
}

#[test]
fn text_of_more_than_60_kib_is_kept_whole_in_a_file() {
    let typed = "@noor ".repeat((60 << 10) / 6 + 1);
    let imported = with(&[json!({ "message": typed })]);
    assert_eq!(
        imported.rows("select json ->> '$.attachment.byte_size' from messages"),
        [typed.len().to_string()]
    );
}
