/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: what a request is for, whether it may be made now, and who does it. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"

#define ADMIN_ARENA_SIZE ((size_t)512 * 1024)

static svc_route find(const svc_conn *c, const svc_config *o, atls_bytes path)
{
    if (c->is_admin) {
        return atls_bytes_equal_str(path, o->health_path)    ? SVC_ROUTE_HEALTH
               : atls_bytes_equal_str(path, o->metrics_path) ? SVC_ROUTE_METRICS
                                                             : SVC_ROUTE_NONE;
    }
    return atls_bytes_equal_str(path, o->challenge_path) ? SVC_ROUTE_CHALLENGE
           : atls_bytes_equal_str(path, o->attest_path)  ? SVC_ROUTE_ATTEST
                                                         : SVC_ROUTE_NONE;
}

/* A refusal leaves the connection usable if there is no body to skip. */
static void refuse(svc_conn *c, const svc_head *head, svc_reply r)
{
    r.body = atls_bytes_empty();
    r.close = head->is_chunked || head->length > 0;
    svc_conn_reply(c, &r);
}

/* The body that is announced, before any of it is read. 0: it is fine. */
static unsigned judge_body(const svc_conn *c, const svc_config *o, const svc_head *head)
{
    if (c->route != SVC_ROUTE_ATTEST) {
        return head->is_chunked || head->length > 0 ? 400 : 0;
    }
    if (!svc_head_is(head->type, "application/octet-stream")) {
        return 415;
    }
    if (!head->is_chunked && !head->has_length) {
        return 411;
    }
    return head->length > o->max_body_len ? 413 : 0;
}

static bool take_token(svc_conn *c, const svc_config *o, uint32_t *retry_s)
{
    svc_server *v = c->server;
    const uint64_t now_ms = svc_tick_us() / 1000;
    if (c->route == SVC_ROUTE_CHALLENGE) {
        return atls_buckets_take(v->challenge_buckets, &c->who, (uint32_t)o->challenge_per_minute,
                                 (uint32_t)o->challenge_burst, now_ms, retry_s);
    }
    return c->route != SVC_ROUTE_ATTEST
           || atls_buckets_take(v->attest_buckets, &c->who, (uint32_t)o->attest_per_minute, (uint32_t)o->attest_burst,
                                now_ms, retry_s);
}

static bool may_be_served(svc_conn *c, const svc_config *o, const svc_head *head)
{
    svc_metrics *m = &c->server->service->metrics;
    uint32_t retry_s = 0;
    const char *method = c->route == SVC_ROUTE_ATTEST ? "POST" : "GET";
    if (c->route == SVC_ROUTE_NONE) {
        refuse(c, head, (svc_reply){.status = 404});
        return false;
    }
    if (!atls_bytes_equal_str(head->method, method)) {
        refuse(c, head, (svc_reply){.status = 405, .allow = method});
        return false;
    }
    if (c->server->is_draining && !c->is_admin) {
        svc_count(m, SVC_N_refused_draining);
        refuse(c, head, (svc_reply){.status = 503, .retry_s = 1});
        return false;
    }
    /* What is malformed costs a token, too. */
    if (!take_token(c, o, &retry_s)) {
        svc_count(m, SVC_N_refused_rate);
        refuse(c, head, (svc_reply){.status = 429, .retry_s = retry_s});
        return false;
    }
    const unsigned status = judge_body(c, o, head);
    if (status != 0) {
        svc_conn_refuse(c, status);
    }
    return status == 0;
}

void svc_conn_serve(svc_conn *c, const svc_head *head)
{
    const svc_config *o = svc_config_of(c->server);
    c->route = find(c, o, head->path);
    if (!may_be_served(c, o, head)) {
        return;
    }
    c->is_chunked = head->is_chunked;
    c->left = head->length;
    svc_chunks_init(&c->chunks, o->max_body_len);
    if (!head->is_chunked && head->length == 0) {
        svc_conn_submit(c);
        return;
    }
    if (head->expects_100 && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0) {
        (void)evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
    }
    svc_conn_enter(c, SVC_BODY);
    svc_conn_read(c);
}

/* ---- for whoever runs the service ---- */

static void serve_admin(svc_conn *c)
{
    atls_service *s = c->server->service;
    atls_arena arena = {0};
    atls_error err = {0};
    atls_buf b;
    atls_bytes text;
    const bool is_health = c->route == SVC_ROUTE_HEALTH;
    bool is_well = true;
    if (!atls_arena_new(&arena, ADMIN_ARENA_SIZE, &err)) {
        svc_conn_refuse(c, 500);
        return;
    }
    atls_buf_init(&b, &arena, &err);
    if (is_health) {
        is_well = svc_health_put(s, &b);
    } else {
        svc_metrics_put(&s->metrics, &b);
        svc_gauges_put(s, &b);
    }
    if (!atls_buf_done(&b, &text)) {
        svc_conn_refuse(c, 500);
    } else {
        const svc_reply r = {.status = is_well ? 200 : 503,
                             .type = is_health ? "application/json" : "text/plain; version=0.0.4",
                             .body = text};
        svc_conn_reply(c, &r);
    }
    atls_arena_free(&arena);
}

/* ---- for phones ---- */

static svc_job *make_job(svc_conn *c)
{
    uint8_t id[(SVC_REQUEST_ID_SIZE - 1) / 2];
    svc_job *job = calloc(1, sizeof *job);
    if (job == NULL || RAND_bytes(id, sizeof id) != 1) {
        free(job);
        return NULL;
    }
    atls_hex_encode(atls_bytes_of(id, sizeof id), job->id);
    job->kind = c->route == SVC_ROUTE_CHALLENGE ? SVC_JOB_CHALLENGE : SVC_JOB_ATTEST;
    job->begun_us = svc_tick_us();
    job->owner = c;
    job->body = c->body;
    job->body_len = c->body_len;
    c->server->bodies_len -= c->body_cap; /* from here on the queue's length bounds it */
    c->body = NULL;
    c->body_len = c->body_cap = 0;
    return job;
}

void svc_conn_submit(svc_conn *c)
{
    if (c->is_admin) {
        serve_admin(c);
        return;
    }
    svc_job *job = make_job(c);
    if (job == NULL) {
        svc_conn_refuse(c, 500);
        return;
    }
    (void)bufferevent_disable(c->bev, EV_READ);
    svc_conn_enter(c, SVC_WORK);
    if (!svc_pool_put(c->server->service->pool, job)) {
        svc_job_free(job);
        svc_count(&c->server->service->metrics, SVC_N_refused_queue);
        svc_conn_reply(c, &(svc_reply){.status = 503, .retry_s = 1, .body = atls_bytes_empty()});
    }
}

void svc_conn_answered(svc_conn *c, svc_job *job)
{
    if (c->is_gone) {
        svc_count(&c->server->service->metrics, SVC_N_lost_responses);
        svc_conn_close(c);
        return;
    }
    const bool has_body = job->response != NULL;
    const svc_reply r = {
        .status = job->status,
        .type = has_body ? "application/json" : NULL,
        .body = has_body ? atls_bytes_of(job->response, job->response_len) : atls_bytes_empty(),
        .retry_s = job->retry_s,
        .id = job->id,
    };
    svc_conn_reply(c, &r);
}
