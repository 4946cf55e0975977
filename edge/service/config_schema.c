/* SPDX-License-Identifier: Apache-2.0 */
/* config_schema.c: every member of the configuration, and the reference that is printed from it. */
#include <inttypes.h>
#include <string.h>

#include "config.h"

#define AT(field) offsetof(svc_config, field)
#define DAY       86400

#define TEXT(path, field, fallback, help)                                                                              \
    {                                                                                                                  \
        path, SVC_TEXT, AT(field), 0, 0, fallback, NULL, help                                                          \
    }
#define FILE_NAME(path, field, fallback, help)                                                                         \
    {                                                                                                                  \
        path, SVC_FILE, AT(field), 0, 0, fallback, NULL, help                                                          \
    }
#define UINT(path, field, min, max, fallback, help)                                                                    \
    {                                                                                                                  \
        path, SVC_UINT, AT(field), min, max, fallback, NULL, help                                                      \
    }
#define INT(path, field, min, max, fallback, help)                                                                     \
    {                                                                                                                  \
        path, SVC_INT, AT(field), min, max, fallback, NULL, help                                                       \
    }
#define FLAG(path, field, fallback, help)                                                                              \
    {                                                                                                                  \
        path, SVC_FLAG, AT(field), 0, 0, fallback, NULL, help                                                          \
    }
#define LIST(path, field, fallback, help)                                                                              \
    {                                                                                                                  \
        path, SVC_LIST, AT(field), 0, 0, fallback, NULL, help                                                          \
    }
#define OBJECT(path, field, fallback, help)                                                                            \
    {                                                                                                                  \
        path, SVC_OBJECT, AT(field), 0, 0, fallback, NULL, help                                                        \
    }
#define POLICY(path, field, type, help)                                                                                \
    {                                                                                                                  \
        path, SVC_POLICY, AT(field), 0, 0, NULL, type, help                                                            \
    }
#define WORD(path, field, words, fallback, help)                                                                       \
    {                                                                                                                  \
        path, SVC_WORD, AT(field), 0, 0, fallback, words, help                                                         \
    }

const svc_member svc_members[] = {
    LIST("listen", listen, "\"127.0.0.1:8443\"",
         "addresses of the two endpoints: `host:port`, `[::]:port`. Port 0 takes any"),
    LIST("admin_listen", admin_listen, "\"127.0.0.1:9443\"",
         "addresses of health and metrics, plain HTTP; an empty list: none. Never the public one"),
    TEXT("endpoint", endpoint, "",
         "URL that phones POST to, whole (`https://enrol.example.org/api/v1/attest`): goes into every challenge"),
    TEXT("paths.challenge", challenge_path, "\"/api/v1/challenge\"", "GET: a challenge"),
    TEXT("paths.attest", attest_path, "\"/api/v1/attest\"", "POST: a certification request"),
    TEXT("paths.health", health_path, "\"/health\"", "GET, on `admin_listen`"),
    TEXT("paths.metrics", metrics_path, "\"/metrics\"", "GET, on `admin_listen`"),
    FILE_NAME("tls.certificate", tls_certificate, NULL,
              "PEM: the server's certificate and its chain. Read again at SIGHUP"),
    FILE_NAME("tls.key", tls_key, NULL, "PEM: its private key. Read again at SIGHUP"),
    FLAG("tls.only_1_3", tls13_only, "false", "refuse TLS 1.2"),
    FLAG("insecure_plain_http", insecure_plain_http, "false",
         "no TLS although `listen` is not a loopback address, or an `endpoint` that begins with http:"),

    TEXT("proof_oid", proof_oid, "",
         "dotted decimal: the attribute that carries the statement, a UUID of your app under 2.25"),
    UINT("challenge.validity_s", validity_s, 10, DAY, "300",
         "life of a challenge, from the moment that it says it was issued"),
    INT("challenge.offset_s", challenge_offset_s, 0, DAY, "0",
        "how much earlier than now a challenge says that it was issued, for phones whose clock is behind. Its end "
        "moves with it, so it is less than `validity_s`"),
    UINT("challenge.nonce_len", nonce_len, 16, 128, "32",
         "bytes of a nonce; more than 32 do not fit the names that some phones build"),
    TEXT("challenge.time_zone", time_zone, NULL, "shown to phones: `Europe/Vienna`, `+02:00`"),
    INT("verification_time_offset_s", verification_offset_s, -10 * 366 * DAY, 10 * 366 * DAY, "0",
        "added to the clock of every appraisal, beside the platform's own offset"),
    POLICY("android", android, "android_key",
           "policy of Android phones: Warden's configuration, an object or the name of a file. docs/policy.md has its "
           "members"),
    POLICY("apple", apple, "apple_app_attest", "policy of iPhones, same. One of the two must be there"),
    FLAG("explanations", explanations, "true",
         "a failure tells the phone its stable code, such as `android.challenge`; false: null"),
    FLAG("insecure_test_mode", insecure_test_mode, "false",
         "lets policies trust roots that are not Google's or Apple's. Asks for `insecure_test_ca`, and refuses `ca`"),

    TEXT("store", store, "\"memory:\"", "where challenges are kept: `memory:`, `sqlite:FILE`, `redis://host:port/db`"),
    FILE_NAME("ca.folder", ca_folder, NULL, "what `atls enrol ca init` made"),
    FILE_NAME("ca.chain_file", ca_chain, NULL,
              "PEM: the issuing certificate first, the root last; without: chain.pem of the folder"),
    TEXT("ca.key", ca_key, NULL, "PEM file, or a `pkcs11:` URI; without: issuer.key.pem of the folder"),
    FILE_NAME("ca.passphrase_file", ca_passphrase, NULL, "of an encrypted key file"),
    FILE_NAME("ca.pin_file", ca_pin, NULL, "PIN of the token"),
    FILE_NAME("ca.serial_key_file", ca_serial_key, NULL,
              "what serial numbers are made with; without: serial.key of the folder"),
    OBJECT("ca.profile", ca_profile, NULL, "what certificates look like, below; without: profile.json of the folder"),
    FILE_NAME("insecure_test_ca", test_ca, NULL,
              "folder of a CA for test mode: never the production CA, whatever policies trust"),
    FILE_NAME("audit_file", audit_file, NULL, "one line for each request, each with the hash of the one before"),
    FLAG("audit_fsync", audit_fsync, "false", "every line is on the disk before its request is answered"),

    FILE_NAME("status_list.file", status_file, NULL,
              "Google's list of revoked keys, kept by somebody else; read again when it changes"),
    TEXT("status_list.url", status_url, NULL, "or where to fetch it from; `google` is Google's own"),
    FILE_NAME("status_list.cache_folder", status_cache, NULL, "where a fetched list survives a restart"),
    TEXT("status_list.proxy", status_proxy, NULL, "HTTP proxy of the fetches"),
    UINT("status_list.poll_s", status_poll_s, 1, DAY, "60",
         "how often the file, or the age of the list, is looked at, and some at random"),
    UINT("status_list.file_life_s", status_life_s, 60, 30 * DAY, "3600",
         "how long after its last change a file is fresh"),

    FILE_NAME("records.folder", records_folder, NULL,
              "where debug statements go; they hold certificates and device identifiers"),
    WORD("records.when", records_when, "never|failure|always", "\"failure\"",
         "which requests leave one, once there is a folder"),
    UINT("records.max_files", records_max, 1, 1000000, "1000", "the oldest are removed beyond that"),
    UINT("records.max_days", records_days, 1, 3650, "14", "and those that are older"),
    FLAG("records.redact", records_redact, "true",
         "without serial numbers and IMEIs of the phones; a redacted statement cannot be replayed to an acceptance"),

    UINT("workers", workers, 1, 256, "4", "threads that appraise and issue"),
    UINT("limits.queue", queue, 1, 65536, "256", "requests that wait for a worker; beyond: 503"),
    UINT("limits.arena_mib", arena_mib, 4, 256, "24", "memory of one worker, MiB; a request that needs more fails"),
    UINT("limits.connections", max_connections, 8, 1000000, "1024",
         "open at a time; beyond: the one that has been idle or slow for longest is closed"),
    UINT("limits.connections_per_address", max_connections_per_address, 1, 1000000, "256",
         "of one IPv4 address or IPv6 /64; beyond: closed at once"),
    UINT("limits.requests_per_connection", max_requests_per_connection, 1, 1000000, "100", "then it is closed"),
    UINT("limits.head_len", max_head_len, 512, 65536, "8192", "bytes of a request line and its fields; beyond: 431"),
    UINT("limits.body_len", max_body_len, 1024, 262144, "262144", "bytes of a body; beyond: 413"),
    UINT("limits.bodies_len", max_bodies_len, 262144, 1073741824, "33554432",
         "bytes of all bodies that are being received; beyond: the slowest is closed"),
    UINT("limits.head_timeout_ms", head_timeout_ms, 100, 600000, "10000",
         "a TLS handshake, or a head, from its first byte to its last; beyond: 408"),
    UINT("limits.body_timeout_ms", body_timeout_ms, 100, 600000, "20000", "a body; beyond: 408"),
    UINT("limits.idle_timeout_ms", idle_timeout_ms, 100, 600000, "15000", "a connection without a request"),
    UINT("limits.write_timeout_ms", write_timeout_ms, 100, 600000, "10000", "a response"),
    UINT("limits.drain_timeout_ms", drain_timeout_ms, 0, 600000, "20000", "at the end, for requests that have begun"),
    UINT("limits.challenges", max_challenges, 1, 16777216, "100000",
         "outstanding at a time, over all replicas; beyond: 503"),
    UINT("limits.addresses", addresses, 64, 10000000, "16384", "whose rates are remembered"),
    UINT("limits.challenge_per_minute", challenge_per_minute, 0, 1000000, "30",
         "challenges of one address; beyond: 429. 0: no limit"),
    UINT("limits.challenge_burst", challenge_burst, 1, 1000000, "60", "and at once"),
    UINT("limits.attest_per_minute", attest_per_minute, 0, 1000000, "30",
         "certification requests of one address; beyond: 429. 0: no limit"),
    UINT("limits.attest_burst", attest_burst, 1, 1000000, "60", "and at once"),
};

const size_t svc_n_members = sizeof svc_members / sizeof svc_members[0];

/* ---- the reference ---- */

static void put_value(FILE *f, const svc_member *m)
{
    static const char *const names[] = {
        [SVC_TEXT] = "text",         [SVC_FILE] = "file",     [SVC_FLAG] = "bool",
        [SVC_LIST] = "text or list", [SVC_OBJECT] = "object", [SVC_POLICY] = "object or file",
    };
    if (m->kind == SVC_UINT || m->kind == SVC_INT) {
        (void)fprintf(f, "%" PRId64 " to %" PRId64, m->min, m->max);
    } else if (m->kind == SVC_WORD) {
        for (const char *c = m->words; *c != '\0'; c++) {
            (void)fputs(*c == '|' ? ", " : (char[]){*c, '\0'}, f);
        }
    } else {
        (void)fputs(names[m->kind], f);
    }
}

void svc_config_reference(FILE *f)
{
    (void)fputs("| member | value | default | meaning |\n|---|---|---|---|\n", f);
    for (size_t i = 0; i < svc_n_members; i++) {
        const svc_member *m = &svc_members[i];
        (void)fprintf(f, "| `%s` | ", m->path);
        put_value(f, m);
        if (m->fallback == NULL) {
            (void)fputs(" | none", f);
        } else if (m->fallback[0] == '\0') {
            (void)fputs(" | required", f);
        } else {
            (void)fprintf(f, " | `%s`", m->fallback);
        }
        (void)fprintf(f, " | %s |\n", m->help);
    }
}

void svc_config_example(FILE *f)
{
    (void)fputs(
        "{\n"
        "  \"listen\": [\"0.0.0.0:8443\", \"[::]:8443\"],\n"
        "  \"tls\": {\"certificate\": \"server.pem\", \"key\": \"server.key\"},\n"
        "  \"admin_listen\": \"127.0.0.1:9443\",\n"
        "  \"endpoint\": \"https://enrol.example.org:8443/api/v1/attest\",\n"
        "  \"proof_oid\": \"2.25.266612578647278644056060545794611611433\",\n"
        "  \"challenge\": {\"validity_s\": 600, \"offset_s\": 300},\n"
        "  \"store\": \"sqlite:enrol.db\",\n"
        "  \"ca\": {\"folder\": \"ca\"},\n"
        "  \"android\": {\n"
        "    \"applications\": [{\"packageName\": \"org.example.app\",\n"
        "      \"signatureDigests\": [\"0000000000000000000000000000000000000000000000000000000000000000\"]}],\n"
        "    \"androidVersion\": 110000\n"
        "  },\n"
        "  \"apple\": {\n"
        "    \"applications\": [{\"teamIdentifier\": \"0123456789\", \"bundleIdentifier\": \"org.example.app\"}]\n"
        "  },\n"
        "  \"status_list\": {\"url\": \"google\", \"cache_folder\": \"status\"},\n"
        "  \"audit_file\": \"audit.log\"\n"
        "}\n",
        f);
}
