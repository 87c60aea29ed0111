"""The report in a real browser: nothing leaves the page, text stays text, the 3-D view draws what geometry says."""

import json
import subprocess
import sys

import numpy as np
import pytest

from meso.views import camera
from tests.chromium import SOFTWARE_WEBGL, Chromium, find_chromium

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium here; on Debian: apt-get install chromium"
)

NAME = "tiny <script>document.title = 'run'</script> & <b>bold</b>"
STUDY = f"""
name = "{NAME}"
description = "<img src=x onerror=alert(2)>"
seed = 977
trials = 4
startup_trials = 2
trials_in_flight = 2
replicates = 1
fresh_seeds = 2
[cell]
chemistry = "nmc811-chen2020"
c_rate = 2.0
[electrode]
areal_capacity_mAh_cm2 = 1.5
porosity = {{low = 0.30, high = 0.50}}
porosity_gradient = {{low = -0.1, high = 0.1}}
particle_diameter_um = {{low = 5.0, high = 10.0, log = true}}
particle_spread = 1.1
binder_fraction = 0.06
[constraints]
maximum_specific_surface_m2_cm3 = 5.0
[structure]
voxels_per_diameter = 4
width_diameters = 2.5
minimum_voxels = 10
"""
LIVE = "document.querySelector('.view3d.live') !== null"
# Pixels of the canvas: how many there are, how many are painted, the mean red, green and blue of those.
PIXELS = """(async () => {
  await new Promise((done) => setTimeout(done, 400));
  const canvas = document.querySelector('canvas'), gl = canvas.getContext('webgl2');
  const data = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, data);
  let painted = 0, sums = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) {
    painted += 1;
    for (const channel of [0, 1, 2]) sums[channel] += data[i + channel];
  }
  return [canvas.width, canvas.height, painted, ...sums.map((sum) => sum / painted)];
})()"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    home = tmp_path_factory.mktemp("report")
    (home / "tiny.toml").write_text(STUDY, "utf-8")
    command = [sys.executable, "-m", "studies", "run", "tiny.toml", "--folder", "study", "--workers", "1"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return home / "study" / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile"), *SOFTWARE_WEBGL) as chromium:
        yield chromium


@pytest.fixture
def page(browser, report):
    """The report on a desktop, with its 3-D view running."""
    browser.resize(1200, 900)
    browser.open(report.as_uri())
    assert browser.wait_for(LIVE), "the 3-D view does not start"
    return browser


def requests_away(browser, report):
    return [url for url in browser.requests if url != report.as_uri() and not url.startswith("data:")]


def check(browser, kind, number, value):
    """Set a checkbox or slider of the 3-D view as a user does."""
    state = f"checked = {json.dumps(value)}" if kind == "phase" else f"value = {value}"
    event = "change" if kind == "phase" else "input"
    browser.evaluate(f"""(() => {{
      const control = document.querySelector('input[data-{kind}="{number}"]');
      control.{state};
      control.dispatchEvent(new Event('{event}'));
    }})()""")


def projected(size, canvas_height, canvas_width, *, cut=0.0):
    """Pixels that a solid block covers when seen along parallel rays: its sides, each times the cosine of its tilt."""
    frame = camera()
    across, upward = np.abs(frame[:2]) @ size
    pixel = 1.12 * max(across / canvas_width, upward / canvas_height)
    edges = np.array([(1 - cut) * size[0], *size[1:]])
    sides = np.array([edges[1] * edges[2], edges[0] * edges[2], edges[0] * edges[1]])
    return float(np.abs(frame[2]) @ sides) / pixel**2


def test_nothing_is_complained_about_and_nothing_leaves_the_page(page, report):
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert page.complaints == []
    assert requests_away(page, report) == []
    assert report.stat().st_size < 5e6


def test_a_study_cannot_bring_its_own_markup(page):
    assert page.evaluate("document.querySelector('h1').textContent") == NAME
    assert page.evaluate("document.title").startswith(NAME)
    assert page.evaluate("document.querySelectorAll('script').length") == 2
    assert page.evaluate("document.querySelectorAll('img').length") == 1
    assert not [event for event in page.events if event.get("method") == "Page.javascriptDialogOpening"]


def test_the_policy_refuses_other_scripts_styles_and_addresses(page):
    page.evaluate("""(() => {
      const script = document.createElement('script');
      script.textContent = 'window.foreign = 1';
      document.body.append(script);
      const picture = document.createElement('img');
      picture.src = 'https://example.org/spy.png';
      document.body.append(picture);
      document.body.setAttribute('style', 'color: red');
    })()""")
    assert page.evaluate("window.foreign === undefined")
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    assert len([text for text in page.complaints if "Content Security Policy" in text]) == 3
    assert page.evaluate("document.querySelector('body > img').naturalWidth") == 0


def test_a_block_without_pores_covers_what_geometry_says(page):
    size = np.array(page.evaluate("document.querySelector('.view3d').dataset.size").split(), dtype=float)
    check(page, "phase", 0, value=True)
    width, height, painted, *_ = page.evaluate(PIXELS)
    assert painted == pytest.approx(projected(size, height, width), rel=0.01)
    check(page, "cut", 0, value=50)
    width, height, painted, *_ = page.evaluate(PIXELS)
    assert painted == pytest.approx(projected(size, height, width, cut=0.5), rel=0.01)


def test_phases_are_told_apart(page):
    width, height, solid, *_ = page.evaluate(PIXELS)
    assert 0.2 * width * height < solid < 0.8 * width * height
    check(page, "phase", 1, value=False)
    _, _, binder, red, _, blue = page.evaluate(PIXELS)
    assert 0 < binder < solid
    assert red > 1.5 * blue, "binder is orange"
    check(page, "phase", 1, value=True)
    check(page, "phase", 2, value=False)
    _, _, active, red, _, blue = page.evaluate(PIXELS)
    assert binder < active <= solid
    assert blue > 1.2 * red, "active material is blue"


def test_dragging_turns_and_keys_enlarge(page):
    before = page.evaluate(PIXELS)
    box = page.evaluate("""(() => {
      const canvas = document.querySelector('canvas');
      canvas.scrollIntoView({ block: 'center' });
      const box = canvas.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()""")
    for kind, shift in (("mousePressed", 0), ("mouseMoved", 120), ("mouseReleased", 120)):
        page.call(
            "Input.dispatchMouseEvent", type=kind, x=box[0] + shift, y=box[1], button="left", clickCount=1
        )
    turned = page.evaluate(PIXELS)
    assert abs(turned[2] - before[2]) > 0.01 * before[2]
    page.evaluate("document.querySelector('button[data-do=reset]').click()")
    assert page.evaluate(PIXELS)[2] == before[2]
    page.evaluate("document.querySelector('canvas').focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="-", text="-")
    assert page.evaluate(PIXELS)[2] == pytest.approx(before[2] / 1.2**2, rel=0.02)


def test_a_telephone_shows_everything_within_its_width(browser, report):
    browser.resize(375, 812, scale=2, mobile=True)
    browser.open(report.as_uri())
    assert browser.wait_for(LIVE)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 375
    letters = browser.evaluate(
        "[...document.querySelectorAll('.chart text')].map((text) => parseFloat(text.getAttribute('font-size')) * "
        "text.getScreenCTM().a).filter((size) => size > 0)"
    )
    assert len(letters) > 50
    assert min(letters) >= 8, "letters of a figure are too small to read [px]"


def test_print_shows_the_picture_in_place_of_the_view(page):
    page.call("Emulation.setEmulatedMedia", media="print")
    shown = page.evaluate(
        "['.stage img', '.stage canvas', 'nav', '.controls'].map((name) => getComputedStyle(document.querySelector(name)).display)"
    )
    page.call("Emulation.setEmulatedMedia", media="")
    assert shown == ["inline", "none", "none", "none"]
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("flags", "javascript"),
    [(("--disable-3d-apis",), True), (SOFTWARE_WEBGL, False)],
    ids=["no-webgl", "no-script"],
)
def test_a_picture_stands_where_nothing_can_be_turned(report, tmp_path, flags, javascript):
    with Chromium(tmp_path, *flags) as chromium:
        chromium.resize(1200, 900)
        chromium.open(report.as_uri(), javascript=javascript)
        chromium.call("Emulation.setScriptExecutionDisabled", value=False)
        assert not chromium.evaluate(LIVE)
        shown = chromium.evaluate(
            "['.stage img', '.still', '.stage canvas', '.controls'].map((name) => getComputedStyle(document.querySelector(name)).display)"
        )
        assert shown == ["inline", "inline", "none", "none"]
        assert chromium.evaluate("document.querySelector('.stage img').naturalWidth") == 900
        assert requests_away(chromium, report) == []
        assert chromium.complaints == []
