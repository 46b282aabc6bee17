"""The picture of the guide "Bring your own chats": `python -m docs.import_picture ADDRESS NAME PASSWORD` takes it.

It uploads a made-up chat to a running server as that researcher, and imports nothing. It needs Chromium and what
`make install-dev` installs.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURE = Path(__file__).parent / "pictures" / "import.png"
WIDTH, HEIGHT = 1280, 1180
CHAT = """\
31/12/2024, 14:04 - Messages and calls are end-to-end encrypted. Only people in this chat can read them.
31/12/2024, 14:05 - Mary Okafor: hi Tom
31/12/2024, 14:05 - Mary Okafor: are you coming tonight?
31/12/2024, 14:11 - Tom: yes!
31/12/2024, 14:12 - Tom: what should I bring
31/12/2024, 14:15 - Mary Okafor: nothing
31/12/2024, 14:15 - Mary Okafor: call me on +44 20 7946 0000 if you are lost
31/12/2024, 14:16 - Mary Okafor: or see https://example.org/map
31/12/2024, 14:20 - Tom: <Media omitted>
31/12/2024, 14:20 - Tom: is this the house?
31/12/2024, 14:31 - Mary Okafor: that's it
01/01/2025, 02:10 - Tom: home again
01/01/2025, 02:10 - Tom: that was fun
01/01/2025, 10:02 - Mary Okafor: it was
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="such as http://127.0.0.1:8000")
    parser.add_argument("name", help="of a researcher")
    parser.add_argument("password")
    options = parser.parse_args()
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        log_in(page, options.address, options.name, options.password)
        upload(page, options.address)
        page.screenshot(path=PICTURE)
        browser.close()


def log_in(page: Page, address: str, name: str, password: str) -> None:
    page.goto(f"{address}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/")


def upload(page: Page, address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "WhatsApp Chat with Mary.txt"
        file.write_text(CHAT, encoding="utf-8")
        page.goto(f"{address}/corpora/import/")
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Read the file").click()
        page.get_by_label("Name", exact=True).fill("Chats of two friends")


if __name__ == "__main__":
    main()
