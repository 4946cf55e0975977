#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# code_of.sh: the C code of a page, all its blocks in one file, so that it can be compiled.
# usage: code_of.sh PAGE OUT
set -eu
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$1" >"$2"
[ -s "$2" ]
