"""Screenshots of every page and part, wide and narrow, light and dark: `make shots`."""

import sys
import tempfile

from browsers import CHROMIUM, FLAGS, PARTS, ROOT, serving
from playwright.sync_api import sync_playwright

FOLDER = ROOT / "shots"
SIZES = {"1280": (1280, 720), "1024": (1024, 768), "390": (390, 844)}
SETTLED = """() => !document.querySelector('[data-testid=stStatusWidget]')
  && [...document.querySelectorAll('[data-testid=latent-view]')].every((v) => v.dataset.draws)"""


def main(wanted: list[str]) -> None:
    """A picture of each page and part whose name holds one of the words, or of all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as cache, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with serving(ROOT, EXPLORER_CACHE=cache, EXPLORER_WORKERS="1") as url:
            for page, parts in PARTS.items():
                shown = {**parts, **({"present": "?present=1"} if page != "home" else {})}
                for part, query in shown.items():
                    for size, (width, height) in SIZES.items():
                        for scheme in ("light", "dark"):
                            name = f"{page}_{part or 'page'}_{size}_{scheme}"
                            if wanted and not any(word in name for word in wanted):
                                continue
                            context = browser.new_context(
                                viewport={"width": width, "height": height}, color_scheme=scheme
                            )
                            view = context.new_page()
                            view.goto(f"{url}/{'' if page == 'home' else page}{query}")
                            view.wait_for_selector("h1", timeout=60_000)
                            view.wait_for_timeout(1500)
                            view.wait_for_function(SETTLED, timeout=120_000)
                            view.wait_for_timeout(700)
                            view.screenshot(path=FOLDER / f"{name}.png")
                            print(name, flush=True)
                            context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
