/* SPDX-License-Identifier: Apache-2.0 */
/* demo.c: the first five minutes: an honest server and some that cheat, each in a process of its own, on loopback.
 *
 * The client is the same in every scene: the policy that names the honest room, and nothing else. What changes is the
 * server, or the endorsements that are at hand. Every scene says beforehand which code must come out. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "demo_phone.h"
#include "options.h"
#include "page.h"
#include "room.h"
#include "serve.h"

#define SCENE_MS     15000
#define MAX_SETTINGS 3

/* What is different about a room; sim/README.md has the whole language. */
#define OTHER_APP   "compose={\"manifest_version\":2,\"name\":\"steal-everything\"}"
#define OTHER_IMAGE "os_image_hash=0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad"
#define OTHER_MRTD  "td.mrtd=" BAD_24 BAD_24
#define BAD_24      "0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad"

typedef struct stage stage;

typedef struct scene {
    const char *title;
    const char *story;
    atls_attest_fn attest;
    const char *server[MAX_SETTINGS + 1]; /* what is different about the server's room */
    const char *client[MAX_SETTINGS + 1]; /* what is different about the endorsements that the client holds */
    atls_code expected;
} scene;

struct stage {
    cli_room honest;
    char folder[256]; /* of the TLS files, because a server reads them from there */
    char chain_file[300], key_file[300], ca_file[300];
    atls_policy *policy;
    atls_verifier *verifier;
    bool verbose;
};

/* What an attester of a scene has at hand. */
typedef struct attester {
    sim *sim;     /* the machine that this server really is */
    sim *pretend; /* the honest room, whose log a forger knows */
} attester;

/* ---- servers that cheat ---- */

static bool honest_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    attester *t = ctx;
    return sim_attest(t->sim, report_data, a, out, err);
}

/* A middle-man passes our nonce on. The genuine machine quotes the exporter of its own session, which is the one with
 * the middle-man; that evidence is all he has to show. */
static bool relay_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    attester *t = ctx;
    uint8_t nonce[32], ekm[32], upstream[64];
    (void)report_data;
    cli_room_example(nonce, ekm);
    return atls_dstack_report_data(nonce, ekm, upstream, err) && sim_attest(t->sim, upstream, a, out, err);
}

static bool event_payload(atls_bytes log, const char *event, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const atls_json *tree = NULL;
    if (!atls_json_parse(log, "event_log", a, &tree, err)) {
        return false;
    }
    for (const atls_json *e = tree->child; e != NULL; e = e->next) {
        const atls_json *name = atls_json_find(e, "event");
        const atls_json *payload = atls_json_find(e, "event_payload");
        if (name != NULL && payload != NULL && atls_bytes_equal_str(name->text, event)) {
            *out = payload->text;
            return true;
        }
    }
    return atls_fail(err, ATLS_E_INTERNAL, "event_log", "the simulated log has no such event");
}

/* replace_once makes a copy of text with the first `from` replaced by `to`. */
static bool replace_once(atls_bytes text, atls_bytes from, atls_bytes to, atls_arena *a, atls_bytes *out,
                         atls_error *err)
{
    size_t at = 0;
    while (at + from.len <= text.len && memcmp(text.ptr + at, from.ptr, from.len) != 0) {
        at++;
    }
    if (at + from.len > text.len) {
        return atls_fail(err, ATLS_E_INTERNAL, "event_log", "nothing to forge");
    }
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_put(&b, atls_bytes_of(text.ptr, at));
    atls_buf_put(&b, to);
    atls_buf_put(&b, atls_bytes_of(text.ptr + at + from.len, text.len - at - from.len));
    return atls_buf_done(&b, out);
}

/* A machine that runs something else shows its true digests with the payload of the honest application: the registers
 * replay, and a verifier that does not bind payloads to digests believes it. */
static bool forge_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    attester *t = ctx;
    atls_bytes honest_log = atls_bytes_empty(), wanted = honest_log, mine = honest_log;
    return sim_attest(t->sim, report_data, a, out, err) && sim_event_log(t->pretend, a, &honest_log, err)
           && event_payload(honest_log, "compose-hash", a, &wanted, err)
           && event_payload(out->event_log, "compose-hash", a, &mine, err)
           && replace_once(out->event_log, mine, wanted, a, &out->event_log, err);
}

static const scene scenes[] = {
    {
        .title = "An honest server",
        .story = "A TD runs the application that the policy names, on a patched machine.",
        .attest = honest_attest,
        .expected = ATLS_E_OK,
    },
    {
        .title = "A middle-man relays the evidence",
        .story = "He even has the server's TLS key. But the quote is made over the exporter of his session with the\n"
                 "server, not of ours with him.",
        .attest = relay_attest,
        .expected = ATLS_E_REPORT_DATA_MISMATCH,
    },
    {
        .title = "A forged event log",
        .story = "The machine runs another application, and pastes the hash of the right one next to its own, true\n"
                 "digest.",
        .attest = forge_attest,
        .server = {OTHER_APP},
        .expected = ATLS_E_EVENT_LOG_PARSE,
    },
    {
        .title = "Another application",
        .story = "Genuine hardware, an honest log, and the wrong compose file.",
        .attest = honest_attest,
        .server = {OTHER_APP},
        .expected = ATLS_E_APP_COMPOSE_HASH_MISMATCH,
    },
    {
        .title = "Another OS image",
        .story = "Genuine hardware, an honest log, and the wrong image.",
        .attest = honest_attest,
        .server = {OTHER_IMAGE},
        .expected = ATLS_E_OS_IMAGE_HASH_MISMATCH,
    },
    {
        .title = "Another firmware",
        .story = "Genuine hardware, and a TD that was launched from something else.",
        .attest = honest_attest,
        .server = {OTHER_MRTD},
        .expected = ATLS_E_BOOTCHAIN_MISMATCH,
    },
    {
        .title = "Stale endorsements",
        .story = "The server is honest; our copy of what vouches for its hardware ended an hour ago.",
        .attest = honest_attest,
        .client = {"tcb_info_date.next=now-3600"},
        .expected = ATLS_E_EXPIRED,
    },
    {
        .title = "A revoked platform",
        .story = "The quote is genuine; the vendor has put the machine's certificate on its revocation list.",
        .attest = honest_attest,
        .client = {"crl.pck.revoked=pck"},
        .expected = ATLS_E_REVOKED,
    },
};

#define N_SCENES (sizeof scenes / sizeof scenes[0])

/* ---- the stage ---- */

static bool room_with(const char *const *settings, atls_arena *a, cli_room *out, atls_error *err)
{
    const sim_options options = {.kind = SIM_TDX_V4, .seed = "demo", .settings = settings, .now = SIM_NOW};
    return cli_room_new(&options, "localhost", a, out, err);
}

static bool make_folder(stage *s, atls_error *err)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(s->folder, sizeof s->folder, "%s/atls-demo-XXXXXX", tmp == NULL || tmp[0] == 0 ? "/tmp" : tmp);
    if (n < 0 || (size_t)n >= sizeof s->folder || mkdtemp(s->folder) == NULL) {
        s->folder[0] = 0;
        return atls_fail(err, ATLS_E_USAGE, "TMPDIR", "no temporary folder can be made there");
    }
    (void)snprintf(s->chain_file, sizeof s->chain_file, "%s/tls-chain.pem", s->folder);
    (void)snprintf(s->key_file, sizeof s->key_file, "%s/tls-key.pem", s->folder);
    (void)snprintf(s->ca_file, sizeof s->ca_file, "%s/tls-ca.pem", s->folder);
    return true;
}

static bool write_files(stage *s, atls_error *err)
{
    cli_folder f = {.fd = -1};
    bool ok =
        make_folder(s, err) && cli_folder_open(s->folder, false, &f, err) && cli_room_write_tls(&s->honest, &f, err);
    cli_folder_close(&f);
    return ok;
}

static bool set_stage(stage *s, atls_arena *a, atls_error *err)
{
    atls_bytes policy;
    return room_with(NULL, a, &s->honest, err) && write_files(s, err)
           && sim_policy(s->honest.sim, "dstack_tdx", a, &policy, err) && atls_policy_parse(policy, &s->policy, err)
           && atls_verifier_new(s->policy, &s->verifier, err);
}

static void clear_stage(stage *s)
{
    atls_verifier_free(s->verifier);
    atls_policy_free(s->policy);
    cli_room_free(&s->honest);
    if (s->folder[0] != 0) {
        (void)unlink(s->chain_file);
        (void)unlink(s->key_file);
        (void)unlink(s->ca_file);
        (void)rmdir(s->folder);
    }
}

/* ---- one scene ---- */

static void play_server(const stage *s, const scene *c, attester *t, const cli_listener *l)
{
    const atls_server_options options = {
        .certificate_file = s->chain_file,
        .private_key_file = s->key_file,
        .attest = c->attest,
        .attest_ctx = t,
        .timeout_ms = SCENE_MS,
    };
    atls_error err = {0};
    bool came = false;
    bool served = cli_serve_one(l, &options, cli_monotonic_ms() + SCENE_MS, &came, &err);
    _exit(served ? 0 : 1); /* nothing of the parent's is flushed or freed here */
}

static bool start_server(const stage *s, const scene *c, attester *t, cli_listener *l, pid_t *pid, atls_error *err)
{
    if (!cli_listen(0, l, err)) {
        return false;
    }
    (void)fflush(NULL);
    *pid = fork();
    if (*pid < 0) {
        cli_listener_close(l);
        return atls_fail(err, ATLS_E_IO, "fork", "no process for the server");
    }
    if (*pid == 0) {
        play_server(s, c, t, l);
    }
    return true;
}

static void stop_server(pid_t pid)
{
    (void)kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static bool talk(atls_session *session, atls_error *err)
{
    static const char line[] = "hello, machine whose code I know\n";
    char back[sizeof line] = {0};
    size_t got = 0;
    if (!atls_session_write_all(session, line, sizeof line - 1, SCENE_MS, err)) {
        return false;
    }
    while (got < sizeof line - 1) {
        size_t n = 0;
        if (atls_session_read_blocking(session, back + got, sizeof line - 1 - got, &n, SCENE_MS, err)
            != ATLS_STEP_DONE) {
            return atls_fail(err, ATLS_E_IO, "echo", "the server did not answer");
        }
        got += n;
    }
    printf("sent:     %sreceived: %s", line, back);
    return strcmp(line, back) == 0 || atls_fail(err, ATLS_E_IO, "echo", "the server answered something else");
}

/* outcome prints the page and holds the result against what the scene says must come out. */
static bool outcome(const stage *s, const scene *c, const cli_page *page, atls_error *err)
{
    const atls_error *got = page->error;
    if (s->verbose || got->code == ATLS_OK) {
        cli_page_print(stdout, page);
    } else {
        cli_page_refusal(stdout, page);
    }
    if (got->code != c->expected) {
        return atls_fail_values(err, ATLS_E_INTERNAL, c->title, atls_code_name(c->expected), atls_code_name(got->code),
                                "this scene ended otherwise than it must");
    }
    return true;
}

static bool play_client(const stage *s, const scene *c, sim *endorser, uint16_t port, atls_arena *a, atls_error *err)
{
    const atls_client_options options = {
        .server_name = "localhost",
        .verifier = s->verifier,
        .endorse = sim_endorse,
        .endorse_ctx = endorser,
        .identity = ATLS_IDENTITY_CA,
        .ca_file = s->ca_file,
        .timeout_ms = SCENE_MS,
        .now = SIM_NOW,
    };
    const char *port_text = atls_text_format(a, err, "%u", (unsigned)port);
    atls_session *session = NULL;
    atls_result result = {.profile = ""};
    atls_error refusal = {0};
    if (port_text == NULL) {
        return false;
    }
    bool accepted = atls_connect("127.0.0.1", port_text, &options, a, &session, &result, &refusal);
    const cli_page page = {
        .result = &result,
        .error = &refusal,
        .policy = s->policy,
        .peer = accepted ? atls_session_peer(session) : NULL,
        .server_name = "localhost",
        .verbose = s->verbose,
        .stable = !s->verbose,
    };
    bool ok = outcome(s, c, &page, err) && (!accepted || talk(session, err));
    atls_session_free(session);
    return ok;
}

static bool play(const stage *s, const scene *c, atls_error *err)
{
    atls_arena a = {0};
    cli_room server = {.sim = NULL}, endorser = {.sim = NULL};
    cli_listener l = {.fd = -1};
    pid_t pid = -1;
    bool ok = atls_arena_new(&a, CLI_ARENA_SIZE, err) && room_with(c->server, &a, &server, err)
              && room_with(c->client, &a, &endorser, err);
    attester t = {.sim = server.sim, .pretend = s->honest.sim};
    if (ok && start_server(s, c, &t, &l, &pid, err)) {
        ok = play_client(s, c, endorser.sim, l.port, &a, err);
        stop_server(pid);
    }
    ok = ok && err->code == ATLS_OK;
    cli_listener_close(&l);
    cli_room_free(&server);
    cli_room_free(&endorser);
    atls_arena_free(&a);
    return ok;
}

static bool play_all(stage *s, atls_error *err)
{
    printf(
        "A simulated TEE: real formats and signatures, no hardware. Its root is trusted by this demo's policy only.\n");
    for (size_t i = 0; i < N_SCENES; i++) {
        printf("\n%s%zu. %s%s\n%s\n\n", cli_ink_on(stdout, CLI_BOLD), i + 1, scenes[i].title,
               cli_ink_on(stdout, CLI_PLAIN), scenes[i].story);
        if (!play(s, &scenes[i], err)) {
            return false;
        }
    }
    printf("\n1 accepted, %zu refused, each for its own reason.\n", N_SCENES - 1);
    const cli_demo_enclave enclave = {.folder = s->folder,
                                      .chain_file = s->chain_file,
                                      .key_file = s->key_file,
                                      .ca_file = s->ca_file,
                                      .verifier = s->verifier,
                                      .room = s->honest.sim};
    return cli_demo_phone(&enclave, N_SCENES + 1, err);
}

/* The scenes are a process of their own, so that whoever interrupts them leaves no folder behind. *stopped_by: the signal, 0:
 * none. Returns the exit status. */
static int play_apart(stage *s, const sigset_t *waited, const sigset_t *before, int *stopped_by)
{
    atls_error err = {0};
    int status = 0;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)sigprocmask(SIG_SETMASK, before, NULL);
        status = play_all(s, &err) ? 0 : cli_report("demo", &err);
        const bool said = fflush(stdout) == 0 && ferror(stdout) == 0;
        _exit(said || status != 0 ? status : atls_code_exit_status(ATLS_E_IO));
    }
    pid_t ended = 0;
    while (pid > 0 && ended == 0) {
        int got = 0;
        if (sigwait(waited, &got) == 0 && got != SIGCHLD) {
            *stopped_by = got;
            (void)kill(pid, SIGTERM);
        }
        ended = waitpid(pid, &status, *stopped_by == 0 ? WNOHANG : 0);
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : atls_code_exit_status(ATLS_E_INTERNAL);
}

/* What ends a program at a terminal waits until the folder is gone. */
static void hold_signals(sigset_t *waited, sigset_t *before)
{
    static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    (void)sigemptyset(waited);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        (void)sigaddset(waited, held[i]);
    }
    (void)sigprocmask(SIG_BLOCK, waited, before);
}

int cli_demo(int argc, char *const argv[])
{
    stage s = {.verbose = false};
    const cli_option options[] = {
        {"verbose", 'v', NULL, "whole pages, with what differs in every run", .flag = &s.verbose},
    };
    const cli_usage usage = {
        .verb = "demo",
        .operands = "",
        .summary =
            "Starts simulated servers on loopback, one honest and seven that cheat, and shows what is said of each; "
            "then\n"
            "a phone enrols, and goes to the honest one. Needs no hardware and no network. Exit status 0: the honest\n"
            "were accepted, and everybody else was refused for the right reason.",
        .options = options,
        .n_options = 1,
    };
    atls_error err = {0};
    cli_list operands = {.n = 0};
    atls_arena arena = {0};
    cli_parsed parsed = cli_parse(&usage, argc, argv, &operands, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("demo", &err);
    }
    sigset_t waited, before;
    int stopped_by = 0;
    hold_signals(&waited, &before);
    const bool ok = atls_arena_new(&arena, CLI_ARENA_SIZE, &err) && set_stage(&s, &arena, &err);
    const int status = ok ? play_apart(&s, &waited, &before, &stopped_by) : cli_report("demo", &err);
    clear_stage(&s);
    atls_arena_free(&arena);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (stopped_by != 0) {
        (void)raise(stopped_by);
    }
    return status;
}
