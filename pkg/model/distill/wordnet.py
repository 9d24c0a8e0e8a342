"""The text of WordNet 3.0: definitions and example sentences."""

import hashlib
import re

DATA_FILES = ("data.noun", "data.verb", "data.adj", "data.adv")
# Shorter ones are single words and fragments; the table learns nothing about sentences from them.
FEWEST_WORDS = 4


def sentences(folder):
    """Every definition and example of at least four words, once, in an order that depends on the text alone.

    The order is by SHA-256, so that "the first 40,000" is a fair sample and no library's random numbers are involved.
    """
    found = set()
    for name in DATA_FILES:
        for line in (folder / name).read_text(encoding="utf8").splitlines():
            # Lines of the licence at the top have no gloss.
            if " | " not in line:
                continue
            gloss = line.split(" | ", 1)[1].strip()
            definition = re.split(r';\s*"', gloss)[0].strip(" ;")
            found.update(text for text in (definition, *re.findall(r'"([^"]+)"', gloss)) if len(text.split()) >= FEWEST_WORDS)
    return sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())
