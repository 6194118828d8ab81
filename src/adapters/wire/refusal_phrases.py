"""The phrases refusals are told by, as providers write them, in any case and in the languages they use.

Each is a pattern for what one kind of refusal says; `refusal_rules` says where it counts. Source: providers' error
pages, client libraries and public reports (read 2026-11).
"""

import re
from typing import Final


def says(*patterns: str) -> re.Pattern[str]:
    """Any of these, in any case."""
    return re.compile("|".join(patterns), re.IGNORECASE)


A_DAY_OR_MORE: Final = (
    r"(?:per|a|each|this)[ _-]?(?:day|week|month)\b|\b(?:daily|weekly|monthly)\b|/\s?(?:day|month|week)\b"
    r"|\b[rt]pd\b|per_day|PerDay|\bday's\b|for today|_per_(?:day|month)|24[ -]?h|per 86400 ?s|ByDay\b"
)
SHORTER: Final = (
    r"(?:per|a|each)[ _-]?(?:second|sec|minute|min|hour)\b|/\s?(?:s|sec|min|minute|hour)\b|PerMinute|PerSecond"
    r"|\b[rt]p[ms]\b|\bqp[sm]\b|concurren|hourly|\bevery \d+ (?:seconds|minutes)"
)

TOO_LONG: Final = says(
    r"maximum (?:context|prompt|sequence|model|input) ?length",
    r"context[ _-]?(?:length|window|size|limit)(?! of 0)",
    r"(?:prompt|input|request|message|text)s?(?: is| are)? too long",
    r"too long for (?:the |this |requested )?model",
    r"too many (?:input |prompt )?tokens",
    r"exceed\w*(?: the| this| your)?(?: model'?s?)?(?: max(?:imum)?)?(?: allowed)?(?: number of)? (?:input "
    r"|prompt )?tokens?"
    r"(?: allowed| count| limit)",
    r"(?:input|prompt) tokens? (?:count )?[^.]{0,40}exceed",
    r"exceeds? the max(?:imum)? (?:number of )?(?:input )?(?:tokens|length)",
    r"number of (?:input )?tokens exceeds",
    r"longer than the (?:model'?s? )?(?:maximum|context)",
    r"max_model_len|max_seq_len",
    r"reduce the (?:length|size|number) of (?:the |your )?(?:messages|prompt|input|tokens)",
    r"must have less than \d+ tokens",
    r"`?inputs`? tokens \+ `?max_new_tokens`?",
    r"range of input length",
    r"token limit: ?\d+|model token limit",
    r"too large for model with",
    r"prompt\s*超长|输入.{0,8}(?:过长|超过)|上下文.{0,8}超",
    r"request body too large for \S+ model",
    r"current length is \d+ while limit",
    r"exceeds? (?:the )?(?:available )?context",
)
OVER_ALLOWANCE: Final = says(
    r"can only afford",
    r"or fewer max_tokens",
    r"request too large for",
    r"prompt tokens limit exceeded: ?\d+ ?> ?\d+",
    r"(?:request|prompt|input)[^.]{0,40}(?:larger|bigger|more) than[^.]{0,60}(?:per (?:minute|day|hour)"
    r"|rate limit|\btpm\b)",
    r"tokens? (?:requested|in this request)[^.]{0,60}(?:exceeds?|greater)[^.]{0,60}(?:per minute|\btpm\b)",
    r"single request (?:exceeds|is larger)|required for long context requests",
    r"max_tokens[^.]{0,60}(?:remaining (?:credit|balance)|credits? (?:left|remaining))",
)
SPENT: Final = says(
    r"insufficient[ _](?:account )?(?:balance|credits?|quota|funds?)",
    r"(?:out of|no (?:more |remaining )?|not enough|don'?t have (?:any|enough)|doesn'?t have any|insufficient"
    r"|lacks?|zero) "
    r"(?:prepaid |inference |account )*(?:credits?|balance|funds?)\b",
    r"credits? (?:balance )?(?:is |are |has |have )?(?:been )?(?:too low|exhausted|depleted|used up"
    r"|insufficient|run out)",
    r"balance (?:is )?(?:too low|insufficient|exhausted|not enough|negative|empty|depleted)",
    r"(?:余额不足|欠费|账户余额|额度已用|额度不足|资源包|已用完|用尽)",
    r"exceeded your current quota",
    r"overdue[ -]payment|good standing|payment (?:is )?required|past[ -]due|unpaid"
    r"|billing (?:is )?(?:not active|hard limit)",
    r"purchase more credits|add (?:more )?(?:credits|funds)|top[ -]?up|recharge",
    r"(?:key|spend(?:ing)?|budget|cost|credit|billing|credits)s? (?:limit|cap|budget)s?\b[^.]{0,40}"
    r"(?:exceeded|reached|exhausted|hit)",
    r"(?:reach(?:ed|ing)|exceed(?:ed|ing)|hit)[^.]{0,24} (?:spend(?:ing)?|budget|credit|billing|monthly"
    r"|specified (?:api )?usage)"
    r"[^.]{0,12} ?(?:limit|cap|quota|credits?|budget)",
    r"budget (?:has been |was |is )?(?:exceeded|exhausted)",
    r"exceeded your (?:monthly|daily|weekly) (?:included )?(?:credits?|quota|limit|allocation)",
    r"(?:free )?(?:quota|allocation|tier|allowance|trial|plan)[^.]{0,40}(?:exhausted|used up|has ended"
    r"|expired|depleted)",
    r"used up your (?:daily|monthly|free)|failure to pay|payment (?:details|method)",
    r"(?:depleted|exhausted|used (?:up )?all(?: of)?|run out of|spent)(?: \w+){0,4} credits?\b",
)
LIMITED: Final = says(
    r"rate[ _-]?limit",
    r"too many (?:concurrent )?(?:requests|tokens|calls|connections)",
    r"thrott?l",
    r"(?:requests?|tokens?|queries|calls)(?: limit)? per (?:second|minute|hour|day|month)",
    r"(?:calls?|requests?|tokens?) ?/ ?(?:second|minute|hour|day|month)|(?:requests?"
    r"|tokens?)[- ]per[- ](?:second|minute|day)|\b[rt]p[md]\b",
    r"quota exceeded|exceeded (?:the |your |its )?[^.]{0,24}quota|over quota|resource (?:has been )?exhausted",
    r"(?:request|usage|concurrency|call|token|daily|hourly|weekly|monthly|free)[ _-]?(?:request |usage |rate "
    r"|call )?limit"
    r"[^.]{0,24}(?:exceeded|reached|hit)",
    r"(?:reached|exceeded|hit) [^.]{0,40}(?:request|concurren|rate|token|daily|hourly|weekly|usage)[^.]{0,16}limit",
    r"slow (?:it )?down|calm down|abuse detection|速率|频率|并发|请求过(?:于频繁|多)|限流",
)
OF_A_MODEL: Final = says(
    r"(?:for|of|on) (?:the |this )?(?:model|deployment|base model)\b",
    r"\bmodel[: =]+[`'\"]?[\w./:@-]{2,}",
    r"rate[- ]limited upstream",
    r"reached for \S+ in (?:organization|project)",
    r"free-models-per|:free\b",
    r"per[ _-]?(?:base[ _-]?)?model|this model(?:'s)?|model (?:is|has)|requests for \S+/\S+",
    r"该模型|模型",
)
HTML_PATH: Final = says(
    r"^\s*(?:404[ :-]*)?(?:page |file |path |url |route |endpoint |the requested url |resource )?not found[.!]?\s*$",
    r"invalid url\b|cannot (?:post|get) /|no route\b|unknown (?:request )?(?:url|endpoint|path|route)"
    r"|unexpected endpoint",
    r"no such (?:path|route|endpoint)|endpoint not found|unknown api|no static resource"
    r"|the requested url was not found",
    r"could not route to /|\broute \S+ not found|^\s*(?:file|page) not found\s*$",
    r"request(?:ed)? (?:path|url|uri|route)\b.{0,200}(?:does not exist|doesn'?t exist|not found|unknown)",
    r"requested resource (?:was )?(?:not found|could not be found)(?! ?:)",
    r"url .{0,80} (?:was )?not found|not found: /|missing authentication token|resource not found\s*$",
)
MODEL_GONE: Final = says(
    r"model.{0,160}(?:end of (?:its )?life|deprecated|decommissioned|retired|sunset|no longer (?:available"
    r"|supported|offered"
    r"|served|exists?)|(?:has been|was) (?:removed|shut ?down|discontinued|turned off)|discontinued)",
    r"(?:deprecated|decommissioned|retired|discontinued) model",
    r"(?:reached (?:its|the) )?end of (?:its )?life",
)
MODEL_BLOCKED: Final = says(
    r"model.{0,120}(?:blocked|not (?:allowed|enabled|permitted|authorized|included|part of)|disabled"
    r"|access (?:is )?denied"
    r"|requires? (?:a |an )?(?:paid|pro|higher|subscription|upgrade|gated|access))",
    r"(?:no|not have|n't have|lacks?|without|denied|request|need"
    r"|requires?) (?:any )?access to (?:the )?(?:[`'\"]?[\w./:-]+[`'\"]? )?"
    r"(?:foundation )?models?\b",
    r"(?:not (?:allowed|authorized|permitted|entitled)|n't (?:allowed|authorized|permitted)) to (?:access|use"
    r"|call|invoke|sample)"
    r"[^.]{0,40}models?\b",
    r"permission[^.]{0,120}(?:publishers/[^.]{0,40}models|resource[^.]{0,80}models/)",
    r"not (?:authorized|allowed|permitted) to perform[^.]{0,60} on (?:the )?resource.{0,80}"
    r"(?:model|inference-profile)/",
    r"must (?:be verified|verify|complete|accept|agree|submit|enable|subscribe)[^.]{0,80} (?:to (?:use|access|call)"
    r"|before (?:using|accessing|calling)) (?:the |this )?model\b",
    r"model.{0,80}(?:details|form|terms|agreement)s? (?:have|has) not (?:yet )?been (?:submitted|accepted|signed)",
    r"matching your [^.]{0,60}(?:data|privacy) policy|^\s*operation not allowed\.?\s*$",
    r"(?:无权|没有权限|未授权|不允许|未开通)(?:访问|使用|调用)?.{0,12}模型|模型.{0,40}(?:无权|没有权限|未开通)",
    r"(?:denied|permission|key|need\w*|require\w*) to (?:(?:call|access|use|invoke) )?(?:this |the )?model\b",
    r"(?:gated|restricted) (?:repo|model)|you need to (?:accept|agree)[^.]{0,60}(?:terms|license|agreement)",
    r"(?:project|organization|team|plan|subscription|account|tier|key)[^.]{0,60}(?:does not|doesn'?t"
    r"|not) (?:have access to|include"
    r"|support)[^.]{0,24} model",
    r"model is not (?:available|supported) (?:for|on|in|with) (?:your|this|the) (?:plan|tier|account|region"
    r"|country|subscription"
    r"|free|project)",
)
MODEL_MISSING: Final = says(
    r"model.{0,160}(?:does ?n[o']t exist|do not exist|not (?:be )?found|not exist|is not a valid|is invalid|unknown"
    r"|not (?:currently )?(?:available|supported|deployed|served|loaded|recognized|hosted)|unavailable"
    r"|doesn'?t appear)",
    r"(?:no such|unknown|invalid|unsupported|unrecognized|non-existent|not a valid|could not find"
    r"|couldn'?t find|cannot find|can'?t find"
    r"|unable to find|failed to find|^no)(?: the)?(?: foundation| base)? (?:model|deployment)\b",
    r"no (?:endpoints?|providers?|deployments?|channels?) (?:found|are available|available) for",
    r"deployment.{0,80}(?:does not exist|not found)|is not a valid model|invalid model (?:name|id)"
    r"|model identifier is invalid",
    r"function '?[\w-]+'?: not found for account|模型(?:不存在|未找到)|on-demand throughput isn.t supported",
    r"not found: \w+/models/|models/[\w.:-]+ is not found|publisher model",
)
OTHER_ENDPOINT: Final = says(
    r"(?:not a|isn'?t a|is not a) (?:chat|vision|multimodal|embedding|completion|reasoning)s? model",
    r"(?:not|only) supported (?:in|on|by|with|via|for) (?:the )?/?v1/\w+"
    r"|operation does not work with the specified model",
)
"""The model is there and answers elsewhere: an embedding model asked to chat."""
MODEL_UNSERVED: Final = says(
    r"no available channels? for model|模型.{0,80}无可用(?:渠道|通道)",
    r"degraded function|function [^.]{0,60}\bdegraded\b",
    r"model requires more (?:system |gpu |video )(?:memory|vram)",
)
"""One model that this server cannot run, though the status says that the server has failed."""

FEATURE: Final = says(
    r"no endpoints found that (?:support|can handle)|no allowed providers|all providers have been ignored"
    r"|no endpoints found matching (?!your [^.]{0,60}(?:data|privacy) policy)",
    r"(?:does|do|did|is|are|can|was|were)(?: not|n'?t|not)(?: currently| yet)? (?:able to )?(?:support|accept"
    r"|handle|allow|process|use)"
    r"(?:s|ed)?\b(?! exist| (?:your|the|this|any|more|new) (?:\w+ )?requests?\b)",
    r"(?:tools?|tool[ _]?(?:use|call\w*|choice)|functions?|function[ _]call\w*|images?|vision|audio|video"
    r"|files?|documents?|pdf|json"
    r"|json[_ ]schema|response[_ ]format|structured output\w*|streaming|stream|stream_options|reasoning\w*"
    r"|thinking|logprobs"
    r"|system (?:prompt|message|instruction|role)s?|developer (?:role|instruction)\w*|temperature|top_p|top_k"
    r"|seed|stop|n"
    r"|parallel_tool_calls|modalit\w+|content type|image_url|input_audio|multimodal\w*|prefill|caching|cache_control)"
    r"[`'\"]?(?: \w+){0,3} (?:is|are) (?:not|un)[ -]?(?:yet |currently )?(?:supported|available|allowed"
    r"|enabled|permitted|implemented)",
    r"unsupported (?:parameter|value|argument|field|content|input|tool|feature|modality|response_format|role"
    r"|media|image)",
    r"(?:unrecogni[sz]ed|unknown|unexpected|extra|invalid|additional) (?:request )?(?:argument|parameter"
    r"|field|name|keyword|key|propert)"
    r"\w*(?: supplied| argument| name)?",
    r"extra (?:inputs|fields|properties)|additional properties|not permitted|unknown name",
    r"requires? --enable|not multimodal|text[- ]only|only supports? (?:text|single|the default)"
    r"|failed to call a function",
    r"(?:is|are) not (?:enabled|available|allowed) for (?:this model|models/)|unknown variant|only supports? stream",
    r"no vision|does not have vision|cannot (?:read|process|handle) (?:image|audio|video|file)|image input",
)
BAD_KEY: Final = says(
    r"api[ _-]?keys? (?:is |was |has |have )?(?:been )?(?:not valid|not found|expired|invalid|missing"
    r"|incorrect|revoked|disabled"
    r"|deleted|blocked|suspended|inactive|reported as leaked|not authorized|unauthorized|required|wrong)",
    r"(?:invalid|incorrect|wrong|expired|revoked|missing|unknown|bad|malformed|no|inactive|disabled"
    r"|provide a valid|unauthorized)"
    r" (?:or \w+ )?(?:x-)?(?:api[ _-]?(?:key|token)|access[ _-]?token|token|bearer|credential|authentication"
    r"|authorization|subscription key"
    r"|signature|username or password|user ?token|auth)",
    r"(?:access token|token|credential|subscription|user|account|key)s? (?:is |are |has "
    r"|was )?(?:been )?(?:expired|invalid|revoked"
    r"|disabled|deactivated|suspended|deleted|not (?:found|valid|active))",
    r"authentication (?:failed|error|fails|required|unsuccessful|credentials)|unauthorized|unauthenticated"
    r"|not authenticated"
    r"|unregistered callers"
    r"|could not (?:validate|verify) (?:credentials|api)|request had invalid authentication"
    r"|consumer[^.]{0,60}suspended"
    r"|(?:^|\bthis |\byour )(?:organi[sz]ation|workspace|project|team)s? (?:is |has been |was )(?:currently )?"
    r"(?:disabled|deactivated|suspended|restricted|deleted|archived)"
    r"|身份验证|令牌(?:已过期|验证)|鉴权失败|无效的令牌|api key.{0,8}(?:无效|错误)",
)
UNSERVED_PLACE: Final = says(
    r"(?:user )?location is not supported|country, region,? or territory (?:is )?not supported",
    r"(?:service|api)s? (?:is|are) not (?:available|supported|offered) in (?:your|this) "
    r"(?:country|region|location|area)",
    r"(?:your|this) (?:country|region|location) is (?:not supported|unsupported|blocked|restricted)",
)
BUSY_WORDS: Final = says(
    r"overloaded|over ?capacity|at (?:full )?capacity|capacity (?:is )?(?:exceeded|constraints?|reached"
    r"|limit)|no capacity|"
    r"insufficient capacity|high (?:demand|load|traffic)|heavy load|heavy traffic",
    r"(?:is|are|currently|still) (?:\w+ )?(?:loading|starting|warming|initializing|busy)|too busy"
    r"|service (?:is )?busy|server busy",
    r"no (?:available|healthy|idle) (?:\w+ )?(?:server|upstream|worker|instance|backend|channel|replica|provider)s?",
    r"try(?:ing)? (?:again )?(?:in )?(?:later|shortly|a few)[^.]{0,20}$(?<!rate)|temporarily (?:unavailable"
    r"|overloaded)"
    r"|访问量过大|负载|繁忙|过载|no instances available|queue is full|server busy",
)
ELSEWHERE: Final = says(
    r"\b(?:previous[_ ]response|response|item|file|batch|assistant|thread|run|vector store|container"
    r"|conversation|upload|object"
    r"|message|cached ?content|fine[- ]tun\w+|image|document|prompt)s?\b.{0,80}(?:not found|does not exist"
    r"|doesn'?t exist|expired)",
    r"no such (?:file|response|item|object|batch|thread|container)",
    r"not found: (?:response|item|file|batch|conversation|assistant|thread|object)\b",
)
