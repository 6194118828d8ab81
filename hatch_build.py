"""The build hook: the pages are made before the wheel is. Hatchling finds this file by its name."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _building(root: str) -> ModuleType:
    """`entrypoints.web.building` by its path: the project is not installed yet."""
    path = Path(root) / "src/entrypoints/web/building.py"
    spec = importlib.util.spec_from_file_location("omg_web_building", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class WebBuildHook(BuildHookInterface):
    """`OMG_BUILD_WEB`: `require` fails without pages, `skip` builds none, `auto` (default) requires them in a wheel."""

    def dependencies(self) -> list[str]:
        building = _building(self.root)
        settled = os.environ.get("OMG_BUILD_WEB") == "skip" or building.state().get("digest") == building.digest()
        wheel = None if settled or building.node_command() else building.node_wheel()
        return [] if wheel is None else [wheel]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        building, how = _building(self.root), os.environ.get("OMG_BUILD_WEB", "auto")
        if how == "skip":
            return
        try:
            building.build()
        except building.PagesNotBuilt as error:
            if how == "require" or version == "standard":
                raise RuntimeError(
                    f"The pages could not be built: {error}. OMG_BUILD_WEB=skip builds without them."
                ) from None
            building.note_failure(str(error))
            self.app.display_warning(f"The pages could not be built: {error}")
