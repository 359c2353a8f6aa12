//! Whole companies from a seed: people at several devices do what they like while links delay, cut and refuse and the front
//! end crashes. Then the weather calms down, and everybody must agree on everything and nothing may be left open.
//!
//! `ADSUM_SEEDS=7` runs one seed and prints what was done, `ADSUM_SEEDS=0..5000` many; `ADSUM_WIRE=1` prints the traffic too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod company;
mod deeds;
#[path = "../support/mod.rs"]
mod support;
mod verdict;

use company::Company;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of an ordinary run.
const SEEDS: Range<u64> = 0..200;
/// Companies that are simulated at once.
const THREADS: u64 = 2;
/// Failures after which the rest is not tried any more.
const ENOUGH: usize = 5;

#[test]
fn companies_agree_after_the_storm() {
    let seeds = wanted();
    let (next, failures) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while failures.lock().unwrap().len() < ENOUGH {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        return;
                    }
                    if let Err(report) = run(seed) {
                        failures.lock().unwrap().push(report);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_seed_replays_exactly() {
    let day = || {
        let mut company = Company::new(4711);
        let wrong = company.live();
        let counts: Vec<usize> = company.world.clients.iter().map(|c| c.view.count).collect();
        (wrong, company.trace, counts, company.world.steps, company.world.log)
    };
    assert!(day() == day(), "two runs of one seed differ");
}

/// One seed; what is wrong comes with everything that was done.
fn run(seed: u64) -> Result<(), String> {
    let mut company = Company::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| company.live()));
    let wrong = match outcome {
        Ok(wrong) => wrong,
        Err(panic) => vec![text_of(&panic)],
    };
    if std::env::var("ADSUM_WIRE").is_ok() {
        company.print_wire();
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("=== seed {seed}\n{}\n--- wrong:\n{}", company.trace.join("\n"), wrong.join("\n")))
}

fn text_of(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_else(|| "a panic without words".into())
}

fn wanted() -> Range<u64> {
    let Ok(text) = std::env::var("ADSUM_SEEDS") else { return SEEDS };
    let number = |t: &str| t.trim().parse::<u64>().expect("ADSUM_SEEDS is a number or from..to");
    match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&text)..number(&text) + 1,
    }
}
