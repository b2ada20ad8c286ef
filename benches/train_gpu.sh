#!/usr/bin/env bash
# Measures training on this machine's GPU, and PyTorch's beside it: one command, from anywhere.
#
#   benches/train_gpu.sh
#
# Builds, then runs `curvebook devices`, some lines of `--bench gpu_kernels`, `--bench train_gpu`,
# and benches/peers/train_pytorch_gpu.py where PyTorch and a GPU of its own are there, and says so
# where not. Everything goes to benches/results/DATE-ADAPTER.md, figures also to .json beside it.
# What fails is noted there and the rest goes on; the exit status is then 1. Leave the machine to
# it: nothing else should run. On a software adapter nothing is a GPU's result, and the file says so.
#
# Environment, all optional:
#   CURVEBOOK, GPU_KERNELS_BENCH, TRAIN_GPU_BENCH
#       Executables built elsewhere, all three or none: then neither Rust nor its sources are needed,
#       only this file and benches/peers. `cargo build --release` and `cargo bench --no-run --bench
#       train_gpu --bench gpu_kernels` make them, and the latter prints their names.
#   COMMIT            what they were built from; without it, git is asked
#   KERNELS           lines of gpu_kernels to run; empty for all (default: conv 14x14x16)
#   LINES             lines of train_gpu to run; empty for all (the default)
#   PYTHON            a Python with torch and numpy (default: python3)
#   PYTORCH_CONFIGS   Sobol points that PyTorch is given of each space (default: 32)
#   PYTORCH_SPACES    (default: mnist-lenet mnist-lenet-lite)
#   PYTORCH_DEVICE    cpu tries the script without a GPU: no GPU's result
#   RESULTS           where to write (default: benches/results)
set -euo pipefail
invoked_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A path as the caller meant it.
absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        *) printf '%s/%s' "$invoked_from" "$1" ;;
    esac
}

kernels=${KERNELS-conv 14x14x16}
lines=${LINES-}
python=${PYTHON:-python3}
results=$(absolute "${RESULTS:-$PWD/benches/results}")
mkdir -p "$results"

if [[ -n ${CURVEBOOK-} || -n ${GPU_KERNELS_BENCH-} || -n ${TRAIN_GPU_BENCH-} ]]; then
    built="elsewhere"
    curvebook=$(absolute "${CURVEBOOK:?must be set as well}")
    gpu_kernels=("$(absolute "${GPU_KERNELS_BENCH:?must be set as well}")" --bench)
    train_gpu=("$(absolute "${TRAIN_GPU_BENCH:?must be set as well}")" --bench)
else
    built="here"
    cargo build --release
    cargo bench --no-run --bench train_gpu --bench gpu_kernels
    curvebook=$PWD/target/release/curvebook
    gpu_kernels=(cargo bench --quiet --bench gpu_kernels --)
    train_gpu=(cargo bench --quiet --bench train_gpu --)
fi

commit=${COMMIT:-}
if [[ -z $commit ]]; then
    commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    # What was measured is not that commit, if anything but results has changed.
    if [[ -n $(git status --porcelain -- . ':!benches/results' 2>/dev/null) ]]; then
        commit="$commit, changed since"
    fi
fi

devices=$("$curvebook" devices) || { echo "no adapter to measure" >&2; exit 1; }
adapter=$(head -n 1 <<<"$devices")
slug=$(sed 's/(.*//' <<<"$adapter" | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9' '-' | sed 's/^-*//; s/-*$//')
date=$(date -u +%Y-%m-%d)
name=$date-$slug
for ((again = 2; ; again++)); do
    [[ -e $results/$name.md ]] || break
    name=$date-$slug-$again
done
out=$results/$name.md
is_software=$(awk '$1 == "type" { print ($2 == "software"); exit }' <<<"$devices")
driver=$(awk '$1 == "driver" { $1 = ""; print substr($0, 2); exit }' <<<"$devices")
status=0

say() { printf '%s\n' "$@" | tee -a "$out"; }

# A heading, a command as it would be typed, and what it prints.
block() {
    local title=$1 typed=$2 began=$SECONDS
    shift 2
    say "" "## $title" "" "\`$typed\`" "" '```text'
    "$@" | tee -a "$out" || { status=1; say "FAILED: the figures above are all there are"; }
    say '```' "" "Took $((SECONDS - began)) s."
}

: >"$out"
say "# Training on $adapter, $date" ""
if [[ $is_software == 1 ]]; then
    say "**Software adapter: no GPU's result.** A processor plays the GPU here." ""
fi
processor=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1 || true)
say "| | |" "|---|---|" "| adapter | $adapter |" "| driver | $driver |" \
    "| processor | ${processor:-unknown}, $(getconf _NPROCESSORS_ONLN) threads |" \
    "| date | $date |" "| commit | $commit, built $built |" "| command | \`benches/train_gpu.sh\` |"
if command -v nvidia-smi >/dev/null; then
    columns=name,driver_version,memory.total,clocks.max.sm,power.limit
    smi=$(nvidia-smi --query-gpu="$columns" --format=csv,noheader || true)
    say "| nvidia-smi | ${smi//$'\n'/; } |"
fi

block "Adapters" "curvebook devices" printf '%s\n' "$devices"
block "Kernels" "cargo bench --bench gpu_kernels -- '$kernels'" "${gpu_kernels[@]}" "$kernels"
block "Training" "cargo bench --bench train_gpu -- '$lines'" \
    "${train_gpu[@]}" "$lines" --json "$results/$name.json"

device=${PYTORCH_DEVICE:-cuda}
is_there="import torch, sys; sys.exit(0 if '$device' == 'cpu' or torch.cuda.is_available() else 2)"
found=0
"$python" -c "$is_there" 2>/dev/null || found=$?
if [[ $found == 2 ]]; then
    say "" "## PyTorch" "" "Not run: PyTorch sees no GPU here (\`torch.cuda.is_available()\`)."
elif [[ $found != 0 ]]; then
    say "" "## PyTorch" "" "Not run: \`$(basename "$python") -c 'import torch'\` fails here."
else
    for space in ${PYTORCH_SPACES:-mnist-lenet mnist-lenet-lite}; do
        peer=("$space" --configs "${PYTORCH_CONFIGS:-32}" --device "$device")
        block "PyTorch, $space" "python3 benches/peers/train_pytorch_gpu.py ${peer[*]}" \
            "$python" benches/peers/train_pytorch_gpu.py "${peer[@]}" --curvebook "$curvebook" \
            --json "$results/$name-pytorch-$space.json"
    done
fi
echo "wrote $out" >&2
exit "$status"
