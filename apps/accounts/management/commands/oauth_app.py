"""Register an app of somebody else, which people may let work for them (OAuth 2 with PKCE)."""

from argparse import ArgumentParser
from typing import Any

from allauth.idp.oidc.models import Client
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.oauth import register_app
from apps.accounts.scopes import Scope


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="as people are asked about it")
        parser.add_argument("--redirect-uri", action="append", default=[], metavar="URI")
        parser.add_argument("--scopes", nargs="+", choices=Scope.values, default=[Scope.READ.value])
        parser.add_argument("--remove", metavar="CLIENT_ID", help="end it for everybody")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self._remove(options["remove"])
        elif options["name"] and options["redirect_uri"]:
            self._register(**options)
        else:
            self._list()

    def _register(
        self, *, name: str, redirect_uri: list[str], scopes: list[str], **options: Any
    ) -> None:
        try:
            app = register_app(
                name=name, redirect_uris=redirect_uri, scopes=[Scope(scope) for scope in scopes]
            )
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        self.stdout.write(f"{app.name} has the client id {app.pk}.")

    def _remove(self, client_id: str) -> None:
        deleted, _ = Client.objects.filter(pk=client_id).delete()
        if not deleted:
            raise CommandError(f"No app has the client id {client_id}.")
        self.stdout.write("It works for nobody any more.")

    def _list(self) -> None:
        for app in Client.objects.order_by("name", "pk"):
            scopes = " ".join(app.get_scopes())
            self.stdout.write(
                f"{app.pk}  {app.name}  {scopes}  {' '.join(app.get_redirect_uris())}"
            )
