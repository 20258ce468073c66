//! The table of routes, each with who may call it, and finding the route of a request.

use std::{future::Future, ops::Range, pin::Pin};

use hyper::Method;
use smallvec::SmallVec;

use super::{
    account, admin, boosts, bots, emoji, export, files, health, hooks, icons, incoming::RequestBody,
    invitations, mail, messages, moved, once, openapi, pages, pictures, providers, push, request::Call,
    response::Reply, rooms, search, second_factors, session, sign_ins, sync, tokens, upload, users,
};
use crate::{
    chat::{self, Viewer},
    wire::Problem,
};

pub(crate) type Response = Result<Reply, Problem>;
pub(crate) type ResponseFuture = Pin<Box<dyn Future<Output = Response>>>;

/// The handler of a route, by who may call it. Reads return at once; writes wait for the writer.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    Anybody(fn(&Call) -> Response),
    /// A read that waits for what takes long.
    AnybodyWaits(fn(Call) -> ResponseFuture),
    AnybodyWrites(fn(Call) -> ResponseFuture),
    Viewer(fn(&Call, &Viewer) -> Response),
    /// A read that waits for the disk or the writer.
    ViewerWaits(fn(Call, Viewer) -> ResponseFuture),
    ViewerWrites(fn(Call, Viewer) -> ResponseFuture),
    Admin(fn(&Call, &chat::Admin) -> Response),
    AdminWrites(fn(Call, chat::Admin) -> ResponseFuture),
    /// Reads the body itself, as a stream.
    Upload(fn(Call, Viewer, RequestBody) -> ResponseFuture),
    /// The same; it also authenticates the caller itself, by a key in the path.
    AnybodyUpload(fn(Call, RequestBody) -> ResponseFuture),
    /// `GET /ws`: the connection becomes a socket.
    Socket,
}

pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
}

use Handler::{
    Admin as AdminReads, AdminWrites, Anybody, AnybodyUpload, AnybodyWaits, AnybodyWrites, Socket, Upload,
    Viewer as ViewerReads, ViewerWaits, ViewerWrites,
};

const fn get(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::GET, path, handler }
}

const fn post(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::POST, path, handler }
}

const fn put(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::PUT, path, handler }
}

const fn patch(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::PATCH, path, handler }
}

const fn delete(path: &'static str, handler: Handler) -> Route {
    Route { method: Method::DELETE, path, handler }
}

pub(crate) static ROUTES: &[Route] = &[
    get("/health", Anybody(health::show)),
    get("/metrics", Anybody(health::metrics)),
    get("/api/openapi.json", Anybody(openapi::show)),
    get("/api/setup", Anybody(account::setup_needed)),
    post("/api/setup", AnybodyWrites(account::set_up)),
    post("/api/session", AnybodyWrites(session::create)),
    get("/api/session", ViewerReads(session::show)),
    delete("/api/session", ViewerWrites(session::destroy)),
    get("/api/sessions", ViewerReads(session::list)),
    delete("/api/sessions", ViewerWrites(session::destroy_others)),
    delete("/api/sessions/{id}", ViewerWrites(session::destroy_other)),
    post("/api/session/reset", AnybodyWrites(mail::reset)),
    post("/api/session/reset/{token}", AnybodyWrites(session::reset)),
    post("/api/session/transfer", ViewerWrites(session::start_transfer)),
    post("/api/session/transfer/{token}", AnybodyWrites(session::transfer)),
    post("/api/session/second_factor", AnybodyWrites(second_factors::finish)),
    get("/api/second_factor", ViewerReads(second_factors::show)),
    post("/api/second_factor", ViewerWrites(second_factors::begin)),
    put("/api/second_factor", ViewerWrites(second_factors::turn_on)),
    delete("/api/second_factor", ViewerWrites(second_factors::turn_off)),
    post("/api/second_factor/recovery_codes", ViewerWrites(second_factors::renew_codes)),
    delete("/api/users/{id}/second_factor", AdminWrites(second_factors::remove_of)),
    get("/signin/oidc/{provider}", AnybodyWaits(providers::begin)),
    get("/signin/oidc/{provider}/callback", AnybodyWaits(providers::finish)),
    get("/api/identities", ViewerReads(providers::list)),
    post("/api/identities/{provider}", ViewerWrites(providers::link)),
    delete("/api/identities/{id}", ViewerWrites(providers::unlink)),
    get("/api/users/{id}/identities", AdminReads(providers::list_of)),
    delete("/api/users/{id}/identities/{identity_id}", AdminWrites(providers::unlink_of)),
    get("/api/join/{code}", Anybody(account::invitation)),
    post("/api/join/{code}", AnybodyWrites(account::join)),
    get("/api/invitations", ViewerReads(invitations::list)),
    post("/api/invitations", ViewerWrites(invitations::create)),
    get("/api/invitations/{invitation}", Anybody(invitations::show)),
    post("/api/invitations/{invitation}", AnybodyWrites(invitations::accept)),
    delete("/api/invitations/{invitation}", ViewerWrites(invitations::revoke)),
    get("/api/account", ViewerReads(account::show)),
    patch("/api/account", AdminWrites(account::change)),
    post("/api/account/join_code", AdminWrites(account::renew_join_code)),
    get("/api/account/logo", Anybody(pictures::logo)),
    put("/api/account/logo", Upload(pictures::put_logo)),
    delete("/api/account/logo", AdminWrites(pictures::remove_logo)),
    get("/api/users", ViewerReads(users::list)),
    get("/api/users/{id}", ViewerReads(users::show)),
    patch("/api/users/{id}", ViewerWrites(users::change)),
    delete("/api/users/{id}", ViewerWrites(users::deactivate)),
    put("/api/users/{id}/avatar", Upload(pictures::put_avatar)),
    delete("/api/users/{id}/avatar", ViewerWrites(pictures::remove_avatar)),
    get("/avatars/{id}", ViewerWaits(pictures::avatar)),
    post("/api/users/{id}/invitation", AdminWrites(users::invite)),
    post("/api/users/{id}/sign_in_link", AdminWrites(sign_ins::start)),
    get("/api/users/{id}/sessions", AdminReads(sign_ins::sessions)),
    delete("/api/users/{id}/sessions", AdminWrites(sign_ins::end_all)),
    delete("/api/users/{id}/sessions/{session_id}", AdminWrites(sign_ins::end)),
    get("/api/sign_ins", AdminReads(sign_ins::list)),
    get("/api/sign_ins/failed", AdminReads(sign_ins::failed)),
    post("/api/users/{id}/invitation/mail", AdminWrites(mail::invite)),
    post("/api/users/{id}/ban", AdminWrites(users::ban)),
    delete("/api/users/{id}/ban", AdminWrites(users::lift_ban)),
    get("/api/rooms", ViewerReads(rooms::list)),
    post("/api/rooms", ViewerWrites(rooms::create)),
    get("/api/rooms/{id}", ViewerReads(rooms::show)),
    patch("/api/rooms/{id}", ViewerWrites(rooms::change)),
    delete("/api/rooms/{id}", ViewerWrites(rooms::destroy)),
    get("/api/rooms/{id}/members", ViewerReads(rooms::members)),
    put("/api/rooms/{id}/members", ViewerWrites(rooms::replace_members)),
    post("/api/rooms/{id}/members/{user_id}", ViewerWrites(rooms::add_member)),
    delete("/api/rooms/{id}/members/{user_id}", ViewerWrites(rooms::remove_member)),
    put("/api/rooms/{id}/involvement", ViewerWrites(rooms::involve)),
    post("/api/rooms/{id}/read", ViewerWrites(rooms::mark_read)),
    get("/api/rooms/{id}/messages", ViewerReads(messages::page)),
    post("/api/messages", ViewerWrites(messages::create)),
    get("/api/messages/{id}", ViewerReads(messages::show)),
    patch("/api/messages/{id}", ViewerWrites(messages::edit)),
    delete("/api/messages/{id}", ViewerWrites(messages::destroy)),
    delete("/api/messages/{id}/embeds/{place}", ViewerWrites(messages::remove_embed)),
    post("/api/messages/{id}/boosts", ViewerWrites(boosts::create)),
    delete("/api/boosts/{id}", ViewerWrites(boosts::destroy)),
    post("/api/rooms/{id}/attachments", Upload(upload::create)),
    get("/files/{id}/{filename}", ViewerWaits(files::show)),
    get("/embeds/{key}", ViewerReads(pictures::embed)),
    get("/api/sounds", ViewerReads(pictures::sounds)),
    get("/sounds/{name}", Anybody(pictures::sound)),
    get("/api/emoji", ViewerReads(emoji::list)),
    put("/api/emoji/{name}", Upload(emoji::put)),
    delete("/api/emoji/{name}", AdminWrites(emoji::remove)),
    get("/emoji/{name}", ViewerReads(emoji::show)),
    get("/api/search", ViewerReads(search::search)),
    get("/api/searches", ViewerWaits(search::recent)),
    delete("/api/searches", ViewerWrites(search::forget)),
    get("/api/sync", ViewerReads(sync::show)),
    get("/api/bots", AdminReads(bots::list)),
    post("/api/bots", AdminWrites(bots::create)),
    get("/api/bots/{id}", AdminReads(bots::show)),
    patch("/api/bots/{id}", AdminWrites(bots::change)),
    delete("/api/bots/{id}", AdminWrites(bots::destroy)),
    post("/api/bots/{id}/key", AdminWrites(bots::renew_key)),
    get("/api/hooks", AdminReads(hooks::list)),
    post("/api/hooks", AdminWrites(hooks::create)),
    patch("/api/hooks/{id}", AdminWrites(hooks::change)),
    delete("/api/hooks/{id}", AdminWrites(hooks::destroy)),
    post("/hooks/{token}", AnybodyUpload(hooks::receive)),
    // The bot API of ONCE Campfire.
    get("/rooms/{room_id}/{bot_key}/messages", AnybodyUpload(once::list)),
    post("/rooms/{room_id}/{bot_key}/messages", AnybodyUpload(once::create)),
    put("/rooms/{room_id}/{bot_key}/messages/{message_id}", AnybodyUpload(once::edit)),
    patch("/rooms/{room_id}/{bot_key}/messages/{message_id}", AnybodyUpload(once::edit)),
    delete("/rooms/{room_id}/{bot_key}/messages/{message_id}", AnybodyUpload(once::destroy)),
    post("/rooms/{room_id}/{bot_key}/messages/{message_id}/boosts", AnybodyUpload(once::boost)),
    delete("/rooms/{room_id}/{bot_key}/messages/{message_id}/boosts/{id}", AnybodyUpload(once::remove_boost)),
    get("/api/tokens", ViewerReads(tokens::list)),
    post("/api/tokens", ViewerWrites(tokens::create)),
    delete("/api/tokens/{id}", ViewerWrites(tokens::destroy)),
    get("/api/push/key", ViewerReads(push::key)),
    get("/api/push/subscriptions", ViewerReads(push::list)),
    post("/api/push/subscriptions", ViewerWrites(push::create)),
    delete("/api/push/subscriptions/{id}", ViewerWrites(push::destroy)),
    post("/api/push/subscriptions/{id}/test", ViewerWrites(push::test)),
    get("/api/mail", ViewerReads(mail::show)),
    put("/api/mail", ViewerWrites(mail::change)),
    delete("/api/mail/refusal", ViewerWrites(mail::trust)),
    post("/api/mail/test", ViewerWrites(mail::test)),
    get("/unsubscribe/{token}", Anybody(mail::ask_to_end)),
    post("/unsubscribe/{token}", AnybodyUpload(mail::end)),
    get("/api/export", AdminReads(export::show)),
    get("/api/audit", AdminReads(admin::audit)),
    get("/api/jobs", AdminReads(admin::jobs)),
    post("/api/jobs/{id}/retry", AdminWrites(admin::retry_job)),
    delete("/api/jobs/{id}", AdminWrites(admin::drop_job)),
    get("/ws", Socket),
    // The page, at every URL that a person can open, and its assets.
    get("/", Anybody(pages::page)),
    get("/setup", Anybody(pages::page)),
    get("/signin", Anybody(pages::page)),
    get("/join/{code}", Anybody(pages::page)),
    get("/reset/{token}", Anybody(pages::page)),
    get("/transfer/{token}", Anybody(pages::page)),
    get("/invite/{token}", Anybody(pages::page)),
    get("/rooms/{id}", Anybody(pages::page)),
    get("/rooms/{id}/{message}", Anybody(pages::page)),
    get("/messages/{id}", Anybody(once::show)),
    get("/search", Anybody(pages::page)),
    get("/settings", Anybody(pages::page)),
    get("/settings/{section}", Anybody(pages::page)),
    get("/assets/{name}", Anybody(pages::asset)),
    get("/favicon.ico", Anybody(pages::asset)),
    get("/favicon.svg", Anybody(pages::asset)),
    get("/apple-touch-icon.png", AnybodyWaits(icons::icon)),
    get("/icons/{name}", AnybodyWaits(icons::icon)),
    get("/manifest.webmanifest", Anybody(icons::manifest)),
    get("/sw.js", Anybody(pages::asset)),
    // Addresses of ONCE Campfire, on the host that it was moved from.
    get("/up", Anybody(health::up)),
    get("/service-worker.js", Anybody(pages::service_worker)),
    get("/service-worker", Anybody(pages::service_worker)),
    get("/webmanifest", Anybody(icons::manifest)),
    get("/webmanifest.json", Anybody(icons::manifest)),
    get("/session/new", Anybody(moved::sign_in)),
    get("/session/transfers/{id}", Anybody(moved::sign_in)),
    get("/first_run", Anybody(moved::set_up)),
    get("/searches", Anybody(moved::search)),
    get("/users/{id}", Anybody(moved::home)),
    get("/users/{id}/avatar", Anybody(moved::avatar)),
    get("/users/{id}/{page}", Anybody(moved::mine)),
    get("/rooms/{id}/messages/{message}", Anybody(moved::message)),
    get("/rooms/{kind}/{id}/edit", Anybody(moved::room)),
    get("/account", Anybody(moved::account)),
    get("/account/{page}", Anybody(moved::account)),
    get("/account/{page}/new", Anybody(moved::account)),
    get("/account/{page}/edit", Anybody(moved::account)),
    get("/account/{page}/{id}/edit", Anybody(moved::account)),
];

/// The route of a request, with its index in the table.
pub(crate) struct Found {
    pub(crate) place: usize,
    pub(crate) route: &'static Route,
    pub(crate) params: Params,
}

/// The ranges of the values of placeholders in the path.
pub(crate) type Params = SmallVec<[Range<usize>; 2]>;

/// Finds the route of a request; HEAD is treated as GET. 404 for an unknown path, 405 for another method.
pub(crate) fn find(method: &Method, path: &str) -> Result<Found, Problem> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let segments: SmallVec<[&str; 8]> = path.split('/').skip(1).collect();
    let mut allowed: SmallVec<[&Method; 4]> = SmallVec::new();
    for (place, (route, pattern)) in ROUTES.iter().zip(patterns()).enumerate() {
        if !pattern.matches(&segments) {
            continue;
        }
        if route.method != *method {
            allowed.push(&route.method);
            continue;
        }
        let range = |segment: &str| {
            let start = segment.as_ptr() as usize - path.as_ptr() as usize;
            start..start + segment.len()
        };
        let params = pattern.params.iter().map(|place| range(segments[*place])).collect();
        return Ok(Found { place, route, params });
    }
    if allowed.is_empty() {
        return Err(Problem::not_found());
    }
    let mut names: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
    if allowed.contains(&&Method::GET) {
        names.push("HEAD");
    }
    Err(Problem::method_not_allowed(names.join(", ")))
}

/// A parsed path of a route.
struct Pattern {
    /// None where there is a placeholder.
    segments: Vec<Option<&'static str>>,
    params: SmallVec<[usize; 2]>,
}

impl Pattern {
    fn matches(&self, segments: &[&str]) -> bool {
        // From the end, since the last segments differ most.
        self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).rev().all(|(pattern, segment)| match pattern {
                Some(literal) => literal == segment,
                None => !segment.is_empty(),
            })
    }
}

fn patterns() -> &'static [Pattern] {
    static PATTERNS: std::sync::LazyLock<Vec<Pattern>> = std::sync::LazyLock::new(|| {
        let parsed = |route: &Route| {
            let segments: Vec<_> =
                route.path.split('/').skip(1).map(|part| (!part.starts_with('{')).then_some(part)).collect();
            let params = segments
                .iter()
                .enumerate()
                .filter(|(_, part)| part.is_none())
                .map(|(place, _)| place)
                .collect();
            Pattern { segments, params }
        };
        ROUTES.iter().map(parsed).collect()
    });
    &PATTERNS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_found_at_their_own_paths() {
        for route in ROUTES {
            let path = route.path.replace(['{', '}'], "");
            let found = find(&route.method, &path).unwrap_or_else(|_| panic!("{path} is not found"));
            assert_eq!(found.route.path, route.path);
            assert_eq!(found.params.len(), route.path.matches('{').count());
        }
    }

    #[test]
    fn wrong_method_is_answered_with_the_allowed_ones() {
        let problem = find(&Method::PUT, "/api/messages/7").err().unwrap();
        assert_eq!((problem.status, problem.allow.as_deref()), (405, Some("GET, PATCH, DELETE, HEAD")));
        assert_eq!(find(&Method::GET, "/api/messages/").err().unwrap().status, 404);
        assert_eq!(find(&Method::GET, "//").err().unwrap().status, 404);
    }
}
