"""How the API reads JSON: a document nested beyond all sense is the client's mistake, not ours."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class Parser(JSONParser):
    """DRF's parser, which would let the decoder's RecursionError pass as an error of ours."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The document as Python values."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON document is nested too deeply.") from error
