"""The site's pages in a real browser."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.conftest import SITE_FIGURES


def open_index(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())


def test_there_is_a_card_for_each_figure(page: Page, site: Path) -> None:
    open_index(page, site)
    names = page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.name)")
    assert tuple(names) == SITE_FIGURES


def test_pages_are_accessible(page: Page, site: Path) -> None:
    open_index(page, site)
    # It would read the style sheets again, which a page opened from a file must not.
    found = Axe().run(page, options={"preload": False})
    assert found.violations_count == 0, found.generate_report()
