"""An app of somebody else's and the person who lets it in."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.idp.oidc.models import Client as App
from django.test import Client

from tests.programs import program

BACK = "https://app.example/cb"
VERIFIER = "a-verifier-that-is-long-enough-to-be-accepted-by-rfc-7636"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:-1]
SHOWS = "/api/v1/shows/"


@dataclass
class Caller:
    """An app, and the browser of a person who is signed in."""

    app: App
    browser: Client
    back: str = BACK
    secrets: dict[str, Any] = field(default_factory=dict)

    def question(self, **changes: Any) -> dict[str, Any]:
        """What the app leads the browser to the consent page with."""
        asked = {
            "client_id": self.app.pk,
            "response_type": "code",
            "redirect_uri": self.back,
            "scope": "read stats",
            "state": "abc",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in asked.items() if value is not None}

    def see(self, **changes: Any) -> Any:
        """The consent page, or what is answered instead."""
        return self.browser.get("/oauth/authorize", self.question(**changes))

    def answer(self, action: str = "grant", *scopes: str) -> dict[str, list[str]]:
        """What comes back to the app when the person has pressed a button."""
        page = self.see().content.decode()
        signed = re.search(r'name="request" value="([^"]+)"', page)
        assert signed is not None
        body = {"request": signed[1], "action": action, "scopes": scopes or ("read", "stats")}
        led = self.browser.post("/oauth/authorize", body)
        assert led.status_code == 302
        assert led.headers["Location"].startswith(self.back)
        return parse_qs(urlsplit(led.headers["Location"]).query)

    def change(self, **body: Any) -> Any:
        """Ask for secrets, from nobody's browser."""
        answer = Client().post("/oauth/token", {"client_id": self.app.pk} | body)
        if answer.status_code == 200:
            self.secrets = answer.json()
        return answer

    def get_in(self, *scopes: str) -> Client:
        """All of it; a program with the secret."""
        (code,) = self.answer("grant", *scopes)["code"]
        assert self.with_code(code).status_code == 200
        return program(self.secrets["access_token"])

    def with_code(self, code: str, verifier: str = VERIFIER) -> Any:
        """Ask for the first secrets."""
        return self.change(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.back,
            code_verifier=verifier,
        )

    def refresh(self) -> Any:
        """Ask for new ones."""
        return self.change(grant_type="refresh_token", refresh_token=self.secrets["refresh_token"])
