"""Is a page accessible, as far as a program can tell? axe-core looks, dark and light."""

from playwright.sync_api import Page

from tests.plugins.services import ROOT

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
FINDINGS = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(({impact}) => ["serious", "critical"].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes.map(({html, failureSummary}) => `${html} ${failureSummary}`).join(" | ")}`)
"""


def assert_accessible(page: Page) -> None:
    """Fail on every serious or critical finding."""
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        findings = page.evaluate(FINDINGS)
        assert not findings, f"{page.url} ({scheme}): {findings}"
