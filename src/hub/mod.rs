//! The hub: the sockets of one worker, indexed by room and by user. A committed event is encoded once per encoding,
//! and the frame is pushed to the queues of all sockets that receive it.

mod audience;
mod budget;
mod closing;
mod drain;
mod heartbeat;
mod presence;
mod queue;
mod socket;
mod writing;

use std::{collections::VecDeque, rc::Rc, sync::Arc, time::Instant};

use smallvec::SmallVec;

use self::{
    audience::{Audience, Run},
    presence::Presence,
};
pub(crate) use self::{
    closing::SIGNED_OUT,
    heartbeat::HEARTBEAT_S,
    queue::Replay,
    socket::{Socket, SocketId},
};
use crate::{
    metrics::WorkerMetrics,
    transport::Transport,
    types::{IdMap, RoomId, Seq, SessionId, UserId, event::EphemeralEvent},
    wire::frame::Encoding,
};

pub struct Hub {
    sockets: Vec<Option<Socket>>,
    free: Vec<u32>,
    rooms: IdMap<RoomId, Audience>,
    users: IdMap<UserId, SmallVec<[u32; 2]>>,
    /// Sockets with queued frames.
    dirty: VecDeque<u32>,
    /// Sockets that want the next piece of a replay.
    awaiting_replay: VecDeque<SocketId>,
    /// Sockets that lag or are being closed; checked once a second.
    slow: Vec<SocketId>,
    presence: Presence,
    /// Events about this worker's sockets that go to all workers.
    pub(crate) outbox: Vec<EphemeralEvent>,
    run: Run,
    /// Set while the server stops.
    draining: Option<drain::Draining>,
    /// Incremented whenever joined rooms, memberships or sockets may have changed.
    generation: u64,
    /// Incremented whenever the worker takes what was committed.
    pub(crate) turn: u32,
    serial: u32,
    /// Seconds since the start, as of the last tick.
    pub(crate) clock: u32,
    pub(crate) seq: Seq,
    metrics: Arc<WorkerMetrics>,
}

fn place(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Json => 0,
        Encoding::MessagePack => 1,
    }
}

const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::MessagePack];

impl Hub {
    pub(crate) fn new(metrics: Arc<WorkerMetrics>) -> Self {
        Self {
            sockets: Vec::new(),
            free: Vec::new(),
            rooms: IdMap::default(),
            users: IdMap::default(),
            dirty: VecDeque::new(),
            awaiting_replay: VecDeque::new(),
            slow: Vec::new(),
            presence: Presence::default(),
            outbox: Vec::new(),
            run: Run::default(),
            draining: None,
            generation: 1,
            turn: 0,
            serial: 0,
            clock: 0,
            seq: Seq(0),
            metrics,
        }
    }

    pub(crate) fn add(
        &mut self,
        user: UserId,
        session: SessionId,
        encoding: Encoding,
        stream: Rc<Transport>,
    ) -> SocketId {
        self.serial = self.serial.wrapping_add(1);
        self.generation += 1;
        let socket = Socket::new(self.serial, user, session, encoding, stream, self.clock);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.sockets[slot as usize] = Some(socket);
                slot
            }
            None => {
                self.sockets.push(Some(socket));
                (self.sockets.len() - 1) as u32
            }
        };
        self.users.entry(user).or_default().push(slot);
        self.metrics.sockets.add(1);
        SocketId { slot, serial: self.serial }
    }

    /// Removes a socket whose connection has ended. Presence counts it for a grace period: see [`Self::tick`].
    pub(crate) fn remove(&mut self, id: SocketId) {
        if self.socket(id).is_none() {
            return;
        }
        let Some(socket) = self.sockets[id.slot as usize].take() else { return };
        self.generation += 1;
        for room in &socket.joined {
            self.remove_from_audience(*room, id.slot, socket.encoding);
        }
        if let Some(slots) = self.users.get_mut(&socket.user) {
            slots.retain(|slot| *slot != id.slot);
            if slots.is_empty() {
                self.users.remove(&socket.user);
            }
        }
        self.free.push(id.slot);
        self.metrics.sockets.set(self.metrics.sockets.get() - 1);
        self.presence.depart(socket.user, socket.joined.to_vec(), Instant::now());
    }

    pub(crate) fn socket(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets.get_mut(id.slot as usize)?.as_mut().filter(|socket| socket.serial == id.serial)
    }

    /// Joins a room; true if the socket had not joined it. The room becomes the last one joined in either case.
    pub(crate) fn join(&mut self, id: SocketId, room: RoomId) -> bool {
        let Some(socket) = self.socket(id) else { return false };
        let known = socket.joined.iter().position(|joined| *joined == room);
        if let Some(place) = known {
            socket.joined.remove(place);
        }
        socket.joined.push(room);
        if known.is_some() {
            return false;
        }
        let encoding = socket.encoding;
        self.rooms.entry(room).or_default().joined[place(encoding)].push(id.slot);
        self.generation += 1;
        self.metrics.rooms.set(self.rooms.len() as u64);
        true
    }

    /// Leaves a room; true if the socket had joined it.
    pub(crate) fn leave(&mut self, id: SocketId, room: RoomId) -> bool {
        let Some(socket) = self.socket(id) else { return false };
        let Some(place) = socket.joined.iter().position(|joined| *joined == room) else { return false };
        socket.joined.remove(place);
        socket.queue.drop_replays(room);
        let encoding = socket.encoding;
        self.remove_from_audience(room, id.slot, encoding);
        self.generation += 1;
        true
    }

    fn remove_from_audience(&mut self, room: RoomId, slot: u32, encoding: Encoding) {
        let Some(audience) = self.rooms.get_mut(&room) else { return };
        let list = &mut audience.joined[place(encoding)];
        if let Some(found) = list.iter().position(|listed| *listed == slot) {
            list.swap_remove(found);
        }
        if audience.joined.iter().all(Vec::is_empty) {
            self.rooms.remove(&room);
        }
        self.metrics.rooms.set(self.rooms.len() as u64);
    }

    /// Makes the sockets of the users for whom `who` is true leave a room.
    fn remove_from_room(&mut self, room: RoomId, who: impl Fn(UserId) -> bool) {
        self.generation += 1;
        let Some(audience) = self.rooms.get(&room) else { return };
        let slots: Vec<u32> = audience.joined.iter().flatten().copied().collect();
        for slot in slots {
            let Some(socket) = self.sockets[slot as usize].as_ref().filter(|socket| who(socket.user)) else {
                continue;
            };
            let (user, id) = (socket.user, SocketId { slot, serial: socket.serial });
            self.leave(id, room);
            self.outbox.push(EphemeralEvent::Present { room, user, change: -1 });
        }
    }

    fn ids(&self, wanted: impl Fn(&Socket) -> bool) -> Vec<SocketId> {
        let found = self.sockets.iter().enumerate().filter_map(|(slot, socket)| {
            socket
                .as_ref()
                .filter(|socket| wanted(socket))
                .map(|socket| SocketId { slot: slot as u32, serial: socket.serial })
        });
        found.collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}
