"""How static files get names that may be cached for ever."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class ManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashes also the names inside ``import`` statements: an import map would be inline script."""

    support_js_module_import_aggregation = True
