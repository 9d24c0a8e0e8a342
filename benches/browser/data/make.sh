#!/usr/bin/env bash
# Makes the vectors of `make bench-index`: sentences of WordNet as all-MiniLM-L6-v2 sees them, 384 components, unit length.
#
#   benches/browser/data/make.sh [base]      base: how many vectors to search in, 100,000 if not given
#
# Same text, same teacher, same pinned inputs as the embedding table (pkg/model/distill/). Needs Python 3.11, Debian's apt-get and
# dpkg-deb, network for PyPI and Debian the first time, and about 15 minutes of one core. Interrupted, it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
distill=$(cd ../../../pkg/model/distill && pwd)
out=$here/out
mkdir -p "$out/wordnet"

if [ ! -x "$out/venv/bin/python" ]; then "${PYTHON:-python3.11}" -m venv "$out/venv"; fi
"$out/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$distill/requirements.txt"

if [ ! -d "$out/wordnet/usr" ]; then
  (cd "$out/wordnet" && apt-get download wordnet-base=1:3.0-37)
  echo "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752  $(ls "$out"/wordnet/*.deb)" | sha256sum --check --quiet
  dpkg-deb --extract "$out"/wordnet/*.deb "$out/wordnet"
fi

# One thread and one set of kernels, as for the table: the vectors then do not depend on how the machine is loaded.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR"
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 PYTHONPATH="$distill"
exec nice -n 10 "$out/venv/bin/python" "$here/embed.py" "$out" "${1:-100000}"
