//! Keys as input methods, phones and layouts send them.

use crate::{
    driver::{CONTROL, ENTER, PHONE, Window, with_browser},
    support::{Team, json},
    windows::{signed_in, signed_in_on, two_windows},
};

/// Sends a key to the element, as a browser reports it, and answers whether the page took it.
async fn key(window: &Window, css: &str, event: &str) -> bool {
    let script = format!(
        "return !document.querySelector({}).dispatchEvent(new KeyboardEvent('keydown', {{ bubbles: true, cancelable: true, {event} }}))",
        json!(css)
    );
    window.eval(&script).await == true
}

/// How browsers tell that Enter confirms a word that is being composed. Safari tells by the key code alone.
const CONFIRMS: [&str; 2] = ["key: 'Enter', isComposing: true, keyCode: 13", "key: 'Enter', keyCode: 229"];

/// F6
#[tokio::test]
async fn enter_that_confirms_a_composed_word_acts_nowhere() {
    with_browser(async |driver| {
        let team = Team::start().await;
        team.ada.say(team.room, "half").await;
        team.join("Ben").await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("half").await;
        let open = |css: &'static str| format!("return document.querySelector('{css}') !== null");
        window.click(".new-ping").await;
        window.type_into(".dialog-people .filter", "b").await;
        for confirm in CONFIRMS {
            assert!(!key(&window, ".dialog-people .filter", confirm).await);
            assert_eq!(window.eval(&open(".dialog-people")).await, true, "{confirm}");
        }
        window.type_into(".dialog-people .filter", ENTER).await;
        window.until("Enter opens it", "return !document.querySelector('dialog')").await;
        window.eval("history.back()").await;
        window.wait_for_message("half").await;
        window.type_into(".composer-input", &format!("{CONTROL}k")).await;
        window.type_into(".switcher-input", "b").await;
        for confirm in CONFIRMS {
            assert!(!key(&window, ".switcher-input", confirm).await);
            assert_eq!(window.eval(&open(".switcher-input")).await, true, "{confirm}");
        }
        window.eval("document.querySelector('dialog').close()").await;
        window.until("it is closed", "return !document.querySelector('dialog')").await;
        window.type_into(".composer-input", "\u{E013}").await; // Up: edits the last message
        window.type_into(".edit-box", " a sentence").await;
        for confirm in CONFIRMS {
            assert!(!key(&window, ".edit-box", confirm).await);
            assert_eq!(window.eval(&open(".edit-box")).await, true, "{confirm}");
        }
        window.type_into(".edit-box", ENTER).await;
        window.wait_for_message("half a sentence").await;
        window.type_into(".composer-input", "words").await;
        for confirm in CONFIRMS {
            assert!(!key(&window, ".composer-input", confirm).await);
        }
        assert_eq!(window.texts().await, ["half a sentence"]);
        team
    })
    .await;
}

/// F7
#[tokio::test]
async fn mention_list_narrows_while_a_phone_composes_the_name() {
    with_browser(async |driver| {
        let team = Team::start().await;
        for name in ["Ben", "Cleo", "Dora", "Eli", "Finn", "Gil", "Clara Zimt"] {
            team.join(name).await;
        }
        let origin = team.nobody().origin();
        let window = signed_in_on(driver, PHONE, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/rooms/{}", team.room)).await;
        window.type_into(".composer-input", "@").await;
        window.find(".picker-option").await;
        for (text, names) in [("c", "Clara Zimt,Cleo"), ("cl", "Clara Zimt,Cleo"), ("cla", "Clara Zimt")] {
            let composed = json!({ "text": text, "selectionStart": text.len(), "selectionEnd": text.len() });
            window.devtools("Input.imeSetComposition", composed).await;
            let shown = format!(
                "return [...document.querySelectorAll('.picker-name')].map((it) => it.textContent).join() === {names:?}"
            );
            window.until(&format!("{names} are shown"), &shown).await;
        }
        window.click(".picker-option").await;
        window
            .until("the name is taken", "return document.querySelector('.composer-input').value === '@Clara Zimt '")
            .await;
        team
    })
    .await;
}

/// F8
#[tokio::test]
async fn mention_list_opens_behind_any_script_and_finds_names_by_any_keyboard() {
    with_browser(async |driver| {
        let team = Team::start().await;
        for name in ["Ann", "Łukasz Nowak", "Øyvind Dahl", "Jana Straße", "Conor O'Brien", "山田 太郎"] {
            team.join(name).await;
        }
        for number in 0..12 {
            let anna = team.join(&format!("Anna {number}")).await;
            anna.say(team.room, "I spoke lately").await;
        }
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.wait_for_message("I spoke lately").await;
        for (typed, name) in [
            ("请@lu", "Łukasz Nowak"),
            ("ש@oyv", "Øyvind Dahl"),
            ("「@strasse", "Jana Straße"),
            ("（@O’Br", "Conor O'Brien"),
            ("，@obr", "Conor O'Brien"),
            ("＠山田", "山田 太郎"),
            ("@山田　太", "山田 太郎"),
            ("한국어@太", "山田 太郎"),
            ("@Ann", "Ann"),
        ] {
            let script = format!(
                "const input = document.querySelector('.composer-input'); input.focus(); input.value = {}; input.dispatchEvent(new Event('input', {{ bubbles: true }}));",
                json!(typed)
            );
            window.eval(&script).await;
            let first = format!("return document.querySelector('.picker:not([hidden]) .picker-name')?.textContent === {}", json!(name));
            window.until(&format!("{name} is first for {typed}"), &first).await;
        }
        team
    })
    .await;
}

/// F9
#[tokio::test]
async fn shortcuts_work_on_layouts_without_latin_letters() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.say("answer me").await;
        second.wait_for_message("answer me").await;
        for letter in ["л", "κ", "ל", "ن", "า"] {
            let chord = format!("ctrlKey: true, key: '{letter}', code: 'KeyK'");
            assert!(key(&second, ".composer-input", &chord).await, "{letter}");
            second.find(".switcher-input").await;
            second.eval("document.querySelector('dialog').close()").await;
            second.until("it is closed", "return !document.querySelector('dialog')").await;
        }
        for (letter, code, value) in [("и", "KeyB", "****"), ("ш", "KeyI", "__"), ("у", "KeyE", "``")] {
            second
                .eval("const it = document.querySelector('.composer-input'); it.focus(); it.value = ''")
                .await;
            assert!(
                key(&second, ".composer-input", &format!("ctrlKey: true, key: '{letter}', code: '{code}'"))
                    .await
            );
            assert_eq!(second.eval("return document.querySelector('.composer-input').value").await, value);
        }
        second.eval("document.querySelector('.message').focus()").await;
        assert!(key(&second, ".message", "key: 'к', code: 'KeyR'").await);
        second.find(".composer-reply:not([hidden])").await;
        team
    })
    .await;
}

/// F29
#[tokio::test]
async fn backslash_of_alt_graph_is_written_and_folds_nothing() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let window = signed_in(driver, &team.nobody().origin(), &team.ada.email).await;
        window.find(".composer-input").await;
        assert!(
            !key(&window, ".composer-input", "ctrlKey: true, altKey: true, key: '\\\\', code: 'Minus'").await
        );
        assert_eq!(window.eval("return document.querySelector('.shell.is-wide')").await, json!(null));
        assert!(key(&window, ".composer-input", "ctrlKey: true, key: '\\\\', code: 'Backslash'").await);
        window.find(".shell.is-wide").await;
        team
    })
    .await;
}
