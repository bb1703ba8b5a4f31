"""In which country an address is registered."""

from functools import lru_cache

import iptocc

from apps.core.addresses import parse


@lru_cache(maxsize=65536)
def country_of(address: str) -> str:
    """The ISO 3166-1 code of the country the block is assigned to; "" when unknown.

    The data are the regional registries' own: where a block was assigned, which for a mobile
    network abroad or a VPN is not where the listener is.
    """
    parsed = parse(address)
    if parsed is None:
        return ""
    return iptocc.country_code(str(parsed)) or ""
