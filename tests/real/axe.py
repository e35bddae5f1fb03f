"""Finds what keeps people out of a page: axe-core, which looks at a page in a browser by the rules of WCAG."""

from selenium.webdriver import Chrome

from tests.real.node import FOLDER, package_missing

#: Why it can not look; None when it can.
SKIP = package_missing("axe-core")
_FILE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
#: Everything up to WCAG 2.2 AA. The size of what one has to hit is part of it, and is not looked at unless asked for.
_CHECK = """
const done = arguments[arguments.length - 1];
const said = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`);
axe.run(document, {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  rules: { "target-size": { enabled: true } },
  resultTypes: ["violations"],
}).then((found) => done(found.violations.flatMap(said)), (error) => done([String(error)]));
"""


def bring(driver: Chrome) -> None:
    """Have it on every page that is opened from now on, whatever the policy of the page says."""
    source = _FILE.read_text(encoding="utf-8")
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})


def findings(driver: Chrome) -> list[str]:
    """Return what is wrong with the page that is to be seen."""
    found: list[str] = driver.execute_async_script(_CHECK)
    return found
