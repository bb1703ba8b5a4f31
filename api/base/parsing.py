"""How the API reads JSON: what can't be a document is the client's mistake, not ours."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class Parser(JSONParser):
    """DRF's parser, without what it would let pass to become an error of ours."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The document as Python values, of texts that can be written down."""
        try:
            document = super().parse(stream, media_type, parser_context)
            # RFC 8259, 8.2: "\\ud800" is half of a character, which no UTF-8 has.
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ParseError("The JSON document has half of a character in a text.") from error
        except RecursionError as error:
            raise ParseError("The JSON document is nested too deeply.") from error
        return document
