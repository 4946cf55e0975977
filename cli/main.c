/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the table of verbs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "verbs.h"

static const cli_verb verbs[] = {
    {"connect", "connect to a server, prove what it is, then carry stdin and stdout", cli_connect},
    {"verify", "appraise a quote or a response in a file", cli_verify},
    {"replay", "appraise a recording again, and see the same verdict", cli_replay},
    {"inspect", "show what a file holds, without believing any of it", cli_inspect},
    {"endorse", "fetch, show, pack and verify what vouches for hardware; forecast when it will not", cli_endorse_main},
    {"enrol", "certificates for phones that prove a key and an app", cli_enrol_main},
    {"evidence", "make evidence of this machine over given bytes", cli_evidence_get},
    {"doctor", "say which attesters this machine has, and what is missing", cli_doctor},
    {"sim", "write evidence, endorsements and policies of a simulated TEE; serve one", cli_sim},
    {"demo", "the first five minutes: an honest server, and seven that cheat", cli_demo},
};

static int dispatch(int argc, char *const argv[])
{
    static const cli_table table = {
        .name = "",
        .summary = "atls answers one question: may I trust the machine at the other end of this connection?",
        .more = "options:\n"
                "  --help     print this and exit; after a verb: its options\n"
                "  --version  print the version and exit\n\n"
                "exit status: 0 accepted, 1 usage or policy file, 2 malformed or forged, 3 network or peer,\n"
                "  4 not what the policy asks for, 5 endorsements missing or stale, 6 not fresh or not this session,\n"
                "  7 revoked, 8 unsupported, 70 internal. manual: atls(1)",
        .verbs = verbs,
        .n = sizeof verbs / sizeof verbs[0],
    };
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("atls %s\n", ATLS_VERSION);
        return 0;
    }
    return cli_dispatch(&table, argc, argv);
}

/* A yes whose JSON did not reach its reader is not a yes. */
static int close_stdout(int status)
{
    atls_error err = {0};
    int failed = fflush(stdout);
    int reason = errno;
    if (failed == 0 && ferror(stdout) == 0) {
        return status;
    }
    (void)atls_fail(&err, ATLS_E_IO, "stdout", "cannot be written: %s", strerror(failed == 0 ? EIO : reason));
    int ours = cli_report("", &err);
    return status == 0 ? ours : status;
}

/* A closed descriptor 0, 1 or 2 would be the next socket's number, and what we print would go to the peer in clear.
 * What takes its place can be neither read (0) nor written (1, 2), so that using it is still an error. */
static bool guard_standard(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) {
            return false;
        }
    }
    return true;
}

int main(int argc, char *argv[])
{
    if (!guard_standard()) {
        return atls_code_exit_status(ATLS_E_INTERNAL);
    }
    /* A peer or reader that goes away is an error of write(), not the end of the program. */
    (void)signal(SIGPIPE, SIG_IGN);
    return close_stdout(dispatch(argc, argv));
}
