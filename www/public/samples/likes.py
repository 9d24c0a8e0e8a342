"""Likes of posts. A sample for the review demo: it holds a mistake on purpose."""

import re

MENTION = re.compile(r"@([a-z0-9_]{2,30})")


class Likes:
    def __init__(self, store, feed, mailer):
        self.store = store
        self.feed = feed
        self.mailer = mailer

    async def like(self, post, person):
        """Counts a like, unless this person liked the post before."""
        if await self.store.contains(f"liked:{post}", person):
            return
        count = await self.store.get(f"likes:{post}")
        await self.feed.publish(post, f"{person} likes this")
        await self.store.set(f"likes:{post}", count + 1)
        await self.store.add(f"liked:{post}", person)

    async def mentions(self, text):
        """The people that a comment names, each once, in the order of the text."""
        seen = []
        for name in MENTION.findall(text.lower()):
            if name not in seen:
                seen.append(name)
        return seen

    async def digest(self, person, posts):
        """Mails the posts of the week that were liked most."""
        counted = []
        for post in posts:
            counted.append((await self.store.get(f"likes:{post}"), post))
        counted.sort(reverse=True)
        lines = [f"{count} likes: {post}" for count, post in counted[:10] if count > 0]
        if lines:
            await self.mailer.send(person, "Your week", "\n".join(lines))
