// SPDX-License-Identifier: Apache-2.0
// measure.rs: what both programs do with their verifier: CPU time of each run, one a line, then the peak of memory.

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

pub fn run<F: Fn()>(samples: usize, once: F) {
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
