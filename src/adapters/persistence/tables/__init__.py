"""The tables: importing this package makes them all known to one metadata."""

from adapters.persistence.tables.alerts import AlertChannelRow, AlertDeliveryRow, AlertMarkRow, AlertRuleRow
from adapters.persistence.tables.audit import AuditHeadRow, AuditRow
from adapters.persistence.tables.budgets import BudgetHoldRow, BudgetPeriodRow
from adapters.persistence.tables.chats import (
    ChatMessageRow,
    ChatPictureRow,
    ChatTemplateRow,
    ChatTotalRow,
    ConversationRow,
)
from adapters.persistence.tables.idempotency import IdempotentAnswerRow
from adapters.persistence.tables.keys import AdminTokenRow, ModelGroupRow, VirtualKeyRow
from adapters.persistence.tables.ledger import AttemptRow, DecisionRow, RequestRow, SpoolOffsetRow
from adapters.persistence.tables.limits import LimitDayRow, LimitSlotRow, LimitWindowRow
from adapters.persistence.tables.people import MembershipRow, TenantRow, UserRow
from adapters.persistence.tables.prices import ModelFactsRow, PriceCatalogRow, PriceTableRow
from adapters.persistence.tables.providers import OfferingsRow, ProviderKeyRow, ProviderRow
from adapters.persistence.tables.routes import RouteRow
from adapters.persistence.tables.row import Row
from adapters.persistence.tables.rules import SubjectRuleRow
from adapters.persistence.tables.sign_in import IdentityRow, OneTimeTokenRow, PasswordRow, PreferencesRow, SessionRow
from adapters.persistence.tables.state import (
    ConfigVersionRow,
    ConversationPlaceRow,
    FactRow,
    KeyStateRow,
    LeaseRow,
    ProviderRestRow,
    QuotaCountRow,
    QuotaFindingRow,
    SchemaStepRow,
)
from adapters.persistence.tables.usage import (
    UsageDayOfKeyRow,
    UsageDayOfModelRow,
    UsageDayRow,
    UsageDayVersionRow,
    UsageHourOfKeyRow,
    UsageHourOfModelRow,
    UsageHourRow,
    UsageRolledDayRow,
    UsageRollUpRow,
)

__all__ = [
    "AdminTokenRow",
    "AlertChannelRow",
    "AlertDeliveryRow",
    "AlertMarkRow",
    "AlertRuleRow",
    "AttemptRow",
    "AuditHeadRow",
    "AuditRow",
    "BudgetHoldRow",
    "BudgetPeriodRow",
    "ChatMessageRow",
    "ChatPictureRow",
    "ChatTemplateRow",
    "ChatTotalRow",
    "ConfigVersionRow",
    "ConversationPlaceRow",
    "ConversationRow",
    "DecisionRow",
    "FactRow",
    "IdempotentAnswerRow",
    "IdentityRow",
    "KeyStateRow",
    "LeaseRow",
    "LimitDayRow",
    "LimitSlotRow",
    "LimitWindowRow",
    "MembershipRow",
    "ModelFactsRow",
    "ModelGroupRow",
    "OfferingsRow",
    "OneTimeTokenRow",
    "PasswordRow",
    "PreferencesRow",
    "PriceCatalogRow",
    "PriceTableRow",
    "ProviderKeyRow",
    "ProviderRestRow",
    "ProviderRow",
    "QuotaCountRow",
    "QuotaFindingRow",
    "RequestRow",
    "RouteRow",
    "Row",
    "SchemaStepRow",
    "SessionRow",
    "SpoolOffsetRow",
    "SubjectRuleRow",
    "TenantRow",
    "UsageDayOfKeyRow",
    "UsageDayOfModelRow",
    "UsageDayRow",
    "UsageDayVersionRow",
    "UsageHourOfKeyRow",
    "UsageHourOfModelRow",
    "UsageHourRow",
    "UsageRollUpRow",
    "UsageRolledDayRow",
    "UserRow",
    "VirtualKeyRow",
]
