// SPDX-License-Identifier: Apache-2.0
// compare REPORT CERTIFICATES TIME SAMPLES: the verifier of the crate sev, from the text of the certificates (VCEK, ASK, ARK, PEM) to its
// verdict. It looks at no date, so TIME is not used. Prints samples as microseconds of CPU time, one a line, then "peak KiB".
use sev::certs::snp::{Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;

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
    let raw = std::fs::read(&args[1]).expect("report");
    let text = std::fs::read_to_string(&args[2]).expect("certificates");
    let samples: usize = args[4].parse().expect("samples");
    let once = || {
        let pem: Vec<&[u8]> = text.split_inclusive("-----END CERTIFICATE-----\n").map(str::as_bytes).collect();
        let chain = Chain::from_pem(pem[2], pem[1], pem[0]).expect("chain");
        let report = AttestationReport::from_bytes(&raw).expect("report");
        (&chain, &report).verify().expect("verdict");
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
