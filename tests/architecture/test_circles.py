"""No module imports, by whatever way, a module that imports it: lazy imports count, for they too tie a knot."""

from graphlib import CycleError, TopologicalSorter

import grimp

from tests.architecture.tree import LAYERS


def circles() -> list[list[str]]:
    """Circles of modules, each once as far as it is found by taking away one import after the other."""
    graph = grimp.build_graph(*LAYERS)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]  # each is imported by the next, and the last is the first
            found.append(circle)
            imports[circle[1]].discard(circle[0])
        else:
            return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert [" <- ".join(circle) for circle in circles()] == []
