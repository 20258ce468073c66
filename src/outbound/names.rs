//! Host names and their addresses, from the configured name servers or those of the system.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RecordType,
    system_conf::parse_resolv_conf,
};
use tokio::time::sleep;

use super::{CallError, failed};

/// From here on the addresses of one family will do. Some name servers drop questions for AAAA, and their timeout is
/// longer than a call may take.
const BOTH_FAMILIES_WITHIN: Duration = Duration::from_millis(500);

const HOSTS: &str = "/etc/hosts";

pub(super) struct Names {
    /// Empty: those of `resolv_conf`.
    servers: Vec<SocketAddr>,
    resolv_conf: PathBuf,
    /// Of the servers in `resolv_conf`: 53 but in tests.
    port: u16,
    built: Mutex<Option<(Versions, TokioResolver)>>,
}

/// Which `resolv.conf` and `hosts` a resolver was built from.
type Versions = [Option<Version>; 2];

/// Device, inode, change time, size: they differ whether a file was written in place or replaced.
type Version = (u64, u64, i64, i64, u64);

impl Names {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, ..Self::of_system(Path::new("/etc/resolv.conf"), 53) }
    }

    pub(super) fn of_system(resolv_conf: &Path, port: u16) -> Self {
        Self { servers: Vec::new(), resolv_conf: resolv_conf.to_owned(), port, built: Mutex::default() }
    }

    /// All addresses of a name, IPv6 first (RFC 6724). A family that fails or has none does not matter if the other has
    /// some.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, CallError> {
        let resolver = self.resolver().map_err(|error| failed(format!("no name server ({error})")))?;
        // Both are asked at once, and each domain of the search list for both.
        let both = resolver.lookup_ip(name);
        tokio::select! {
            found = both => Ok(found.map_err(failed)?.iter().collect()),
            Some(found) = one_family(&resolver, name, RecordType::AAAA) => Ok(found),
            Some(found) = one_family(&resolver, name, RecordType::A) => Ok(found),
        }
    }

    /// It is built anew when the files that it came from have changed, since DHCP, a VPN or a container runtime may write
    /// them at any time. That costs two calls of `stat`; the files are read only after a change.
    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let now = [version(&self.resolv_conf), version(Path::new(HOSTS))];
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        match &*built {
            Some((then, resolver)) if *then == now => Ok(resolver.clone()),
            _ => {
                let resolver = self.build()?;
                *built = Some((now, resolver.clone()));
                Ok(resolver)
            }
        }
    }

    fn build(&self) -> Result<TokioResolver, NetError> {
        let (config, mut options) = if self.servers.is_empty() {
            let (system, options) = parse_resolv_conf(fs::read(&self.resolv_conf)?)?;
            let servers = system.name_servers().iter().map(|server| on_port(server.ip, self.port)).collect();
            let domain = system.domain().cloned();
            (ResolverConfig::from_parts(domain, system.search().to_vec(), servers), options)
        } else {
            let servers = self.servers.iter().map(|server| on_port(server.ip(), server.port())).collect();
            (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
        };
        options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.with_options(options).build()
    }
}

fn version(path: &Path) -> Option<Version> {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.ctime(), file.ctime_nsec(), file.size()))
}

fn on_port(address: IpAddr, port: u16) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address);
    server.connections.iter_mut().for_each(|connection| connection.port = port);
    server
}

/// The addresses of one family, once both are overdue. If they were told by then, they come out of the cache.
async fn one_family(resolver: &TokioResolver, name: &str, kind: RecordType) -> Option<Vec<IpAddr>> {
    sleep(BOTH_FAMILIES_WITHIN).await;
    // With its last dot, so that no domain of the search list answers for a family that the name itself has not.
    let name = format!("{}.", name.trim_end_matches('.'));
    let found = resolver.lookup(name, kind).await.ok()?;
    let addresses: Vec<IpAddr> = found.answers().iter().filter_map(|record| record.data.ip_addr()).collect();
    (!addresses.is_empty()).then_some(addresses)
}
