"""An attacker who has every cell that was ever published of a month, knows how they are made, and which cells changed
between two editions.

It knows no numbers. For each cell it works out by exact search, and not by the narrowing that the protection itself
uses, the lowest and the highest number that fits everything: whole numbers, all sums, all editions at once.
"""

from collections.abc import Mapping, Sequence

from rahdari.figures.protection import BASE, MOST, THRESHOLD, Cell, Mark, Sum

# High enough for a cell that is withheld in what the tests publish.
CEILING = 400


def possible(editions: Sequence[Mapping[str, Cell]], counts: Sequence[Mapping[str, int]], sums: Sequence[Sum]):
    """For each (name, edition) that is few in some edition, lowest and highest. `counts` tell which cells changed."""
    unknown: dict[tuple[str, int], int] = {}
    boxes: list[list[int]] = []
    for number, cells in enumerate(editions):
        for name, cell in cells.items():
            same = next((each for each in range(number) if counts[each].get(name) == counts[number][name]), None)
            if same is not None and (name, same) in unknown:
                unknown[name, number] = unknown[name, same]
            else:
                unknown[name, number] = len(boxes)
                boxes.append([0, CEILING])
            box = boxes[unknown[name, number]]
            low, high = _alone(
                cell, beside=number == 0 and any(each.mark is not Mark.WITHHELD for each in cells.values())
            )
            box[0], box[1] = max(box[0], low), min(box[1], high)
    rows = [
        (unknown[each.total, number], [unknown[part, number] for part in each.parts])
        for number, cells in enumerate(editions)
        for each in sums
        if each.total in cells
    ]
    found = {}
    for (name, number), at in unknown.items():
        if editions[number][name].mark is Mark.FEW:
            values = [value for value in range(THRESHOLD) if boxes[at][0] <= value <= boxes[at][1]]
            fits = [value for value in values if _solvable(_set(boxes, at, value), rows)]
            found[name, number] = fits
    return found


def _alone(cell: Cell, *, beside: bool) -> tuple[int, int]:
    """`beside`: in a first edition beside cells that are not withheld; then each that is few says so."""
    if cell.value is not None:
        return max(THRESHOLD, cell.value - BASE // 2), cell.value + BASE // 2
    if cell.mark is Mark.FEW:
        return 0, THRESHOLD - 1
    return (THRESHOLD if beside else 0), min(MOST, CEILING)


def _set(boxes: list[list[int]], at: int, value: int) -> list[list[int]]:
    return [[value, value] if place == at else list(box) for place, box in enumerate(boxes)]


def _solvable(boxes: list[list[int]], rows: list[tuple[int, list[int]]]) -> bool:
    """Whether whole numbers fit: narrow, then try the values of the narrowest unknown that is still open."""
    if not _narrow(boxes, rows):
        return False
    bound = {each for total, parts in rows for each in (total, *parts)}
    open_ones = [each for each in bound if boxes[each][0] < boxes[each][1]]
    if not open_ones:
        return True
    at = min(open_ones, key=lambda each: boxes[each][1] - boxes[each][0])
    return any(_solvable(_set(boxes, at, value), rows) for value in range(boxes[at][0], boxes[at][1] + 1))


def _narrow(boxes: list[list[int]], rows: list[tuple[int, list[int]]]) -> bool:
    again = True
    while again:
        again = False
        for total, parts in rows:
            low, high = sum(boxes[each][0] for each in parts), sum(boxes[each][1] for each in parts)
            said = [(total, low, high)]
            said += [
                (each, boxes[total][0] - high + boxes[each][1], boxes[total][1] - low + boxes[each][0])
                for each in parts
            ]
            for each, least, most in said:
                new = [max(boxes[each][0], least), min(boxes[each][1], most)]
                if new[0] > new[1]:
                    return False
                if new != boxes[each]:
                    boxes[each], again = new, True
    return True
