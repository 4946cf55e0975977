// SPDX-License-Identifier: Apache-2.0
// compare REPORT CERTIFICATES TIME SAMPLES: the verifier of the crate sev, from the text of the certificates (VCEK, ASK, ARK, PEM) to its
// verdict. It looks at no date, so TIME is not used. Prints samples as microseconds of CPU time, one a line, then "peak KiB".
mod measure;

use sev::certs::snp::{Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;

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
    measure::run(samples, once);
}
