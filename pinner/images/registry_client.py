"""Requests to one repository of a container registry: tokens, logins, redirections, statuses.

https://distribution.github.io/distribution/spec/api/ and …/spec/auth/token/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode, urljoin, urlsplit

from pinner.archive.fetch import Fetcher, Response
from pinner.errors import FetchError, TrustError
from pinner.images.credentials import Login
from pinner.images.reference import HUB, Reference

_MOST_REDIRECTIONS = 5
_LARGEST_TOKEN = 1 << 20
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})


class Client:
    """The repository of `reference` at `base`, the registry's address.

    `login` gives the login to that registry, and is called only once the registry asks for one. It goes nowhere else
    but to the token service that the registry names, over https unless the registry itself is spoken to in http.
    """

    def __init__(
        self, fetcher: Fetcher, reference: Reference, base: str, login: Callable[[], Login | None]
    ) -> None:
        self._fetcher = fetcher
        self._reference = reference
        self._base = base
        self._login = login
        self._authorization = ""

    @contextmanager
    def ask(self, path: str, *, method: str = "GET", headers: Mapping[str, str]) -> Iterator[Response]:
        """The answer for `path` in the repository, its status in the two hundreds. Raises FetchError."""
        url = f"{self._base}/v2/{self._reference.repository}/{path}"
        challenged = False
        redirections = 0
        while True:
            sent = dict(headers)
            if self._authorization and _origin(url) == _origin(self._base):
                sent["Authorization"] = self._authorization
            with self._asked(url, method, sent) as answer:
                if answer.status in _REDIRECTIONS:
                    url = self._redirection(url, answer, redirections)
                    redirections += 1
                elif answer.status == 401 and not challenged and _origin(url) == _origin(self._base):
                    challenged = True
                    self._authorization = self._authorize(answer.headers.get("WWW-Authenticate", ""))
                elif 200 <= answer.status < 300:
                    yield answer
                    return
                else:
                    raise self._refusal(url, answer.status)

    @contextmanager
    def _asked(self, url: str, method: str, headers: Mapping[str, str]) -> Iterator[Response]:
        try:
            with self._fetcher.ask(url, method=method, headers=headers) as answer:
                yield answer
        except FetchError as error:
            if error.status != 429:
                raise
            raise FetchError(
                f"{self._reference}: the registry allows no more requests for now; {error.message}",
                url=url,
                status=429,
                tries=error.tries,
                hint=f"wait, or `docker login {self._host}`: a login has a higher limit",
            ) from None

    @property
    def _host(self) -> str:
        host = host_of(self._base)
        return "" if host == HUB else host

    def _redirection(self, url: str, answer: Response, count: int) -> str:
        problem = ""
        try:
            target = urljoin(url, answer.headers.get("Location", ""))
        except ValueError:
            target = ""
        if count == _MOST_REDIRECTIONS:
            problem = "the registry redirects again and again"
        elif not re.match(r"https?://[^/@]+(?:/|$)", target):
            problem = "the registry redirects to what is no address for HTTP"
        elif url.startswith("https:") and not target.startswith("https:"):
            problem = "the registry redirects from https to http"
        if problem:
            raise FetchError(f"{self._reference}: {problem}", url=url, status=answer.status)
        return target

    def _refusal(self, url: str, status: int) -> FetchError:
        if status in (401, 403):
            what = f"the registry gives no access (HTTP status {status}): the image does not exist, or needs a login"
            hint = f"docker login {self._host}".strip()
        elif status == 404:
            what, hint = "the registry has no such image (HTTP status 404)", "check the name and the tag"
        else:
            what, hint = f"the registry answers with HTTP status {status}", "try again later"
        return FetchError(f"{self._reference}: {what}", url=url, status=status, hint=hint)

    def _authorize(self, challenge: str) -> str:
        """The Authorization that a WWW-Authenticate asks for (RFC 9110, 11.6.1; token specification)."""
        login = self._login()
        if match := re.search(r"\bBearer\s+(.*)", challenge, re.IGNORECASE | re.DOTALL):
            fields = {
                name.lower(): quoted or bare
                for name, quoted, bare in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s",]+))', match[1])
            }
            return f"Bearer {self._token(fields.get('realm', ''), fields.get('service', ''), login)}"
        if re.match(r"\s*Basic\b", challenge, re.IGNORECASE) and login and not login.identity:
            return _basic(login)
        raise self._refusal(f"{self._base}/v2/", 401)

    def _token(self, realm: str, service: str, login: Login | None) -> str:
        from pinner.images.manifests import document

        if not re.match(r"https?://[^/@]+(?:/|$)", realm) or (
            self._base.startswith("https:") and not realm.startswith("https:")
        ):
            raise TrustError(
                f"{self._reference}: the registry names a token service without https: {realm[:200]}"
            )
        asked = {"scope": f"repository:{self._reference.repository}:pull"} | (
            {"service": service} if service else {}
        )
        if login and login.identity:
            form = asked | {
                "grant_type": "refresh_token",
                "client_id": "pinner",
                "refresh_token": login.secret,
            }
            exchange = self._fetcher.ask(realm, headers={}, method="POST", form=form)
        else:
            headers = {"Authorization": _basic(login)} if login else {}
            url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}"
            exchange = self._fetcher.ask(url, headers=headers)
        with exchange as answer:
            if answer.status != 200:
                whose = "accepts the login no more" if login else "gives no access without a login"
                raise FetchError(
                    f"{self._reference}: the token service {whose} (HTTP status {answer.status})",
                    url=realm,
                    status=answer.status,
                    hint=f"docker login {self._host}".strip(),
                )
            fields = document(answer.body(_LARGEST_TOKEN), f"the token for {self._reference}")
        token = fields.get("token") or fields.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise FetchError(f"{self._reference}: the token service gives no token", url=realm)
        return token


def _basic(login: Login) -> str:
    return f"Basic {base64.b64encode(f'{login.user}:{login.secret}'.encode()).decode()}"


def host_of(base: str) -> str:
    """The host, with its port, of a registry's address."""
    return urlsplit(base).netloc.rpartition("@")[2]


def _origin(url: str) -> tuple[str, str]:
    """What a login is for (RFC 6454): another port is another server."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
