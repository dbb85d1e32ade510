"""The test member: a row of the roster, and the first-time registration that makes an account of it."""

import ssl

from .forms import Browser
from .mailbox import Mailbox

LOGIN_ID = "7132-091200001"
TEMPORARY_PASSWORD = "19990101"
PASSWORD = "なのはな畑で3時に会う"
EMAIL = "hanako.takeda@mail.example"
KANA = "タケダ ハナコ"

INSURER = """
[[insurers]]
code = "7132"
number = "06139497"
name = "みほん健康保険組合"
symbol_digits = 3
number_digits = 6
contact = { name = "みほん健康保険組合 KENPOS事務局" }
"""

ROSTER = f"""\
記号,番号,区分,氏名カナ,生年月日
091,200001,一般被保険者,{KANA},{TEMPORARY_PASSWORD}
"""

PROFILE = {
    "nickname": "はなちゃん",
    "gender": "female",
    "phone": "03-1234-5678",
    "postal_code": "100-0001",
    "region": "東京都",
    "locality": "千代田区",
    "street_address": "千代田1-1",
}
"""What the member says on 「任意の情報」, so that every standard claim that there is has a value."""


def register(issuer: str, trust: ssl.SSLContext, mailbox: Mailbox) -> None:
    """Takes the member from the first login to an account with a password, a proven address and a profile."""
    browser = Browser(trust)
    page = browser.get(f"{issuer}/login")
    page = browser.submit(page, "login-id-form", login_id=LOGIN_ID)
    page = browser.submit(page, "password-form", password=TEMPORARY_PASSWORD)
    page = browser.submit(page, "documents-form", privacy="on", terms="on")
    page = browser.submit(page, "details-form", kana=KANA, password=PASSWORD, email=EMAIL)
    browser.submit(page, "confirm-form")
    page = browser.get(mailbox.link(f"{issuer}/registration/link/"))
    page = browser.submit(page, "link-form", password=PASSWORD)
    browser.submit(page, "done-form")
    page = browser.get(f"{issuer}/account/profile/more")
    browser.submit(page, "more-form", **PROFILE)
