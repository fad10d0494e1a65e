"""What people read: numbers are never rounded to nothing or everything, open questions stay visible, a report is one file."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console, RenderableType

from bnnverify import InputCoding, Network
from bnnverify.errors import MissingExtra
from bnnverify.report import numbers, picture, sentences, terminal
from bnnverify.report.document import about, document
from bnnverify.report.html.study import page
from bnnverify.results.answers import AttackResult, Count, CountResult, Distance, Tally
from bnnverify.results.finding import Finding, Verdict, Witness
from tests.support.results import BALL, WITNESS, Tags, certified, counted, study
from tests.support.zoo import majority


def text(part: RenderableType) -> str:
    console = Console(width=150, record=True, file=None, highlight=False)
    with console.capture() as captured:
        console.print(part)
    return captured.get()


@pytest.mark.parametrize(
    ("n", "written"),
    [
        (0, "0"),
        (10**15 - 1, "999999999999999"),
        (10**15, "1.000e15"),
        (2**80, "1.209e24"),
        (99_999 * 10**20, "1.000e25"),
        (-(2**80), "-1.209e24"),
    ],
)
def test_integers_are_full_up_to_15_digits(n: int, written: str) -> None:
    assert numbers.integer(n) == written


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (Fraction(0), "0 %"),
        (Fraction(1), "100 %"),
        (Fraction(1, 3), "33.33 %"),
        (Fraction(1, 10_000), "0.01 %"),
        (Fraction(1, 2**80), "8.3e-23 %"),
        (Fraction(1, 10**400), "1.0e-398 %"),
        (1 - Fraction(1, 2**80), "100 - 8.3e-23 %"),
        (Fraction(9999, 10_000), "99.99 %"),
        (Fraction(999_999, 10**10), "1.0e-02 %"),
    ],
)
def test_shares_are_never_rounded_to_none_or_all(part: Fraction, written: str) -> None:
    assert numbers.share(part) == written


def test_counts_show_intervals_and_confidence() -> None:
    assert numbers.count(Count(3, 3)) == "3"
    assert numbers.count(Count(3, 2**80)) == "3..1.209e24"
    assert numbers.count(Count(3, 5, 0.9)) == "3..5 (confidence 0.9)"
    assert numbers.shares(Count(0, 22), 22) == "0 % .. 100 %"


def test_durations_have_a_unit_that_fits() -> None:
    assert [numbers.seconds(s) for s in (0.0004, 0.5, 12.34, 600)] == ["0 ms", "500 ms", "12.3 s", "10.0 min"]
    assert [numbers.seconds(s) for s in (7200, 432_000, 10**400)] == ["2.0 h", "5 days", "1.157e395 days"]


def test_the_count_table_marks_the_predicted_class_and_names_the_reason() -> None:
    exact = text(terminal.count_table(counted(10, 10)))
    still_open = text(terminal.count_table(counted(4, 12, "stopped after 1 s")))
    assert "ball of radius 2: 22 inputs" in exact
    assert "the answer leaves 1 at 10 of these inputs (density 45.45 %)" in exact
    assert "exact, by bits in 250 ms" in exact
    assert "4..12" in still_open
    assert "open: stopped after 1 s" in still_open
    assert "not exact" in still_open


def test_undecided_samples_stay_in_the_denominator() -> None:
    result = certified(Verdict.ROBUST, Verdict.VULNERABLE, Verdict.UNKNOWN, Verdict.ROBUST)
    lines = "\n".join(sentences.certify_sentences(result))
    assert "clean accuracy 100 % (4 of 4)" in lines
    assert "certified accuracy at radius 2: 50.00 % (2 of 4), at most 75.00 % (3 of 4) if every UNKNOWN turns out ROBUST" in lines
    assert "ROBUST 2, VULNERABLE 1, UNKNOWN 1, of 4" in lines


def test_unfinished_samples_are_named() -> None:
    assert "2 of 3 samples are missing" in sentences.certify_sentences(certified(Verdict.ROBUST, wanted=3))[0]
    assert sentences.certify_sentences(certified(wanted=3)) == ["no sample finished, of 3"]


def test_without_labels_there_is_no_accuracy() -> None:
    lines = sentences.certify_sentences(certified(Verdict.ROBUST, labels=False))
    assert lines == ["ROBUST 1, VULNERABLE 0, UNKNOWN 0, of 1"]
    assert "ROBUST" in text(terminal.certify_table(certified(Verdict.ROBUST, labels=False)))


def test_attack_sentences_for_each_verdict() -> None:
    def lines(finding: Finding) -> str:
        return sentences.attack_sentence(AttackResult("sat", "leaves:1", finding, 1, BALL, 0.1))

    assert lines(Finding(True, WITNESS)).startswith("VULNERABLE: 1 flip, position 0: 1 becomes 0")
    assert lines(Finding(False)).startswith("ROBUST: at none of the inputs the answer leaves 1; ball of radius 2: 22 inputs")
    assert lines(Finding(None, reason="stopped after 1 s")).startswith("UNKNOWN: stopped after 1 s")


def test_distance_sentences_exact_open_and_none() -> None:
    def lines(low: int, high: int | None, witness: Witness | None, reason: str = "") -> str:
        return sentences.distance_sentence(Distance("sat", "leaves:1", low, high, 6, 1, witness, 0.1, reason))

    assert lines(1, 1, WITNESS).startswith("distance 1 (exact)")
    assert "at least 4" in lines(4, None, None, "stopped after 1 s")
    assert "open: stopped after 1 s" in lines(4, None, None, "stopped after 1 s")
    assert "at least 7: with fewer flips the answer never leaves 1" in lines(7, None, None)
    assert "between 2 and 3" in lines(2, 3, WITNESS)


def test_pictures_mark_switched_pixels() -> None:
    before = picture.original(WITNESS.bits, WITNESS.flips)
    assert before == (1, 1, 1, 1, 0, 0)
    assert picture.side_by_side(before, (0, 1, 1, 1, 1, 0), (2, 3)) == ["###     -##", "#..     #+."]


def test_witnesses_without_a_picture_are_a_line_of_bits() -> None:
    assert terminal.witness_lines(WITNESS, majority(6)) == ["011100"]
    assert terminal.witness_lines(None, majority(6)) == []


def test_documents_keep_every_digit_and_name_the_model() -> None:
    tally = Tally(2**80, (Count.exactly(2**80 - 1), Count.exactly(1)))
    result = CountResult("bdd", "leaves:0", Count.exactly(1), tally, 0, {"kind": "everything", "size": 2**80}, 0.1)
    found = json.loads(document(result, majority(6)))
    assert found["counts"]["low"] == [2**80 - 1, 1]
    assert found["model_sha256"] == majority(6).sha256
    assert found["version"]


def test_about_counts_constants() -> None:
    coding = InputCoding(np.array([0, 1, 128, 255, 256, 7]), (2, 3))
    facts = about(Network(majority(6).blocks, majority(6).head, coding))
    assert facts["unflippable_inputs"] == 2
    assert facts["constant_neurons"] == [0]
    assert facts["weights"] == {"total": 8, "zero": 1, "largest": 1}
    assert about(majority(6).prefix(1))["classes"] is None


def test_the_page_is_one_well_formed_file_with_everything_in_it() -> None:
    made = study(certified(Verdict.ROBUST, Verdict.VULNERABLE, Verdict.UNKNOWN), certified(Verdict.ROBUST, labels=False))
    html = page(made)
    tags = Tags()
    tags.feed(html)
    assert (tags.open, tags.loaded) == ([], [])
    assert "<b>&" not in html
    assert "&lt;b&gt;&amp;" in html
    assert made.network.sha256 in html
    assert html.count("data:image/svg+xml") == 2
    assert html.count('<svg class="squares"') == 2
    assert all(verdict.value in html for verdict in Verdict)
    assert "33.33 %" in html


def test_the_page_is_the_same_for_the_same_study() -> None:
    made = study(certified(Verdict.ROBUST))
    assert page(made) == page(made)


def test_a_broken_package_is_named_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jinja2.py").write_text("raise ImportError('a library is gone')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "jinja2"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"jinja2, which cannot be imported \(a library is gone\): pip install"):
        page(study(certified(Verdict.ROBUST)))


@pytest.mark.parametrize(("library", "name"), [("jinja2", "jinja2"), ("matplotlib.figure", "matplotlib")])
def test_a_missing_package_is_named(library: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf"{name}, which is not installed: pip install 'bnnverify\[report\]'"):
        page(study(certified(Verdict.ROBUST)))
