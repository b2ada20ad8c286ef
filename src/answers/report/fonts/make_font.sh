#!/usr/bin/env bash
# Makes Inter-Regular-subset.otf of Debian 12's package fonts-inter 4.0~beta7+ds-1, with fonttools
# 4.55.0: Latin, Greek, and the signs that plots use.
set -euo pipefail
pyftsubset "${1:-/usr/share/fonts/opentype/inter/Inter-Regular.otf}" \
  --unicodes="U+0020-007E,U+00A0-017F,U+0391-03C9,U+2009,U+2010-2015,U+2018-201E,U+2022,U+2026,U+202F,U+2032,U+2033,U+20AC,U+2190-2193,U+2212,U+221E,U+2248,U+2264,U+2265" \
  --layout-features=kern,tnum --output-file="$(dirname "$0")/Inter-Regular-subset.otf"
