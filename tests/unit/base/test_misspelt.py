"""Misspelt names are told with the one that is meant."""

from __future__ import annotations

from score_flyio.base.misspelt import alike, did_you_mean, nearest


def test_the_nearest_is_asked_for_if_one_is_near() -> None:
    known = {"web": 1, "worker": 2, "walker": 3}
    assert nearest("wrker", known) == "worker"
    assert nearest("database", known) == ""
    assert nearest("database", known, likeness=0.0) in known
    assert alike("wrker", known) == ["worker", "walker"]


def test_the_question_is_asked_with_what_stands_around_it() -> None:
    assert did_you_mean("web") == "did you mean web?"
    assert did_you_mean("web", before="; ", after=" If not") == "; did you mean web? If not"
    assert did_you_mean("", before="; ", after=" If not") == ""
