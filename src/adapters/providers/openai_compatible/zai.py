"""Z.ai (GLM), some flash models free. Its path has v4 and no v1.

Source: litellm 1.106 (read 2026-11). Error codes are numbers as strings; of tool choices it knows `auto`.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="zai",
        kind="openai",
        name="Z.ai",
        base_url="https://api.z.ai/api/paas/v4",
        env=("ZAI_API_KEY", "ZHIPUAI_API_KEY"),
        priority=160,
        default_model="glm-4.5-flash",
        models=("glm-4.5-flash",),
        free_tier="flash models, one or a few requests at a time",
        key_url="https://z.ai/manage-apikey/apikey-list",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        rewrite={"tool_choice": {'"required"': '"auto"', "{": '"auto"'}},
        message_fields=frozenset({"reasoning_content"}),
        error_kinds={
            "1113": "quota_exhausted",
            "1302": "rate_limited",
            "1305": "rate_limited",
            "1211": "model_absent",
        },
    ),
    models_path=None,
    version_path="/v4",
    paths=also("embeddings", "images.generations"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
