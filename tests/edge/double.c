/* SPDX-License-Identifier: Apache-2.0 */
/* double.c: the server. One thread accepts, one serves each connection, one request each. */
#include "double.h"
#include "double_pages.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define REQUEST_SIZE 4096

typedef struct talk {
    double_server *d;
    int fd;
    SSL *ssl; /* NULL: none */
    char path[256];
    double_mode mode;
    atls_arena arena;
} talk;

static void nap(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    (void)nanosleep(&t, NULL);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------------- */

static bool say(talk *t, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t n = -1;
        if (t->ssl != NULL) {
            n = SSL_write(t->ssl, at, (int)(len > 16384 ? 16384 : len));
        } else {
            n = send(t->fd, at, len, MSG_NOSIGNAL);
        }
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool say_text(talk *t, const char *text)
{
    return say(t, text, strlen(text));
}

static bool hear(talk *t, char request[REQUEST_SIZE])
{
    size_t len = 0;
    request[0] = '\0';
    while (len + 1 < REQUEST_SIZE && strstr(request, "\r\n\r\n") == NULL) {
        const size_t room = REQUEST_SIZE - 1 - len;
        const ssize_t n =
            t->ssl != NULL ? SSL_read(t->ssl, request + len, (int)room) : recv(t->fd, request + len, room, 0);
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        request[len] = '\0';
    }
    return strncmp(request, "GET ", 4) == 0;
}

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

static void say_head(talk *t, const char *status, const double_page *p, size_t len)
{
    char line[256];
    const bool is_old = t->mode == DOUBLE_OLD_HEADER && p->chain_header != NULL
                        && strcmp(p->chain_header, "TCB-Info-Issuer-Chain") == 0;
    (void)snprintf(line, sizeof line, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\nRequest-ID: 0f\r\n",
                   status, len);
    (void)say_text(t, line);
    if (t->mode == DOUBLE_HEX_AS_PAGE) {
        (void)say_text(t, p->is_list ? "Content-Type: text/html\r\n" : "Content-Type: application/pkix-crl\r\n");
    }
    if (t->d->max_age != NULL) {
        (void)snprintf(line, sizeof line, "cache-control: %s\r\n", t->d->max_age);
        (void)say_text(t, line);
    }
    if (p->chain_header != NULL && t->mode != DOUBLE_NO_CHAIN) {
        (void)say_text(t, is_old ? "sgx-tcb-info-issuer-chain" : p->chain_header);
        (void)say_text(t, ": ");
        (void)say_text(t, t->mode == DOUBLE_BAD_CHAIN ? "%2" : "");
        (void)say(t, p->chain.ptr, p->chain.len);
        (void)say_text(t, "\r\n");
        if (t->mode == DOUBLE_TWO_CHAINS) {
            (void)say_text(t, "SGX-TCB-Info-Issuer-Chain: another\r\n");
        }
    }
    (void)say_text(t, "\r\n");
}

static void say_status(talk *t, const char *status)
{
    char text[256];
    const bool waits = t->mode == DOUBLE_THROTTLED || t->mode == DOUBLE_UNAVAILABLE;
    (void)snprintf(text, sizeof text, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 2\r\n%s%s%s\r\nno", status,
                   waits && t->d->retry_after != NULL ? "Retry-After: " : "",
                   waits && t->d->retry_after != NULL ? t->d->retry_after : "",
                   waits && t->d->retry_after != NULL ? "\r\n" : "");
    (void)say_text(t, text);
}

static void say_page(talk *t, const char *status)
{
    static const char page[] = "<!DOCTYPE html><html><body>{\"tcbInfo\":{}} is not here.</body></html>";
    char text[512];
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n\r\n%s",
                   status, strlen(page), page);
    (void)say_text(t, text);
}

static void say_redirect(talk *t, const char *where)
{
    char text[768];
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n", where);
    (void)say_text(t, text);
}

static void go_on(talk *t)
{
    char block[4096];
    memset(block, 'x', sizeof block);
    while (!atomic_load(&t->d->stopping) && say(t, block, sizeof block)) {
    }
}

static void drip(talk *t, atls_bytes body)
{
    for (size_t i = 0; i < body.len && !atomic_load(&t->d->stopping) && say(t, body.ptr + i, 1); i++) {
        nap(50);
    }
}

static void stay_silent(talk *t)
{
    while (!atomic_load(&t->d->stopping)) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        char byte;
        if (poll(&p, 1, 50) > 0 && recv(t->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
            return;
        }
    }
}

static void reset(talk *t)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Nothing but a status; false: this mode is no such one. */
static bool refuse(talk *t)
{
    static const char *const statuses[] = {
        [DOUBLE_NOT_FOUND] = "404 Not Found",       [DOUBLE_GONE] = "410 Gone",
        [DOUBLE_THROTTLED] = "429 Too Many",        [DOUBLE_UNAVAILABLE] = "503 Service Unavailable",
        [DOUBLE_BROKEN] = "500 Something happened", [DOUBLE_FORBIDDEN] = "403 Forbidden",
    };
    switch (t->mode) {
    case DOUBLE_NOT_FOUND:
    case DOUBLE_GONE:
    case DOUBLE_THROTTLED:
    case DOUBLE_UNAVAILABLE:
    case DOUBLE_BROKEN:
    case DOUBLE_FORBIDDEN:
        say_status(t, statuses[t->mode]);
        return true;
    case DOUBLE_HTML_404:
    case DOUBLE_HTML_502:
        say_page(t, t->mode == DOUBLE_HTML_404 ? "404 Not Found" : "502 Bad Gateway");
        return true;
    case DOUBLE_NO_UPDATE:
        if (strstr(t->path, "update=") == NULL) {
            return false;
        }
        say_status(t, "404 Not Found");
        return true;
    default:
        return false;
    }
}

/* Ways to misbehave that need nothing to serve; false: it is not one of them. */
static bool misbehave(talk *t)
{
    char here[512];
    switch (t->mode) {
    case DOUBLE_OVERSIZED:
        (void)say_text(t, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
        go_on(t);
        return true;
    case DOUBLE_ENDLESS:
        (void)say_text(t, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        go_on(t);
        return true;
    case DOUBLE_SILENT:
        stay_silent(t);
        return true;
    case DOUBLE_RESET:
        reset(t);
        return true;
    case DOUBLE_REDIRECT_ELSEWHERE:
        say_redirect(t, "http://127.0.0.2:9/");
        return true;
    case DOUBLE_REDIRECT_FILE:
        say_redirect(t, "file:///etc/hostname");
        return true;
    case DOUBLE_REDIRECT_LOOP:
        say_redirect(t, t->path);
        return true;
    case DOUBLE_REDIRECT_HERE:
        if (strncmp(t->path, "/moved", 6) == 0) {
            return false;
        }
        (void)snprintf(here, sizeof here, "/moved%s", t->path);
        say_redirect(t, here);
        return true;
    case DOUBLE_NO_STATUS:
        (void)say_text(t, "{\"tcbInfo\":{}}");
        return true;
    default:
        return refuse(t);
    }
}

static void say_long_headers(talk *t)
{
    char line[1024];
    (void)say_text(t, "HTTP/1.1 200 OK\r\n");
    memset(line, 'a', sizeof line);
    memcpy(line, "X-Long: ", 8);
    memcpy(line + sizeof line - 2, "\r\n", 2);
    for (size_t i = 0; i < 512 && say(t, line, sizeof line); i++) {
    }
    (void)say_text(t, "\r\n");
}

static void serve_page(talk *t, double_page *p)
{
    switch (t->mode) {
    case DOUBLE_GARBAGE:
        p->body = atls_bytes_str("\x30\x82\x01garbage, and not what was asked for");
        break;
    case DOUBLE_HTML:
        p->body = atls_bytes_str("<!DOCTYPE html><html><body>Please log in.</body></html>");
        break;
    case DOUBLE_EMPTY:
        p->body = atls_bytes_empty();
        break;
    case DOUBLE_JSON_ERROR:
        p->body = atls_bytes_str("{\"status\":500,\"message\":\"tcbInfo\",\"signature\":\"00\"}");
        break;
    case DOUBLE_GARBAGE_HEADERS:
        (void)say_text(t, "HTTP/1.1 200 OK\r\n\x01\x02 no header at all\r\n: : :\r\n");
        break;
    case DOUBLE_LONG_HEADERS:
        say_long_headers(t);
        return;
    case DOUBLE_HEX_LISTS:
    case DOUBLE_HEX_AS_PAGE:
    case DOUBLE_PEM_LISTS:
        p->body = p->is_list ? double_list(p->body, t->mode == DOUBLE_PEM_LISTS, &t->arena) : p->body;
        break;
    default:
        break;
    }
    if (t->mode != DOUBLE_GARBAGE_HEADERS) {
        say_head(t, "200 OK", p, p->body.len);
    }
    if (t->mode == DOUBLE_DRIP) {
        drip(t, p->body);
        return;
    }
    (void)say(t, p->body.ptr, t->mode == DOUBLE_TRUNCATED ? p->body.len / 2 : p->body.len);
}

/* ---- one connection ---------------------------------------------------------------------------------------------------- */

static void note_path(double_server *d, const char *path)
{
    (void)pthread_mutex_lock(&d->lock);
    size_t i = 0;
    while (i < d->n_seen && strcmp(d->seen[i].path, path) != 0) {
        i++;
    }
    if (i == d->n_seen && d->n_seen < DOUBLE_MAX_PATHS) {
        (void)snprintf(d->seen[d->n_seen++].path, sizeof d->seen[0].path, "%s", path);
    }
    if (i < d->n_seen) {
        d->seen[i].n++;
    }
    (void)pthread_mutex_unlock(&d->lock);
}

static double_mode mode_for(double_server *d, const char *path)
{
    const double_mode mode = atomic_load(&d->mode);
    if (mode == DOUBLE_HONEST || (d->only != NULL && strstr(path, d->only) == NULL)) {
        return DOUBLE_HONEST;
    }
    unsigned left = atomic_load(&d->n_bad);
    if (left == 1) {
        atomic_store(&d->mode, DOUBLE_HONEST); /* this is the last one */
    }
    if (left > 0) {
        atomic_store(&d->n_bad, left - 1);
    }
    return mode;
}

static const char *other_path(const char *path)
{
    return strstr(path, "/tcb?") != NULL        ? "/tdx/certification/v4/qe/identity"
           : strstr(path, "/qe/") != NULL       ? "/tdx/certification/v4/tcb?fmspc=000000000000"
           : strstr(path, "/pckcrl") != NULL    ? "/sgx/certification/v4/rootcacrl"
           : strstr(path, "/rootcacrl") != NULL ? "/tdx/certification/v4/qe/identity"
           : strstr(path, "cert_chain") != NULL ? "/vcek/v1/Genoa/crl"
           : strstr(path, "/crl") != NULL       ? "/vcek/v1/Genoa/cert_chain"
                                                : "/vcek/v1/Genoa/crl";
}

static void answer(talk *t)
{
    double_page p;
    char request[REQUEST_SIZE];
    if (!hear(t, request) || sscanf(request, "GET %255s HTTP/1.1", t->path) != 1) {
        return;
    }
    note_path(t->d, t->path);
    t->mode = mode_for(t->d, t->path);
    for (unsigned ms = 0; ms < atomic_load(&t->d->delay_ms); ms += 10) {
        nap(10);
    }
    if (misbehave(t)) {
        return;
    }
    if (double_find_page(t->d, t->mode == DOUBLE_OTHER_PIECE ? other_path(t->path) : t->path, &t->arena, &p)) {
        serve_page(t, &p);
    } else {
        say_status(t, "404 Not Found");
    }
}

static void *serve(void *arg)
{
    talk *t = arg;
    double_server *d = t->d;
    atls_error err = {0};
    const struct timeval patience = {.tv_sec = 20};
    sigset_t pipe_signal;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE); /* SSL_write knows no MSG_NOSIGNAL */
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    (void)setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (!atls_arena_new(&t->arena, (size_t)4 * 1024 * 1024, &err)) {
        abort();
    }
    t->ssl = d->tls == NULL ? NULL : SSL_new(d->tls);
    if (t->ssl == NULL || (SSL_set_fd(t->ssl, t->fd) == 1 && SSL_accept(t->ssl) == 1)) {
        answer(t);
        if (t->ssl != NULL && t->mode != DOUBLE_RESET) {
            (void)SSL_shutdown(t->ssl);
        }
    }
    ERR_clear_error();
    SSL_free(t->ssl);
    if (t->mode != DOUBLE_RESET) {
        (void)shutdown(t->fd, SHUT_WR);
    }
    (void)close(t->fd);
    atls_arena_free(&t->arena);
    free(t);
    (void)atomic_fetch_sub(&d->n_open, 1);
    return NULL;
}

static void *accept_all(void *arg)
{
    double_server *d = arg;
    while (!atomic_load(&d->stopping)) {
        struct pollfd p = {.fd = d->listener, .events = POLLIN};
        const int fd = poll(&p, 1, 20) > 0 ? accept(d->listener, NULL, NULL) : -1;
        if (fd < 0) {
            continue;
        }
        talk *t = calloc(1, sizeof *t);
        pthread_t thread;
        if (t == NULL) {
            abort();
        }
        t->d = d;
        t->fd = fd;
        (void)atomic_fetch_add(&d->n_open, 1);
        if (pthread_create(&thread, NULL, serve, t) != 0 || pthread_detach(thread) != 0) {
            abort();
        }
    }
    return NULL;
}

/* ---- opening and closing ----------------------------------------------------------------------------------------------- */

static void listen_on_loopback(double_server *d)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    socklen_t len = sizeof address.in;
    d->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(d->listener >= 0);
    assert_int_equal(bind(d->listener, &address.any, len), 0);
    assert_int_equal(listen(d->listener, 128), 0);
    assert_int_equal(getsockname(d->listener, &address.any, &len), 0);
    (void)snprintf(d->url, sizeof d->url, "%s:%u%s", d->has_tls ? "https://localhost" : "http://127.0.0.1",
                   (unsigned)ntohs(address.in.sin_port), d->path_prefix == NULL ? "" : d->path_prefix);
}

static void load_identity(SSL_CTX *ctx, const sim_tls *tls)
{
    union {
        const void *in;
        void *out;
    } chain = {.in = tls->chain_pem.ptr}, key = {.in = tls->key_pem.ptr};
    BIO *c = BIO_new_mem_buf(chain.out, (int)tls->chain_pem.len);
    BIO *k = BIO_new_mem_buf(key.out, (int)tls->key_pem.len);
    X509 *cert = PEM_read_bio_X509(c, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pkey), 1);
    X509_free(cert);
    EVP_PKEY_free(pkey);
    BIO_free(c);
    BIO_free(k);
}

/* libcurl checks the server's certificate by the system's clock. */
static void open_tls(double_server *d)
{
    const sim_options options = {.seed = "web", .now = (atls_time)time(NULL)};
    atls_error err = {0};
    sim *room = NULL;
    sim_tls tls;
    assert_true(sim_new(&options, &room, &err));
    assert_true(sim_tls_identity(room, "localhost", &d->arena, &tls, &err));
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    load_identity(ctx, &tls);
    d->tls = ctx;
    (void)snprintf(d->ca_file, sizeof d->ca_file, "/tmp/atls-double-XXXXXX");
    const int fd = mkstemp(d->ca_file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, tls.ca_pem.ptr, tls.ca_pem.len), (ssize_t)tls.ca_pem.len);
    (void)close(fd);
    sim_free(room);
}

void double_open(double_server *d)
{
    const sim_options options = {.seed = d->seed, .settings = d->settings};
    const sim_snp_options snp = {.seed = d->seed, .settings = d->snp_settings};
    atls_error err = {0};
    assert_int_equal(pthread_mutex_init(&d->lock, NULL), 0);
    assert_true(atls_arena_new(&d->arena, (size_t)4 * 1024 * 1024, &err));
    if (!sim_new(&options, &d->room, &err) || !sim_snp_new(&snp, &d->snp, &err)
        || !sim_collateral(d->room, &d->arena, &d->collateral, &err)
        || !sim_snp_pile(d->snp, &d->arena, &d->pile, &err)) {
        fail_msg("%s: %s", err.field, err.message);
    }
    if (d->has_tls) {
        open_tls(d);
    }
    listen_on_loopback(d);
    assert_int_equal(pthread_create(&d->thread, NULL, accept_all, d), 0);
}

void double_close(double_server *d)
{
    atomic_store(&d->stopping, true);
    assert_int_equal(pthread_join(d->thread, NULL), 0);
    while (atomic_load(&d->n_open) > 0) {
        nap(5);
    }
    (void)close(d->listener);
    SSL_CTX_free(d->tls);
    if (d->has_tls) {
        (void)unlink(d->ca_file);
    }
    sim_snp_free(d->snp);
    sim_free(d->room);
    atls_arena_free(&d->arena);
    (void)pthread_mutex_destroy(&d->lock);
}

unsigned double_seen(double_server *d, const char *text)
{
    unsigned n = 0;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->n_seen; i++) {
        n += text == NULL || strstr(d->seen[i].path, text) != NULL ? d->seen[i].n : 0;
    }
    (void)pthread_mutex_unlock(&d->lock);
    return n;
}

unsigned double_most(double_server *d)
{
    unsigned most = 0;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->n_seen; i++) {
        most = d->seen[i].n > most ? d->seen[i].n : most;
    }
    (void)pthread_mutex_unlock(&d->lock);
    return most;
}

void double_forget(double_server *d)
{
    (void)pthread_mutex_lock(&d->lock);
    d->n_seen = 0;
    memset(d->seen, 0, sizeof d->seen);
    (void)pthread_mutex_unlock(&d->lock);
}
