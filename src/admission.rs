//! Bounds the open connections, HTTP and WebSocket, in all and of each network.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The open connections of one process, counted by all workers.
#[derive(Debug)]
pub struct Admission {
    bounds: Bounds,
    open: AtomicUsize,
    /// Those of them that are not WebSockets.
    http: AtomicUsize,
    /// The connections of each network. One without connections is not stored, so there are at most `most`.
    networks: Mutex<HashMap<IpAddr, usize>>,
}

/// The most connections that may be open.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub in_all: usize,
    /// Those that are not WebSockets, which take much more memory.
    pub http: usize,
    /// Those of one network; 0 for no such bound.
    pub of_network: usize,
}

/// Why a connection was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Full,
    FullForNetwork,
}

/// An admitted connection; it counts until this is dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    network: Option<IpAddr>,
    is_http: bool,
}

impl Admission {
    pub fn new(bounds: Bounds) -> Self {
        let none = || AtomicUsize::new(0);
        Self { bounds, open: none(), http: none(), networks: Mutex::default() }
    }

    /// Counts a connection, and one of its network (see `network_of`) unless that is None.
    pub fn admit(self: &Arc<Self>, network: Option<IpAddr>) -> Result<Permit, Refused> {
        let open = self.open.fetch_add(1, Ordering::Relaxed);
        let http = self.http.fetch_add(1, Ordering::Relaxed);
        // From here on dropping it undoes the count.
        let mut permit = Permit { admission: Arc::clone(self), network: None, is_http: true };
        if open >= self.bounds.in_all || http >= self.bounds.http {
            return Err(Refused::Full);
        }
        let most = self.bounds.of_network;
        if let Some(network) = network.filter(|_| most > 0) {
            let mut networks = self.networks();
            let count = networks.entry(network).or_default();
            if *count >= most {
                drop(networks);
                return Err(Refused::FullForNetwork);
            }
            *count += 1;
            permit.network = Some(network);
        }
        Ok(permit)
    }

    fn networks(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The connection has become a WebSocket.
    pub fn of_socket(mut self) -> Self {
        self.leave_http();
        self
    }

    fn leave_http(&mut self) {
        if std::mem::take(&mut self.is_http) {
            self.admission.http.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.leave_http();
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
        let Some(network) = self.network else { return };
        let mut networks = self.admission.networks();
        if let Some(count) = networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                networks.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::network_of;

    fn admission(in_all: usize, http: usize, of_network: usize) -> Arc<Admission> {
        Arc::new(Admission::new(Bounds { in_all, http, of_network }))
    }

    fn network(address: &str) -> Option<IpAddr> {
        Some(network_of(address.parse().unwrap()))
    }

    /// B22.
    #[test]
    fn connections_are_bounded_in_all_and_by_network() {
        let admission = admission(4, 4, 2);
        let admit = |address: &str| admission.admit(network(address));
        let first = admit("203.0.113.9").unwrap();
        let _second = admit("::ffff:203.0.113.9").unwrap();
        assert_eq!(admit("203.0.113.9").unwrap_err(), Refused::FullForNetwork);
        let _other = admit("203.0.113.10").unwrap();
        let _exempt = admission.admit(None).unwrap();
        assert_eq!(admission.admit(None).unwrap_err(), Refused::Full);
        assert_eq!(admit("198.51.100.1").unwrap_err(), Refused::Full);
        drop(first);
        let _again = admit("203.0.113.9").expect("what has ended does not count");
    }

    /// B22.
    #[test]
    fn connections_from_one_ipv6_network_count_together() {
        let admission = admission(100, 100, 1);
        let first = admission.admit(network("2001:db8:1:2::3")).unwrap();
        assert_eq!(admission.admit(network("2001:db8:1:2:ffff::")).unwrap_err(), Refused::FullForNetwork);
        let other = admission.admit(network("2001:db8:1:3::3")).unwrap();
        drop((first, other));
        assert!(admission.networks().is_empty(), "a network without connections is forgotten");
        assert_eq!(admission.open.load(Ordering::Relaxed), 0, "a refused one does not count");
    }

    /// B22.
    #[test]
    fn connections_that_are_no_sockets_have_a_bound_of_their_own() {
        let admission = admission(3, 2, 0);
        let (first, _second) = (admission.admit(None).unwrap(), admission.admit(None).unwrap());
        assert_eq!(admission.admit(None).unwrap_err(), Refused::Full);
        let socket = first.of_socket();
        let third = admission.admit(None).unwrap().of_socket();
        assert_eq!(admission.admit(None).unwrap_err(), Refused::Full, "a socket counts in all");
        drop((socket, third));
        assert_eq!(admission.http.load(Ordering::Relaxed), 1);
        assert_eq!(admission.open.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn bound_of_a_network_can_be_left_out() {
        let admission = admission(3, 3, 0);
        let all: Vec<_> = (0..3).map(|_| admission.admit(network("203.0.113.9")).unwrap()).collect();
        assert_eq!(admission.admit(network("203.0.113.9")).unwrap_err(), Refused::Full);
        drop(all);
    }
}
