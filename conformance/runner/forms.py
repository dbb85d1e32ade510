"""A browser without JavaScript: cookies, redirects and forms, for the member's registration."""

import http.cookiejar
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form of a page with the fields that are filled already."""

    id: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What a request ended at."""

    url: str
    status: int
    text: str

    def form(self, id: str) -> Form:
        """The form with this id."""
        reader = _FormReader()
        reader.feed(self.text)
        for form in reader.forms:
            if form.id == id:
                return form
        raise LookupError(f"{self.url} ({self.status}) has no form {id!r}")


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(named.get("id", ""), named.get("action", "")))
        elif tag == "input" and self.forms and "name" in named:
            if named.get("type") not in ("checkbox", "radio") or "checked" in dict(attrs):
                self.forms[-1].fields[named["name"]] = named.get("value", "")


class Browser:
    """Follows redirects and keeps cookies."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trust),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def get(self, url: str) -> Page:
        """Opens an address."""
        return self._open(urllib.request.Request(url))

    def submit(self, page: Page, form_id: str, **fields: str) -> Page:
        """Fills in a form of a page and sends it."""
        form = page.form(form_id)
        body = urllib.parse.urlencode(form.fields | fields).encode()
        url = urllib.parse.urljoin(page.url, form.action)
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
        answer = self._open(urllib.request.Request(url, body, {"Origin": origin}))
        if 'id="errors"' in answer.text:
            raise ValueError(f"{answer.url} does not take what was typed into {form_id}")
        return answer

    def _open(self, request: urllib.request.Request) -> Page:
        with self._opener.open(request, timeout=30) as response:
            return Page(response.url, response.status, response.read().decode())
