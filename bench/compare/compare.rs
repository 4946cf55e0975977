// SPDX-License-Identifier: Apache-2.0
// compare QUOTE BUNDLE TIME SAMPLES: the verifier of the crate dcap-qvl, from the text of the bundle to its verdict.
// Prints samples as microseconds of CPU time, one a line, then "peak KiB".
use dcap_qvl::QuoteCollateralV3;

fn cpu_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let ok = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    assert_eq!(ok, 0);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

fn peak_kib() -> i64 {
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) }, 0);
    u.ru_maxrss as i64
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let quote = std::fs::read(&args[1]).expect("quote");
    let text = std::fs::read_to_string(&args[2]).expect("bundle");
    let now: u64 = args[3].parse().expect("time");
    let samples: usize = args[4].parse().expect("samples");
    let once = || {
        let collateral: QuoteCollateralV3 = serde_json::from_str(&text).expect("collateral");
        let result = dcap_qvl::verify::verify(&quote, &collateral, now).expect("verdict");
        assert_eq!(result.status, "UpToDate");
    };
    for _ in 0..20 {
        once();
    }
    for _ in 0..samples {
        let before = cpu_ns();
        once();
        println!("{}", (cpu_ns() - before) as f64 / 1000.0);
    }
    println!("peak {}", peak_kib());
}
