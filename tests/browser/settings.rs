//! The settings of a user and of the account.

use crate::{
    driver::{ENTER, with_browser},
    support::{PASSWORD, Team},
    windows::{signed_in, two_windows},
};

#[tokio::test]
async fn invitation_link_lets_somebody_join() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let host = signed_in(driver, &origin, &team.ada.email).await;
        host.goto(&format!("{origin}/settings/invite")).await;
        host.find(".settings-invite .copyable").await;
        let link = host.eval("return document.querySelector('.settings-invite .copyable').textContent").await;
        let guest = driver.window().await;
        guest.goto(link.as_str().unwrap()).await;
        guest.type_into("#field-name", "Cleo").await;
        guest.type_into("#field-email", "cleo@example.com").await;
        guest.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
        guest.find(".composer-input").await;
        guest.say("hello, I am new").await;
        host.goto(&format!("{origin}/rooms/{}", team.room)).await;
        host.wait_for_message("hello, I am new").await;
        team
    })
    .await;
}

#[tokio::test]
async fn bot_is_created_and_its_curl_line_posts() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let window = signed_in(driver, &origin, &team.ada.email).await;
        window.goto(&format!("{origin}/settings/bots")).await;
        window.type_into(".settings-bots [name=name]", &format!("Weather{ENTER}")).await;
        window.find(".settings-secret").await;
        let line = window
            .eval("return [...document.querySelectorAll('.settings-secret .copyable')].map((it) => it.textContent).find((it) => it.startsWith('curl'))")
            .await;
        let line = line.as_str().unwrap();
        // Parses the curl line as far as needed: the text between the quotes, and the URL.
        let words = line.split('\'').nth(1).unwrap();
        let address = line.rsplit(' ').next().unwrap();
        let path = address.strip_prefix(&origin).unwrap();
        let answer = team.nobody().request("POST", path).body("text/plain", words.to_owned()).send().await;
        assert_eq!(answer.status, 201, "{line}");
        window.goto(&format!("{origin}/rooms/{}", team.room)).await;
        window.wait_for_message(words).await;
        window.until("it is a bot's", "return document.querySelector('.message .avatar.is-bot') !== null").await;
        team
    })
    .await;
}

#[tokio::test]
async fn custom_css_is_previewed_and_then_applied_for_everybody() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        let origin = team.nobody().origin();
        let shown = "return getComputedStyle(document.documentElement).getPropertyValue('--ember').trim()";
        first.goto(&format!("{origin}/settings/css")).await;
        first
            .type_into(
                "#custom-css",
                ":root:root {{ --ember: #135790 }}".replace("{{", "{").replace("}}", "}").as_str(),
            )
            .await;
        first.until("it is tried here", &format!("{shown} === '#135790'")).await;
        assert_ne!(second.eval(shown).await, "#135790");
        first.click(".settings-css .button-primary").await;
        second.until("it is everybody's", &format!("{shown} === '#135790'")).await;
        second.goto(&format!("{origin}/?nocss")).await;
        second.find(".side-me").await;
        assert_ne!(second.eval(shown).await, "#135790", "there is a way back");
        team
    })
    .await;
}

#[tokio::test]
async fn device_sign_out_ends_the_session_in_its_window() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let first = signed_in(driver, &origin, &team.ada.email).await;
        let second = signed_in(driver, &origin, &team.ada.email).await;
        second.expect_complaint("401");
        second.find(".composer-input").await;
        first.goto(&format!("{origin}/settings/devices")).await;
        first.find(".settings-devices .button.is-danger").await;
        first.click(".settings-devices .button.is-danger").await;
        first.click(".dialog-confirm .button-danger").await;
        second.find("#field-password").await;
        team
    })
    .await;
}

#[tokio::test]
async fn transfer_link_signs_another_window_in_once() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let origin = team.nobody().origin();
        let desk = signed_in(driver, &origin, &team.ada.email).await;
        desk.goto(&format!("{origin}/settings/devices")).await;
        desk.click(".settings-transfer .button").await;
        desk.find(".settings-transfer .copyable").await;
        let link =
            desk.eval("return document.querySelector('.settings-transfer .copyable').textContent").await;
        let phone = driver.window().await;
        phone.goto(link.as_str().unwrap()).await;
        phone.click(".entry .button-primary").await;
        phone.find(".side-me").await;
        let again = driver.window().await;
        again.expect_complaint("404");
        again.goto(link.as_str().unwrap()).await;
        again.click(".entry .button-primary").await;
        again
            .until(
                "it is refused in words",
                "return /./.test(document.querySelector('.entry-notice, .form-error')?.textContent)",
            )
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn avatar_is_cropped_and_shown_in_the_other_window() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (_, first, second) = two_windows(&team, driver).await;
        first.say("look at me").await;
        second.wait_for_message("look at me").await;
        first.goto(&format!("{}/settings/profile", team.nobody().origin())).await;
        first.find(".picture-field").await;
        let dropped = "const canvas = document.createElement('canvas'); canvas.width = 400; canvas.height = 300;
            canvas.getContext('2d').fillRect(50, 50, 100, 100);
            const done = arguments[0];
            canvas.toBlob((blob) => { const transfer = new DataTransfer(); transfer.items.add(new File([blob], 'me.png', { type: 'image/png' }));
                document.querySelector('.picture-field').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })); done(true); })";
        first.client.execute_async(dropped, vec![]).await.unwrap();
        first.find(".crop-stage").await;
        first.click(".crop-inside .button-primary").await;
        second.until("the face is there", "return document.querySelector('.message .avatar.has-picture img') !== null").await;
        team
    })
    .await;
}
