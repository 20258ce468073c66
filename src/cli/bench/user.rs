//! The tasks of a user: one with an HTTP connection, one with a socket.

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
    socket::{Received, Socket},
    tally::{Failure, Kind, Tally},
};

/// One in this many responses and deliveries is checked thoroughly.
const THOROUGH_EVERY: u64 = 32;

impl Run {
    /// Waits until this user starts; users start evenly over the ramp.
    async fn wait_for_start(&self, user: usize) {
        let after = self.pacer.plan.ramp * user as f64 / self.users as f64;
        let moment = self.pacer.start + Duration::from_secs_f64(after);
        if moment > Instant::now() {
            tokio::time::sleep_until(moment.into()).await;
        }
    }

    fn tally(&self) -> RefMut<'_, Tally> {
        self.tally.borrow_mut()
    }

    /// Records the end of a request, with its latency since it was due.
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

    /// Adds a message of this user that is about to be sent, and returns its marker.
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

    /// The `client_message_id`, so that a retry does not post twice.
    fn client_id(&self) -> String {
        format!("{:08x}-{}-{}", self.run, self.room, self.number)
    }
}

/// Sends requests over HTTP.
pub(super) async fn visit(run: Rc<Run>, user: usize) {
    run.wait_for_start(user).await;
    let mut visitor = Visitor { run: &run, user, connection: None };
    // Connects before the first request is due.
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
    // Keeps the connection open until the run ends.
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
        let thorough = turn.number.is_multiple_of(THOROUGH_EVERY);
        let mut check = Check { kind, thorough, room: 0, wanted: "", may_be_empty: !run.people.has_messages };
        if kind == Kind::Health {
            return self.answered(&request("GET", "/health", host, "", ""), &check).await;
        }
        // Accounts take turns, so that all post equally, whichever user is free. The second term spreads the posts of the
        // mixed scenario, which are every tenth request, over all accounts.
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
                run.tally().deliveries.acknowledge(room, marker.number);
                Ok(())
            }
        }
    }

    /// Sends a request, on a new connection if the server has closed an idle one.
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

/// Holds a socket in a room and checks its deliveries. In the scenario `sockets` it also sends messages.
pub(super) async fn hold(run: Rc<Run>, user: usize) {
    run.wait_for_start(user).await;
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
    socket.send(&format!(r#"{{"type":"join_room","room_id":{}}}"#, run.people.rooms[room]));
    let sends = !run.scenario.has_http();
    let mut listener =
        Listener { run: &run, room, receiver: None, received: user as u64, pending: None, answer: None };
    let mut turn = None;
    loop {
        let waits = listener.pending.is_some();
        if sends && turn.is_none() && !waits && listener.receiver.is_some() {
            turn = run.pacer.take();
        }
        let deadline = listener.pending.as_ref().map(|pending| pending.deadline);
        let next = poll_fn(|cx| {
            let mut scratch = run.scratch.borrow_mut();
            let joined = listener.receiver.is_some();
            if let Poll::Ready(why) = socket.poll(cx, &mut scratch, &mut |text| listener.receive(text)) {
                return Poll::Ready(Next::Lost(why));
            }
            if listener.answer.is_some() || listener.receiver.is_some() != joined {
                return Poll::Ready(Next::Received);
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
            Next::Received | Next::Overdue => {
                let result = match (listener.answer.take(), next) {
                    (Some(result), _) => result,
                    (None, Next::Overdue) => Err(Failure::Timeout),
                    _ => continue,
                };
                let Some(pending) = listener.pending.take() else { continue };
                if result.is_ok() {
                    run.tally().deliveries.acknowledge(room, pending.marker.number);
                }
                run.record(Kind::Message, &pending.turn, result);
                run.ends();
            }
            Next::Turn => {
                let Some(turn) = turn.take().filter(|turn| turn.due < run.pacer.end()) else { continue };
                run.starts(&turn);
                let marker = run.compose(room, user, &turn);
                socket.send(&format!(
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

/// Why the task of a socket continues.
enum Next {
    Received,
    Turn,
    Overdue,
    Lost(String),
}

/// A message without an acknowledgement yet.
struct Pending {
    turn: Turn,
    marker: Marker,
    deadline: Instant,
}

/// Records what a socket receives.
struct Listener<'a> {
    run: &'a Run,
    room: usize,
    receiver: Option<usize>,
    received: u64,
    pending: Option<Pending>,
    answer: Option<Result<(), Failure>>,
}

impl Listener<'_> {
    fn receive(&mut self, text: &[u8]) {
        self.received += 1;
        let run = self.run;
        let mut tally = run.tally();
        let is_ours =
            |id: &str| self.pending.as_ref().is_some_and(|pending| pending.marker.client_id() == id);
        match (Received::read(text, self.received.is_multiple_of(THOROUGH_EVERY)), self.receiver) {
            (Received::Joined, None) => self.receiver = Some(tally.deliveries.join(self.room)),
            (Received::Created(marker, room), Some(receiver)) if marker.run == run.id => {
                if room.is_some_and(|room| room != run.people.rooms[self.room]) {
                    tally.deliveries.counts.wrong_room += 1;
                } else if tally.deliveries.receive(receiver, &marker) {
                    let due = run.pacer.start + Duration::from_nanos(marker.due);
                    tally.record_delivery(due.elapsed(), run.pacer.is_judged(due));
                }
            }
            (Received::Ack(id), _) if is_ours(&id) => self.answer = Some(Ok(())),
            (Received::Error(code, id), _) if id.as_ref().is_none_or(|id| is_ours(id)) => {
                let failure = Failure::Refused(code.into_owned());
                if self.pending.is_some() {
                    self.answer = Some(Err(failure));
                } else {
                    tally.fail(&failure);
                }
            }
            (Received::Resync, _) => tally.deliveries.counts.resyncs += 1,
            (Received::Unreadable, _) => tally.deliveries.counts.unreadable += 1,
            _ => {}
        }
    }
}
