"""Chaos on real Kafka and PostgreSQL: workers and servers fail at random, and every state is checked at the end.

python -m tests.chaos --seconds 60 --seed 1
"""

import argparse
import asyncio
import sys

from tests.chaos.run import Plan, chaos
from tests.conftest import started_servers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=0, help="how many; 0: 250 for each second")
    parser.add_argument("--fail-every", type=int, default=23, help="every n-th transaction fails; 0: none")
    given = parser.parse_args()
    events = given.events or int(given.seconds * 250)
    with started_servers() as servers:
        wrong = asyncio.run(chaos(Plan(given.seed, given.seconds, events, given.fail_every), servers))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
