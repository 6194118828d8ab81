"""The kinds of objects that a document may have. Whoever adds one adds a row here."""

from typing import Final

from application.desired_state.objects import Kind
from application.desired_state.platform_settings import SETTINGS
from application.desired_state.routes import ROUTES
from application.desired_state.rules import GROUPS, RULES
from application.desired_state.tenancy import TENANCY
from application.desired_state.upstreams import UPSTREAMS

KINDS: Final[tuple[Kind, ...]] = (*UPSTREAMS, GROUPS, *SETTINGS, ROUTES, *TENANCY, *RULES)
"""In the order in which they are made: what others refer to stands before them."""
