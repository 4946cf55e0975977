#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# readme.sh: the README's tour prints what it says. Every line "$ command" of a console block is run, and its output held
# against the lines that follow: a line "..." stands for any number of lines, "..." at the end of a line for its rest.
# usage: readme.sh DIR-OF-THE-PROGRAM README
set -u
PATH=$1:$PATH
export PATH
readme=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v dir="$work" '
    /^```console$/ { inside = 1; next }
    /^```$/ { inside = 0; next }
    inside && /^\$ / { n++; print substr($0, 3) > (dir "/" n ".cmd"); printf "" > (dir "/" n ".want"); next }
    inside { print > (dir "/" n ".want") }
    END { print n + 0 > (dir "/n") }' "$readme"

n=$(cat "$work/n")
echo "1..$n"
status=0
i=1
mkdir "$work/room.d"
while [ "$i" -le "$n" ]; do
    (cd "$work/room.d" && sh "$work/$i.cmd" >"$work/$i.have" 2>&1 </dev/null)
    if awk -v have="$work/$i.have" '
        BEGIN { while ((getline line < have) > 0) out[++m] = line; at = 1 }
        $0 == "..." { skip = 1; next }
        {
            want = $0; prefix = 0
            if (want ~ /\.\.\.$/) { prefix = 1; sub(/\.\.\.$/, "", want) }
            found = 0
            for (k = at; k <= m; k++) {
                same = prefix ? index(out[k], want) == 1 : out[k] == want
                if (same) { found = k; break }
                if (!skip) break
            }
            if (!found) { print "   wanted: " $0; print "   from line " at " of the output"; exit 1 }
            at = found + 1; skip = 0
        }
        END { if (!skip && at <= m && NR > 0) { print "   unexpected: " out[at]; exit 1 } }' "$work/$i.want"; then
        echo "ok $i - $(cut -c1-100 "$work/$i.cmd")"
    else
        echo "not ok $i - $(cut -c1-100 "$work/$i.cmd")"
        sed 's/^/   have: /' "$work/$i.have" | head -n 40
        status=1
    fi
    i=$((i + 1))
done
exit "$status"
