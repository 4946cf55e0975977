/* SPDX-License-Identifier: Apache-2.0 */
/* atls/1 in a bounded model: what attested.pv proves for any number of sessions, searched here to the end for a few, with a tool
 * that every distribution has. README.md lists the definitions (-D...) and what is expected of each; tools/check-models runs them.
 *
 * Bound: two machines, each server and client; two client ends and two server ends, on either machine, towards any name
 * (THREE_ENDS: one of them left out, whichever). Within it the search is exhaustive: no hashing of states, no cut in depth.
 *
 * Attacker: owns the network; has a certified name of his own, said to run on either machine, and may have any public key
 * certified for it; takes part in as many sessions as there are ends; TLS keys and attestation keys as the variant says.
 * Nothing below is an attack: every step of an honest end takes any message that the attacker can come by, and the macros
 * CAN_... say what he can come by. A part taken out only shortens what is hashed or compared. The rest of the definitions are about the
 * world (keys that leak, randomness that repeats, degenerate shares, an agent that quotes what it is told) or the order of hellos.
 *
 * Terms are small numbers; a hash or a signature is stood for by the fields of what goes into it, and two are equal when those are
 * (perfect cryptography, as in attested.pv). So what is sealed under which keys can be read off the end that sealed it.
 *
 * What keeps it small, and why nothing is lost:
 * - A share stands for random and share together. Both ends of a transcript that two honest ends have in common hold the honest
 *   pairing, and a random alone buys the attacker no secret. TLS_E is every share of the attacker: the protocol never asks
 *   whether two values differ, so that one value of his does what many do. So is N_E every nonce of his.
 * - Keys leak before the start. A key leaked earlier does all that it does later; a run where it leaks after an acceptance
 *   is one where it had not leaked yet. For the same reason secrecy is asked at once, and holds later: who knows the secret
 *   of a finished handshake is decided by its two shares, which no key changes (forward secrecy is the DHE's).
 * - Of the sets of keys that leave somebody a lock, only the largest: all but one. Fewer keys do no more, and the exception
 *   in a property ("unless both") looks at the keys of the two ends that it speaks of.
 * - Handshakes come first. None needs anything that is sent behind a handshake, and no step takes away what made another
 *   possible (knowledge only grows), so that every run can be put in this order.
 * - Receiving, checking and answering are one step: the attacker sees an answer whenever he wants to.
 * - Ends of a kind and the machines are alike: of two runs that differ by names only, one is looked at.
 * - A handshake that no honest end can finish (a share of a third party, a forwarded hello that nobody answers) has no
 *   further part in the run: nobody knows its secret.
 *
 * - Two more, OCCURS and IDLE_..., are argued where they stand.
 *
 * Not here, besides what attested.pv leaves out: the attacker's own code on honest machines (its quotes carry another
 * measurement, which the verifier compares), trees (batch.pv), phones (phone.pv), sequence numbers of records (leaving
 * them out helps the attacker), the refusal of a hello with one's own nonce (REFUSE_OWN_NONCE brings it back). */

/* ---- names of things ---- */
#define NONE 0
#define ATTACKER 3                       /* his name; 1 and 2 are the names of the servers of machine 1 and 2 */
#define SERVER_KEY(m) (m)                /* TLS keys: 1, 2 of the servers, 3, 4 of the clients, 5 the attacker's */
#define CLIENT_KEY(m) (2 + (m))
#define ATTACKER_KEY 5
#define QUOTING_KEY(m) (5 + (m))         /* attestation keys: 6, 7 */
#define TLS_E 1                          /* share whose exponent the attacker drew */
#define TLS_SMALL 2                      /* degenerate share: every secret with it is the same and known */
#define N_E 1                            /* a nonce of the attacker's */
/* ends: 0, 1 clients; 2, 3 servers */
#define S0 2
#define S1 3

#ifdef REPEAT_RANDOMNESS                 /* a restored snapshot: TLS draws the same on a machine every time; nonces do not */
#define SHARE_C(i) (2 + e[i].on)
#define SHARE_S(j) (4 + e[j].on)
#else
#define SHARE_C(i) (3 + (i))
#define SHARE_S(j) (3 + (j))
#endif
#ifdef NO_NONCE
#define NONCE(i) NONE
#else
#define NONCE(i) (2 + (i))
#endif

/* One end of a TLS session and what it knows of it. */
typedef End {
    byte on;                             /* the machine it runs on; 0: no part in this run */
    byte a, b;                           /* TLS: the client's share, the server's share */
    byte name, key;                      /* TLS: the server certificate */
    byte kc;                             /* TLS: the client's key, or NONE */
    byte nc, ns;                         /* hellos: the client's nonce, the server's nonce */
    bit wants;                           /* server hello: the server asks for evidence. (The client always does.) */
    byte peer;                           /* client: the machine of the policy; server: the machine whose evidence it accepted */
    bit greeted;                         /* server: its hello is out */
    bit made;                            /* its evidence is out */
    bit ok;                              /* accepted its peer's evidence */
    bit end                              /* client: read the server's verdict */
};
End e[4];
bit lost[8];                             /* keys that the attacker has */

/* ---- TLS 1.3 ---- */
/* Keys of the record layer come from the DH secret and the transcript: both shares and the certificate. */
#define SAME_KEYS(i, j) (e[i].a == e[j].a && e[i].b == e[j].b && e[i].name == e[j].name && e[i].key == e[j].key)
#ifdef SMALL
#define DEGENERATE(i) (e[i].a == TLS_SMALL || e[i].b == TLS_SMALL)
#else
#define DEGENERATE(i) false
#endif
/* The attacker knows the DH secret of this end's session when he drew one of its exponents: then all its keys. */
#define OPEN(i) (e[i].a == TLS_E || e[i].b == TLS_E || DEGENERATE(i))
#ifdef SECRET_EXPORTER                   /* an exporter that depends on the DH secret alone; DH is symmetric in the shares */
#define SAME_MASTER(i, j) ((DEGENERATE(i) && DEGENERATE(j)) || \
    (!DEGENERATE(i) && !DEGENERATE(j) && ((e[i].a == e[j].a && e[i].b == e[j].b) || (e[i].a == e[j].b && e[i].b == e[j].a))))
#else
#define SAME_MASTER(i, j) SAME_KEYS(i, j)
#endif

/* ---- the leaf: what is compared is exactly what is hashed ---- */
/* q proved, v verifies; of v's server hello n and w are given, because v may be about to accept them.
 * same_role: q played the part that v expects. nq, nv: the nonce inside. pq, vq, pv, vv: keys of prover and verifier, as each sees them. */
#ifdef NO_ROLE
#define ROLE(same_role) true
#else
#define ROLE(same_role) (same_role)
#endif
#ifdef NO_HELLOS
#define HELLOS(q, v, n, w) true
#else
#define HELLOS(q, v, n, w) (e[q].nc == e[v].nc && e[q].ns == (n) && e[q].wants == (w))
#endif
#ifdef NO_EXPORTER
#define EXPORTER(q, v, n, w, same_role) true
#else
#define EXPORTER(q, v, n, w, same_role) (SAME_MASTER(q, v) && ROLE(same_role) && HELLOS(q, v, n, w))
#endif
#ifdef NO_LEAF_KEYS
#define KEYS(pq, vq, pv, vv) true
#else
#define KEYS(pq, vq, pv, vv) ((pq) == (pv) && (vq) == (vv))
#endif
#if defined(DSTACK)                      /* H(nonce, exporter): one label, no context, no role, no keys */
#define LEAF(q, v, n, w, same_role, nq, nv, pq, vq, pv, vv) ((nq) == (nv) && SAME_MASTER(q, v))
#elif defined(KEY_ONLY)                  /* H(key, nonce): what constellation binds */
#define LEAF(q, v, n, w, same_role, nq, nv, pq, vq, pv, vv) ((nq) == (nv) && (pq) == (pv))
#else
#define LEAF(q, v, n, w, same_role, nq, nv, pq, vq, pv, vv) \
    (ROLE(same_role) && EXPORTER(q, v, n, w, same_role) && (nq) == (nv) && KEYS(pq, vq, pv, vv))
#endif
/* A server's evidence is over the client's nonce, a client's over the server's. */
#define S_FITS_C(q, v, n, w) LEAF(q, v, n, w, true, e[q].nc, e[v].nc, e[q].key, e[q].kc, e[v].key, e[v].kc)
#define C_FITS_C(q, v, n, w) LEAF(q, v, n, w, false, e[q].ns, e[v].nc, e[q].kc, e[q].key, e[v].key, e[v].kc)
#define C_FITS_S(q, v) LEAF(q, v, e[v].ns, e[v].wants, true, e[q].ns, e[v].ns, e[q].kc, e[q].key, e[v].kc, e[v].key)
#define S_FITS_S(q, v) LEAF(q, v, e[v].ns, e[v].wants, false, e[q].nc, e[v].ns, e[q].key, e[q].kc, e[v].kc, e[v].key)

/* ---- what the attacker can come by ---- */
/* A nonce: his own, or one that was sent in a session that he reads. */
#ifdef NO_NONCE
#define CAN_NAME(n) ((n) == NONE)
#else
#ifdef SERVER_FIRST
#define SPOKE(j) e[j].on
#else
#define SPOKE(j) e[j].greeted
#endif
#define CAN_NAME(n) ((n) == N_E || ((n) == 2 && e[0].on && OPEN(0)) || ((n) == 3 && e[1].on && OPEN(1)) || \
    ((n) == 4 && SPOKE(S0) && OPEN(S0)) || ((n) == 5 && SPOKE(S1) && OPEN(S1)))
#endif
/* A quote of machine m over a leaf that he can compute, which is each leaf of a session that he reads. */
#ifdef RAW_AGENT                         /* another agent of the image quotes what it is told */
#define CAN_SIGN(m) true
#else
#define CAN_SIGN(m) lost[QUOTING_KEY(m)]
#endif
/* Evidence inside the session of end v: what an honest end q of machine m made, if its record can be passed on as it is (same keys, same
 * direction) or if he reads both sessions; or what he signs himself. */
#define IS_MADE(q, m) (e[q].made && e[q].on == (m))
#define READS_BOTH(q, v) (OPEN(q) && OPEN(v))
#define CAN_SHOW_CLIENT(v, m, n, w) ((OPEN(v) && CAN_SIGN(m)) || \
    (IS_MADE(S0, m) && S_FITS_C(S0, v, n, w) && (SAME_KEYS(S0, v) || READS_BOTH(S0, v))) || \
    (IS_MADE(S1, m) && S_FITS_C(S1, v, n, w) && (SAME_KEYS(S1, v) || READS_BOTH(S1, v))) || \
    (IS_MADE(0, m) && C_FITS_C(0, v, n, w) && READS_BOTH(0, v)) || \
    (IS_MADE(1, m) && C_FITS_C(1, v, n, w) && READS_BOTH(1, v)))
#define CAN_SHOW_SERVER(v, m) ((OPEN(v) && CAN_SIGN(m)) || \
    (IS_MADE(0, m) && C_FITS_S(0, v) && (SAME_KEYS(0, v) || READS_BOTH(0, v))) || \
    (IS_MADE(1, m) && C_FITS_S(1, v) && (SAME_KEYS(1, v) || READS_BOTH(1, v))) || \
    (IS_MADE(S0, m) && S_FITS_S(S0, v) && READS_BOTH(S0, v)) || \
    (IS_MADE(S1, m) && S_FITS_S(S1, v) && READS_BOTH(S1, v)))
/* The server's verdict inside the session of client v: its own words, or a server's that has accepted under these keys. */
#ifdef BARE_DONE
#define SAME_CONTEXT(i, j) true
#else
#define SAME_CONTEXT(i, j) (e[i].nc == e[j].nc && e[i].ns == e[j].ns && e[i].wants == e[j].wants)
#endif
#define CAN_END(v) (OPEN(v) || (e[S0].ok && SAME_KEYS(S0, v) && SAME_CONTEXT(v, S0)) || \
    (e[S1].ok && SAME_KEYS(S1, v) && SAME_CONTEXT(v, S1)))

/* ---- the properties ---- */
/* The same session, as far as both ends can tell: exporter, name, keys, hellos. */
#define SAME_RUN(i, j) (SAME_MASTER(i, j) && e[i].name == e[j].name && e[i].key == e[j].key && e[i].kc == e[j].kc && \
    e[i].nc == e[j].nc && e[i].ns == e[j].ns && e[i].wants == e[j].wants)
/* Injective: as many ends as accepted a run took part in it. (The end itself is one of those that accepted.) */
#define CLIENTS(i, flag) ((e[0].flag && e[0].peer == e[i].peer && SAME_RUN(0, i)) + \
    (e[1].flag && e[1].peer == e[i].peer && SAME_RUN(1, i)))
#define RAN_AS_SERVER(i, j) (e[j].made && e[j].on == e[i].peer && SAME_RUN(j, i))
#define RAN_AS_CLIENT(j, i) (e[i].made && e[i].on == e[j].peer && e[i].peer == e[j].on && SAME_RUN(i, j))
#define HAS_ACCEPTED(j, s) (e[s].ok && e[s].on == e[j].on && e[s].peer == e[j].peer && SAME_RUN(s, j))
#define ENDED(i, c) (e[c].end && e[c].on == e[i].on && e[c].peer == e[i].peer && SAME_RUN(c, i))
#define ACCEPTED_IT(i, j) (e[j].ok && e[j].on == e[i].peer && e[j].peer == e[i].on && SAME_RUN(j, i))
/* "Unless both": that machine's attestation key and that name's TLS key. The attacker's own name has none to lose. */
#define LEAKED(name) ((name) == ATTACKER || lost[SERVER_KEY(name)])
#define BOTH(i) (lost[QUOTING_KEY(e[i].peer)] && LEAKED(e[i].name))
/* A step that no property speaks of and that tells the attacker nothing is left out: in a session that he reads, the end of an exchange
 * whose peer has no lock left. (That of an honest peer's session stays: others may have to find it there.) */
#define IDLE_CLIENT(i) (OPEN(i) && BOTH(i))
#define IDLE_SERVER(j, m) (OPEN(j) && lost[QUOTING_KEY(m)])
/* Scratch; hidden keeps it out of the state. The names are what tools/check-models reads. */
hidden byte client_agreement;             /* what a client accepted, that machine ran: same name, keys, exporter, hellos; injective */
hidden byte server_agreement;             /* what a server accepted, that machine ran as a client of this server; injective */
hidden byte end_agreement;                /* whose client read the verdict, that server has accepted this very client; injective */
hidden byte client_secrecy;               /* what a client sends after accepting, the attacker cannot read */
hidden byte server_secrecy;               /* nor what a server sends after accepting its client */
hidden byte honest_run_ends;              /* REACH only: must be violated, or the model can do nothing */

inline check_client_agreement(i) {
    client_agreement = (CLIENTS(i, ok) <= RAN_AS_SERVER(i, S0) + RAN_AS_SERVER(i, S1)) || BOTH(i);
    assert(client_agreement)
}
inline check_server_agreement(j) {
    server_agreement = (HAS_ACCEPTED(j, S0) + HAS_ACCEPTED(j, S1) <= RAN_AS_CLIENT(j, 0) + RAN_AS_CLIENT(j, 1)) ||
                       lost[QUOTING_KEY(e[j].peer)];
    assert(server_agreement);
    server_secrecy = !OPEN(j) || lost[QUOTING_KEY(e[j].peer)];
    assert(server_secrecy)
}
inline check_end_agreement(i) {
    end_agreement = (ENDED(i, 0) + ENDED(i, 1) <= ACCEPTED_IT(i, S0) + ACCEPTED_IT(i, S1)) || BOTH(i);
    assert(end_agreement)
}
inline check_client_secrecy(i) {
    client_secrecy = !OPEN(i) || BOTH(i);
    assert(client_secrecy);
#ifdef REACH
    honest_run_ends = OPEN(i) || REACH != e[i].wants;
    assert(honest_run_ends)
#endif
}

/* ---- handshakes ---- */
inline forget(i) {
    e[i].on = 0; e[i].a = 0; e[i].b = 0; e[i].name = 0; e[i].key = 0; e[i].kc = 0; e[i].nc = 0; e[i].ns = 0; e[i].wants = 0;
    e[i].peer = 0
}

/* A client draws a share and is told whom to reach; the policy says on which machine that name runs. */
inline client_hello(i) {
    if
    :: e[i].on = 1
    :: i > 0 -> e[i].on = 2              /* machines are alike: the first client is on machine 1 */
    fi;
    if
    :: e[i].name = 1; e[i].peer = 1
    :: e[i].name = 2; e[i].peer = 2
    :: e[i].name = ATTACKER; e[i].peer = 1
    :: e[i].name = ATTACKER; e[i].peer = 2
    fi;
    if
    :: e[i].kc = NONE
    :: e[i].kc = CLIENT_KEY(e[i].on)
    fi;
    e[i].a = SHARE_C(i);
    e[i].nc = NONCE(i)
}

/* A server takes any share: a client's, or the attacker's. It may ask for evidence or not. */
inline server_hello(j) {
    if
    :: e[j].on = 1
    :: e[j].on = 2
    fi;
    e[j].name = e[j].on;
    e[j].key = SERVER_KEY(e[j].on);
    e[j].b = SHARE_S(j);
    if
    :: e[j].a = TLS_E
    :: e[0].on -> e[j].a = e[0].a
    :: e[1].on && e[1].a != e[0].a -> e[j].a = e[1].a
#ifdef SMALL
    :: e[j].a = TLS_SMALL
#endif
    fi;
    if
    :: e[j].wants = 0
    :: e[j].wants = 1
    fi
}

/* Keys are only ever compared, so that one which no other end shows is as good to the attacker as his own. */
#define OCCURS(k) ((k) == ATTACKER_KEY || (k) == e[S0].key || (k) == e[S1].key || (k) == e[0].kc || (k) == e[1].kc)
/* CertificateVerify and Finished: of an honest server with this very transcript, or made with the key of a certificate for the name and a
 * secret that the attacker knows. A certificate for his own name may hold any key. */
#define ANSWERED_BY(i, j) (e[j].on && e[j].a == e[i].a && e[j].name == e[i].name)
#define CAN_SERVE(i, k) (lost[k] && (e[i].name == (k) || (e[i].name == ATTACKER && OCCURS(k))))
inline client_finish(i) {
    if
    :: ANSWERED_BY(i, S0) -> e[i].b = e[S0].b; e[i].key = e[S0].key
    :: ANSWERED_BY(i, S1) -> e[i].b = e[S1].b; e[i].key = e[S1].key
    :: CAN_SERVE(i, 1) -> e[i].b = TLS_E; e[i].key = 1
    :: CAN_SERVE(i, 2) -> e[i].b = TLS_E; e[i].key = 2
    :: CAN_SERVE(i, 3) -> e[i].b = TLS_E; e[i].key = 3
    :: CAN_SERVE(i, 4) -> e[i].b = TLS_E; e[i].key = 4
    :: CAN_SERVE(i, 5) -> e[i].b = TLS_E; e[i].key = 5
#ifdef SMALL
    :: CAN_SERVE(i, 1) -> e[i].b = TLS_SMALL; e[i].key = 1
    :: CAN_SERVE(i, 2) -> e[i].b = TLS_SMALL; e[i].key = 2
    :: CAN_SERVE(i, 3) -> e[i].b = TLS_SMALL; e[i].key = 3
    :: CAN_SERVE(i, 4) -> e[i].b = TLS_SMALL; e[i].key = 4
    :: CAN_SERVE(i, 5) -> e[i].b = TLS_SMALL; e[i].key = 5
#endif
    :: else -> forget(i)
    fi
}

/* The client's Finished, and its certificate if it has one: of an honest client with this very transcript, or the attacker's
 * with any key that he has, certificates of servers included. */
#define CAN_CONNECT(j, k) (OPEN(j) && lost[k] && OCCURS(k))
#define FINISHED_BY(j, i) (e[i].on && SAME_KEYS(i, j))
inline server_finish(j) {
    if
    :: OPEN(j) -> e[j].kc = NONE
    :: CAN_CONNECT(j, 1) -> e[j].kc = 1
    :: CAN_CONNECT(j, 2) -> e[j].kc = 2
    :: CAN_CONNECT(j, 3) -> e[j].kc = 3
    :: CAN_CONNECT(j, 4) -> e[j].kc = 4
    :: CAN_CONNECT(j, 5) -> e[j].kc = 5
    :: FINISHED_BY(j, 0) -> e[j].kc = e[0].kc
    :: FINISHED_BY(j, 1) -> e[j].kc = e[1].kc
    :: else -> forget(j)
    fi
}

/* ---- the exchange ---- */
/* What a client, or a server, takes for the other's nonce in a session that the attacker reads. */
#ifdef REFUSE_OWN_NONCE
#define FRESH(i, n) ((n) != NONCE(i))
#else
#define FRESH(i, n) true
#endif

proctype Server(byte j) {
    /* The client's hello: an honest client's record, or anything. Then hello and evidence leave. */
    atomic {
        if
        :: FINISHED_BY(j, 0) -> e[j].nc = e[0].nc
        :: FINISHED_BY(j, 1) -> e[j].nc = e[1].nc
        :: OPEN(j) && CAN_NAME(0) && FRESH(j, 0) -> e[j].nc = 0
        :: OPEN(j) && CAN_NAME(1) && FRESH(j, 1) -> e[j].nc = 1
        :: OPEN(j) && CAN_NAME(2) && FRESH(j, 2) -> e[j].nc = 2
        :: OPEN(j) && CAN_NAME(3) && FRESH(j, 3) -> e[j].nc = 3
        :: OPEN(j) && CAN_NAME(4) && FRESH(j, 4) -> e[j].nc = 4
        :: OPEN(j) && CAN_NAME(5) && FRESH(j, 5) -> e[j].nc = 5
        fi;
        e[j].ns = NONCE(j);
        e[j].greeted = 1;
        e[j].made = 1;
        printf("server %d on machine %d: nonces %d %d, evidence leaves\n", j, e[j].on, e[j].nc, e[j].ns)
    }
    /* The client's evidence; then the verdict and the server's data. */
    atomic {
        if
        :: e[j].wants && !IDLE_SERVER(j, 1) && CAN_SHOW_SERVER(j, 1) -> e[j].peer = 1
        :: e[j].wants && !IDLE_SERVER(j, 2) && CAN_SHOW_SERVER(j, 2) -> e[j].peer = 2
        fi;
        e[j].ok = 1;
        printf("server %d on machine %d: accepts machine %d as its client\n", j, e[j].on, e[j].peer);
        check_server_agreement(j)
    }
}

#define TAKES(i, n, w) (OPEN(i) && CAN_NAME(n) && FRESH(i, n) && CAN_SHOW_CLIENT(i, e[i].peer, n, w))
#define TAKES_FROM(i, j) (e[j].greeted && SAME_KEYS(i, j) && CAN_SHOW_CLIENT(i, e[i].peer, e[j].ns, e[j].wants))
proctype Client(byte i) {
    /* The server's hello and evidence. Its own evidence leaves only now, and only if the server asked. */
    atomic {
        if
        :: TAKES_FROM(i, S0) -> e[i].ns = e[S0].ns; e[i].wants = e[S0].wants
        :: TAKES_FROM(i, S1) -> e[i].ns = e[S1].ns; e[i].wants = e[S1].wants
        :: !IDLE_CLIENT(i) && TAKES(i, 0, 0) -> e[i].ns = 0; e[i].wants = 0
        :: TAKES(i, 0, 1) -> e[i].ns = 0; e[i].wants = 1
        :: !IDLE_CLIENT(i) && TAKES(i, 1, 0) -> e[i].ns = 1; e[i].wants = 0
        :: TAKES(i, 1, 1) -> e[i].ns = 1; e[i].wants = 1
        :: !IDLE_CLIENT(i) && TAKES(i, 2, 0) -> e[i].ns = 2; e[i].wants = 0
        :: TAKES(i, 2, 1) -> e[i].ns = 2; e[i].wants = 1
        :: !IDLE_CLIENT(i) && TAKES(i, 3, 0) -> e[i].ns = 3; e[i].wants = 0
        :: TAKES(i, 3, 1) -> e[i].ns = 3; e[i].wants = 1
        :: !IDLE_CLIENT(i) && TAKES(i, 4, 0) -> e[i].ns = 4; e[i].wants = 0
        :: TAKES(i, 4, 1) -> e[i].ns = 4; e[i].wants = 1
        :: !IDLE_CLIENT(i) && TAKES(i, 5, 0) -> e[i].ns = 5; e[i].wants = 0
        :: TAKES(i, 5, 1) -> e[i].ns = 5; e[i].wants = 1
        fi;
        e[i].ok = 1;
        printf("client %d on machine %d: accepts machine %d under name %d\n", i, e[i].on, e[i].peer, e[i].name);
        check_client_agreement(i);
        if
        :: !e[i].wants -> check_client_secrecy(i)
        :: e[i].wants -> e[i].made = 1
        fi
    }
    /* The server's verdict; then the client's data. */
    atomic {
        e[i].wants && !IDLE_CLIENT(i) && CAN_END(i);
        e[i].end = 1;
        check_end_agreement(i);
        check_client_secrecy(i)
    }
}

inline tell(i) {
    if
    :: e[i].on && OPEN(i) -> printf("end %d on machine %d, with the attacker: ", i, e[i].on)
    :: e[i].on && !OPEN(i) -> printf("end %d on machine %d, with an honest end: ", i, e[i].on)
    :: else -> printf("end %d has no part: ", i)
    fi;
    printf("server name %d, its key %d, client key %d\n", e[i].name, e[i].key, e[i].kc)
}

inline lose_keys() {
    lost[ATTACKER_KEY] = 1;
#ifdef TLS_KEYS_LEAK
    lost[1] = 1; lost[2] = 1; lost[3] = 1; lost[4] = 1;
#endif
#ifdef QUOTING_KEYS_LEAK
    lost[6] = 1; lost[7] = 1;
#endif
#if defined(TLS_KEYS_LEAK) && defined(QUOTING_KEYS_LEAK)
    if                                   /* all but one: somebody has a lock left */
    :: lost[1] = 0
    :: lost[2] = 0
    :: lost[6] = 0
    :: lost[7] = 0
    fi
#endif
}

init {
    atomic {
        lose_keys();
        client_hello(0);
#ifdef THREE_ENDS
        if
        :: client_hello(1); server_hello(S0)
        :: server_hello(S0); server_hello(S1)
        fi;
#else
        client_hello(1);
        server_hello(S0);
        server_hello(S1);
#endif
        e[S0].on <= e[S1].on || !e[S1].on;        /* servers are alike: the first is on the machine of lower number */
        client_finish(0);
        client_finish(1);
        server_finish(S0);
        server_finish(S1);
        tell(0);
        tell(1);
        tell(S0);
        tell(S1);
        run Client(0);
        run Client(1);
        run Server(S0);
        run Server(S1)
    }
}
