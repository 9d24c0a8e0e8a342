"""A vote with several choices. A sample for the review demo: it holds a mistake on purpose."""

from collections import Counter


class Closed(Exception):
    """The vote is over."""


def winners(totals):
    """Those with the most votes: more than one in a tie, none without votes."""
    most = max(totals.values(), default=0)
    return sorted(choice for choice, count in totals.items() if count == most > 0)


class Vote:
    def __init__(self, store, clock, choices, closes_at):
        self.store = store
        self.clock = clock
        self.choices = frozenset(choices)
        self.closes_at = closes_at

    async def cast(self, person, choice):
        if choice not in self.choices:
            raise ValueError(f"{choice!r} is not up for a vote")
        totals = Counter(await self.store.get("totals") or {})
        if await self.clock.now() >= self.closes_at:
            raise Closed()
        totals[choice] += 1
        await self.store.set("totals", dict(totals))

    async def result(self):
        totals = await self.store.get("totals") or {}
        turnout = sum(totals.values())
        shares = {choice: count / turnout for choice, count in totals.items()} if turnout else {}
        return {"winners": winners(totals), "turnout": turnout, "shares": shares}
