//! How much memory this process may use, and the budget for what strangers make it hold.

use std::{
    collections::HashMap,
    fs,
    net::IpAddr,
    path::Path,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

/// Assumed where the kernel does not tell.
const UNKNOWN: u64 = 1 << 30;

/// Memory that this process may use, in bytes, read once.
pub(crate) fn limit() -> u64 {
    static LIMIT: LazyLock<u64> =
        LazyLock::new(|| limit_below(Path::new("/")).map_or(UNKNOWN, |(bytes, _)| bytes));
    *LIMIT
}

/// The same of a system whose files are below `root`, and whether its control group is what limits it. None if
/// /proc/meminfo does not tell.
pub(crate) fn limit_below(root: &Path) -> Option<(u64, bool)> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let machine = total.split_whitespace().next()?.parse::<u64>().ok()? << 10;
    let group = group_files(root, "memory", &["memory.max", "memory.high", "memory.limit_in_bytes"]);
    let limit = group.iter().filter_map(|text| text.parse().ok()).min().unwrap_or(u64::MAX);
    Some((machine.min(limit), limit < machine))
}

/// The contents of these files in this process's control group and in every group above it, in both versions of
/// control groups (admin-guide/cgroup-v2.rst, admin-guide/cgroup-v1/). A container sees its own group as the topmost.
pub(crate) fn group_files(root: &Path, controller: &str, names: &[&str]) -> Vec<String> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok().map(|text| text.trim().to_owned());
    let mut found = Vec::new();
    for line in read("proc/self/cgroup").unwrap_or_default().lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let mount = match controllers {
            "" => "sys/fs/cgroup".to_owned(),
            many if many.split(',').any(|it| it == controller) => format!("sys/fs/cgroup/{controller}"),
            _ => continue,
        };
        for group in Path::new(group.trim_start_matches('/')).ancestors() {
            let files = names.iter().filter_map(|name| read(&format!("{mount}/{}/{name}", group.display())));
            found.extend(files);
        }
    }
    found
}

/// For whom bytes are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    User(i64),
    /// See [`network_of`](crate::types::network_of).
    Network(IpAddr),
}

/// An owner may hold a budget's fourth part, so that nobody keeps the others from theirs.
const PART_OF_OWNER: usize = 4;

/// Bytes that may be held for one purpose, by all threads together.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    most: usize,
    by_owner: Mutex<HashMap<Owner, usize>>,
}

impl Budget {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), most, by_owner: Mutex::default() })
    }

    /// A part of memory, within these bounds.
    pub fn of_memory(part: u64, least: usize, most: usize) -> Arc<Self> {
        Self::new(usize::try_from(limit() / part).unwrap_or(most).clamp(least, most))
    }

    pub fn most(&self) -> usize {
        self.most
    }

    /// A share without bytes, for somebody or for nobody in particular.
    pub fn share(self: &Arc<Self>, owner: Option<Owner>) -> Share {
        Share { budget: Arc::clone(self), owner, bytes: 0 }
    }

    /// Whether more than half of it is used.
    pub fn is_scarce(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.most / 2
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<Owner, usize>> {
        // The lock is held for a change of one number.
        self.by_owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a budget; they are given back when this is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    owner: Option<Owner>,
    bytes: usize,
}

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Share {
    pub fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if let Some(owner) = self.owner {
            let mut owners = self.budget.owners();
            let held = owners.entry(owner).or_default();
            if *held + bytes > self.budget.most / PART_OF_OWNER && *held > 0 {
                return Err(Exhausted);
            }
            *held += bytes;
        }
        self.take(bytes).inspect_err(|_| self.give_back_to_owner(bytes))
    }

    fn give_back_to_owner(&self, bytes: usize) {
        let Some(owner) = self.owner.filter(|_| bytes > 0) else { return };
        let mut owners = self.budget.owners();
        if let Some(held) = owners.get_mut(&owner) {
            *held -= bytes;
            if *held == 0 {
                owners.remove(&owner);
            }
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.most {
            self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Exhausted);
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Share {
    /// The same bytes; they hold this share until the last copy of them is dropped.
    pub fn hold(self, bytes: Bytes) -> Bytes {
        struct Held(Bytes, #[expect(dead_code, reason = "given back when it is dropped")] Share);

        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Held(bytes, self))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
        self.give_back_to_owner(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_shared_and_given_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (budget.share(None), budget.share(None));
        assert_eq!((one.grow(60), other.grow(40)), (Ok(()), Ok(())));
        assert_eq!(other.grow(1), Err(Exhausted));
        drop(one);
        assert_eq!((other.grow(60), other.grow(1)), (Ok(()), Err(Exhausted)));
        let held = other.hold(Bytes::from_static(b"what waits for a client"));
        assert_eq!(held.clone(), "what waits for a client");
        assert_eq!(budget.used.load(Ordering::Relaxed), 100);
        drop(held);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn owner_gets_a_fourth_of_a_budget_or_one_piece() {
        let budget = Budget::new(100);
        let (ada, grace) = (Some(Owner::User(1)), Some(Owner::User(2)));
        let (mut first, mut second, mut of_grace) =
            (budget.share(ada), budget.share(ada), budget.share(grace));
        assert_eq!((first.grow(20), second.grow(6)), (Ok(()), Err(Exhausted)));
        assert_eq!((second.grow(5), second.grow(1)), (Ok(()), Err(Exhausted)));
        assert_eq!(of_grace.grow(60), Ok(()), "what is larger than a fourth alone");
        assert_eq!(of_grace.grow(1), Err(Exhausted));
        drop((first, of_grace));
        assert_eq!(second.grow(20), Ok(()));
        drop(second);
        assert!(budget.owners().is_empty() && budget.used.load(Ordering::Relaxed) == 0);
    }

    #[test]
    fn limit_is_the_least_of_the_machine_and_its_control_groups() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(limit_below(root.path()), None);
        write("proc/meminfo", "MemTotal:  1024 kB\n");
        write("proc/self/cgroup", "4:memory:/a/b\n0::/c\n");
        assert_eq!(limit_below(root.path()), Some((1 << 20, false)));
        write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n");
        write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
        write("sys/fs/cgroup/c/memory.max", "max\n");
        assert_eq!(limit_below(root.path()), Some((4096, true)));
        write("sys/fs/cgroup/memory.max", "2048\n");
        assert_eq!(limit_below(root.path()), Some((2048, true)));
    }
}
