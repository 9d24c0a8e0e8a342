"""Seats of a theatre. A sample for the review demo: it holds a mistake on purpose."""

from dataclasses import dataclass

ROWS = "ABCDEFGHJKLMNPQR"


@dataclass(frozen=True)
class Seat:
    row: str
    number: int

    @classmethod
    def parse(cls, text):
        row, number = text[:1].upper(), text[1:]
        if row not in ROWS or not number.isdigit() or not 1 <= int(number) <= 40:
            raise ValueError(f"there is no seat {text!r}")
        return cls(row, int(number))

    def __str__(self):
        return f"{self.row}{self.number}"


def neighbours(seat):
    """The seats beside this one, which groups ask for first."""
    numbers = (seat.number - 1, seat.number + 1)
    return [Seat(seat.row, number) for number in numbers if 1 <= number <= 40]


class Hall:
    def __init__(self, store, tickets):
        self.store = store
        self.tickets = tickets

    async def reserve(self, show, seat, person):
        taken = await self.store.get(f"taken:{show}") or []
        if str(seat) in taken:
            return None
        ticket = await self.tickets.print(show, str(seat), person)
        await self.store.set(f"taken:{show}", [*taken, str(seat)])
        return ticket

    async def free(self, show):
        taken = await self.store.get(f"taken:{show}") or []
        seats = (Seat(row, number) for row in ROWS for number in range(1, 41))
        return [str(seat) for seat in seats if str(seat) not in taken]
