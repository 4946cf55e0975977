#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples.sh: runs the examples of the man pages, so that what they teach is true. Prints TAP.
#
# Commands are the lines that begin with "$ " in displays, joined at "\e" ends, and those of ".Dl". Each display starts in
# the folder that the page's earlier displays left. "(exit status N)" in the paragraph before a display is the status of
# its last command; every other command must end with 0. Commands that need a second terminal (--serve, connect) are not
# run here: test_connect.c has them.
# usage: examples.sh PROGRAM MAN_FOLDER
set -u
program=$1
pages=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$(cd "$(dirname "$program")" && pwd)/$(basename "$program")" "$work/bin/atls"
PATH=$work/bin:$PATH
export PATH
number=0
failed=0

# commands PAGE: one line for each command, "STATUS COMMAND".
commands() {
    awk '
        function flush(   i) {
            for (i = 1; i <= n; i++) print (i == n ? status + 0 : 0), line[i]
            n = 0; status = 0
        }
        { text = $0 }
        /^\.Dl \$ / { sub(/^\.Dl \$ /, "", text); line[++n] = text; flush(); next }
        /^\.Bd / { inside = 1; next }
        /^\.Ed/ { inside = 0; flush(); next }
        inside && /^\$ / { sub(/^\$ /, "", text); n++; line[n] = "" }
        inside && n > 0 { more = sub(/ *\\e$/, "", text); sub(/^ +/, " ", text); line[n] = line[n] text; next }
        /\(exit status [0-9]+/ { match($0, /\(exit status [0-9]+/); status = substr($0, RSTART + 13, RLENGTH - 13) + 0 }
        /^\.Sh / { status = 0 }
    ' "$1"
}

for page in "$pages"/atls*.1; do
    name=$(basename "$page")
    mkdir "$work/$name"
    commands "$page" >"$work/commands"
    while read -r wanted command; do
        case "$command" in *--serve* | *"atls connect"*) continue ;; esac
        number=$((number + 1))
        (cd "$work/$name" && sh -c "$command") >"$work/out" 2>&1 </dev/null
        status=$?
        if [ "$status" -eq "$wanted" ]; then
            echo "ok $number - $name: $command"
        else
            echo "not ok $number - $name: $command"
            echo "# exit status $status instead of $wanted"
            sed 's/^/# /' "$work/out"
            failed=1
        fi
    done <"$work/commands"
done
echo "1..$number"
exit "$failed"
