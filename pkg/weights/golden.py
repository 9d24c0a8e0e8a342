"""Texts for calibration and golden files, and how golden files are written."""

import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/golden"
DISTILL = ROOT / "pkg/model/distill"


def conversations():
    """Short chats, a list of turns each."""
    text = (Path(__file__).parent / "conversations.txt").read_text(encoding="utf8")
    return [chat.split("\n") for chat in text.strip().split("\n\n")]


def texts():
    """The default embedder's golden texts and one beyond every limit."""
    texts = json.loads((DISTILL / "golden-texts.json").read_text(encoding="utf8"))
    return [*texts, " ".join(turn for chat in conversations() for turn in chat)]


def write(name, about, **vectors):
    """A JSON file that describes, and vectors as 16-bit integers (32767 is 1) in the order of the texts."""
    lines = [json.dumps(text, ensure_ascii=True) for text in about["texts"]]
    head = json.dumps({key: value for key, value in about.items() if key != "texts"})[1:-1]
    (FOLDER / f"{name}.json").write_text("{" + head + ', "texts": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf8")
    for kind, values in vectors.items():
        (FOLDER / f"{name}-{kind}.i16").write_bytes(np.rint(np.array(values) * 32767).astype("<i2").tobytes())


def write_ids(name, texts, ids):
    """Texts with the ids of a reference tokenizer."""
    lines = [json.dumps(dict(text=text, ids=row), ensure_ascii=True) for text, row in zip(texts, ids)]
    (FOLDER / f"{name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf8")
