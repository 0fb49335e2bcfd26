"""What do the protocols' documents say, as a page?"""

import re

import pytest

from streaming.reference import DOCUMENTS, page

ADDRESS = "wss://trade.example"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_between_the_documents_leads_to_a_place_that_is_there(name):
    _, html = page(name, ADDRESS)
    for link in re.findall(r'href="([^"]*)"', html):
        target, _, place = link.partition("#")
        found = re.fullmatch(r"(?:/reference/(\w+))?", target)
        assert found is not None, link
        assert not place or f'id="{place}"' in page(found[1] or name, ADDRESS)[1], link


def test_the_title_stands_apart_and_the_address_is_the_readers():
    title, html = page("event_stream", ADDRESS)
    assert title == "The event stream"
    assert "<h1" not in html
    assert f"{ADDRESS}/ws/events" in html
    assert "127.0.0.1" not in html


def test_a_conversation_says_who_speaks():
    _, html = page("tick_stream", ADDRESS)
    assert "<figcaption>client</figcaption>" in html
    assert "<figcaption>server</figcaption>" in html


def test_tables_and_code_are_what_they_are():
    _, html = page("errors", ADDRESS)
    assert html.count("<tr>") > 60
    assert "<code>invalid_json</code>" in html


def test_nothing_in_a_document_is_markup_of_its_own():
    _, html = page("tick_stream", ADDRESS)
    assert "&lt;your-api-key&gt;" in html
