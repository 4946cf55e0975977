// SPDX-License-Identifier: Apache-2.0
// compare QUOTE BUNDLE TIME SAMPLES: the verifier of the crate dcap-qvl, from the text of the bundle to its verdict.
// Prints samples as microseconds of CPU time, one a line, then "peak KiB".
mod measure;

use dcap_qvl::QuoteCollateralV3;

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
    measure::run(samples, once);
}
