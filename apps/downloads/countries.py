"""In which country an address is registered."""

import iptocc

from apps.core.addresses import listener_address


def country_of(address: str) -> str:
    """The ISO 3166-1 code of the country the block is assigned to; "" when unknown.

    The data are the regional registries' own: where a block was assigned, which for a mobile
    network abroad or a VPN is not where the listener is.
    """
    network = listener_address(address)  # no registry assigns less than a listener's network
    return iptocc.country_code(network.partition("/")[0]) or "" if network else ""
