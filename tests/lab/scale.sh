#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scale.sh LAB [SPOKES FEWER]: what a spoke costs among SPOKES (1000) beside what it costs among FEWER
# (100), each with the same flows for the same time. A line for the CPU and one for the heap, in the
# columns of bench/run: NAME, ours, the peer's name, the peer's, ratio, unit; flat is a ratio of 0.8
# or more. Five runs of each take turns, and the least user time of each counts: what else the
# machine does only adds to it. The runs themselves go to standard error.
set -eu
lab=$1 many=${2:-1000} few=${3:-100}
runs=5 seconds=30
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

run() { # SPOKES
    "$lab" --spokes "$1" --seconds "$seconds" >"$out/report" 2>"$out/cost" ||
        { cat "$out/report" "$out/cost" >&2; exit 1; }
    sed -n "s/^cost a spoke:/$1 spokes, a spoke:/p" "$out/cost" | tee -a "$out/costs" >&2
}

i=0
while [ $i -lt $runs ]; do
    run "$few"
    run "$many"
    i=$((i + 1))
done

awk -v many="$many" -v few="$few" '
    { n = $1
      for (i = 2; i < NF; i++) {
          if ($(i + 1) == "ms" && $(i + 2) == "user,") user = $i + 0
          if ($(i + 1) == "KiB" && $(i + 2) == "heap,") heap = $i + 0
      }
      if (!(n in cpu) || user < cpu[n]) cpu[n] = user
      memory[n] = heap }
    END {
        if (!(many in cpu) || !(few in cpu) || cpu[many] <= 0 || memory[many] <= 0) exit 1
        form = "%s-%s\t%s\t%s spokes\t%s\t%.2f\t%s\n"
        printf form, "lab-cpu", many, cpu[many], few, cpu[few], cpu[few] / cpu[many], "ms user a spoke"
        printf form, "lab-memory", many, memory[many], few, memory[few],
               memory[few] / memory[many], "KiB heap a spoke"
    }' "$out/costs"
