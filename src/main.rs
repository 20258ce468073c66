#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let flags: Vec<(String, String)> = args.chunks(2).map(|c| (c[0].trim_start_matches("--").replace('-', "_"), c[1].clone())).collect();
    let loaded = campfire::config::Loaded::load(&flags, None, |n| std::env::var(n).ok()).unwrap();
    if let Err(e) = campfire::server::serve(loaded.config) { eprintln!("{e}"); std::process::exit(1) }
}
