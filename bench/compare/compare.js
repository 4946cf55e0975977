// SPDX-License-Identifier: Apache-2.0
// compare.js QUOTE BUNDLE TIME SAMPLES: the verifier of @phala/dcap-qvl, from the text of the bundle to its verdict.
// Prints samples as microseconds of CPU time, one a line, then "peak KiB".
'use strict';
const fs = require('fs');
const { verify } = require('@phala/dcap-qvl');
const [quoteFile, bundleFile, time, samples] = process.argv.slice(2);
const quote = fs.readFileSync(quoteFile);
const text = fs.readFileSync(bundleFile, 'utf8');

function once() {
  const c = JSON.parse(text);
  for (const name of ['root_ca_crl', 'pck_crl', 'tcb_info_signature', 'qe_identity_signature']) {
    c[name] = Buffer.from(c[name], 'hex');
  }
  const result = verify(quote, c, Number(time));
  if (result.status !== 'UpToDate') {
    throw new Error(`status ${result.status}`);
  }
}

for (let i = 0; i < 20; i++) {
  once(); // the compiler of V8 has seen everything
}
for (let i = 0; i < Number(samples); i++) {
  const before = process.cpuUsage();
  once();
  const used = process.cpuUsage(before);
  console.log(used.user + used.system);
}
console.log(`peak ${process.resourceUsage().maxRSS}`);
