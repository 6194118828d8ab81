"""Renders the Helm chart without a cluster: Helm's own library installs it into a server that keeps what it is sent.

Run by `.ci/manifests`, with Python 3.12 or newer (`helm-sdkpy` has no wheel below). Prints the manifest of each set of
values as one YAML stream; exits 1 where Helm refuses one, or takes one that it must refuse.
"""

import asyncio
import json
import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import helm_sdkpy
import yaml

RESOURCES = {
    "v1": {"secrets": "Secret", "services": "Service", "configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount"},
    "apps/v1": {"statefulsets": "StatefulSet"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "networking.k8s.io/v1": {"ingresses": "Ingress"},
}
MANY = {"replicas": 3, "workers": 2, "existingSecret": "omg"}
RENDERED = {
    "defaults": {},
    "everything": MANY
    | {
        "image": {"digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "registry"}],
        "config": "providers:\n  - id: openai\n",
        "publicUrl": "https://gateway.example.com",
        "trustedProxies": ["10.0.0.0/8"],
        "env": {"OMG_LOG_LEVEL": "debug", "OMG_DEFAULT_RPM": 60, "OMG_PERSONAL_TENANTS": False},
        "graceSeconds": 2.5,
        "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}},
        "autoscaling": {"enabled": True},
        "metrics": {"scrapeAnnotations": True},
        "persistence": {"storageClass": "fast"},
        "service": {"annotations": {"a": "b"}},
        "serviceAccount": {"annotations": {"a": "b"}},
        "podAnnotations": {"a": "b"},
        "podLabels": {"team": "ml"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
}
REFUSED = {
    "two replicas on SQLite": {"replicas": 2},
    "two workers on SQLite": {"workers": 2},
    "growing on SQLite": {"autoscaling": {"enabled": True}},
    "a misspelled value": {"replica": 2},
    "a digest that is none": {"image": {"digest": "latest"}},
}


class Kubernetes(BaseHTTPRequestHandler):
    """As much of a cluster's API as an install asks for. What is created is given back as it came."""

    protocol_version = "HTTP/1.1"

    def _say(self, answer: object, status: int = 200) -> None:
        self._answer(json.dumps(answer).encode(), "application/json", status)

    def _answer(self, body: bytes, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.split("?")[0].rstrip("/")
        groups = [name for name in RESOURCES if "/" in name]
        listed = re.fullmatch(r"/apis?/(.+)", path)
        if path == "/version":
            self._say({"major": "1", "minor": "33", "gitVersion": "v1.33.0"})
        elif path == "/api":
            self._say({"kind": "APIVersions", "versions": ["v1"]})
        elif path == "/apis":
            versions = [{"groupVersion": name, "version": name.split("/")[1]} for name in groups]
            named = [
                {"name": name.split("/")[0], "versions": [version], "preferredVersion": version}
                for name, version in zip(groups, versions, strict=True)
            ]
            self._say({"kind": "APIGroupList", "apiVersion": "v1", "groups": named})
        elif listed and listed[1] in RESOURCES:
            verbs = ["create", "get", "list", "patch", "delete"]
            resources = [
                {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": verbs}
                for name, kind in RESOURCES[listed[1]].items()
            ]
            self._say({"kind": "APIResourceList", "groupVersion": listed[1], "resources": resources})
        elif path.endswith("/secrets"):
            self._say({"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": []})
        else:
            self._say(
                {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}, 404
            )

    def _keep(self, status: int) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._answer(body, self.headers["content-type"], status)

    def do_POST(self) -> None:
        self._keep(201)

    def do_PUT(self) -> None:
        self._keep(200)

    do_PATCH = do_PUT  # noqa: N815 - likewise

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def kubeconfig(port: int) -> str:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "omg"}}
    user = {"name": "u", "user": {}}
    document = {"apiVersion": "v1", "kind": "Config", "current-context": "c"}
    return yaml.safe_dump(document | {"clusters": [cluster], "contexts": [context], "users": [user]})


def main(chart: str, plain: str) -> int:
    """`plain`: a file of values whose manifest alone is printed, as release `open-model-gateway`; empty: all others."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubernetes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kubeconfig"
        config.write_text(kubeconfig(server.server_address[1]), encoding="utf-8")

        def rendered(values: object, release: str = "omg") -> str:
            helm = helm_sdkpy.Configuration(namespace="omg", kubeconfig=str(config))
            installing = helm_sdkpy.Install(helm).run(release, chart, values, wait=False, timeout=30)
            return str(asyncio.run(asyncio.wait_for(installing, 60))["manifest"])

        if plain:
            print(rendered(yaml.safe_load(Path(plain).read_text(encoding="utf-8")), "open-model-gateway"))
            return 0
        for values in RENDERED.values():
            print(rendered(values))
        for name, values in REFUSED.items():
            try:
                rendered(values)
            except helm_sdkpy.HelmError as refusal:
                print(f"refused, {name}: {refusal}".splitlines()[0], file=sys.stderr)
            else:
                print(f"Helm takes {name}.", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
