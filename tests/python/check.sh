#!/usr/bin/env bash
# The Python module: builds its wheel as `pip install .` would, with what cargo has built already,
# and tests the installed package with the versions of requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/curvebook}"
export PATH="$HOME/.cargo/bin:$PATH"
# Further arguments of cargo's, such as --offline.
cargo_arguments="${CURVEBOOK_CARGO_ARGUMENTS:-}"

has_python() { python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; }
if ! has_python && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    python3 python3-venv > /dev/null
fi
has_python || { echo "python3 of 3.10 or later with venv is missing: install it"; exit 1; }

# One environment for one file of versions and one interpreter.
home="${CURVEBOOK_PYTHON:-$HOME/.cache/curvebook-python}"
wanted=$(cat tests/python/requirements.txt <(python3 --version) | sha256sum | cut -d' ' -f1)
if [ "$(cat "$home/wanted" 2> /dev/null)" != "$wanted" ]; then
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check -r tests/python/requirements.txt
  echo "$wanted" > "$home/wanted"
fi

wheels=$(mktemp -d)
trap 'rm -r "$wheels"' EXIT
# shellcheck disable=SC2086
"$home/bin/maturin" build --release --locked --quiet --interpreter "$home/bin/python" \
  --out "$wheels" $cargo_arguments
"$home/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps \
  "$wheels"/*.whl
"$home/bin/python" -m pytest --quiet -p no:cacheprovider tests/python
# shellcheck disable=SC2086
PYO3_PYTHON="$home/bin/python" cargo clippy --release --locked --quiet -p curvebook-python \
  --features pyo3/extension-module $cargo_arguments -- -D warnings
