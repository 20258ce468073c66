//! Invitations, guests, and where one lands after signing in.

use crate::{
    driver::{ENTER, ESCAPE, PHONE, with_browser},
    support::{PASSWORD, Team, json},
    windows::{signed_in, signed_in_on},
};

#[tokio::test]
async fn guest_is_invited_to_a_room_and_sees_only_what_is_there() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let (ben, _cleo) = (team.join("Ben").await, team.join("Cleo").await);
        let project = team.closed_room("Project", &[&team.ada, &ben]).await;
        ben.say(project, "the plans are here").await;
        team.ada.say(team.room, "only for members").await;
        let origin = team.nobody().origin();
        let host = signed_in(driver, &origin, &team.ada.email).await;
        host.goto(&format!("{origin}/settings/invite")).await;
        host.find(".settings-invite .settings-nothing").await;
        // By keyboard.
        host.type_into(".settings-block .button:has(.icon-plus)", ENTER).await;
        host.find("dialog [name=note]").await;
        host.assert_accessible("a new invitation").await;
        host.click("dialog [name=role][value=guest]").await;
        host.type_into("dialog [name=note]", &format!("The auditor{ENTER}")).await;
        host.until("a room is asked for", "return document.querySelector('dialog .form-error').textContent.includes('Choose a room')").await;
        host.click(&format!("dialog [name=room][value='{project}']")).await;
        host.type_into("dialog [name=note]", ENTER).await;
        host.find("dialog .copyable").await;
        host.assert_accessible("an invitation").await;
        let link = host.eval("return document.querySelector('dialog .copyable').textContent").await;
        let link = link.as_str().unwrap().to_owned();
        host.click("dialog .button-primary").await;
        host.until(
            "it is in the list",
            "return document.querySelector('[data-key^=invitation-]')?.textContent.includes('The auditor')",
        )
        .await;

        let guest = driver.window_with(PHONE).await;
        guest.goto(&link).await;
        guest.find("#field-name").await;
        let rooms = guest.eval("return [...document.querySelectorAll('.entry-rooms li')].map((it) => it.textContent)").await;
        assert_eq!(rooms, json!(["Project"]));
        let lead = guest.eval("return document.querySelector('.entry-lead').textContent").await;
        assert!(lead.as_str().unwrap().starts_with("Ada has invited you as a guest"), "{lead}");
        guest.assert_accessible("an invitation for a guest").await;
        guest.assert_fits("an invitation for a guest").await;
        guest.type_into("#field-name", "Gus").await;
        guest.type_into("#field-email", "gus@example.com").await;
        guest.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
        guest.wait_for_message("the plans are here").await;
        // On a phone Enter begins a new line.
        guest.type_into(".composer-input", "hello from outside").await;
        guest.click(".send-button").await;
        guest
            .until(
                "it is sent",
                "return [...document.querySelectorAll('.message:not(.is-pending)')].some((it) => it.textContent.includes('hello from outside'))",
            )
            .await;
        guest.goto(&format!("{origin}/")).await;
        guest.find(".side-me").await;
        let shown = guest.eval("return document.body.textContent").await;
        let shown = shown.as_str().unwrap();
        for stranger in ["Cleo", "All Talk", "only for members"] {
            assert!(!shown.contains(stranger), "a guest sees {stranger}");
        }
        assert_eq!(guest.eval("return document.querySelector('.new-room').hidden").await, json!(true));
        guest.goto(&format!("{origin}/settings")).await;
        guest.find(".settings-nav a").await;
        assert_eq!(guest.eval("return document.querySelector('[data-section=invite]')").await, json!(null));
        // The link has been used.
        let late = driver.window().await;
        late.expect_complaint("404");
        late.goto(&link).await;
        late.find(".entry a.button[href='/signin']").await;

        // Whom the guest meets later: somebody who comes into the room is known at once.
        let in_the_room = signed_in(driver, &origin, "gus@example.com").await;
        in_the_room.goto(&format!("{origin}/rooms/{project}")).await;
        in_the_room.wait_for_message("hello from outside").await;
        let dora = team.join("Dora Late").await;
        team.ada.post(&format!("/api/rooms/{project}/members/{}", dora.id), json!({})).await.expect(201);
        dora.say(project, "here I am").await;
        in_the_room.wait_for_message("here I am").await;
        in_the_room
            .until("the author has a name", "return [...document.querySelectorAll('.message')].some((it) => it.textContent.includes('Dora Late'))")
            .await;
        team
    })
    .await;
}

#[tokio::test]
async fn member_becomes_a_guest_and_a_member_again_while_the_page_is_open() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let ben = team.join("Ben").await;
        let project = team.closed_room("Project", &[&team.ada, &ben]).await;
        let origin = team.nobody().origin();
        let host = signed_in(driver, &origin, &team.ada.email).await;
        let of_ben = signed_in(driver, &origin, &ben.email).await;
        of_ben.find(&format!(".rooms a[href='/rooms/{}']", team.room)).await;
        host.goto(&format!("{origin}/settings/people")).await;
        let line = format!("[data-key=user-{}]", ben.id);
        let choose = async |label: &str| {
            host.click(&format!("{line} .icon-button")).await;
            host.find(".menu [role=menuitem]").await;
            let script = format!("[...document.querySelectorAll('.menu [role=menuitem]')].find((it) => it.textContent.trim() === '{label}').click()");
            host.eval(&script).await;
        };
        choose("Make guest").await;
        host.click(&format!("dialog [name=room][value='{project}']")).await;
        host.assert_accessible("the rooms that a guest keeps").await;
        host.click("dialog .button-primary").await;
        host.until("the mark is shown", &format!("return document.querySelector('{line} .settings-mark')?.textContent === 'Guest'")).await;
        of_ben
            .until(
                "only the room that was kept is listed",
                &format!("const rooms = [...document.querySelectorAll('.rooms a')].map((it) => it.getAttribute('href')); return rooms.join() === '/rooms/{project}'"),
            )
            .await;
        choose("Make member").await;
        host.click("dialog .button-primary").await;
        of_ben.find(&format!(".rooms a[href='/rooms/{}']", team.room)).await;
        of_ben.find(&format!(".rooms a[href='/rooms/{project}']")).await;
        // A link for who lost the password.
        choose("Link to sign in").await;
        host.find("dialog .copyable").await;
        host.assert_accessible("a link to sign in").await;
        let link = host.eval("return document.querySelector('dialog .copyable').textContent").await;
        host.type_into("dialog .copyable", ESCAPE).await;
        let back = driver.window().await;
        back.goto(link.as_str().unwrap()).await;
        back.type_into("#field-password", &format!("another evening{ENTER}")).await;
        back.find(".side-me").await;
        // The sessions.
        host.goto(&format!("{origin}/settings/signins")).await;
        host.click(&format!("[data-key=signin-{}] .settings-action button", ben.id)).await;
        host.find("dialog [data-key^=session-]").await;
        host.assert_accessible("the devices of somebody").await;
        host.click("dialog .settings-action button").await;
        host.until("it is ended", "return document.querySelector('dialog .settings-nothing') !== null").await;
        back.until("they are signed out", "return location.pathname === '/signin'").await;
        team
    })
    .await;
}

#[tokio::test]
async fn after_signing_in_one_lands_where_one_wanted_to_go() {
    with_browser(async |driver| {
        let team = Team::start().await;
        let kitchen = team.closed_room("Kitchen", &[&team.ada]).await;
        let said = team.ada.say(kitchen, "the soup is on").await;
        let origin = team.nobody().origin();
        for (path, there) in [
            (format!("/rooms/{kitchen}"), format!("/rooms/{kitchen}")),
            (format!("/messages/{}", said["id"]), format!("/rooms/{kitchen}")),
            ("/settings/devices".to_owned(), "/settings/devices".to_owned()),
        ] {
            let window = driver.window().await;
            window.goto(&format!("{origin}{path}")).await;
            window.type_into("#field-email", &team.ada.email).await;
            window.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
            window.until("it is the page", &format!("return location.pathname.startsWith('{there}')")).await;
        }
        // Addresses that somebody made up lead nowhere else.
        let phone = driver.window_with(PHONE).await;
        phone.goto(&format!("{origin}/signin?to=//evil.example/rooms/1")).await;
        phone.type_into("#field-email", &team.ada.email).await;
        phone.type_into("#field-password", &format!("{PASSWORD}{ENTER}")).await;
        phone.find(".side-me").await;
        assert_eq!(phone.eval("return location.origin").await, json!(origin));
        // Who joins while wanting to go to a room that they are in.
        let window = signed_in_on(driver, PHONE, &origin, &team.ada.email).await;
        assert_eq!(window.eval("return location.pathname").await, json!("/"));
        team
    })
    .await;
}
