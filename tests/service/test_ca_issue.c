/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_issue.c: what is issued is what was meant, in the eyes of OpenSSL and in ours. */
#include <openssl/x509v3.h>

#include "ca_scene.h"
#include "tap.h"

static void issues(void **state)
{
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    X509_free(ca_scene_issued(&s));
    assert_int_equal(s.n, 3);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW), X509_V_OK);
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "a certificate is issued, and OpenSSL verifies it for a client", issues, NULL);
    return tap_run("ca_issue", &l);
}
