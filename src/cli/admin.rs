//! `campfire admin`: users, from the host itself. A running server sees the changes within half a second.

use std::{ffi::OsString, io::Read};

use super::{Failure, Given, help, say};
use crate::{
    chat::passwords::hash_password,
    config::Config,
    server::NoWorkers,
    store::{
        Act, Audited, Command, CreateAdministrator, CreateUser, DataDir, Invite, LINK_HOURS, NotCommitted,
        Reader, Refusal, ResetSecondFactor, StartReset, WriteError, Writer,
    },
    types::{Role, TokenHash, User, UserId, random_join_code, random_token},
};

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let own = [("name", true), ("email", true), ("password-stdin", false)];
    let Some(given) = Given::parse(arguments, &help::admin(), &own)? else { return Ok(()) };
    let words: Vec<&str> = given.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["create"] => create(&given),
        ["reset-password", email] => reset_password(&given, email),
        ["reset-password"] => {
            Err(Failure::Usage("the e-mail address is missing: campfire admin reset-password EMAIL".into()))
        }
        ["reset-second-factor", who] => reset_second_factor(&given, who),
        ["reset-second-factor"] => Err(Failure::Usage(
            "the e-mail address is missing: campfire admin reset-second-factor EMAIL".into(),
        )),
        ["invite", who] => invite(&given, who),
        ["invite"] => Err(Failure::Usage("the name or id is missing: campfire admin invite NAME|ID".into())),
        ["list"] => list(&given),
        ["create" | "reset-password" | "reset-second-factor" | "invite" | "list", .., extra] => Err(Failure::Usage(format!(
            "unexpected argument {extra:?}; `campfire admin --help` lists what there is"
        ))),
        [unknown, ..] => Err(Failure::Usage(format!(
            "there is no `campfire admin {unknown}`, only create, reset-password, reset-second-factor, invite and list; `campfire admin --help` says more"
        ))),
        [] => Err(Failure::Usage(
            "the subcommand is missing: create, reset-password, reset-second-factor, invite or list; `campfire admin --help` says more"
                .into(),
        )),
    }
}

fn create(given: &Given) -> Result<(), Failure> {
    let (name, email) = (given.required("name")?.trim(), given.required("email")?.trim());
    if !given.has("password-stdin") {
        return Err(Failure::Usage(
            "--password-stdin is missing: the password is read from standard input".into(),
        ));
    }
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Failure::Usage("--name has to have 1 to 100 characters".into()));
    }
    if let Some(fault) = crate::text::line_fault(name) {
        return Err(Failure::Usage(format!("--name {fault}")));
    }
    if !crate::wire::looks_like_email(email) {
        return Err(Failure::Usage(format!("--email {email:?} does not look like an e-mail address")));
    }
    let mut password = String::new();
    std::io::stdin()
        .read_to_string(&mut password)
        .map_err(|error| Failure::Failed(format!("cannot read the password ({error})")))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if !crate::wire::PASSWORD_LENGTH.contains(&password.chars().count()) {
        return Err(Failure::Usage("the password has to have 8 to 1024 characters".into()));
    }
    let user = CreateUser {
        name: name.to_owned(),
        email: email.to_owned(),
        password_hash: hash_password(password),
        role: Role::Admin,
    };
    let command =
        CreateAdministrator { user, account_name: "Campfire".to_owned(), join_code: random_join_code() };
    let act = on_the_host("user.create_admin", format!("user {email}"));
    let id = write(&given.config()?, Audited { command, act })?;
    say(&format!("{name} <{email}> is an administrator now (user {id})\n"))
}

fn reset_password(given: &Given, email: &str) -> Result<(), Failure> {
    let config = given.config()?;
    let token = random_token();
    let command = StartReset { email: email.to_owned(), token: TokenHash::of(&token), hours: LINK_HOURS };
    let act = on_the_host("user.reset_password", format!("user {email}"));
    write(&config, Audited { command, act })?;
    let base = config.base_url();
    say(&format!("{base}/reset/{token}\n"))
}

/// Removes the second step of somebody who has lost it.
fn reset_second_factor(given: &Given, who: &str) -> Result<(), Failure> {
    let config = given.config()?;
    let user = person(&config, who)?;
    let act = on_the_host("second_factor.reset", format!("user {user}"));
    write(&config, Audited { command: ResetSecondFactor { user }, act })?;
    say("the second step is removed, and all devices are signed out\n")
}

/// Prints an invitation for somebody who was imported, by the id, the e-mail address or the name.
fn invite(given: &Given, who: &str) -> Result<(), Failure> {
    let config = given.config()?;
    let user = person(&config, who)?;
    let token = random_token();
    let command = Invite { creator: None, user, token: TokenHash::of(&token) };
    let act = on_the_host("user.invite", format!("user {user}"));
    write(&config, Audited { command, act })?;
    say(&format!("{}/invite/{token}\n", config.base_url()))
}

/// The person whom an id, an e-mail address or a name stands for.
fn person(config: &Config, who: &str) -> Result<UserId, Failure> {
    let users = users(config)?;
    if let Ok(id) = who.parse()
        && users.iter().any(|user| user.id == UserId(id))
    {
        return Ok(UserId(id));
    }
    let wanted = who.trim().to_lowercase();
    let fits = |user: &&User| {
        user.role != Role::Bot
            && (user.name.to_lowercase() == wanted
                || user.email.as_ref().is_some_and(|email| email.to_lowercase() == wanted))
    };
    let found: Vec<UserId> = users.iter().filter(fits).map(|user| user.id).collect();
    match found[..] {
        [id] => Ok(id),
        [] => Err(Failure::Failed(format!(
            "there is nobody called {who:?}; `campfire admin list` lists everybody"
        ))),
        _ => {
            let ids: Vec<String> = found.iter().map(UserId::to_string).collect();
            Err(Failure::Failed(format!(
                "several people are called {who:?}; give the id: one of {}",
                ids.join(", ")
            )))
        }
    }
}

/// All users, by id.
fn users(config: &Config) -> Result<Vec<User>, Failure> {
    let data = DataDir::visit(&config.data)?;
    let state = Reader::open(&data)?
        .state()
        .map_err(|error| Failure::Failed(format!("cannot read the database ({error})")))?;
    let mut users: Vec<User> = state.users.into_values().collect();
    users.sort_unstable_by_key(|user| user.id);
    Ok(users)
}

/// An entry of the audit log for an action from the host.
fn on_the_host(action: &'static str, subject: String) -> Act {
    Act { actor: None, ip_address: None, action, subject, detail: "on the host".into() }
}

fn list(given: &Given) -> Result<(), Failure> {
    for user in users(&given.config()?)? {
        let email = user.email.as_deref().unwrap_or("-");
        say(&format!(
            "{}\t{}\t{}\t{email}\t{}\n",
            user.id,
            user.role.into_str(),
            user.status.into_str(),
            user.name
        ))?;
    }
    Ok(())
}

/// Applies a command with a writer of this process, even if the server runs.
fn write<C: Command>(config: &Config, command: C) -> Result<C::Output, Failure> {
    let data = if config.data.join("campfire.db").exists() {
        DataDir::visit(&config.data)?
    } else {
        DataDir::claim(&config.data, config.durability)?
    };
    let (_writer, handle) = Writer::start(&data, 16, Box::new(NoWorkers))?;
    handle.write_blocking(command).map_err(|error| {
        Failure::Failed(match error {
            WriteError::Refused(Refusal::NotFound) => {
                "there is no active user with this e-mail address".into()
            }
            WriteError::Refused(Refusal::Conflict(why) | Refusal::Forbidden(why)) => {
                why.trim_end_matches('.').into()
            }
            WriteError::Refused(Refusal::Unclaimed) => {
                "somebody who was imported has this e-mail address: campfire admin invite EMAIL lets them in"
                    .into()
            }
            WriteError::Refused(Refusal::Invalid(field, why)) => format!("{field} {why}"),
            WriteError::Refused(Refusal::Database(error)) => format!("the database refused it ({error})"),
            WriteError::NotCommitted(NotCommitted::Full) => "the disk is full".into(),
            WriteError::NotCommitted(NotCommitted::Database(why)) => {
                format!("it could not be written ({why})")
            }
            WriteError::NotCommitted(NotCommitted::OtherFailed) => "it could not be written".into(),
            WriteError::Overloaded | WriteError::Stopped => "the writer has stopped".into(),
        })
    })
}
