"""`/me`: what belongs to the person who is signed in; thin controllers, every one behind the person's guard."""

from litestar import Controller

from entrypoints.http.me.account import AccountController
from entrypoints.http.me.keys import OwnKeyController
from entrypoints.http.me.limits import OwnLimitController
from entrypoints.http.me.sessions import OwnSessionController
from entrypoints.http.me.usage import OwnDecisionController, OwnRequestController, OwnUsageController

CONTROLLERS: tuple[type[Controller], ...] = (
    AccountController,
    OwnSessionController,
    OwnKeyController,
    OwnLimitController,
    OwnUsageController,
    OwnRequestController,
    OwnDecisionController,
)
