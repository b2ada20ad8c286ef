#!/usr/bin/env bash
# Times a page of 5,000 runs of 40 methods (limits: 3 s and 3 MB), and an analysis of a million runs
# in 2 and in 20 groups (limits: 2 s and 1 GiB each).
#
#     bash benches/report.sh [PROGRAM] [DIR]
set -euo pipefail
program=$(realpath "${1:-target/release/curvebook}")
table=$(realpath "$(dirname "$0")/../tables/digits-lenet")
dir=${2:-$(mktemp -d)}
mkdir -p "$dir"
cd "$dir"
{
  echo 'name = "forty"'
  echo "tables = [\"$table\"]"
  echo 'goals = ["top:0.005"]'
  echo 'repeats = 125'
  printf 'stoppers = ["none"'
  for tau in $(seq 1 20); do printf ', "etr1:tau=%s"' "$tau"; done
  for p in $(seq 51 3 105); do printf ', "etr2:p=%s"' "$(awk "BEGIN { print $p / 106 }")"; done
  echo ']'
} > forty.toml
timed() {
  echo "== $*"
  /usr/bin/env time -f '%e s, %U s of processor, %M KiB at most' "$@" > /dev/null
}
timed "$program" study forty.toml --out forty --quiet
timed "$program" report forty --out forty.html
stat -c '%s bytes' forty.html
rules=()
for tau in $(seq 1 10); do rules+=(--stopper "etr1:tau=$tau"); done
replay() { "$program" replay --table "$table" --no-analysis --quiet "$@"; }
[ -e two.parquet ] || replay --stopper none --stopper etr1:tau=1 --goal top:0.1 \
  --repeats 500000 --out two.parquet
[ -e twenty.parquet ] || replay "${rules[@]}" --goal top:0.1 --goal top:0.2 \
  --repeats 50000 --out twenty.parquet
timed "$program" analyze two.parquet --format json
timed "$program" analyze twenty.parquet --format json
