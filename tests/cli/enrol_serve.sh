#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# enrol_serve.sh: `atls enrol serve` from an empty folder: the example configuration, TLS with curl as the client, what is refused at
# the start, SIGHUP with a good and a bad file, SIGTERM. Prints TAP.
# usage: enrol_serve.sh PROGRAM
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
for tool in curl openssl; do
    command -v "$tool" >/dev/null 2>&1 || { echo "1..0 # SKIP $tool is not there"; exit 0; }
done
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0
failed=0
ok() { # ok NAME STATUS: STATUS 0 is a pass
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        sed 's/^/# /' log 2>/dev/null | tail -n 20
        failed=1
    fi
}
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem -days 2 \
        -subj "/CN=$1" -addext "subjectAltName=IP:127.0.0.1" >/dev/null 2>&1
}
# config EXTRA: at ports that the system chooses, with what is there on an empty machine
config() {
    cat >config.json <<END
{
  "listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", $1
  "tls": {"certificate": "server.pem", "key": "server.key"},
  "endpoint": "https://ca.example/api/v1/attest",
  "proof_oid": "2.25.266612578647278644056060545794611611433",
  "store": "sqlite:enrol.db", "audit_file": "audit.log",
  "android": {"applications": [{"packageName": "org.example.app",
    "signatureDigests": ["0000000000000000000000000000000000000000000000000000000000000000"]}]},
  "apple": {"applications": [{"teamIdentifier": "0123456789", "bundleIdentifier": "org.example.app"}]},
  "status_list": {"file": "status.json"}
}
END
}
get() { curl -sS --max-time 10 --cacert server.pem "$@"; }
wait_for() { # wait_for WORDS: in the log
    for _ in $(seq 100); do
        grep -q "$1" log && return 0
        sleep 0.1
    done
    return 1
}
# port_of WORDS: what the log says behind them
port_of() { sed -n "s/.*$1 at port \([0-9]*\)\$/\1/p" log; }

"$program" enrol ca init --dir ca >/dev/null 2>log
ok "a CA" $?
certificate one
echo '{"entries":{}}' >status.json

"$program" enrol serve --print-config >example.json
ok "the example is printed" $?
config ''
"$program" enrol serve --config config.json >log 2>&1 && ok "no CA: refused" 1 || ok "no CA: refused" 0
grep -q '^enrol serve: CONFIGURATION\|CONFIGURATION ca' log
ok "and says so" $?

config '"ca": {"folder": "ca"},'
"$program" enrol serve --config config.json --check >log 2>&1
ok "the configuration would do" $?
"$program" enrol serve --config config.json >log 2>&1 &
pid=$!
wait_for "health and metrics at port"
ok "it serves" $?
port=$(port_of serving)
admin=$(port_of "health and metrics")

get -D head "https://127.0.0.1:$port/api/v1/challenge" >challenge.json
ok "a challenge over TLS" $?
grep -qi '^Cache-Control: no-store' head && grep -q '"attestationEndpoint":"https://ca.example/' challenge.json
ok "that is not to be stored" $?
get --tlsv1.2 --tls-max 1.2 -o /dev/null "https://127.0.0.1:$port/api/v1/challenge"
ok "TLS 1.2" $?
get --tls-max 1.1 -o /dev/null "https://127.0.0.1:$port/api/v1/challenge" 2>/dev/null && ok "but no older one" 1 || ok "but no older one" 0
[ "$(get -o answer -w '%{http_code}' -H 'Content-Type: application/octet-stream' --data-binary rubbish \
    "https://127.0.0.1:$port/api/v1/attest")" = 200 ] && grep -q '"kind":"CONTENT"' answer
ok "rubbish has an answer" $?
head -c 300000 /dev/zero >large
[ "$(get -o answer -w '%{http_code}' -H 'Content-Type: application/octet-stream' --data-binary @large \
    "https://127.0.0.1:$port/api/v1/attest")" = 413 ]
ok "300 kB are too much" $?
[ "$(get -o answer -w '%{http_code}' -H 'Content-Type: application/octet-stream' -H 'Transfer-Encoding: chunked' \
    --data-binary @large "https://127.0.0.1:$port/api/v1/attest")" = 413 ]
ok "and in chunks" $?
curl -sS --max-time 10 "http://127.0.0.1:$admin/health" >health && grep -q '"status":"ok"' health
ok "health" $?
curl -sS --max-time 10 "http://127.0.0.1:$admin/metrics" | grep -q '^atls_enrol_challenges_total 2$'
ok "metrics" $?

cp server.pem old.pem
certificate two
kill -HUP "$pid"
wait_for "configuration 2 is in force"
ok "SIGHUP" $?
get -o /dev/null "https://127.0.0.1:$port/api/v1/challenge"
ok "the new certificate is shown" $?
echo '{' >config.json
kill -HUP "$pid"
wait_for "the old one stays in force"
ok "SIGHUP with half a file" $?
get -o /dev/null "https://127.0.0.1:$port/api/v1/challenge"
ok "changes nothing" $?
kill -TERM "$pid"
wait "$pid"
ok "SIGTERM ends with 0" $?
pid=

config '"ca": {"folder": "ca"}, "insecure_test_mode": true,'
"$program" enrol serve --config config.json --check >log 2>&1
[ $? -eq 1 ] && grep -q 'ca: ' log
ok "test mode with the production CA is refused" $?
key=$(openssl ecparam -name prime256v1 -genkey 2>/dev/null | openssl ec -pubout 2>/dev/null | awk '{printf "%s\\n", $0}')
config '"ca": {"folder": "ca"},'
sed -i "s|\"android\": {|\"android\": {\"hardwareAttestationTrustAnchors\": [\"$(printf '%s' "$key" | sed 's/\\n/\\\\n/g')\"], |" config.json
"$program" enrol serve --config config.json --check >log 2>&1
[ $? -eq 1 ] && grep -q "android: .*insecure_test_mode" log
ok "roots that are not Google's are refused" $?
config '"ca": {"folder": "ca"}, "insecure_nonsense": true,'
"$program" enrol serve --config config.json --check >log 2>&1
[ $? -eq 1 ] && grep -q 'insecure_nonsense' log
ok "an unknown member is refused" $?
"$program" enrol serve >log 2>&1
[ $? -eq 1 ] && grep -q -- '--config' log
ok "no configuration is refused" $?
echo "1..$number"
exit "$failed"
