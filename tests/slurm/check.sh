#!/usr/bin/env bash
# Trains a table by a Slurm array of four tasks, one of which is killed on its way and queued again,
# and compares it with the table that one process trains; replays a study by another array. On a
# cluster of this machine: see cluster.sh.
#
#     bash tests/slurm/check.sh PROGRAM PYTHON
#
# PYTHON has pyarrow.
set -euo pipefail
tests=$(dirname "$(realpath "$0")")
if [ "${3:-}" != inside ]; then
  if ! command -v slurmctld slurmd munged > /dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
      echo "slurm-wlm and munge are missing: install them"
      exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      slurm-wlm munge > /dev/null
  fi
  exec bash "$tests/cluster.sh" bash "$tests/check.sh" "$(realpath "$1")" "$2" inside
fi
program=$1
python=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Tasks of some seconds each: there is time to kill one.
training=(--space digits-lenet --configs 48 --device cpu)

# Waits until a command succeeds; says what there is where it never does.
until_true() {
  for _ in $(seq 600); do
    if eval "$1"; then return; fi
    sleep 0.5
  done
  echo "never came true: $1"
  squeue
  tail -n 5 "$work"/*/logs/*.txt
  exit 1
}
is_over() { [ -z "$(squeue --noheader --jobs "$1" 2> /dev/null)" ]; }

said=$("$program" slurm train "${training[@]}" --tasks 4 --out array --submit)
echo "$said"
job=$(sed -n 's/^submitted: job \([0-9]*\), and .*/\1/p' <<< "$said")
last=$(sed -n 's/^submitted: job .*, and \([0-9]*\) after it$/\1/p' <<< "$said")
# The first task is killed when it has kept something, and queued again.
until_true '[ -n "$(find array/parts/0 -name "*.parquet" 2> /dev/null)" ]'
scontrol requeue "${job}_0"
state() { scontrol show job "${job}_0" | sed -n 's/.*JobState=\([A-Z]*\).*/\1/p' | head -n 1; }
until_true '[ "$(state)" = PENDING ]'
# Slurm lets a job that was queued again wait for two minutes.
until_true 'scontrol update "jobid=${job}_0" starttime=now 2> /dev/null; [ "$(state)" != PENDING ]'
"$program" slurm status array
until_true 'is_over "$last"'
"$program" slurm status array | tee status.txt
grep -q '4 of 4 tasks done' status.txt
grep -q 'has made one result' status.txt
grep -q 'configurations are there already' array/logs/0.txt
"$program" table check array/table
# Once more: what is done stays as it is.
before=$(sha256sum array/table/*)
sh array/array.sh 2
sh array/end.sh
[ "$before" = "$(sha256sum array/table/*)" ]

"$program" train "${training[@]}" --threads 1 --out alone
"$python" - << 'PYTHON'
import pyarrow.parquet as parquet

for file in ["configs.parquet", "curves.parquet"]:
    array, alone = (parquet.read_table(f"{table}/{file}") for table in ["array/table", "alone"])
    keep = [name for name in alone.column_names if "seconds" not in name]
    assert array.column_names == alone.column_names
    assert array.select(keep).equals(alone.select(keep)), f"{file} differs"
    print(f"{file}: {alone.num_rows} rows of {len(keep)} columns are the same")
PYTHON

cat > study.toml << 'STUDY'
name = "spread"
tables = ["alone"]
samplers = ["random"]
stoppers = ["none", "median"]
goals = ["rank:2"]
repeats = 8
STUDY
said=$("$program" slurm study study.toml --tasks 4 --out study --submit)
last=$(sed -n 's/^submitted: job .*, and \([0-9]*\) after it$/\1/p' <<< "$said")
until_true 'is_over "$last"'
"$program" slurm status study
head -n 3 study/answer.txt
grep -q '8/8' study/answer.txt
grep -q 'Runs of' study/report.html
echo "an array of Slurm's makes what one process makes"
