"""What tells one refusal from another, as data: ordered rules, of which the first that holds decides.

A rule asks for code-like words, for words of the text, for quota ids and for statuses; all it asks for must hold. Words
and codes come first, the status decides where they say nothing: 403 alone is used for a bad key, a blocked model,
spent credit, a rate limit, a prompt too long and a proxy's page. The bodies it was made from, and those kept back to
check it with, are the lines of `tests/unit/adapters/wire/refusals.jsonl`. Source: providers' error pages, client
libraries and public reports (read 2026-11).
"""

import re
from typing import Final

import msgspec

from adapters.wire.refusal_phrases import (
    A_DAY_OR_MORE,
    BAD_KEY,
    BUSY_WORDS,
    ELSEWHERE,
    FEATURE,
    HTML_PATH,
    LIMITED,
    MODEL_BLOCKED,
    MODEL_GONE,
    MODEL_MISSING,
    MODEL_UNSERVED,
    OF_A_MODEL,
    OTHER_ENDPOINT,
    OVER_ALLOWANCE,
    SHORTER,
    SPENT,
    TOO_LONG,
    UNSERVED_PLACE,
    says,
)
from domain.failover import FailureKind, FailureScope

Statuses = frozenset[int]

RETIRED_SECONDS: Final = 86_400.0
"""How long a model that was taken away is not asked for again."""


class Rule(msgspec.Struct, frozen=True):
    """`codes` are in lower case; `statuses` of None: any. `scope` of None: what the kind usually holds for."""

    kind: FailureKind
    scope: FailureScope | None = None
    codes: frozenset[str] = frozenset()
    says: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    quota: re.Pattern[str] | None = None
    statuses: Statuses | None = None
    wait_seconds: float | None = None  # where the answer names none


def _codes(words: str) -> frozenset[str]:
    return frozenset(word.lower() for word in words.split())


K, S = FailureKind, FailureScope

UNSTATED: Final = 200
"""The status of an error in a stream that answered 200, where neither its code nor its type tells another."""

_NOT_OURS: Final = frozenset({UNSTATED, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 424, 500, 501})
_LIMITING: Final = frozenset({UNSTATED, 400, 402, 403, 408, 412, 413, 418, 420, 425, 429, 430, 500, 503, 529})

RULES: Final[tuple[Rule, ...]] = (
    # This one request is larger than what is left, or than what is ever allowed here.
    Rule(K.OVER_ALLOWANCE, codes=_codes("tokens_limit_reached max_tokens_over_credit prompt_tokens_limit_exceeded")),
    Rule(K.OVER_ALLOWANCE, says=OVER_ALLOWANCE, statuses=_LIMITING),
    # The prompt does not fit the window.
    Rule(
        K.CONTEXT_LENGTH,
        codes=_codes(
            "context_length_exceeded exceed_context_size_error context_window_exceeded contextwindowexceedederror "
            "model_max_prompt_tokens_exceeded prompt_too_long context_too_long max_context_length_exceeded "
            "input_too_long contextlengthexceeded contextlengthexceedederror"
        ),
        unless=LIMITED,
    ),
    # What a filter refuses is refused wherever it is asked for again.
    Rule(
        K.CONTENT_POLICY,
        codes=_codes(
            "content_policy_violation moderation_blocked invalid_prompt content_filter responsibleaipolicyviolation "
            "data_inspection_failed datainspectionfailed content_filtered sensitive_content safety moderation"
        ),
    ),
    Rule(
        K.CONTENT_POLICY,
        says=says(
            r"(?:violat\w+|against)[^.]{0,40}(?:usage|content|safety|acceptable use) (?:guideline|polic|rule)",
            r"content management policy|inappropriate content|safety system|敏感内容|content (?:was "
            r"|is )?(?:flagged|filtered)|content exists risk|considered high risk",
        ),
        statuses=frozenset({UNSTATED, 400, 403, 422, 451}),
    ),
    # Credit and billing: only a payment or a reset cures it, for the whole account.
    Rule(
        K.QUOTA_EXHAUSTED,
        S.ACCOUNT,
        codes=_codes(
            "insufficient_quota billing_disabled credit_balance_exhausted organization_spend_limit_exceeded "
            "project_spend_limit_exceeded "
            "organization_usage_limit_exceeded billing_hard_limit_reached billing_not_active "
            "exceeded_current_quota_error "
            "insufficient_balance insufficient_credits insufficient_funds payment_required arrearage "
            "insufficient_user_quota "
            "billing_error budget_exceeded usage_limit_reached credits_exhausted out_of_credits insufficientbalance "
            "insufficient_credit balance_not_enough enforced_spend_limit_reached contract_spend_limit_reached "
            "prepaid_credits_exhausted account_balance_insufficient spend_limit_exceeded "
            "pre_consume_token_quota_failed "
            "prepaidbilloverdue postpaidbilloverdue billing_cycle_limit quota_not_enough usage_limit_exceeded "
            "customer_verification_required insufficientquota insufficientcreditserror not_enough_balance "
            "accountoverdueerror"
        ),
    ),
    Rule(K.QUOTA_EXHAUSTED, S.MODEL, codes=_codes("allocationquota.freetieronly freetieronly")),
    # Nobody is served from here, whatever the key.
    Rule(K.ADDRESS_REFUSED, codes=_codes("unsupported_country_region_territory")),
    Rule(
        K.ADDRESS_REFUSED, says=UNSERVED_PLACE, unless=says(r"\bmodel\b|billing|free tier|subscri"), statuses=_NOT_OURS
    ),
    Rule(K.INVALID_CREDENTIAL, codes=_codes("failed_precondition"), says=says(r"location|billing|country|region")),
    # Google names its quotas.
    Rule(K.QUOTA_EXHAUSTED, codes=_codes("quota_exhausted daily_limit_exceeded daily_quota_exceeded")),
    Rule(K.MODEL_BLOCKED, says=says(r"limit: 0(?![.\d])"), statuses=frozenset({UNSTATED, 403, 429})),
    Rule(K.QUOTA_EXHAUSTED, quota=re.compile(r"PerDay|PerMonth|per_day", re.IGNORECASE)),
    Rule(K.RATE_LIMITED, quota=re.compile(r".")),
    # A shared capacity behind one model.
    Rule(K.RATE_LIMITED, S.MODEL, says=says(r"rate[- ]limited upstream"), statuses=_LIMITING),
    Rule(
        K.RATE_LIMITED,
        S.MODEL,
        codes=_codes("engine_overloaded_error server_is_overloaded model_overloaded"),
        statuses=frozenset({429}),
    ),
    Rule(
        K.OVERLOADED,
        codes=_codes(
            "engine_overloaded_error server_is_overloaded overloaded_error overloaded unavailable_error unavailable "
            "model_overloaded serviceunavailable service_unavailable modelnotready server_overloaded "
            "capacity_exceeded "
            "serviceunavailableerror service_unavailable_error server_busy engine_overloaded "
            "internalservererror.overloaded"
        ),
    ),
    Rule(
        K.INVALID_CREDENTIAL,
        codes=_codes(
            "invalid_api_key api_key_invalid invalidapikey api_key_service_blocked account_deactivated invalid_token "
            "token_expired expired_token invalid_authentication invalid_authentication_error expired_api_key "
            "api_key_expired "
            "missing_scope "
            "ip_not_authorized mismatched_organization access_token_expired "
            "invalid_credentials incorrect_api_key_error service_disabled consumer_suspended consumer_invalid "
            "access_token_type_unsupported user_not_found unauthorized_key key_disabled invalid_access_token "
            "account_suspended organization_disabled invalid_user invalid_signature api_key_http_referrer_blocked "
            "api_key_ip_address_blocked authenticationerror incorrect_api_key no_api_key "
            "organization_restricted wrong_api_key"
        ),
    ),
    Rule(K.FEATURE_REFUSED, says=OTHER_ENDPOINT, statuses=_NOT_OURS),
    # Before what speaks of features: a model that is blocked, taken away or not there.
    Rule(
        K.MODEL_BLOCKED,
        codes=_codes(
            "model_permission_blocked_project model_permission_blocked_org model_permission_blocked "
            "model_not_allowed "
            "model_access_denied key_model_access_denied team_model_access_denied model_terms_required model_blocked "
            "model.accessdenied accessdenied.unpurchased unpurchased no_access model_not_open modelnotopen "
            "unknown_model_for_plan model_unavailable_for_plan"
        ),
    ),
    Rule(
        K.MODEL_ABSENT,
        codes=_codes("model_decommissioned model_deprecated model_retired model_discontinued model_shutdown"),
        wait_seconds=RETIRED_SECONDS,
    ),
    Rule(K.MODEL_BLOCKED, codes=_codes("model_not_found model_not_available"), statuses=frozenset({403})),
    Rule(
        K.MODEL_ABSENT,
        codes=_codes(
            "model_not_found model_not_found_error model_not_supported unknown_model model_not_available "
            "modelnotfound "
            "deploymentnotfound model_not_exist modelnotexist invalid_model model_unavailable model_does_not_exist "
            "invalidendpointormodel.notfound modelnotfounderror unavailable_model unsupported_model "
            "no_such_model invalid_model_error"
        ),
    ),
    Rule(
        K.FEATURE_REFUSED,
        codes=_codes(
            "unsupported_parameter unknown_parameter unsupported_value extra_forbidden tool_use_failed "
            "unsupported_feature unrecognized_keys additional_properties feature_not_supported "
            "unsupported_model_feature"
        ),
        statuses=_NOT_OURS,
    ),
    Rule(K.MODEL_ABSENT, says=MODEL_UNSERVED, statuses=frozenset({UNSTATED, 400, 429, 500, 503, 507})),
    Rule(K.UNEXPECTED_ANSWER, says=says(r"^\s*(?:file|page) not found\s*$"), statuses=frozenset({404})),
    Rule(
        K.CLIENT_FAULT,
        says=ELSEWHERE,
        statuses=frozenset({404}),
        unless=re.compile(r"\bmodel\b|endpoints?", re.IGNORECASE),
    ),
    Rule(K.CONTEXT_LENGTH, says=TOO_LONG, statuses=_NOT_OURS, unless=says(SHORTER, A_DAY_OR_MORE)),
    Rule(K.QUOTA_EXHAUSTED, S.ACCOUNT, says=SPENT, statuses=_LIMITING | {401, 404}, unless=says(SHORTER)),
    Rule(K.RATE_LIMITED, S.MODEL, says=BUSY_WORDS, unless=LIMITED, statuses=frozenset({429})),
    Rule(
        K.RATE_LIMITED,
        codes=_codes(
            "rate_limit_exceeded rate_limit_error rate_limit_reached_error rate_limit rate_limited ratelimit "
            "ratelimiterror "
            "too_many_requests_error too_many_requests slow_down limit_requests limit_burst_rate throttling "
            "throttled "
            "throttling.ratequota throttling.allocationquota throttling.burstrate resource_exhausted "
            "ratelimitexceeded "
            "ratelimitreached toomanyrequests too_many_tokens_error token_quota_exceeded "
            "request_quota_exceeded ramp_limit_exceeded "
            "throttlingexception throttling_error requests_limit_reached requestlimitexceeded "
            "user_rate_limited quota_exceeded "
            "queue_exceeded quotaexceeded rate_limit_reached accountratelimitexceeded "
            "modelaccountrpmratelimitexceeded "
            "secondary_rate_limit quota_limit_exceeded request_limit_exceeded concurrency_limit_exceeded "
            "model_rate_limit"
        ),
    ),
    Rule(K.RATE_LIMITED, S.KEY, says=says(r"secondary rate limit|abuse detection"), statuses=_LIMITING),
    Rule(K.RATE_LIMITED, says=LIMITED, statuses=_LIMITING - {400, 500}),
    Rule(K.MODEL_ABSENT, says=MODEL_GONE, statuses=_NOT_OURS, wait_seconds=RETIRED_SECONDS),
    Rule(K.UNEXPECTED_ANSWER, says=HTML_PATH, statuses=frozenset({UNSTATED, 404, 405, 403})),
    Rule(K.MODEL_BLOCKED, says=MODEL_BLOCKED, statuses=frozenset({401, 403})),
    Rule(K.INVALID_CREDENTIAL, says=BAD_KEY, statuses=frozenset({UNSTATED, 400, 401, 403, 404, 422, 498})),
    Rule(K.FEATURE_REFUSED, says=FEATURE, statuses=_NOT_OURS - {401, 413, 410}, unless=MODEL_MISSING),
    Rule(K.MODEL_BLOCKED, says=MODEL_BLOCKED, unless=MODEL_MISSING, statuses=frozenset({UNSTATED, 400, 404, 422})),
    Rule(K.MODEL_BLOCKED, says=MODEL_MISSING, statuses=frozenset({401, 403})),
    Rule(K.MODEL_ABSENT, says=MODEL_MISSING, statuses=frozenset({UNSTATED, 400, 404, 410, 422, 500})),
    Rule(K.OVERLOADED, says=BUSY_WORDS, statuses=frozenset({UNSTATED, 500, 503, 529, 498, 424})),
)

OF_STATUS: Final[dict[int, FailureKind]] = {
    **dict.fromkeys((400, 405, 409, 413, 415, 422), K.CLIENT_FAULT),
    401: K.INVALID_CREDENTIAL,
    402: K.QUOTA_EXHAUSTED,
    403: K.INVALID_CREDENTIAL,
    404: K.MODEL_ABSENT,
    408: K.SERVER_ERROR,
    410: K.MODEL_ABSENT,
    420: K.RATE_LIMITED,
    429: K.RATE_LIMITED,
    498: K.OVERLOADED,  # Groq: flex capacity
    503: K.OVERLOADED,
    529: K.OVERLOADED,
}
"""Where words and codes say nothing. Every other 4xx is none of a model's API, every other status a "
"server's error."""

NEEDS_WORDS: Final = frozenset({403, 404, 405, 409, 413, 415})
"""Without a JSON body of an API these are a proxy's own."""

STATUS_OF_TYPE: Final[dict[str, int]] = {
    **dict.fromkeys(
        _codes("invalid_request_error badrequesterror invalid_argument bad_request invalidrequesterror"), 400
    ),
    **dict.fromkeys(_codes("validation_error invalid_request value_error validationexception validation"), 400),
    **dict.fromkeys(_codes("authentication_error unauthenticated unauthorized autherror"), 401),
    **dict.fromkeys(
        _codes("permission_error permission_denied forbidden permissions_error permissiondeniederror"), 403
    ),
    **dict.fromkeys(_codes("not_found_error not_found notfounderror notfound"), 404),
    **dict.fromkeys(_codes("request_too_large payload_too_large"), 413),
    **dict.fromkeys(_codes("unprocessableentityerror unprocessable_entity"), 422),
    **dict.fromkeys(_codes("resource_exhausted"), 429),
    **dict.fromkeys(_codes("overloaded_error"), 529),
    **dict.fromkeys(_codes("gone"), 410),
}
"""The status an error reported inside a 200 would have had, by its type; an unknown type is a server's error."""

MODEL_WORDS: Final = OF_A_MODEL
LASTS_A_DAY: Final = re.compile(A_DAY_OR_MORE, re.IGNORECASE)
LASTS_LESS: Final = re.compile(SHORTER, re.IGNORECASE)
OF_A_MONTH: Final = re.compile("month", re.IGNORECASE)
"""What is counted by the month is the account's, also where minutes and days are counted for each model."""

PERIODS: Final = (
    ("month", re.compile(r"month", re.IGNORECASE)),
    ("week", re.compile(r"week", re.IGNORECASE)),
    ("day", re.compile(r"\bda(?:y|ily)\b|daily|per[ _-]?day|\b[rt]pd\b|PerDay|for today|24[ -]?h", re.IGNORECASE)),
)
"""The period a spent quota is counted by, in the words of the answer."""
