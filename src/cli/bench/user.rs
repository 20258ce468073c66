//! A user: somebody with a connection for requests, or a socket, or both.

use std::{
    cell::RefMut,
    future::poll_fn,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::time::{timeout, timeout_at};

use super::{
    delivery::Marker,
    http::{Connection, Fault, request},
    pace::Turn,
    run::{PATIENCE, Run},
    scenario::{Check, word, words},
    socket::{Said, Socket},
    tally::{Failure, Kind, Tally},
};

/// One in so many answers and deliveries is looked at closely.
const THOROUGH: u64 = 32;

impl Run {
    /// Users come one after the other, evenly over the ramp.
    async fn comes(&self, user: usize) {
        let after = self.pacer.plan.ramp * user as f64 / self.users as f64;
        let moment = self.pacer.start + Duration::from_secs_f64(after);
        if moment > Instant::now() {
            tokio::time::sleep_until(moment.into()).await;
        }
    }

    fn tally(&self) -> RefMut<'_, Tally> {
        self.tally.borrow_mut()
    }

    /// Since the turn's request was due.
    fn record(&self, kind: Kind, turn: &Turn, result: Result<(), Failure>) {
        self.tally().record(kind, turn.due.elapsed(), result, self.pacer.is_judged(turn.due));
    }

    fn starts(&self, turn: &Turn) {
        self.busy.set(self.busy.get() + 1);
        if turn.is_early {
            self.tally().lateness.record(turn.due.elapsed());
        }
    }

    fn ends(&self) {
        self.busy.set(self.busy.get() - 1);
    }

    /// A message of this user, about to go out: its marker.
    fn compose(&self, room: usize, user: usize, turn: &Turn) -> Marker {
        let number = self.tally().deliveries.send(room, user);
        let due = turn.due.saturating_duration_since(self.pacer.start).as_nanos() as u64;
        Marker { run: self.id, room, number, sender: user, due }
    }
}

impl Marker {
    fn content(&self) -> String {
        format!("{} {}", self.write(), words(self.number))
    }

    /// Sent along, so that asking again does not post again.
    fn client_id(&self) -> String {
        format!("{:08x}-{}-{}", self.run, self.room, self.number)
    }
}

/// Somebody who asks over HTTP.
pub(super) async fn visit(run: Rc<Run>, user: usize) {
    run.comes(user).await;
    let mut visitor = Visitor { run: &run, user, connection: None };
    // There before the first request is due, as people are.
    if let Ok(Err(failure)) = timeout(PATIENCE, visitor.connect()).await {
        run.tally().fail(&failure);
    }
    while let Some(turn) = run.pacer.take() {
        if !turn.comes(&run.pacer).await {
            break;
        }
        run.starts(&turn);
        let kind = run.scenario.kind(turn.number);
        let result = match timeout(PATIENCE, visitor.ask(kind, &turn)).await {
            Ok(result) => result,
            Err(_) => {
                visitor.disconnect();
                Err(Failure::Timeout)
            }
        };
        run.record(kind, &turn, result);
        run.ends();
    }
    // Stays until all have had their turn.
    std::future::pending::<()>().await;
}

struct Visitor<'a> {
    run: &'a Run,
    user: usize,
    connection: Option<Connection>,
}

impl Visitor<'_> {
    async fn connect(&mut self) -> Result<(), Failure> {
        let _permit = self.run.opening.acquire().await;
        let opened = Connection::open(&self.run.target).await;
        self.connection = Some(opened.map_err(|error| Failure::Connection(error.to_string()))?);
        self.run.connected.add();
        Ok(())
    }

    fn disconnect(&mut self) {
        if self.connection.take().is_some() {
            self.run.connected.remove();
        }
    }

    async fn ask(&mut self, kind: Kind, turn: &Turn) -> Result<(), Failure> {
        let (run, host) = (self.run, &*self.run.target.host);
        let thorough = turn.number.is_multiple_of(THOROUGH);
        let mut check = Check { kind, thorough, room: 0, wanted: "", may_be_empty: !run.people.is_furnished };
        if kind == Kind::Health {
            return self.answered(&request("GET", "/health", host, "", ""), &check).await;
        }
        // Whose turn it is goes round, so that nobody posts more than another, whichever user is free. In the mixed
        // scenario posts come every tenth time, and would otherwise fall to a tenth of the people.
        let people = &run.people;
        let account = ((turn.number + turn.number / 10) % people.tokens.len() as u64) as usize;
        let (token, room) = (&people.tokens[account], people.room_of(account));
        check.room = people.rooms[room];
        match kind {
            Kind::List => {
                let path = format!("/api/rooms/{}/messages", check.room);
                self.answered(&request("GET", &path, host, token, ""), &check).await
            }
            Kind::Search => {
                check.wanted = word(turn.number);
                let path = format!("/api/search?q={}", check.wanted);
                self.answered(&request("GET", &path, host, token, ""), &check).await
            }
            _ => {
                let marker = run.compose(room, self.user, turn);
                let body = format!(
                    r#"{{"room_id":{},"client_message_id":"{}","content":"{}"}}"#,
                    check.room,
                    marker.client_id(),
                    marker.content()
                );
                let wanted = marker.write();
                check.wanted = &wanted;
                self.answered(&request("POST", "/api/messages", host, token, &body), &check).await?;
                run.tally().deliveries.promise(room, marker.number);
                Ok(())
            }
        }
    }

    /// Asks, on a new connection if the server has closed the last one for waiting too long.
    async fn answered(&mut self, request: &str, check: &Check<'_>) -> Result<(), Failure> {
        for is_last in [false, true] {
            if self.connection.is_none() {
                self.connect().await?;
            }
            let Some(connection) = &mut self.connection else { continue };
            let failure = match connection.ask(request.as_bytes()).await {
                Ok(reply) => return check.answer(reply.status, reply.body),
                Err(Fault::Stale) if !is_last => {
                    self.disconnect();
                    continue;
                }
                Err(Fault::Stale) => Failure::Connection("the server closes every connection".into()),
                Err(Fault::Broken(error)) => Failure::Connection(error.to_string()),
                Err(Fault::Malformed(why)) => Failure::Wrong(why),
            };
            self.disconnect();
            return Err(failure);
        }
        Err(Failure::Connection("the server closes every connection".into()))
    }
}

/// Somebody with a socket in a room, who says something in the scenario of sockets, and otherwise listens.
pub(super) async fn hold(run: Rc<Run>, user: usize) {
    run.comes(user).await;
    let account = user % run.people.tokens.len();
    let room = run.people.room_of(account);
    let opening = async {
        let _permit = run.opening.acquire().await;
        Socket::open(&run.target, &run.people.tokens[account]).await
    };
    let mut socket = match timeout(PATIENCE, opening).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(why)) => return run.tally().fail(&Failure::Connection(why)),
        Err(_) => return run.tally().fail(&Failure::Timeout),
    };
    run.sockets.add();
    socket.say(&format!(r#"{{"type":"join_room","room_id":{}}}"#, run.people.rooms[room]));
    let talks = !run.scenario.has_http();
    let mut listener =
        Listener { run: &run, room, receiver: None, heard: user as u64, pending: None, answer: None };
    let mut turn = None;
    loop {
        let waits = listener.pending.is_some();
        if talks && turn.is_none() && !waits && listener.receiver.is_some() {
            turn = run.pacer.take();
        }
        let deadline = listener.pending.as_ref().map(|pending| pending.deadline);
        let next = poll_fn(|cx| {
            let mut scratch = run.scratch.borrow_mut();
            let joined = listener.receiver.is_some();
            if let Poll::Ready(why) = socket.poll(cx, &mut scratch, &mut |text| listener.hear(text)) {
                return Poll::Ready(Next::Lost(why));
            }
            if listener.answer.is_some() || listener.receiver.is_some() != joined {
                return Poll::Ready(Next::Heard);
            }
            match &turn {
                Some(turn) if !waits && turn.poll(&run.pacer, cx).is_ready() => Poll::Ready(Next::Turn),
                _ => Poll::Pending,
            }
        });
        let next = match deadline {
            Some(deadline) => timeout_at(deadline.into(), next).await.unwrap_or(Next::Overdue),
            None => next.await,
        };
        match next {
            Next::Lost(why) => {
                run.sockets.remove();
                if let Some(receiver) = listener.receiver {
                    run.tally().deliveries.lose(receiver);
                }
                let failure = Failure::Connection(why);
                return match listener.pending.take() {
                    Some(pending) => {
                        run.record(Kind::Message, &pending.turn, Err(failure));
                        run.ends();
                    }
                    None => run.tally().fail(&failure),
                };
            }
            Next::Heard | Next::Overdue => {
                let result = match (listener.answer.take(), next) {
                    (Some(result), _) => result,
                    (None, Next::Overdue) => Err(Failure::Timeout),
                    _ => continue,
                };
                let Some(pending) = listener.pending.take() else { continue };
                if result.is_ok() {
                    run.tally().deliveries.promise(room, pending.marker.number);
                }
                run.record(Kind::Message, &pending.turn, result);
                run.ends();
            }
            Next::Turn => {
                let Some(turn) = turn.take().filter(|turn| turn.due < run.pacer.end()) else { continue };
                run.starts(&turn);
                let marker = run.compose(room, user, &turn);
                socket.say(&format!(
                    r#"{{"type":"message","room_id":{},"client_message_id":"{}","content":"{}"}}"#,
                    run.people.rooms[room],
                    marker.client_id(),
                    marker.content()
                ));
                listener.pending = Some(Pending { turn, marker, deadline: Instant::now() + PATIENCE });
            }
        }
    }
}

/// Why a socket's task goes on.
enum Next {
    Heard,
    Turn,
    Overdue,
    Lost(String),
}

/// A message whose acknowledgement is waited for.
struct Pending {
    turn: Turn,
    marker: Marker,
    deadline: Instant,
}

/// Keeps the books of what a socket hears.
struct Listener<'a> {
    run: &'a Run,
    room: usize,
    receiver: Option<usize>,
    heard: u64,
    pending: Option<Pending>,
    answer: Option<Result<(), Failure>>,
}

impl Listener<'_> {
    fn hear(&mut self, text: &[u8]) {
        self.heard += 1;
        let run = self.run;
        let mut tally = run.tally();
        let is_ours =
            |id: &str| self.pending.as_ref().is_some_and(|pending| pending.marker.client_id() == id);
        match (Said::read(text, self.heard.is_multiple_of(THOROUGH)), self.receiver) {
            (Said::Joined, None) => self.receiver = Some(tally.deliveries.join(self.room)),
            (Said::Created(marker, room), Some(receiver)) if marker.run == run.id => {
                if room.is_some_and(|room| room != run.people.rooms[self.room]) {
                    tally.deliveries.counts.wrong_room += 1;
                } else if tally.deliveries.receive(receiver, &marker) {
                    let due = run.pacer.start + Duration::from_nanos(marker.due);
                    tally.record_delivery(due.elapsed(), run.pacer.is_judged(due));
                }
            }
            (Said::Ack(id), _) if is_ours(&id) => self.answer = Some(Ok(())),
            (Said::Error(code, id), _) if id.as_ref().is_none_or(|id| is_ours(id)) => {
                let failure = Failure::Refused(code.into_owned());
                if self.pending.is_some() {
                    self.answer = Some(Err(failure));
                } else {
                    tally.fail(&failure);
                }
            }
            (Said::Resync, _) => tally.deliveries.counts.resyncs += 1,
            (Said::Unreadable, _) => tally.deliveries.counts.unreadable += 1,
            _ => {}
        }
    }
}
