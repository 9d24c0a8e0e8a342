#!/usr/bin/env bash
# Makes pkg/model/static-128-int4.bin and the golden files of its tests from public inputs. One command, no arguments:
#
#   pkg/model/distill/distill.sh
#
# Needs Python 3.11 on x86-64 Linux, Debian's apt-get and dpkg-deb, network for PyPI and Debian the first time, and about 12 minutes
# of one core. Everything it fetches or makes on the way stays in .toolchain/distill/; a second run takes about a minute.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
cache=$(cd ../../.. && pwd)/.toolchain/distill
mkdir -p "$cache/wordnet"

if [ ! -x "$cache/venv/bin/python" ]; then "${PYTHON:-python3.11}" -m venv "$cache/venv"; fi
# --no-deps: the list is complete; what is left out (a hub client) is only needed to download models.
"$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt

if [ ! -d "$cache/wordnet/usr" ]; then
  (cd "$cache/wordnet" && apt-get download wordnet-base=1:3.0-37)
  echo "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752  $(ls "$cache"/wordnet/*.deb)" | sha256sum --check --quiet
  dpkg-deb --extract "$cache"/wordnet/*.deb "$cache/wordnet"
fi

# One thread and one set of kernels, AVX2, in numpy and in its BLAS: sums then run in one order, whatever the machine's load and,
# as far as these two switches reach, whatever its processor.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR"
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
exec "$cache/venv/bin/python" "$here/distill.py" "$cache"
