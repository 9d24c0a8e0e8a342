"""Golden files of the Rust tests: ids from the reference tokenizer, vectors from the independent reader in table.py."""

import json

# Enough digits that what is lost to rounding is far below the float32 of the tested code.
DIGITS = 8


def write(folder, texts_path, tokenizer, vocabulary, table):
    texts = json.loads(texts_path.read_text(encoding="utf8"))
    pieces = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert [tokenizer.id_to_token(row) for row in range(len(vocabulary))] == vocabulary
    folder.mkdir(parents=True, exist_ok=True)

    lines = [json.dumps({"text": text, "ids": ids}, ensure_ascii=True) for text, ids in zip(texts, pieces)]
    (folder / "wordpiece.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf8")

    lines = []
    for text, vector in zip(texts, table.vectors(pieces)):
        numbers = [round(float(x), DIGITS) for x in vector] if vector.any() else None
        lines.append(json.dumps({"text": text, "vector": numbers}, ensure_ascii=True))
    head = json.dumps({"id": table.id, "mean": table.mean, "sd": table.sd})
    (folder / "static-table.json").write_text(head[:-1] + ', "texts": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf8")
