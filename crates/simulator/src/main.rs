//! `simulate --seeds 10000`, or `simulate --seed 42` to look at one history again.

use clap::Parser;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs seeded histories of the vault with crashes and failing backends, and checks what it promises.
#[derive(Parser)]
struct Arguments {
    /// How many histories to run.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run only this seed, and tell more.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        let outcome = entente_simulator::run(seed);
        println!("{outcome:#?}");
        return if outcome.violations.is_empty() { 0.into() } else { 1.into() };
    }
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let (passed, failed, crashes, contents) =
        (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = entente_simulator::run(seed);
                    crashes.fetch_add(u64::from(outcome.crashes), Ordering::Relaxed);
                    contents.fetch_add(outcome.contents as u64, Ordering::Relaxed);
                    if outcome.violations.is_empty() {
                        passed.fetch_add(1, Ordering::Relaxed);
                    } else {
                        failed.fetch_add(1, Ordering::Relaxed);
                        println!("seed {seed} failed; run `make sim SEED={seed}`: {:#?}", outcome.violations);
                    }
                }
            });
        }
    });
    let (crashes, contents) = (crashes.into_inner(), contents.into_inner());
    println!("simulated histories with {crashes} crashes; {contents} acknowledged contents were there at the end");
    println!("{} passed, {} failed", passed.into_inner(), failed.load(Ordering::Relaxed));
    if failed.into_inner() == 0 { 0.into() } else { 1.into() }
}
