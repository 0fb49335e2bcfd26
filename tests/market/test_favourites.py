"""Favourites: kept with the user, for the user's own browsers."""

import json

import pytest

from accounts.models import User
from market import favourites
from market.favourites import favourite_set
from market.models import Favourite, Product
from tests.trading.callers import JSON, Browser

pytestmark = [pytest.mark.usefixtures("products"), pytest.mark.django_db]
PATH = "/account/favourites"


@pytest.fixture
def ann():
    return User.objects.create_user("ann", password="correct horse battery")


def marked(user, name, is_favourite=True):
    """Return the answer to a call that marks or unmarks a product."""
    browser = Browser(user)
    body = json.dumps({"product": name, "favourite": is_favourite})
    return browser.post(PATH, body, content_type=JSON, headers=browser.proof)


def listed(user):
    return Browser(user).get(PATH).json()


def test_what_is_marked_is_listed_the_first_marked_first(ann):
    assert listed(ann) == {"products": []}
    assert marked(ann, "XAU-USD").json() == {"products": ["XAU-USD"]}
    assert marked(ann, "EUR-USD").json() == {"products": ["XAU-USD", "EUR-USD"]}
    assert listed(ann) == {"products": ["XAU-USD", "EUR-USD"]}


def test_marking_twice_is_marking_once_and_unmarking_takes_it_away(ann):
    for _ in range(2):
        assert marked(ann, "EUR-USD").json() == {"products": ["EUR-USD"]}
    for _ in range(2):
        assert marked(ann, "EUR-USD", False).json() == {"products": []}


def test_they_are_ones_own(ann):
    bob = User.objects.create_user("bob", password="correct horse battery")
    marked(ann, "EUR-USD")
    assert listed(bob) == {"products": []}
    marked(bob, "EUR-USD", False)
    assert listed(ann) == {"products": ["EUR-USD"]}


@pytest.mark.parametrize("name", ["NOSUCH", "eur-usd", "\0", "\u0415UR-USD"])
def test_a_product_that_is_none_cannot_be_marked(ann, name):
    answer = marked(ann, name)
    assert (answer.status_code, answer.json()["code"]) in [(404, "unknown_product"), (400, "invalid_parameter")]
    assert not Favourite.objects.exists()


def test_a_body_of_another_shape_is_refused(ann):
    browser = Browser(ann)
    for body in ("{}", '{"product":"EUR-USD"}', '{"product":["EUR-USD"],"favourite":true}'):
        answer = browser.post(PATH, body, content_type=JSON, headers=browser.proof)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), body


def test_what_is_not_shown_any_more_is_not_listed(ann):
    marked(ann, "EUR-USD")
    Product.objects.filter(name="EUR-USD").update(enabled=False)
    assert listed(ann) == {"products": []}
    assert marked(ann, "EUR-USD").status_code == 404


def test_there_is_a_bound(ann, monkeypatch):
    monkeypatch.setattr(favourites, "MAX_FAVOURITES", 1)
    favourite_set(ann, "EUR-USD", is_favourite=True)
    assert marked(ann, "BTC-USD").json()["code"] == "too_many_names"
    assert marked(ann, "EUR-USD").status_code == 200
