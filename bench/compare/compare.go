// SPDX-License-Identifier: Apache-2.0
// compare: the verifiers of Google's go-tdx-guest and go-sev-guest, from the text of the endorsements to their verdict.
//
//	compare tdx QUOTE BUNDLE TIME SAMPLES
//	compare snp REPORT CERTIFICATES TIME SAMPLES
//
// Prints samples as microseconds of CPU time, of every thread (the collector of garbage has its own), one a line, then
// "peak KiB"; a line that begins with "note" is for the reader. tdx: what it would fetch comes from the bundle; lists and TCB levels are
// checked. snp: the certificates are VCEK, ASK and ARK, PEM; without lists; the roots are those built into the package.
package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-sev-guest/abi"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	snp "github.com/google/go-sev-guest/verify"
	tdx "github.com/google/go-tdx-guest/verify"
	"github.com/google/logger"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func file(name string) []byte {
	text, err := os.ReadFile(name)
	must(err)
	return text
}

func usage() syscall.Rusage {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u
}

func cpu() int64 {
	u := usage()
	return u.Utime.Nano() + u.Stime.Nano()
}

var (
	note  string
	roots *x509.CertPool
)

// pages answers what the verifier asks of Intel's service with the members of the bundle.
type pages map[string]string

func (p pages) Get(address string) (map[string][]string, []byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	answer := func(header, chain string, body string) (map[string][]string, []byte, error) {
		return map[string][]string{header: {url.QueryEscape(p[chain])}}, []byte(body), nil
	}
	list := func(name string) string {
		der, err := hex.DecodeString(p[name])
		must(err)
		return string(der)
	}
	switch {
	case strings.HasSuffix(u.Path, "/tcb"):
		return answer("Tcb-Info-Issuer-Chain", "tcb_info_issuer_chain",
			`{"tcbInfo":`+p["tcb_info"]+`,"signature":"`+p["tcb_info_signature"]+`"}`)
	case strings.HasSuffix(u.Path, "/qe/identity"):
		return answer("Sgx-Enclave-Identity-Issuer-Chain", "qe_identity_issuer_chain",
			`{"enclaveIdentity":`+p["qe_identity"]+`,"signature":"`+p["qe_identity_signature"]+`"}`)
	case strings.HasSuffix(u.Path, "/pckcrl"):
		return answer("Sgx-Pck-Crl-Issuer-Chain", "pck_crl_issuer_chain", list("pck_crl"))
	}
	return nil, []byte(list("root_ca_crl")), nil
}

// olderSpelling says whether this is how releases up to v0.3.1 refuse an FMSPC that has letters: the certificate's is spelt in small
// ones, Intel's TCB info in capitals. All signatures have been verified by then.
func olderSpelling(err error) bool {
	return strings.HasPrefix(err.Error(), "FMSPC from PCK Certificate(")
}

func tdxOnce(quote, bundle []byte, now time.Time) {
	p := pages{}
	must(json.Unmarshal(bundle, &p))
	if roots == nil { // the same as is built into the package, but it need not warn of that in every call
		_, root := pem.Decode([]byte(p["tcb_info_issuer_chain"]))
		roots = x509.NewCertPool()
		roots.AppendCertsFromPEM(root)
	}
	err := tdx.RawTdxQuote(quote,
		&tdx.Options{CheckRevocations: true, GetCollateral: true, Getter: p, Now: now, TrustedRoots: roots})
	if err != nil && olderSpelling(err) {
		note = "no verdict, after every signature: " + err.Error()
		return
	}
	must(err)
}

func snpOnce(raw, certificates []byte, now time.Time) {
	report, err := abi.ReportToProto(raw)
	must(err)
	vcek, rest := pem.Decode(certificates)
	ask, rest := pem.Decode(rest)
	ark, _ := pem.Decode(rest)
	evidence := &spb.Attestation{Report: report,
		CertificateChain: &spb.CertificateChain{VcekCert: vcek.Bytes, AskCert: ask.Bytes, ArkCert: ark.Bytes}}
	must(snp.SnpAttestation(evidence, &snp.Options{DisableCertFetching: true, Now: now}))
}

func main() {
	logger.Init("compare", false, false, io.Discard)
	evidence, endorsements := file(os.Args[2]), file(os.Args[3])
	seconds, err := strconv.ParseInt(os.Args[4], 10, 64)
	must(err)
	samples, err := strconv.Atoi(os.Args[5])
	must(err)
	once := tdxOnce
	if os.Args[1] == "snp" {
		once = snpOnce
	}
	for i := 0; i < 20; i++ {
		once(evidence, endorsements, time.Unix(seconds, 0))
	}
	for i := 0; i < samples; i++ {
		before := cpu()
		once(evidence, endorsements, time.Unix(seconds, 0))
		fmt.Printf("%.1f\n", float64(cpu()-before)/1000)
	}
	if note != "" {
		fmt.Println("note", note)
	}
	fmt.Printf("peak %d\n", usage().Maxrss)
}
