"""The pictures of the README are of what the program shows now."""

from __future__ import annotations

from tests.browser.pictures import PICTURES, board_picture
from tests.browser.runs import shop

REMEDY = "make them anew with `make pictures`"
MOST = 150_000
"""Bytes of a picture, so that a page which shows both is there at once."""


def test_the_board_is_as_the_program_draws_it() -> None:
    picture = board_picture(shop())
    assert (PICTURES / "board.svg").read_text(encoding="utf-8") == picture, REMEDY
    assert "http://www.w3.org/2000/svg" in picture
    assert picture.count("http") == 1, "a picture takes nothing from elsewhere"


def test_pictures_are_small() -> None:
    assert {file.name for file in PICTURES.iterdir()} == {"board.svg", "report.png"}
    assert max(file.stat().st_size for file in PICTURES.iterdir()) < MOST
