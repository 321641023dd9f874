"""The people of the benchmarks."""

import random

GIVEN = "Ada Grace Alan Edsger Barbara Zoë Łukasz Søren Αλέξανδρος Иван 太郎 سارة José François Ngozi Mei".split()
FAMILY = "Lovelace Hopper Turing Dijkstra Liskov Müller Wójcik Ørsted Παπαδόπουλος Иванов 山田 خان García".split()

SYLLABLES = "an ba ce do el fa gri ho is jo ka li mar ne or pe qui ro sa ti ul ver wi xa yo zu".split()


def people(count: int) -> list[tuple[str, str, str, str, str]]:
    """Made-up people, the same for ever. Their addresses use domains that RFC 2606 reserves."""
    draw = random.Random(20_240_601)
    rows = []
    for number in range(count):
        name = f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}"
        # As many local parts as people have: they come in no order of the alphabet.
        local = ".".join("".join(draw.choices(SYLLABLES, k=2)) for _ in range(2))
        email = f"{local}{number % 1_000}@mail{number // 1_000}.example"
        phone = f"+{draw.randrange(1, 99)} {draw.randrange(10**8, 10**9)}"
        plan = "free" if draw.random() < 0.7 else "pro"
        rows.append((name, email, phone, "user", plan))
    return rows
