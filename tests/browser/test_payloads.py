"""Does anything that anybody can write become script? Forty texts, in every place, on every page that shows them.

The Content-Security-Policy is switched off in these browsers: it is the second line, and what is looked at is the
first, that text stays text. (`test_the_policy_is_a_second_line` looks at the policy.)
"""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_live, row
from tests.browser.payloads import PAYLOADS, RAN, WITH_NUL, in_its_hole, quoted
from tests.browser.people import given_session
from tests.journeys.clients import tick_client
from tests.journeys.harness import RELAXED, Server, eventually
from tests.journeys.traders import ALL, PENDING, Trader

TOKEN = "t" * 32
"""A CSRF token: cookie and header or field have to agree, that is all."""

PLANTED = """
import json
from importlib import import_module
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import User
from accounts.services import api_key_create
from market.models import Product
from trading.inbox import inbox_put
PAYLOADS = {payloads!r}
product = Product.objects.get(name="EUR-USD")
people, password = [], make_password("correct horse battery")
for number, text in enumerate(PAYLOADS):
    user = User.objects.create(username=text, first_name=text, last_name=text, email=text, password=password)
    key, secret = api_key_create(user=user, label=text)
    group = Group.objects.create(name=text)
    product.pk, product.name, product.title = None, f"P{{number}}-USD", text
    product._state.adding = True
    product.save()
    inbox_put("deposit", {{"user": text, "environment": "demo", "amount": "1"}}, by=user)
    session = SessionStore()
    session.update({{SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
                     BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend"}})
    session.save()
    people.append(dict(text=text, session=session.session_key, secret=secret,
                       user=user.pk, key=key.pk, group=group.pk, product=product.pk))
print(json.dumps(people))
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose names are all one payload, and the rows that have it in them."""

    text: str
    session: str
    secret: str
    user: int
    key: int
    group: int
    product: int


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A server, and the people in it: users, keys, groups, products, deposits, all named by payloads."""
    with Server(tmp_path_factory.mktemp("payloads"), env=RELAXED | {"SIGNUP": "1"}) as server:
        printed = server.manage("shell", "--no-imports", "-c", PLANTED.format(payloads=PAYLOADS))
        people = [Person(**person) for person in json.loads(printed.splitlines()[-1])]
        yield server, people
        assert "Traceback" not in server.log()


@pytest.fixture(scope="module")
def admin(planted):
    """The key of a session of the administrator."""
    return given_session(planted[0], "admin")["cookies"][0]["value"]


@contextmanager
def careless(open_page, server, **options):
    """Open a page whose browser ignores our policy: what becomes script runs. It must not have, in the end."""
    dialogs: list[str] = []
    with open_page(server, bypass_csp=True, expected=[""], **options) as page:

        def heard(dialog):
            dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", heard)
        yield page
        assert_nothing_ran(page)
    assert not dialogs


INSERTED = """
() => {
  const frames = [...document.querySelectorAll("iframe")].map(({contentDocument}) => contentDocument).filter(Boolean);
  const all = [document, ...frames].flatMap((it) => [...it.querySelectorAll("*")]);
  const handlers = all.filter(({attributes}) => [...attributes].some(({name}) => name.startsWith("on")));
  const addresses = all.filter((it) => ["href", "src", "action", "formaction", "xlink:href"].some((name) => {
    const address = it.getAttribute(name);
    return address !== null && new URL(address, "http://x").protocol === "javascript:";
  }));
  return [...handlers, ...addresses].map(({outerHTML}) => outerHTML);
}
"""


def assert_nothing_ran(page):
    """Assert that nothing ran, and that nothing waits for a click: we write no handlers and no such links."""
    assert page.evaluate(RAN) is None, page.url
    assert page.evaluate(INSERTED) == [], page.url


OUR_FILES = re.compile(r'<(?:script|link)\b[^>]*="/static/[^>]*>(?:</script>)?')

FRAMES = """
async (texts) => {
  const frames = texts.map((text) => Object.assign(document.createElement("iframe"), {srcdoc: text}));
  const loaded = frames.map((frame) => new Promise((done) => frame.addEventListener("load", done)));
  document.body.replaceChildren(...frames);
  await Promise.all(loaded);
  return frames.map(({contentDocument}) => contentDocument.body.textContent
    + [...contentDocument.querySelectorAll("input, textarea")].map(({value}) => value).join(""));
}
"""


def shown(page, texts):
    """Show many pages at once, each in a frame of its own; return what is to be read in each, fields included.

    Without our scripts and styles, which forty times over take their time: other tests open the pages as they are.
    """
    read = page.evaluate(FRAMES, [OUR_FILES.sub("", text) for text in texts])
    assert_nothing_ran(page)
    return read


def fetched(server, path, *, session="", headers=(), form=None):
    """Return a page's text, whatever its status."""
    body = urlencode({**form, "csrfmiddlewaretoken": TOKEN}, doseq=True).encode() if form is not None else None
    request = urllib.request.Request(server.url + path, body, dict(headers))
    request.add_header("Cookie", f"sessionid={session}; csrftoken={TOKEN}")
    request.add_header("Accept", "text/html")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise
        return error.read().decode()


@contextmanager
def asking(server, identity):
    """Give what sends JSON with these headers and returns status and answer, which no browser takes for a page.

    Over one connection: a thousand connections would take longer than a thousand answers.
    """
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)

    def ask(path, body):
        connection.request("POST", path, json.dumps(body), {**identity, "Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status, json.load(answer)

    with closing(connection):
        yield ask


# ---- the test itself can fail


def test_each_of_them_runs_where_somebody_is_careless(browser):
    assert len(set(PAYLOADS)) == 40
    page = browser.new_page()
    for payload in (*PAYLOADS, WITH_NUL):
        page.goto("about:blank")
        page.set_content(in_its_hole(payload), wait_until="domcontentloaded")
        page.evaluate("() => document.querySelectorAll('a, button').forEach((it) => it.click())")
        page.wait_for_function("() => top.ran === 1", timeout=5_000)
    page.close()


def test_one_that_gets_into_a_page_of_ours_is_noticed(open_page, server):
    page_of = open_page(server, bypass_csp=True, expected=[""])
    with page_of as page:
        page.goto("/login")
        page.evaluate(FRAMES, [in_its_hole("<img src=x onerror=top.ran=1>"), in_its_hole("javascript:top.ran=1")])
        page.wait_for_function("() => top.ran === 1")
        assert len(page.evaluate(INSERTED)) == 2
        with pytest.raises(AssertionError):
            assert_nothing_ran(page)


def test_the_policy_is_a_second_line(open_page, server):
    with open_page(server, expected=["Content Security Policy", "404"]) as page:
        page.goto("/login")
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            page.evaluate("() => document.body.innerHTML = '<img src=x onerror=top.ran=1>'")
        assert page.evaluate(RAN) is None


# ---- names: of users, keys, groups, products, browsers

ACCOUNT_PAGES = ("/account/profile", "/account/email", "/keys/", "/account/sessions", "/account/demo", "/connect")
LISTS = (
    "accounts/user", "accounts/apikey", "auth/group", "market/product", "trading/balance", "trading/ledgerentry",
    "trading/accountevent", "trading/inboxcommand",
)  # fmt: skip
OTHER_LISTS = ("trading/journalentry", "trading/order", "trading/position", "market/candle")
"""Where not all of the names are on the first page."""

DETAILS = (
    "accounts/user/{.user}/change", "accounts/user/{.user}/history", "accounts/user/{.user}/delete",
    "accounts/apikey/{.key}/change", "auth/group/{.group}/change", "market/product/{.product}/change",
)  # fmt: skip


def test_account_pages_show_their_users_names_keys_and_browsers_as_text(open_page, planted):
    server, people = planted
    with careless(open_page, server) as page:
        page.goto("/login")
        for path in ACCOUNT_PAGES:
            texts = [
                fetched(server, path, session=person.session, headers=user_agent(person.text)) for person in people
            ]
            for person, read in zip(people, shown(page, texts), strict=True):
                assert person.text in read, path


def user_agent(text):
    """Return the header of a browser with that name; only what a header may hold can be sent."""
    return {"User-Agent": "".join(mark for mark in text if mark.isprintable()).encode().decode("latin-1")}


def test_the_administrators_lists_show_them_as_text(open_page, planted, admin):
    server, people = planted
    waiting = "/admin/trading/inboxcommand/?status__exact=waiting"
    eventually(lambda: 'id="result_list"' not in fetched(server, waiting, session=admin))
    with careless(open_page, server) as page:
        page.goto("/login")
        reads = shown(page, [fetched(server, f"/admin/{name}/", session=admin) for name in LISTS])
        for name, read in zip(LISTS, reads, strict=True):
            assert [person.text for person in people if person.text not in read] == [], name
        shown(page, [fetched(server, f"/admin/{name}/", session=admin) for name in OTHER_LISTS])


@pytest.mark.parametrize("path", DETAILS)
def test_the_administrators_pages_of_one_row_show_them_as_text(open_page, planted, admin, path):
    server, people = planted
    with careless(open_page, server, storage_state=cookies(admin)) as page:
        page.goto(f"/admin/{path.format(people[8])}/")
        assert_nothing_ran(page)
        reads = shown(page, [fetched(server, f"/admin/{path.format(person)}/", session=admin) for person in people])
        for person, read in zip(people, reads, strict=True):
            assert person.text in read


def test_connections_are_listed_by_names_and_ended_as_text(open_page, planted, admin):
    server, people = planted
    with ExitStack() as resources, careless(open_page, server, storage_state=cookies(admin)) as page:
        for person in people:
            resources.enter_context(tick_client(server, person.secret))
        page.goto("/admin/connections/")
        read = page.locator("#result_list").text_content()
        assert [person.text for person in people if person.text not in read] == []
        assert_nothing_ran(page)
        for box in page.locator("input[name=id]").all():
            box.check()
        page.get_by_role("button", name="End the selected connections").click()
        expect(page.locator(".messagelist")).to_contain_text("40 ended.")
        reads = shown(page, [fetched(server, f"/admin/accounts/user/{people[0].user}/history/", session=admin)])
        assert "Ended the connection" in reads[0]


def cookies(session):
    """Return what a browser starts with."""
    cookie = {"name": "sessionid", "value": session, "domain": "127.0.0.1", "path": "/"}
    return {"cookies": [{**cookie, "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": []}


# ---- what the feed publishes


def test_a_feed_publishes_no_payload_and_what_it_tried_is_shown_as_text(open_page, planted, admin):
    server, _ = planted
    key = server.issue_key("publisher", "--scope", "market", "--scope", "feed")
    now_ms = int(time.time() * 1000)
    with tick_client(server, key.secret) as feed:
        for text in (*PAYLOADS, WITH_NUL):
            named = feed.ask({"type": "publish", "ticks": [[text, "1.1", "1.2", now_ms]]})
            assert named["refused"] == [{"index": 0, "code": "unknown_product"}]
            for tick in (["EUR-USD", text, "1.2", now_ms], ["EUR-USD", "1.1", "1.2", text]):
                assert feed.ask({"type": "publish", "ticks": [tick]})["code"] in ("invalid_number", "invalid_message")
    with careless(open_page, server, storage_state=cookies(admin)) as page:
        page.goto("/admin/refusals/")
        read = page.locator("#result_list").text_content()
        assert [text for text in PAYLOADS if text[:40] not in read] == []


# ---- what is asked for: searches, filters, forms, addresses

ADDRESSES = (
    "/admin/connections/?q={0}&stream={0}&order={0}", "/admin/refusals/?product={0}&code={0}",
    "/admin/trading/balance/deposit/?user={0}&environment={0}", "/admin/trading/order/?q={0}",
    "/admin/accounts/apikey/?q={0}", "/admin/market/product/?q={0}&group={0}", "/login?next={0}",
    "/account/again?next={0}", "/reference/{0}", "/password/reset/{0}-{0}", "/email/{0}", "/{0}",
    "/trading/products/{0}",
)  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_is_in_an_address_stays_text(open_page, planted, admin, path):
    server, _ = planted
    session = "" if path.startswith(("/login", "/password")) else admin
    with careless(open_page, server) as page:
        page.goto("/login")
        shown(page, [fetched(server, path.format(quoted(text)), session=session) for text in (*PAYLOADS, WITH_NUL)])


def test_a_form_that_is_shown_again_shows_what_was_typed_as_text(open_page, planted):
    server, people = planted
    with careless(open_page, server) as page:
        page.goto("/login")
        forms = [{"label": text, "networks": text, "scopes": text, "expires_at": text} for text in PAYLOADS]
        reads = shown(page, [fetched(server, "/keys/", session=people[0].session, form=form) for form in forms])
        assert [text for text, read in zip(PAYLOADS, reads, strict=True) if text not in read] == []
        names = [{"username": text, "email": text, "password1": text, "password2": text} for text in PAYLOADS]
        reads = shown(page, [fetched(server, "/signup", form=form) for form in names])
        assert [form["username"] for form, read in zip(names, reads, strict=True) if form["username"] not in read] == []


NOBODYS = {"id": "00000000-0000-4000-8000-000000000000"}
BODIES: Mapping[str, Mapping[str, object]] = {
    "/account/favourites/": {"product": "EUR-USD", "favourite": False},
    "/account/keys/": {},
    "/trading/trade/new/": {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "10", "amount": 1},
    "/trading/trade/cancel/": NOBODYS,
    "/trading/trade/update/": NOBODYS,
    "/trading/trade/close/": NOBODYS,
    "/trading/trade/split/": {**NOBODYS, "ratio": "40:60"},
}
"""Bodies in which nothing is wrong but what a test puts into them."""

WITHOUT_FIELDS = {
    "/account/demo/reset/", "/account/keys/{key_id}/revoke/", "/account/keys/{key_id}/rotate/", "/feed/ticks/",
}  # fmt: skip
"""Calls whose bodies have no fields of a name; ticks are a list of lists."""


def fields_of(schema, call):
    """Return the names of a body's fields, as the OpenAPI document has them."""
    named = call.get("requestBody", {"content": {"application/json": {"schema": {}}}})
    body = named["content"]["application/json"]["schema"]
    name = body.get("$ref", "").rpartition("/")[2]
    return list(schema["components"]["schemas"][name]["properties"]) if name else []


def test_what_rest_is_sent_is_refused_with_a_code_or_shown_as_text(open_page, planted, admin):
    server, _ = planted
    schema = server.get("/api/schema?format=json")
    calls = {path: fields_of(schema, ways["post"]) for path, ways in schema["paths"].items() if "post" in ways}
    assert {path for path, fields in calls.items() if not fields} == WITHOUT_FIELDS
    assert {path for path, fields in calls.items() if fields} == set(BODIES)
    with asking(server, {"Cookie": f"sessionid={admin}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}) as ask:
        for path, body in BODIES.items():
            for text in (*PAYLOADS, WITH_NUL):
                assert ask(path, {**body, text: text})[0] < 500, (path, text)
                for field in calls[path]:
                    status, answer = ask(path, {**body, field: text})
                    if (path, field) == ("/account/keys/", "label") and text != WITH_NUL:
                        assert status == 201, text
                    else:
                        assert 400 <= status < 500, (path, field, text)
                        assert answer["code"], (path, field, text)
    with careless(open_page, server, storage_state=cookies(admin)) as page:
        page.goto("/keys/")
        read = page.locator("main").text_content()  # a label is stripped
        assert [text for text in PAYLOADS if text.strip() not in read] == []


def test_what_is_published_by_rest_is_refused_with_a_code(planted):
    server, _ = planted
    key = server.issue_key("publisher", "--scope", "market", "--scope", "feed")
    now_ms = int(time.time() * 1000)
    texts = (*PAYLOADS, WITH_NUL)
    with asking(server, {"Authorization": f"Bearer {key.secret}"}) as ask:
        _, answer = ask("/feed/ticks/", {"ticks": [[text, "1.1", "1.2", now_ms] for text in texts]})
        assert [refusal["code"] for refusal in answer["refused"]] == ["unknown_product"] * len(texts)
        for text in texts:
            for ticks in (text, [text], [["EUR-USD", text, "1.2", now_ms]], [["EUR-USD", "1.1", "1.2", text]]):
                assert ask("/feed/ticks/", {"ticks": ticks})[1]["code"] in ("invalid_number", "invalid_parameter")


# ---- pages that scripts fill

NEARLY_ONE = "javascript:top.ran"
"""A client_order_id may look like this, and no worse."""


TYPE = """
(texts) => {
  const names = ["search", "ticket-size", "ticket-leverage", "ticket-takeProfit", "ticket-stopLoss"];
  for (const text of texts) {
    for (const field of names.map((id) => document.getElementById(id))) {
      field.value = text;
      field.dispatchEvent(new InputEvent("input", {bubbles: true}));
    }
  }
}
"""


def test_the_dashboard_shows_titles_and_takes_what_is_typed_as_text(open_page, planted, admin):
    server, people = planted
    trader = Trader(server, "admin", server.issue_key("admin", *ALL))
    trader.done("new", **PENDING, client_order_id=NEARLY_ONE)
    with careless(open_page, server, storage_state=cookies(admin)) as page:
        page.goto("/")
        assert_live(page)
        page.get_by_role("tab", name="Events").click()
        expect(page.locator("#events-rows .event").filter(has_text="order:new").first).to_be_visible()
        titles = page.locator("#watch small").all_text_contents()
        assert [person.text for person in people if person.text not in titles] == []
        for number in range(0, len(people), 8):
            row(page, f"P{number}-USD").click()
            expect(page.locator("#chosen-name")).to_have_text(f"P{number}-USD")
        page.evaluate(TYPE, PAYLOADS)
        page.locator("#ticket-send").click(force=True)
        for text in PAYLOADS[::10]:
            page.evaluate(
                "(text) => ['theme', 'environment'].forEach((it) => localStorage.setItem(`tickwire.${it}`, text))",
                text,
            )
            page.goto(f"/#{text}:{text}:{text}")
            page.reload()
            assert_live(page)
            assert_nothing_ran(page)


def test_the_dashboard_of_whoever_has_such_a_name_shows_it_as_text(open_page, planted):
    server, people = planted
    person = next(person for person in people if person.text == "<img src=x onerror=top.ran=1>")
    with careless(open_page, server, storage_state=cookies(person.session)) as page:
        page.goto("/")
        assert_live(page)
        expect(page.locator(".who")).to_have_text(person.text)


def test_the_overview_of_a_house_full_of_them_runs_none(open_page, planted, admin):
    server, _ = planted
    with careless(open_page, server, storage_state=cookies(admin)) as page:
        page.goto("/admin/")
        expect(page.locator("#overview-connection")).to_have_text("Live")
        expect(page.locator("#feed-rows tr")).to_have_count(10)


SEND = """
(texts) => {
  const [message, send] = ["message", "send"].map((id) => document.getElementById(id));
  for (const text of texts) {
    message.value = text;
    send.click();
  }
}
"""


def test_the_console_shows_what_is_sent_and_answered_as_text(open_page, planted, admin):
    server, _ = planted
    with careless(open_page, server, storage_state=cookies(admin)) as page:
        page.goto("/connect")
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        page.get_by_label("Pretty").check()
        asked = ({"type": "ping", "id": text} for text in PAYLOADS)
        channels = ({"type": "subscribe", "channels": [text]} for text in PAYLOADS)
        messages = [json.dumps(message) for message in (*asked, *channels)]
        page.evaluate(SEND, [*messages, PAYLOADS[0]])
        expect(page.locator(".frame.in", has_text="invalid_json")).to_be_visible()
        read = page.locator("#frames").text_content()
        assert [text for text in PAYLOADS if json.dumps(text, ensure_ascii=False) not in read] == []
