//! `campfire`: the command line.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    campfire::cli::run(std::env::args_os().skip(1))
}
