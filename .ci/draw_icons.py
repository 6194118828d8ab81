"""Draws the pages' icons: `.ci/icons`. Each is `icon.svg` in a size that devices ask for."""

import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

FRONT = Path(__file__).resolve().parent.parent / "src/entrypoints/web/front"
WHOLE, MASKED = 1.0, 0.8
"""How much of a square is drawn in: devices cut a circle or a drop out of a maskable icon, of 80 % of it."""
ICONS = (("icon-192", 192, WHOLE), ("icon-512", 512, WHOLE), ("maskable-512", 512, MASKED), ("apple-180", 180, MASKED))


def drawing(within: float) -> str:
    """The drawing as it is, or smaller on a ground that fills the square."""
    svg = (FRONT / "src/shared/icons/icon.svg").read_text(encoding="utf-8")
    svg = svg.replace("<svg ", '<svg width="100%" height="100%" ')
    if within == WHOLE:
        return svg
    margin = 32 * (1 / within - 1)
    box = f'viewBox="{-margin:g} {-margin:g} {64 + 2 * margin:g} {64 + 2 * margin:g}"'
    ground = '<rect x="-64" y="-64" width="192" height="192" '
    return re.sub(r'<rect width="64" height="64" rx="12" ', ground, svg.replace('viewBox="0 0 64 64"', box))


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, pixels, within in ICONS:
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{drawing(within)}")
            page.screenshot(path=FRONT / f"src/shared/icons/{name}.png", omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
