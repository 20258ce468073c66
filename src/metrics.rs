//! Counters and histograms, each written by one thread and read by `/metrics`.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A number that one thread writes and any thread reads: plain loads and stores, without a bus lock.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000];

/// Latencies by bucket, and their sum.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Counter; BUCKETS.len() + 1],
    sum_nanos: Counter,
}

impl Histogram {
    pub fn record(&self, took: Duration) {
        let micros = took.as_micros() as u64;
        let bucket = BUCKETS.iter().position(|bound| micros <= *bound).unwrap_or(BUCKETS.len());
        self.buckets[bucket].add(1);
        self.sum_nanos.add(took.as_nanos() as u64);
    }
}

/// The statuses that are counted separately; the last counts all others.
const STATUSES: [u16; 20] =
    [200, 201, 204, 206, 101, 304, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503, 507, 0];

/// The requests of one route.
#[derive(Debug, Default)]
pub struct RouteMetrics {
    statuses: [Counter; STATUSES.len()],
    latency: Histogram,
}

impl RouteMetrics {
    pub fn record(&self, status: u16, took: Duration) {
        let index = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        self.statuses[index].add(1);
        self.latency.record(took);
    }
}

/// The counters of one worker.
#[derive(Debug)]
pub struct WorkerMetrics {
    /// By index in the route table; the last is for paths that are not in it.
    pub routes: Box<[RouteMetrics]>,
    pub connections: Counter,
    /// Connections that were refused since too many are open.
    pub refused_connections: Counter,
    pub sockets: Counter,
    pub rooms: Counter,
    pub deliveries: Counter,
    pub writes: Counter,
    pub written_bytes: Counter,
    pub resyncs: Counter,
    pub slow_closes: Counter,
    pub page_hits: Counter,
    pub page_misses: Counter,
    pub search_hits: Counter,
    pub search_misses: Counter,
    pub body_bytes: Counter,
    pub panics: Counter,
}

impl WorkerMetrics {
    pub fn new(routes: usize) -> Self {
        Self {
            routes: (0..=routes).map(|_| RouteMetrics::default()).collect(),
            connections: Counter::default(),
            refused_connections: Counter::default(),
            sockets: Counter::default(),
            rooms: Counter::default(),
            deliveries: Counter::default(),
            writes: Counter::default(),
            written_bytes: Counter::default(),
            resyncs: Counter::default(),
            slow_closes: Counter::default(),
            page_hits: Counter::default(),
            page_misses: Counter::default(),
            search_hits: Counter::default(),
            search_misses: Counter::default(),
            body_bytes: Counter::default(),
            panics: Counter::default(),
        }
    }
}

/// The requests of all routes and workers: latencies and server errors.
#[derive(Clone, Debug, Default)]
pub struct Served {
    buckets: [u64; BUCKETS.len() + 1],
    /// Responses with status 5xx.
    pub errors: u64,
}

impl Served {
    /// Adds the counters of a worker.
    pub fn add(&mut self, worker: &WorkerMetrics) {
        for route in &worker.routes {
            for (sum, bucket) in self.buckets.iter_mut().zip(&route.latency.buckets) {
                *sum += bucket.get();
            }
            let errors = STATUSES.iter().zip(&route.statuses).filter(|(status, _)| **status >= 500);
            self.errors += errors.map(|(_, count)| count.get()).sum::<u64>();
        }
    }

    /// The difference to an earlier count.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut new = self.clone();
        for (count, before) in new.buckets.iter_mut().zip(&earlier.buckets) {
            *count = count.saturating_sub(*before);
        }
        new.errors = new.errors.saturating_sub(earlier.errors);
        new
    }

    pub fn requests(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// A percentile of the latencies, interpolated between the bounds of its bucket and at most the last bound. None without
    /// requests.
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        let wanted = (self.requests() * percent) as f64 / 100.0;
        let (mut before, mut lower) = (0.0, 0.0);
        for (index, count) in self.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = *count as f64;
            let upper = BUCKETS.get(index).copied().unwrap_or(BUCKETS[BUCKETS.len() - 1]) as f64;
            if index > 0 {
                lower = BUCKETS[index - 1] as f64;
            }
            if before + count >= wanted {
                let micros = lower + (upper - lower) * (wanted - before) / count;
                return Some(Duration::from_micros(micros as u64));
            }
            before += count;
        }
        None
    }
}

/// The scheduled backups.
#[derive(Debug, Default)]
pub struct BackupMetrics {
    /// Seconds since 1970; 0 for never.
    pub last_success: AtomicU64,
    pub failures: AtomicU64,
    /// Those since the last success.
    pub failing: AtomicU64,
}

/// The text format of Prometheus, version 0.0.4.
#[derive(Default)]
pub struct Exposition(String);

impl Exposition {
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        if labels.is_empty() {
            let _ = writeln!(self.0, "{name} {value}");
        } else {
            let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
        }
    }

    /// A metric with one sample.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.sample(name, "", value);
    }

    /// A counter or gauge summed over the workers.
    pub fn total<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        workers: impl Iterator<Item = &'a WorkerMetrics>,
        pick: impl Fn(&WorkerMetrics) -> &Counter,
    ) {
        self.single(name, kind, help, workers.map(|worker| pick(worker).get()).sum::<u64>());
    }

    /// Requests by route and status, and the latency of each route. Routes without requests are omitted.
    pub fn requests(&mut self, names: &[String], workers: &[&WorkerMetrics]) {
        let sum = |route: usize, pick: &dyn Fn(&RouteMetrics) -> u64| -> u64 {
            workers.iter().map(|worker| pick(&worker.routes[route])).sum()
        };
        self.head("campfire_http_requests_total", "counter", "Requests, by route and status.");
        for (route, name) in names.iter().enumerate() {
            for (index, status) in STATUSES.iter().enumerate() {
                let count = sum(route, &|metrics| metrics.statuses[index].get());
                if count > 0 {
                    let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
                    self.sample(
                        "campfire_http_requests_total",
                        &format!("{name},status=\"{status}\""),
                        count,
                    );
                }
            }
        }
        let latency = "campfire_http_request_duration_seconds";
        self.head(latency, "histogram", "Time from the head of a request to its response, by route.");
        for (route, name) in names.iter().enumerate() {
            let mut count = 0;
            let total: u64 = (0..=BUCKETS.len())
                .map(|index| sum(route, &|metrics| metrics.latency.buckets[index].get()))
                .sum();
            if total == 0 {
                continue;
            }
            for (index, bound) in BUCKETS.iter().enumerate() {
                count += sum(route, &|metrics| metrics.latency.buckets[index].get());
                let bound = *bound as f64 / 1e6;
                self.sample(&format!("{latency}_bucket"), &format!("{name},le=\"{bound}\""), count);
            }
            self.sample(&format!("{latency}_bucket"), &format!("{name},le=\"+Inf\""), total);
            let seconds = sum(route, &|metrics| metrics.latency.sum_nanos.get()) as f64 / 1e9;
            self.sample(&format!("{latency}_sum"), name, seconds);
            self.sample(&format!("{latency}_count"), name, total);
        }
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// Figures of this process from /proc.
#[derive(Debug, Default)]
pub struct ProcessFigures {
    pub resident_bytes: u64,
    pub cpu_seconds: f64,
    pub open_files: u64,
}

impl ProcessFigures {
    pub fn read() -> Self {
        let open_files = std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64);
        Self { resident_bytes: Self::resident_bytes_now(), cpu_seconds: Self::cpu_seconds_now(), open_files }
    }

    /// Resident memory, in bytes.
    pub fn resident_bytes_now() -> u64 {
        // Not from `statm`, which counts pages, whose size differs between machines.
        let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default() << 10
    }

    /// User and system time of the process, in seconds. Cheaper than `read`, which counts the open files.
    pub fn cpu_seconds_now() -> f64 {
        std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|text| {
                // utime and stime are fields 14 and 15; the command's name before them, in brackets, may contain anything.
                let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
                let ticks: u64 =
                    fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
                // USER_HZ is 100 on every architecture that Linux supports.
                Some(ticks as f64 / 100.0)
            })
            .unwrap_or_default()
    }
}
