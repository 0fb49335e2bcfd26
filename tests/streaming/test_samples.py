"""Which clients are there to copy? That they run is shown in tests/journeys/test_samples.py."""

import re
from pathlib import Path

import pytest

from streaming.samples import FOLDER, SAMPLES, WRITTEN_ADDRESS

ROOT = Path(__file__).resolve().parent.parent.parent
MINE = "wss://trade.example"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_sample_has_the_readers_address_and_only_known_placeholders(sample):
    text = sample.text(MINE)
    assert text.count(MINE) == 1
    assert WRITTEN_ADDRESS not in text
    assert tuple(sorted(set(re.findall(r"\S*…", text.replace('"', " "))))) == sample.placeholders


def test_every_file_of_the_folder_is_shown():
    assert {path.name for path in FOLDER.iterdir()} == {sample.file for sample in SAMPLES}


def test_the_tick_sample_is_the_readmes_which_is_the_documents():
    readme = (ROOT / "README.md").read_text()
    assert (FOLDER / "tick_stream.py").read_text() in readme
