"""The demo shop breaks no rule, whatever shoppers, Klarna and the network do."""

import asyncio

from mock_klarna import Settings, serve
from tests.certify.runs import played
from tests.extent import extent

OF_THE_MACHINE = {"C2", "O9"}
"""Rules that a slow machine breaks."""


async def test_the_demo_shop_breaks_no_rule_in_random_runs() -> None:
    seeds = range(extent(usual=6, thorough=60))
    async with serve(Settings(port=0, seed="runs", callback_timeout=60)) as klarna:
        results = await asyncio.gather(*(played(klarna.url, seed) for seed in seeds))
    for findings, done in results:
        broken = [finding for finding in findings if finding["rule"] not in OF_THE_MACHINE]
        assert broken == [], done
