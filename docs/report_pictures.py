"""Take the pictures of a report for the documentation: on a desktop and on a telephone."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.chromium import SOFTWARE_WEBGL, Chromium

HERE = Path(__file__).resolve().parent
SIZES = {"desktop": (1200, 3900, 1.0, False), "phone": (375, 3600, 1.0, True)}
LIVE = "document.querySelector('.view3d.live') !== null"


def main(report: Path) -> None:
    """Open a report at each width and save what is seen, in few colours."""
    with tempfile.TemporaryDirectory() as profile, Chromium(Path(profile), *SOFTWARE_WEBGL) as browser:
        for name, (width, height, scale, mobile) in SIZES.items():
            browser.resize(width, 900, scale=scale, mobile=mobile)
            browser.open(report.resolve().as_uri())
            if not browser.wait_for(LIVE):
                sys.exit("the 3-D view does not start")
            browser.wait_for("false", seconds=2)  # until it has drawn
            page = Image.open(io.BytesIO(browser.screenshot(clip=(0, 0, width, height))))
            page.convert("RGB").quantize(128).save(HERE / f"report-{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
