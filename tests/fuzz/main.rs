//! Random input for what reads saved bytes and for long interleavings of operations, with inputs that once failed.
//!
//! `cargo test` runs a few thousand executions of each target; `make fuzz EXECUTIONS=1000000` runs many. A failure prints the
//! target, the seed and the input; `KEPT` below holds such inputs for ever.
//! Not guided by coverage: inputs are valid ones, mutated, with their checksums put right most of the time.

mod import_bytes;
mod index_bytes;
mod index_operations;
mod memory_paths;
mod namespaces;
mod random;
mod sealed_bytes;
mod segment_bytes;
/// The driver's world of the integration tests; not all of it is used here.
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;
#[allow(dead_code)]
#[path = "../it/zip_made.rs"]
mod zip_made;

use random::Random;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Something that must not panic, whatever the input.
trait Target {
    const NAME: &'static str;
    /// Inputs that failed once.
    const KEPT: &'static [&'static [u8]];

    fn new() -> Self;
    fn input(&self, random: &mut Random) -> Vec<u8>;
    fn run(&mut self, input: &[u8]);
    /// What the executions reached, for the reader.
    fn summary(&self) -> String;
}

const FEW: u64 = 4_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let executions = arguments.next().unwrap_or(FEW);
    let seed = arguments.next().unwrap_or(1);
    fuzz::<import_bytes::ImportBytes>(executions, seed);
    fuzz::<index_bytes::IndexBytes>(executions, seed);
    fuzz::<index_operations::IndexOperations>(executions, seed);
    // An execution is some thirty operations.
    fuzz::<namespaces::Namespaces>(executions.div_ceil(30), seed);
    fuzz::<memory_paths::MemoryPaths>(executions, seed);
    fuzz::<sealed_bytes::SealedBytes>(executions, seed);
    fuzz::<segment_bytes::SegmentBytes>(executions, seed);
}

fn fuzz<T: Target>(executions: u64, seed: u64) {
    // Other arguments are names of targets; without any, all run.
    let mut names = std::env::args()
        .skip(1)
        .filter(|a| a.parse::<u64>().is_err() && !a.starts_with('-'))
        .peekable();
    if names.peek().is_some() && names.all(|name| name != T::NAME) {
        return;
    }
    let mut target = T::new();
    let mut random = Random::new(seed);
    let start = Instant::now();
    for kept in T::KEPT {
        run(&mut target, kept, seed);
    }
    for _ in 0..executions {
        let input = target.input(&mut random);
        run(&mut target, &input, seed);
    }
    println!(
        r#"{{"target":"{}","executions":{},"seed":{seed},"seconds":{:.0},{}}}"#,
        T::NAME,
        executions + T::KEPT.len() as u64,
        start.elapsed().as_secs_f64(),
        target.summary()
    );
}

fn run<T: Target>(target: &mut T, input: &[u8], seed: u64) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target.run(input))) {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{} failed (seed {seed}) on the input {hex}", T::NAME);
        std::panic::resume_unwind(panic);
    }
}
