"""The regions of the platform, as the public documentation lists them."""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen
class Region:
    """One region; `area` is the alias that stands for all regions of that part of the world."""

    code: str
    name: str
    latitude: float
    longitude: float
    area: str


REGIONS: Final = (
    Region("ams", "Amsterdam, Netherlands", 52.37, 4.9, "eu"),
    Region("arn", "Stockholm, Sweden", 59.65, 17.92, "eu"),
    Region("bom", "Mumbai, India", 19.09, 72.87, "apac"),
    Region("cdg", "Paris, France", 48.86, 2.35, "eu"),
    Region("dfw", "Dallas, Texas (US)", 32.78, -96.8, "na"),
    Region("ewr", "Secaucus, NJ (US)", 40.79, -74.06, "na"),
    Region("fra", "Frankfurt, Germany", 50.03, 8.57, "eu"),
    Region("gru", "Sao Paulo, Brazil", -23.55, -46.63, "sa"),
    Region("iad", "Ashburn, Virginia (US)", 39.02, -77.54, "na"),
    Region("jnb", "Johannesburg, South Africa", -26.2, 28.04, "africa"),
    Region("lax", "Los Angeles, California (US)", 34.05, -118.24, "na"),
    Region("lhr", "London, United Kingdom", 51.47, -0.45, "eu"),
    Region("nrt", "Tokyo, Japan", 35.69, 139.69, "apac"),
    Region("ord", "Chicago, Illinois (US)", 41.88, -87.63, "na"),
    Region("sin", "Singapore", 1.3, 103.85, "apac"),
    Region("sjc", "San Jose, California (US)", 37.35, -121.96, "na"),
    Region("syd", "Sydney, Australia", -33.87, 151.21, "apac"),
    Region("yyz", "Toronto, Canada", 43.64, -79.4, "na"),
)

_UNITED_STATES: Final = frozenset({"dfw", "ewr", "iad", "lax", "ord", "sjc"})
_AREAS: Final = frozenset({"apac", "eu", "na", "sa"})


def codes_of(wish: str, available: tuple[Region, ...], nearest: str) -> tuple[str, ...]:
    """The region codes that a `region` text stands for, in order of preference.

    A text is one code, an alias (`eu`, `us`, `any` …) or a comma list of both; empty means near
    the caller. Unknown names give nothing.
    """
    known = {region.code: region for region in available}
    found: dict[str, None] = {}
    for word in (part.strip() for part in (wish or nearest).split(",")):
        for code in _expand(word, known, nearest):
            found.setdefault(code)
    return tuple(found)


def _expand(word: str, known: dict[str, Region], nearest: str) -> list[str]:
    if word in known:
        return [word]
    if word == "any":
        return sorted(known, key=lambda code: (code != nearest, code))
    if word in {"us", "usa"}:
        return [code for code in known if code in _UNITED_STATES]
    if word in _AREAS:
        return [code for code, region in known.items() if region.area == word]
    return []
