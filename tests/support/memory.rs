//! A control group with a limit of memory, in which a server runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::campfire;

pub struct MemoryGroup {
    path: PathBuf,
    is_v2: bool,
}

impl MemoryGroup {
    /// A group that may use so many bytes. An error if this user may not make one.
    pub fn new(bytes: u64) -> std::io::Result<MemoryGroup> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("campfire-test-{}-{number}", std::process::id());
        let is_v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let root = Path::new(if is_v2 { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/memory" });
        let path = root.join(name);
        if is_v2 {
            // Fails if processes are in the root of a container; the group may have the controller all the same.
            let _ = std::fs::write(root.join("cgroup.subtree_control"), "+memory");
        }
        std::fs::create_dir(&path)?;
        let group = MemoryGroup { path, is_v2 };
        let limit = if is_v2 { "memory.max" } else { "memory.limit_in_bytes" };
        std::fs::write(group.path.join(limit), bytes.to_string())?;
        // Without swap, or the limit would only make it slow.
        let swap = if is_v2 { "memory.swap.max" } else { "memory.memsw.limit_in_bytes" };
        let _ = std::fs::write(group.path.join(swap), if is_v2 { "0".to_owned() } else { bytes.to_string() });
        Ok(group)
    }

    /// The binary, as a command that begins in this group.
    pub fn command(&self) -> Command {
        let binary = campfire();
        let mut command = Command::new("sh");
        for (name, value) in binary.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let procs = self.path.join("cgroup.procs");
        command.args(["-c", "echo $$ >\"$1\" && shift && exec \"$0\" \"$@\""]);
        command.arg(binary.get_program()).arg(procs);
        command
    }

    /// How often the kernel has killed a process of the group for want of memory.
    pub fn kills(&self) -> u64 {
        let file = if self.is_v2 { "memory.events" } else { "memory.oom_control" };
        let text = std::fs::read_to_string(self.path.join(file)).expect("the group's events");
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill ")).expect("a count");
        line.trim().parse().expect("a number")
    }

    /// The most memory that it has used.
    pub fn peak(&self) -> u64 {
        let file = if self.is_v2 { "memory.peak" } else { "memory.max_usage_in_bytes" };
        let text = std::fs::read_to_string(self.path.join(file)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // Fails while a process is in it; an empty group costs nothing.
        let _ = std::fs::remove_dir(&self.path);
    }
}
