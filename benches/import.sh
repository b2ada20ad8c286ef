#!/usr/bin/env bash
# Times `table import csv` of a made-up long CSV of about 100 MB (limits: 100 MB/s, and memory of 3
# times the file), beside what reading it costs others in the same sitting: `wc -l`, and pandas and
# polars where PYTHON has them.
#
#     bash benches/import.sh [PROGRAM] [DIR] [PYTHON]
set -euo pipefail
program=$(realpath "${1:-target/release/curvebook}")
dir=${2:-$(mktemp -d)}
python=${3:-python3}
mkdir -p "$dir"
cd "$dir"
# 28,000 configurations of 50 epochs: an id, three hyperparameters, a metric, another, seconds.
[ -e long.csv ] || awk 'BEGIN {
  srand(1)
  print "config_id,learning_rate,units,optimizer,epoch,val_accuracy,val_loss,seconds"
  split("adam sgd rmsprop", kinds, " ")
  for (id = 0; id < 28000; id++) {
    rate = exp(-9 * rand()); units = 8 + int(500 * rand()); kind = kinds[1 + int(3 * rand())]
    for (epoch = 1; epoch <= 50; epoch++) {
      value = 1 - rate - 0.5 * rand() / epoch
      printf "%d,%.8g,%d,%s,%d,%.10f,%.10f,%.6f\n", id, rate, units, kind, epoch, value, 1 - value, 1 + rand()
    }
  }
}' > long.csv
bytes=$(stat -c %s long.csv)
echo "$((bytes / 1000000)) MB, $(wc -l < long.csv) lines"
timed() {
  local name=$1 seconds memory
  shift
  read -r seconds memory < <({ /usr/bin/env time -f '%e %M' "$@" > /dev/null; } 2>&1 | tail -1)
  awk -v n="$name" -v s="$seconds" -v m="$memory" -v b="$bytes" 'BEGIN {
    printf "%-24s %6.2f s  %7.1f MB/s  %5.2f times the file in memory\n", n, s, b / 1e6 / (s + 1e-9), m * 1024 / b
  }'
}
for pass in 1 2 3; do
  echo "== pass $pass"
  timed 'wc -l' wc -l long.csv
  rm -rf table
  timed 'curvebook table import' "$program" table import csv long.csv --metric val_accuracy \
    --goal maximize --out table
  for peer in pandas polars; do
    if "$python" -c "import $peer" 2> /dev/null; then
      timed "$peer.read_csv" "$python" -c "import $peer; $peer.read_csv('long.csv')"
    fi
  done
done
