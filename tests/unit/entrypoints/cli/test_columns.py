"""What the commands show and offer is what the API answers and takes, under the API's own names."""

from typing import get_args

import msgspec
import pytest

from domain.usage_queries import Grouping
from entrypoints.cli import groups, keys, members, models, providers, tenants, usage, users
from entrypoints.http.admin.members import MemberResponse
from entrypoints.http.admin.model_groups import ModelGroupResponse
from entrypoints.http.admin.models import ModelResponse
from entrypoints.http.admin.providers import ProviderResponse
from entrypoints.http.admin.tenants import TenantResponse
from entrypoints.http.admin.users import UserResponse
from entrypoints.http.admin.virtual_keys import VirtualKeyResponse
from entrypoints.http.usage_answer import GROUP_BY, ModelDrift, UsageTotal

MADE_HERE = {"usd_per_million_in", "usd_per_million_out", "price_from"}
"""Columns of `omg models list` that stand for parts of `prices` and for `source`."""


@pytest.mark.parametrize(
    ("columns", "answer"),
    [
        (keys.COLUMNS, VirtualKeyResponse),
        (providers.COLUMNS, ProviderResponse),
        (tenants.COLUMNS, TenantResponse),
        (users.COLUMNS, UserResponse),
        (members.COLUMNS, MemberResponse),
        (groups.COLUMNS, ModelGroupResponse),
        (models.COLUMNS, ModelResponse),
        (usage.SUMS, UsageTotal),
        (usage.DRIFT, ModelDrift),
    ],
)
def test_every_column_is_a_field_of_the_answer(columns: tuple[str, ...], answer: type[msgspec.Struct]) -> None:
    assert set(columns) - MADE_HERE - set(answer.__struct_fields__) == set()


def test_usage_is_grouped_by_what_the_api_groups_by() -> None:
    assert get_args(Grouping) == usage.GROUPS
    assert f"Any of {', '.join(usage.GROUPS)};" in GROUP_BY
