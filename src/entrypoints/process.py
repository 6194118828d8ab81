"""One gateway process: the settings in, the exit code out."""

import gc
import socket
import sys
from collections.abc import Callable

from domain.errors import GatewayError, StoreUnavailable
from domain.ports.security import SecretUnreadable
from entrypoints.app import GatewayProcess, create_app
from entrypoints.child_migration import migrate_in_child
from entrypoints.settings.model import Settings, SettingsError


def run_process(settings: Settings, *, opens_browser: bool = False) -> int:
    """Listen, print the banner once listening, serve until a stop signal. Raises `SettingsError`."""
    from entrypoints.server import bind, restrict_new_files

    restrict_new_files()
    listener = bind(settings)  # first: who finds the port taken changes nothing
    migrate_in_child(settings)
    return serve_on(listener, settings, opens_browser=opens_browser)


def serve_on(
    listener: socket.socket,
    settings: Settings,
    *,
    prints_banner: bool = True,
    on_listening: Callable[[], None] | None = None,
    opens_browser: bool = False,
    has_siblings: bool = False,
) -> int:
    """Serve on a bound socket; the exit code. With `opens_browser` somebody is signed in. Raises `SettingsError`.

    `has_siblings`: other processes serve on it too.
    """
    from entrypoints.ioc.runtime import set_up_logging
    from entrypoints.lean_start import collect_garbage_seldom, give_back_start_up_memory, keep_heap_small
    from entrypoints.server import run

    collect_garbage_seldom()
    keep_heap_small()
    set_up_logging(settings)
    app = create_app(settings)
    port = int(listener.getsockname()[1])

    def listening() -> None:
        gc.collect()
        give_back_start_up_memory()
        gc.freeze()  # what a start made stays: no later collection walks it, and the exit is 0.1 s quicker
        if prints_banner or app.first_start is not None:
            from entrypoints.banner import banner

            sys.stdout.write(banner(settings, app.gateway, settings.address(port)))
            sys.stdout.flush()
        if on_listening is not None:
            on_listening()
        if opens_browser:
            from entrypoints.browser import open_signed_in

            open_signed_in(app.gateway, settings.address(port))

    code = run(app, settings, listener, listening, has_siblings=has_siblings)
    return _report(app) if app.failure is not None else code


def _report(app: GatewayProcess) -> int:
    """One line for what a person can mend; a traceback for a bug."""
    failure = app.failure
    if isinstance(failure, SettingsError):
        raise failure
    if isinstance(failure, GatewayError | StoreUnavailable | SecretUnreadable):
        setting = ""
        if isinstance(failure, StoreUnavailable) and app.settings.database_url:
            setting = f" (OMG_DATABASE_URL, {app.settings.sources.get('database_url', 'default')})"
        sys.stderr.write(f"omg: cannot start: {failure}{setting}\n")
    elif failure is not None:
        import traceback

        traceback.print_exception(failure)
    return 1
