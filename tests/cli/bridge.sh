#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bridge.sh: phones enrol with the service, and what they get opens a session with an attested enclave; all of it by the program.
# usage: bridge.sh DIR-OF-THE-PROGRAM
set -u
PATH=$1:$PATH
export PATH
work=$(mktemp -d)
cd "$work" || exit 1
pids=
end() {
    for pid in $pids; do kill "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap end EXIT
n=0
failed=0

# check NAME STATUS [TEXT]: the command in ./cmd ends with STATUS, and says TEXT
check() {
    n=$((n + 1))
    sh ./cmd >have 2>&1
    status=$?
    if [ "$status" -eq "$2" ] && { [ -z "${3-}" ] || grep -qF -e "$3" have; }; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        echo "# exit status $status, wanted $2 and: ${3-}"
        sed 's/^/# /' have serve.err live.err 2>/dev/null | head -n 60
        failed=1
    fi
}
# wait_for FILE TEXT
wait_for() {
    i=0
    until grep -qF -e "$2" "$1" 2>/dev/null; do
        i=$((i + 1))
        [ "$i" -lt 300 ] || { echo "Bail out! $1 does not say: $2"; cat serve.err live.err; exit 1; }
        sleep 0.1
    done
}
request() { echo "atls enrol request https://localhost:$port/api/v1/challenge --ca room/tls-ca.pem $*" >cmd; }
connect() {
    echo "echo hello | atls connect $live --servername localhost --cacert $enclave/tls-ca.pem \
--policy $enclave/policy-dstack_tdx.json --endorsements $enclave/collateral.json $*" >cmd
}

# ---- the service ----
atls sim room 2>/dev/null && atls enrol ca init --dir ca 2>/dev/null \
    && atls enrol request --phone android --print-policy >android.json \
    && atls enrol request --phone apple --print-policy >apple.json \
    && atls enrol request --phone android --print-status >status.json || { echo "Bail out! nothing to begin with"; exit 1; }
# The endpoint is in the configuration, so the port cannot be the system's choice; nor is it one that the system gives to whoever
# connects. Where somebody serves there already, the next is tried.
port=$((10000 + $$ % 22000))
for _ in 1 2 3 4 5 6 7 8 9 10; do
cat >enrol.json <<EOF
{"listen": ["127.0.0.1:$port"], "admin_listen": [], "endpoint": "https://localhost:$port/api/v1/attest",
 "tls": {"certificate": "room/tls-chain.pem", "key": "room/tls-key.pem"},
 "proof_oid": "2.25.266612578647278744056060545794611611433",
 "insecure_test_mode": true, "insecure_test_ca": "ca", "status_list": {"file": "status.json"},
 "android": "android.json", "apple": "apple.json"}
EOF
    atls enrol serve --config enrol.json --check >serve.out 2>serve.err && break
    port=$((port + 1))
done
atls enrol serve --config enrol.json >serve.out 2>serve.err &
pids="$pids $!"
wait_for serve.err "serving at"

echo "1..20"
request --phone android --out phone
check "an Android phone enrols" 0 "enrolled by CN=atls enrolment CA"
request --phone apple --out iphone
check "an iPhone enrols" 0 "enrolled by CN=atls enrolment CA"
request --phone android --out phone
check "files that are there stay" 1 "phone-key.pem is there already"
request --phone android --out phone --force
check "unless they are to go" 0 "enrolled by"
echo 'stat -c %a phone-key.pem && openssl verify -CAfile ca/root.pem -untrusted phone-chain.pem phone-chain.pem' >cmd
check "the key is for its owner only" 0 600
check "and the chain is good to OpenSSL" 0 "phone-chain.pem: OK"
request --phone android --set rot.locked=00 --out x
check "an unlocked phone is refused" 4 "refused: CONTENT: android.system_integrity"
request --phone android --set cert.root.key=other --out x --json
check "a phone of another maker is refused" 2 '"kind":"TRUST"'
request --phone android --set nothing=1 --out x
check "a setting that names nothing" 1 "CONFIGURATION nothing"
echo 'ls x-key.pem x-chain.pem' >cmd
check "and they are given no files" 2

# ---- the enclave ----
root=$(awk '{ printf "%s\\n", $0 }' ca/root.pem)
printf '{"type": "enrolled_key", "trusted_roots": ["%s"], "applications": ["org.example.app", "%s"]}' \
    "$root" 0123456789.test.sim.app >clients.json
atls sim live --serve 0 --client-policy clients.json >live.out 2>live.err &
pids="$pids $!"
wait_for live.out "127.0.0.1:"
live=$(head -n 1 live.out)
enclave=live
connect --cert phone-chain.pem --key phone-key.pem
check "the Android phone and the enclave" 0 hello
connect --cert iphone-chain.pem --key iphone-key.pem
check "the iPhone and the enclave" 0 hello
connect
check "a client without a certificate" 3 PEER_REFUSED
connect --cert room/tls-chain.pem --key room/tls-key.pem
check "somebody's server certificate" 3 PEER_REFUSED
connect --cert phone-chain.pem --key iphone-key.pem
check "a certificate and another phone's key" 1 private_key_file
echo "cat live.err" >cmd
check "the first enclave has seen who came" 0 "client: 0123456789.test.sim.app on apple, key in SECURE_ENCLAVE, enrolled by CN=atls enrolment CA"

# ---- one of them is lost ----
openssl x509 -in phone-chain.pem -noout -serial | cut -d= -f2 >revoked
echo "atls enrol ca crl --dir ca --revoked revoked --output issuer.crl" >cmd
check "the CA revokes the Android phone" 0
atls sim later --serve 0 --client-policy clients.json --client-endorsements issuer.crl >later.out 2>live.err &
pids="$pids $!"
wait_for later.out "127.0.0.1:"
live=$(head -n 1 later.out)
enclave=later
connect --cert phone-chain.pem --key phone-key.pem
check "which is not let in any more" 3 PEER_REFUSED
connect --cert iphone-chain.pem --key iphone-key.pem
check "while the iPhone is" 0 hello
echo "cat live.err" >cmd
check "the enclave knows why" 0 "REVOKED chain[0]"
exit "$failed"
