"""Write customers and ratings: `python -m examples.customers FOLDER`; the same files each time."""

import argparse
import csv
import json
import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from local.demo.films import film_files

SEED, CUSTOMERS, RATED = 20_261_128, 500, 8  # RATED: films that a customer rates, at most
SYLLABLES = ("ba", "ko", "li", "mar", "ne", "ro", "sa", "ti", "va", "zu")
COUNTRIES = ("AT", "BR", "CA", "DE", "FR", "IN", "JP", "KE", "NO", "US")
FIRST_BIRTH, FIRST_DAY = date(1930, 1, 1), date(2020, 1, 1)
CUSTOMER = ("customer", "email", "name", "born", "country", "since")
RATING = ("customer", "film", "stars", "rated")
Row = tuple[object, ...]


def customers(count: int = CUSTOMERS, seed: int = SEED) -> list[Row]:
    """Their numbers are 1 to `count`; some do not say when they were born."""
    chance = random.Random(seed)

    def name() -> str:
        return "".join(chance.choices(SYLLABLES, k=chance.randint(2, 3))).capitalize()

    rows: list[Row] = []
    for number in range(1, count + 1):
        first, last = name(), name()
        born = FIRST_BIRTH + timedelta(days=chance.randrange(27_000)) if chance.randrange(10) else ""
        since = FIRST_DAY + timedelta(days=chance.randrange(2_000))
        email = f"{first}.{last}.{number}@example.org".lower()
        rows.append((number, email, f"{first} {last}", born, chance.choice(COUNTRIES), since))
    return rows


def ratings(raters: Sequence[Row], films: Sequence[str], seed: int = SEED) -> list[Row]:
    """Of each customer some films, in the months after the customer came."""
    chance = random.Random(seed + 1)
    return [
        (
            number,
            film,
            chance.choices(range(1, 6), (1, 2, 4, 6, 4))[0],
            since + timedelta(days=chance.randrange(100)),
        )
        for number, *_, since in raters
        if isinstance(since, date)
        for film in chance.sample(films, chance.randint(0, min(RATED, len(films))))
    ]


def film_names() -> list[str]:
    """The keys of the demo's films that have one."""
    (films,) = (file for file in film_files() if "films" in file.key)
    lines = (json.loads(line) for line in films.data.decode().splitlines())
    return sorted({line["href"] for line in lines if line["href"]})


def to_csv(path: Path, header: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    raters = customers()
    to_csv(folder / "customers.csv", CUSTOMER, raters)
    to_csv(folder / "ratings.csv", RATING, ratings(raters, film_names()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.customers", description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
