"""Uploads in parts. A sample for the review demo, without a mistake of the kind it looks for."""

import hashlib

PART_BYTES = 5 * 1024 * 1024
MOST_PARTS = 10_000


def parts_of(size):
    """From where to where each part of a file of this size goes."""
    if size <= 0:
        raise ValueError("an empty file has no parts")
    n = -(-size // PART_BYTES)
    if n > MOST_PARTS:
        raise ValueError(f"{n} parts are more than {MOST_PARTS}")
    return [(at * PART_BYTES, min(size, (at + 1) * PART_BYTES)) for at in range(n)]


class Upload:
    def __init__(self, bucket, name, file):
        self.bucket = bucket
        self.name = name
        self.file = file

    async def send(self, size, progress):
        """Sends all parts; what was sent of an upload that fails is thrown away."""
        upload = await self.bucket.begin(self.name)
        try:
            tags = []
            for number, (start, end) in enumerate(parts_of(size), 1):
                part = await self.file.read(start, end)
                digest = hashlib.sha256(part).hexdigest()
                tags.append(await self.bucket.put(upload, number, part, digest))
                progress(end, size)
            return await self.bucket.finish(upload, tags)
        except BaseException:
            await self.bucket.abort(upload)
            raise
