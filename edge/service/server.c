/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: the event loop: listeners, signals, the pipe of the workers, and the end. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conn.h"
#include "place.h"

#define BACKLOG     1024
#define SPARE_FILES 256u /* files, listeners, connections to the store, the admin's */

const svc_config *svc_config_of(svc_server *v)
{
    return &v->engine->generation->config;
}

void svc_refresh(svc_server *v)
{
    svc_engine *now = svc_engine_take(v->service);
    svc_engine_drop(v->engine);
    v->engine = now;
}

/* ---- listening ---- */

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
    (void)l;
    (void)len;
    svc_refresh(arg);
    svc_conn_accept(arg, fd, sa, false);
}

static void on_admin(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
    (void)l;
    (void)len;
    svc_refresh(arg);
    svc_conn_accept(arg, fd, sa, true);
}

/* No descriptors, most likely: one client less. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    (void)l;
    (void)svc_conn_make_room(arg, NULL);
}

static bool listen_at(svc_server *v, const svc_list *places, const char *field, evconnlistener_cb accept,
                      struct evconnlistener **out, size_t *n, atls_error *err)
{
    for (size_t i = 0; i < places->n; i++) {
        svc_place place;
        if (!svc_place_parse(places->items[i], field, &place, err)) {
            return false;
        }
        unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_DISABLED;
        flags |= place.address.ss_family == AF_INET6 ? LEV_OPT_BIND_IPV6ONLY : 0u;
        errno = 0;
        out[i] = evconnlistener_new_bind(v->base, accept, v, flags, BACKLOG, (const struct sockaddr *)&place.address,
                                         (int)place.len);
        const int reason = errno;
        if (out[i] == NULL) {
            return atls_fail(err, ATLS_E_IO, field, "%s cannot be listened at: %s", places->items[i], strerror(reason));
        }
        evconnlistener_set_error_cb(out[i], on_accept_error);
        *n = i + 1;
    }
    return true;
}

static uint16_t port_of(struct evconnlistener *l)
{
    struct sockaddr_storage a;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    socklen_t len = sizeof a;
    if (getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&a, &len) != 0) {
        return 0;
    }
    memcpy(&in4, &a, sizeof in4);
    memcpy(&in6, &a, sizeof in6);
    return ntohs(a.ss_family == AF_INET6 ? in6.sin6_port : in4.sin_port);
}

uint16_t svc_server_port(const svc_server *v, bool is_admin)
{
    if (is_admin) {
        return v->n_admin_listeners == 0 ? 0 : port_of(v->admin_listeners[0]);
    }
    return v->n_listeners == 0 ? 0 : port_of(v->listeners[0]);
}

size_t svc_server_connections(const svc_server *v)
{
    return atomic_load(&v->n_connections);
}

/* ---- the end ---- */

static bool is_done(const svc_server *v)
{
    return v->is_draining && v->n_working == 0 && atomic_load(&v->n_connections) == 0;
}

/* Nobody new; those who wait for nothing go; those whose request has begun stay. */
static void begin_drain(svc_server *v)
{
    const uint64_t ms = svc_config_of(v)->drain_timeout_ms;
    const struct timeval patience = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    if (v->is_draining) {
        v->timed_out = v->n_working > 0; /* told twice: at once */
        (void)event_base_loopbreak(v->base);
        return;
    }
    v->is_draining = true;
    atomic_store(&v->service->is_draining, true);
    svc_log(v->service, SVC_INFO, "ending: %zu requests have begun", v->n_working);
    svc_notify("STOPPING=1");
    for (size_t i = 0; i < v->n_listeners; i++) {
        evconnlistener_free(v->listeners[i]);
    }
    v->n_listeners = 0;
    for (svc_conn *c = v->oldest; c != NULL;) {
        svc_conn *newer = c->newer;
        if (c->state != SVC_WRITE && c->state != SVC_LINGER && !c->is_admin) {
            svc_conn_close(c);
        }
        c = newer;
    }
    (void)evtimer_add(v->drain, &patience);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    svc_server *v = arg;
    (void)fd;
    (void)what;
    v->timed_out = v->n_working > 0;
    (void)event_base_loopbreak(v->base);
}

/* ---- signals and the pipe ---- */

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    svc_server *v = arg;
    (void)what;
    svc_refresh(v);
    if (number == SIGHUP) {
        svc_keeper_reload(v->service->keeper);
    } else {
        begin_drain(v);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    svc_server *v = arg;
    char bytes[256];
    (void)what;
    svc_refresh(v);
    while (read(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes) {
    }
    for (svc_job *job = svc_pool_done(v->service->pool); job != NULL;) {
        svc_job *next = job->next;
        svc_conn_answered(job->owner, job);
        svc_job_free(job);
        job = next;
    }
    if (atomic_exchange(&v->stop_wanted, false)) {
        begin_drain(v);
    }
}

void svc_server_stop(svc_server *v)
{
    atomic_store(&v->stop_wanted, true);
    const ssize_t n = write(v->pipe[1], "", 1);
    (void)n;
}

int svc_server_wake_fd(const svc_server *v)
{
    return v->pipe[1];
}

/* ---- making one ---- */

bool svc_files_enough(const svc_config *c, atls_error *err)
{
    struct rlimit r;
    const rlim_t wanted = (rlim_t)(c->max_connections + SPARE_FILES);
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= wanted) {
        return true;
    }
    r.rlim_cur = r.rlim_max < wanted ? r.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur >= wanted) {
        return true;
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, "limits.connections",
                     "they need %llu descriptors, and the system allows %llu", (unsigned long long)wanted,
                     (unsigned long long)r.rlim_max);
}

static bool make_pipe(svc_server *v, atls_error *err)
{
    if (pipe(v->pipe) != 0) {
        v->pipe[0] = v->pipe[1] = -1;
        return atls_fail(err, ATLS_E_INTERNAL, "pipe", NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)evutil_make_socket_nonblocking(v->pipe[i]);
        (void)evutil_make_socket_closeonexec(v->pipe[i]);
    }
    v->wake = event_new(v->base, v->pipe[0], EV_READ | EV_PERSIST, on_wake, v);
    v->drain = evtimer_new(v->base, on_patience, v);
    return (v->wake != NULL && v->drain != NULL && event_add(v->wake, NULL) == 0)
           || atls_fail(err, ATLS_E_INTERNAL, "pipe", NULL);
}

static bool make_signals(svc_server *v, atls_error *err)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    for (size_t i = 0; v->service->options.with_signals && i < 3; i++) {
        v->signals[i] = evsignal_new(v->base, numbers[i], on_signal, v);
        if (v->signals[i] == NULL || event_add(v->signals[i], NULL) != 0) {
            return atls_fail(err, ATLS_E_INTERNAL, "signals", NULL);
        }
    }
    return true;
}

static bool make(svc_server *v, atls_error *err)
{
    const svc_config *c = svc_config_of(v);
    v->base = event_base_new();
    v->n_chains = (size_t)(c->max_connections < 65536 ? c->max_connections : 65536) + 1;
    v->chains = calloc(v->n_chains, sizeof(svc_conn *));
    if (v->base == NULL || v->chains == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "server", NULL);
    }
    return svc_files_enough(c, err) && atls_buckets_new((size_t)c->addresses, &v->challenge_buckets, err)
           && atls_buckets_new((size_t)c->addresses, &v->attest_buckets, err) && make_pipe(v, err)
           && make_signals(v, err) && listen_at(v, &c->listen, "listen", on_accept, v->listeners, &v->n_listeners, err)
           && listen_at(v, &c->admin_listen, "admin_listen", on_admin, v->admin_listeners, &v->n_admin_listeners, err);
}

bool svc_server_new(atls_service *s, svc_server **out, atls_error *err)
{
    svc_server *v = calloc(1, sizeof *v);
    *out = NULL;
    if (v == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "server", NULL);
    }
    v->service = s;
    v->pipe[0] = v->pipe[1] = -1;
    v->engine = svc_engine_take(s);
    if (!make(v, err)) {
        svc_server_free(v);
        return false;
    }
    *out = v;
    return true;
}

bool svc_server_run(svc_server *v, atls_error *err)
{
    for (size_t i = 0; i < v->n_listeners; i++) {
        (void)evconnlistener_enable(v->listeners[i]);
    }
    for (size_t i = 0; i < v->n_admin_listeners; i++) {
        (void)evconnlistener_enable(v->admin_listeners[i]);
    }
    while (!is_done(v) && event_base_loop(v->base, EVLOOP_ONCE) == 0 && event_base_got_break(v->base) == 0) {
    }
    return !v->timed_out
           || atls_fail(err, ATLS_E_TIMEOUT, "limits.drain_timeout_ms", "%zu requests did not finish in time",
                        v->n_working);
}

static void free_listeners(struct evconnlistener **l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        evconnlistener_free(l[i]);
    }
}

void svc_server_free(svc_server *v)
{
    if (v == NULL) {
        return;
    }
    for (size_t i = 0; v->chains != NULL && i < v->n_chains; i++) {
        while (v->chains[i] != NULL) {
            svc_conn_close(v->chains[i]);
        }
    }
    free_listeners(v->listeners, v->n_listeners);
    free_listeners(v->admin_listeners, v->n_admin_listeners);
    for (size_t i = 0; i < 3; i++) {
        if (v->signals[i] != NULL) {
            event_free(v->signals[i]);
        }
    }
    if (v->wake != NULL) {
        event_free(v->wake);
    }
    if (v->drain != NULL) {
        event_free(v->drain);
    }
    for (size_t i = 0; i < 2; i++) {
        if (v->pipe[i] >= 0) {
            (void)close(v->pipe[i]);
        }
    }
    if (v->base != NULL) {
        event_base_free(v->base);
    }
    atls_buckets_free(v->challenge_buckets);
    atls_buckets_free(v->attest_buckets);
    svc_engine_drop(v->engine);
    free(v->chains);
    free(v);
}
