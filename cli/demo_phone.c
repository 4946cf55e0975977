/* SPDX-License-Identifier: Apache-2.0 */
/* demo_phone.c: scenes with a phone: it enrols, and shows what it got to the enclave; one that must not enrol; one that has
 * not. The enrolment is the service's own (steps and CA), without HTTP in between. */
#include "demo_phone.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atls/enroller.h"
#include "base/text.h"
#include "edge/service/ca.h"
#include "files.h"
#include "pki/cert.h"
#include "serve.h"
#include "sim/sim_phone.h"
#include "values.h"

#define SCENE_MS  15000
#define PROOF_OID "2.25.266612578647278744056060545794611611433"

typedef struct scene {
    const char *title;
    const char *story;
    const char *setting; /* what is different about the phone; NULL: nothing */
    bool enrols;         /* else it goes to the enclave as it is */
    atls_code enrolment; /* what must come out of that */
    atls_code session;   /* and of the session, where there is one */
} scene;

static const scene scenes[] = {
    {
        .title = "A phone enrols, and meets the enclave",
        .story =
            "It proves a key and an app to the enrolment service, and gets a certificate. With that the enclave lets\n"
            "it in, and the phone knows what the enclave is.",
        .enrols = true,
    },
    {
        .title = "An unlocked phone",
        .story = "Its hardware is genuine, and says that anybody may have changed the system.",
        .setting = "rot.locked=00",
        .enrols = true,
        .enrolment = ATLS_E_ANDROID_SYSTEM_INTEGRITY,
    },
    {
        .title = "A client that has not enrolled",
        .story = "The enclave would be fine with it; the enclave's policy for clients is not.",
        .session = ATLS_E_PEER_REFUSED,
    },
};
#define N_SCENES (sizeof scenes / sizeof scenes[0])

typedef struct play {
    const cli_demo_enclave *enclave;
    const scene *scene;
    atls_arena arena;
    const char *ca_dir;
    const char *cert_file;
    const char *cert_key;
    atls_ca *ca;
    sim_phone *phone;
    atls_policy *phones;  /* of the service */
    atls_policy *clients; /* of the enclave */
    atls_enroller *enroller;
    atls_verifier *verifier; /* of the enclave, for clients */
    atls_error *err;
} play;

/* ---- the service ---- */

static bool open_ca(play *p)
{
    const atls_ca_init_options init = {.dir = p->ca_dir, .now = SIM_NOW};
    const atls_ca_options options = {.dir = p->ca_dir, .profile = atls_bytes_empty(), .now = SIM_NOW};
    return p->ca_dir != NULL && atls_ca_init(&init, p->err) && atls_ca_open(&options, &p->ca, p->err);
}

/* A policy that names the honest phone's maker and app. */
static bool open_enroller(play *p)
{
    const sim_phone_options honest = {.kind = SIM_PHONE_ANDROID, .seed = "demo"};
    sim_phone *phone = NULL;
    atls_bytes json;
    const bool ok = sim_phone_new(&honest, &phone, p->err) && sim_phone_policy(phone, &p->arena, &json, p->err)
                    && atls_policy_parse(json, &p->phones, p->err);
    sim_phone_free(phone);
    const atls_enroller_options options = {
        .android = p->phones, .proof_oid = PROOF_OID, .endorse = sim_phone_endorse, .endorse_ctx = p->phone};
    return ok && atls_enroller_new(&options, &p->enroller, p->err);
}

static bool open_phone(play *p)
{
    const char *settings[] = {p->scene->setting, NULL};
    const sim_phone_options options = {.kind = SIM_PHONE_ANDROID, .seed = "demo", .settings = settings};
    return sim_phone_new(&options, &p->phone, p->err);
}

/* The enclave believes the CA, for one app. */
static bool open_clients(play *p)
{
    static const char text[] = "{\"type\":\"enrolled_key\",\"applications\":[\"org.example.app\"]}";
    atls_ca_facts facts;
    atls_ca_describe(p->ca, SIM_NOW, &facts);
    return atls_policy_parse_with_roots(atls_bytes_str(text), &facts.chain[facts.n_chain - 1], 1, &p->clients, p->err)
           && atls_verifier_new(p->clients, &p->verifier, p->err);
}

/* ---- enrolment ---- */

/* One process, one request: nobody was here before. */
static bool consume(void *ctx, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    (void)ctx;
    (void)nonce;
    (void)now_ms;
    (void)err;
    *out = ATLS_CONSUMED_FRESH;
    return true;
}

static bool keep(play *p, const atls_enrol_outcome *outcome)
{
    cli_folder f = {.fd = -1};
    atls_bytes der, key, chain;
    atls_buf b;
    atls_buf_init(&b, &p->arena, p->err);
    for (size_t i = 0; i < outcome->n_chain; i++) {
        atls_bytes pem;
        if (!atls_pem_encode(outcome->chain[i], "CERTIFICATE", &p->arena, &pem, p->err)) {
            return false;
        }
        atls_buf_put(&b, pem);
    }
    const bool ok = atls_buf_done(&b, &chain) && sim_phone_private_key(p->phone, &p->arena, &der, p->err)
                    && atls_pem_encode(der, "EC PRIVATE KEY", &p->arena, &key, p->err)
                    && cli_folder_open(p->enclave->folder, true, &f, p->err)
                    && cli_write(&f, "phone-chain.pem", 0644, chain, p->err)
                    && cli_write(&f, "phone-key.pem", 0600, key, p->err);
    cli_folder_close(&f);
    return ok;
}

static void print_enrolment(const atls_enrol_outcome *o)
{
    if (!o->is_success) {
        printf("enrolment: refused: %s: %s\n", atls_category_name(o->kind), o->error.message);
        return;
    }
    printf("enrolment: a certificate for ");
    cli_put_bytes(stdout, o->app);
    printf(", key in %s\n", o->security_level);
}

static bool expect(const play *p, atls_code wanted, atls_code got)
{
    return wanted == got
           || atls_fail_values(p->err, ATLS_E_INTERNAL, p->scene->title, atls_code_name(wanted), atls_code_name(got),
                               "this scene ended otherwise than it must");
}

static bool enrol(play *p, bool *enrolled)
{
    uint8_t nonce[ATLS_ENROL_NONCE_LEN];
    atls_enrol_challenge challenge = {.proof_oid = atls_bytes_str(PROOF_OID)};
    atls_enrol_outcome outcome;
    atls_enrol_request request = {.now = SIM_NOW, .consume = consume, .issue = atls_ca_issue, .issue_ctx = p->ca};
    *enrolled = false;
    if (!cli_random(nonce, sizeof nonce, p->err)) {
        return false;
    }
    challenge.nonce = atls_bytes_of(nonce, sizeof nonce);
    if (!sim_phone_csr(p->phone, &challenge, &p->arena, &request.csr, p->err)
        || !atls_enroller_run(p->enroller, &request, &p->arena, &outcome, p->err)) {
        return false;
    }
    print_enrolment(&outcome);
    *enrolled = outcome.is_success;
    return expect(p, p->scene->enrolment, outcome.error.code) && (!outcome.is_success || keep(p, &outcome));
}

/* ---- the session ---- */

static void serve(const play *p, const cli_listener *l)
{
    const atls_server_options options = {
        .certificate_file = p->enclave->chain_file,
        .private_key_file = p->enclave->key_file,
        .attest = sim_attest,
        .attest_ctx = p->enclave->room,
        .verifier = p->verifier,
        .now = SIM_NOW,
    };
    atls_error err = {0};
    bool came = false;
    /* what the enclave says of its clients would stand anywhere in the output */
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0) {
        _exit(1);
    }
    const bool served = cli_serve_one(l, &options, cli_monotonic_ms() + SCENE_MS, &came, &err);
    _exit(served ? 0 : 1); /* nothing of the parent's is flushed or freed here */
}

static bool say_hello(atls_session *s, atls_error *err)
{
    static const char line[] = "hello from a phone\n";
    char back[sizeof line] = {0};
    size_t got = 0;
    if (!atls_session_write_all(s, line, sizeof line - 1, SCENE_MS, err)) {
        return false;
    }
    while (got < sizeof line - 1) {
        size_t n = 0;
        if (atls_session_read_blocking(s, back + got, sizeof line - 1 - got, &n, SCENE_MS, err) != ATLS_STEP_DONE) {
            return atls_fail(err, ATLS_E_IO, "echo", "the enclave did not answer");
        }
        got += n;
    }
    printf("sent:      %sreceived:  %s", line, back);
    return strcmp(line, back) == 0 || atls_fail(err, ATLS_E_IO, "echo", "the enclave answered something else");
}

static bool meet(play *p, uint16_t port, bool enrolled)
{
    const char *port_text = atls_text_format(&p->arena, p->err, "%u", (unsigned)port);
    const atls_client_options options = {
        .server_name = "localhost",
        .verifier = p->enclave->verifier,
        .endorse = sim_endorse,
        .endorse_ctx = p->enclave->room,
        .identity = ATLS_IDENTITY_CA,
        .ca_file = p->enclave->ca_file,
        .certificate_file = enrolled ? p->cert_file : NULL,
        .private_key_file = enrolled ? p->cert_key : NULL,
        .timeout_ms = SCENE_MS,
        .profiles = ATLS_PROFILE_NATIVE,
        .now = SIM_NOW,
    };
    atls_session *session = NULL;
    atls_result result = {.profile = ""};
    atls_error refusal = {0};
    if (port_text == NULL) {
        return false;
    }
    const bool open = atls_connect("127.0.0.1", port_text, &options, &p->arena, &session, &result, &refusal);
    if (open) {
        printf("session:   the enclave is verified (grade %s), and has let us in\n", atls_grade_name(result.grade));
    } else {
        printf("session:   %s: %s\n", atls_code_name(refusal.code), refusal.message);
    }
    const bool ok = expect(p, p->scene->session, refusal.code) && (!open || say_hello(session, p->err));
    atls_session_free(session);
    return ok;
}

static bool go_to_enclave(play *p, bool enrolled)
{
    cli_listener l = {.fd = -1};
    if (!cli_listen(0, &l, p->err)) {
        return false;
    }
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        serve(p, &l);
    }
    const bool ok = pid > 0 ? meet(p, l.port, enrolled) : atls_fail(p->err, ATLS_E_IO, "fork", "no process");
    if (pid > 0) {
        (void)kill(pid, SIGTERM);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    cli_listener_close(&l);
    return ok;
}

/* ---- one scene ---- */

static void remove_files(const play *p)
{
    static const char *const names[] = {"root.pem",  "root.key.pem", "issuer.key.pem",
                                        "chain.pem", "serial.key",   "profile.json"};
    char path[512];
    for (size_t i = 0; p->ca_dir != NULL && i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", p->ca_dir, names[i]);
        (void)unlink(path);
    }
    if (p->ca_dir != NULL && p->cert_file != NULL && p->cert_key != NULL) {
        (void)rmdir(p->ca_dir);
        (void)unlink(p->cert_file);
        (void)unlink(p->cert_key);
    }
}

static void clear(play *p)
{
    atls_enroller_free(p->enroller);
    atls_verifier_free(p->verifier);
    atls_policy_free(p->clients);
    atls_policy_free(p->phones);
    sim_phone_free(p->phone);
    atls_ca_free(p->ca);
    remove_files(p);
    atls_arena_free(&p->arena);
}

static bool play_scene(const cli_demo_enclave *enclave, const scene *s, atls_error *err)
{
    play p = {.enclave = enclave, .scene = s, .err = err};
    bool enrolled = false;
    if (!atls_arena_new(&p.arena, CLI_ARENA_SIZE, err)) {
        return false;
    }
    p.ca_dir = atls_text_format(&p.arena, err, "%s/ca", enclave->folder);
    p.cert_file = atls_text_format(&p.arena, err, "%s/phone-chain.pem", enclave->folder);
    p.cert_key = atls_text_format(&p.arena, err, "%s/phone-key.pem", enclave->folder);
    const bool ok = p.cert_file != NULL && p.cert_key != NULL && open_ca(&p) && open_phone(&p) && open_enroller(&p)
                    && open_clients(&p) && (!s->enrols || enrol(&p, &enrolled))
                    && (s->enrolment != ATLS_OK || go_to_enclave(&p, enrolled));
    clear(&p);
    return ok;
}

bool cli_demo_phone(const cli_demo_enclave *enclave, size_t first, atls_error *err)
{
    for (size_t i = 0; i < N_SCENES; i++) {
        printf("\n%s%zu. %s%s\n%s\n\n", cli_ink_on(stdout, CLI_BOLD), first + i, scenes[i].title,
               cli_ink_on(stdout, CLI_PLAIN), scenes[i].story);
        if (!play_scene(enclave, &scenes[i], err)) {
            return false;
        }
    }
    printf("\n1 phone enrolled and was let in; 1 must not enrol; 1 client was not let in.\n");
    return true;
}
