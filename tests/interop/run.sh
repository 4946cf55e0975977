#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh: builds the peer in Go (standard library only, offline) and runs the tests against it. Skips where there is no Go.
# usage: tests/interop/run.sh TEST_PROGRAM SOURCE_FOLDER BUILD_FOLDER
set -u
test=$1
source=$2
build=$3
go=${GO-}
for candidate in go /usr/local/go/bin/go /usr/lib/go/bin/go; do
    [ -n "$go" ] || go=$(command -v "$candidate" 2>/dev/null || true)
done
if [ -z "$go" ]; then
    echo "1..1"
    echo "ok 1 # SKIP there is no go (tools/setup interop)"
    exit 0
fi
mkdir -p "$build"
if ! (cd "$source" && HOME="$build" GOCACHE="$build/cache" GOPATH="$build/path" GOFLAGS=-mod=mod GOPROXY=off GO111MODULE=on \
    GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -o "$build/peer" .); then
    echo "1..1"
    echo "not ok 1 - the peer in Go builds"
    exit 1
fi
exec "$test" "$build/peer"
