/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c: responses. Nothing of a request comes back in one. */
#include <stdio.h>
#include <string.h>

#include "conn.h"

static const char *phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } rows[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) {
            return rows[i].phrase;
        }
    }
    return "Unknown";
}

static void put_date(const svc_server *v, struct evbuffer *out)
{
    char date[64];
    struct tm tm;
    const time_t now = (time_t)(svc_now_ms(v->service) / 1000);
    if (now > 0 && gmtime_r(&now, &tm) != NULL && evutil_date_rfc1123(date, sizeof date, &tm) > 0) {
        (void)evbuffer_add_printf(out, "Date: %s\r\n", date);
    }
}

void svc_conn_reply(svc_conn *c, const svc_reply *r)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    c->will_close = c->will_close || r->close || c->server->is_draining;
    (void)bufferevent_disable(c->bev, EV_READ);
    (void)evbuffer_add_printf(out, "HTTP/1.1 %u %s\r\n", r->status, phrase(r->status));
    put_date(c->server, out);
    (void)evbuffer_add_printf(out, "Content-Length: %zu\r\nCache-Control: no-store\r\n", r->body.len);
    if (r->type != NULL) {
        (void)evbuffer_add_printf(out, "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n", r->type);
    }
    if (r->allow != NULL) {
        (void)evbuffer_add_printf(out, "Allow: %s\r\n", r->allow);
    }
    if (r->retry_s > 0) {
        (void)evbuffer_add_printf(out, "Retry-After: %u\r\n", r->retry_s);
    }
    if (r->id != NULL) {
        (void)evbuffer_add_printf(out, "X-Request-Id: %s\r\n", r->id);
    }
    (void)evbuffer_add_printf(out, "%s\r\n", c->will_close ? "Connection: close\r\n" : "");
    (void)evbuffer_add(out, r->body.ptr, r->body.len);
    svc_count_status(&c->server->service->metrics, r->status);
    svc_conn_drop_body(c);
    svc_conn_enter(c, SVC_WRITE);
}

void svc_conn_refuse(svc_conn *c, unsigned status)
{
    if (status == 413 || status == 431) {
        svc_count(&c->server->service->metrics, SVC_N_refused_size);
    }
    const svc_reply r = {.status = status, .body = atls_bytes_empty(), .close = true, .retry_s = status == 503 ? 1 : 0};
    svc_conn_reply(c, &r);
}
