"""The words and shapes that say what a prompt is for, in nine languages; what each weighs is in `task_weights`.

A cue belongs to no task: `translate` beside code may be coding. Words are compared whole and in lower case, stems by
their beginning, and scripts that set no spaces by what occurs in them.
"""

import re
from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "language_of_code": (
        "python javascript typescript java kotlin rust golang go c++ c# sql postgres postgresql mysql sqlite "
        "mongodb redis docker dockerfile kubernetes kubectl pod react vue angular svelte css html regex bash "
        "shell git github gitlab pytest numpy pandas nginx terraform perl php ruby rails django flask fastapi "
        "express node haskell scala swift unity assembly nasm makefile npm pip webpack jquery linux yaml json xml "
        "api graphql curl chmod aws s3 dataframe tensorflow pytorch powershell cmake websocket httpx div ci jdbc "
        "orm pcre"
    ),
    "thing_of_code": (
        "function functions method methods class compile compiler compiles code bug debug debugger refactor "
        "endpoint endpoints exception stacktrace script scripts component array arrays loop deadlock deadlocks "
        "thread threads mutex pointer pointers recursion recursive async await callback variable interface schema "
        "query queries database index middleware backend frontend module library linter lint commit branch diff "
        "docstrings unit tests cache lru queue struct trigger migration ddl syntax runtime segfault cors "
        "pull-request hook hooks implement algorithm complexity parser regexes thread-safe lock-free wait-free "
        "b-tree ub mpsc raft o(1) fixture"
    ),
    "summary": (
        "summarize summarise summary summarized sum tl;dr tldr condense shorten recap digest synopsis takeaways "
        "takeaway minutes outline compress abstract gist brief essentials key points bullet shorter boil bullets "
        "pros cons action resume resumen résume résumé synthèse essentiel zusammenfassung"
    ),
    "material": (
        "text article transcript thread paragraph report notes document email emails below following meeting memo "
        "paper chapter review letter clause changelog abstract release texto texte artículo artigo article correo "
        "protokoll absatz reunión"
    ),
    "translation": "translate translation translations translated localize back-translate traducir native speaker",
    "human_language": (
        "english german french spanish italian portuguese japanese chinese korean russian arabic dutch polish "
        "turkish swedish danish finnish norwegian czech greek hungarian hindi latin vietnamese thai hebrew "
        "ukrainian romanian englisch englische deutsch französisch spanisch italienisch niederländischen anglais "
        "allemand espagnol japonais italien inglés alemán francés italiano inglês alemão francês español "
        "português mandarin brazilian"
    ),
    "drawing": "draw paint sketch illustrate render visualise visualize photorealistic dessine dibuja",
    "making": "generate create make design produce need want like erstelle génère genera crea crée crie haz compose",
    "picture": (
        "image images picture pictures photo photograph logo icon poster illustration wallpaper avatar banner "
        "mascot tattoo portrait drawing comic pattern mock-up mockup watercolour watercolor painting cover bild "
        "imagen imagem affiche logotipo aquarell carved mural"
    ),
    "style": (
        "cinematic 4k 8k isometric pixel low-poly anime concept matte 85mm neon hour bokeh cartoon style vector "
        "flat transparent background watercolor oil vintage clay lighting light detailed realistic minimal retro "
        "escher reflection reflected refracting style. aquarelle estilo legible"
    ),
    "reasoning": (
        "prove proof proofs derive derivation solve probability integral integrate theorem equation integers "
        "integer prime primes logic premise conclusion valid argument step calculate calculation compute "
        "eigenvalue eigenvalues optimal determine deduce puzzle expected assumptions hypotheses hypothesis "
        "converges divisible induction group cyclic finite series causal equilibrium optimise optimize maximize "
        "minimize trade-offs differential diagnosis diagonal decided bijection homeomorphism paradox odds digits "
        "divisors factorial modulo mod phi matrix linearly independent independent? irrational odd even sum "
        "demand marginal discount clues truth lies flaw envelopes prisoners weighings marbles dice coin flips "
        "balance switches surjection tile evidence rank décompte justify"
    ),
    "quantity": "how many much percent % km/h rate cost probability days hours years area total number",
    "greeting": (
        "hi hello hey thanks thank bye yes ok okay please morning evening hallo danke bonjour salut merci hola "
        "gracias oi olá привет спасибо"
    ),
    "small_talk": (
        "joke story poem limerick birthday wedding toast gift gifts recipe cook cooking eat dinner breakfast "
        "movie film novel book song game play favourite favorite feel feeling bored friend friends cat dog kitten "
        "pet baby weekend trip travel visit visa weather sleep party invitation landlord neighbour neighbor boss "
        "husband wife mother father grandmother son daughter sister brother plants garden interview job advice "
        "tips ideas name names motivational quote history capital president born kitchen clean water coffee tea "
        "wine running horse dream zoo balcony witz geschenk cadeau regalo presente blague fiesta serie receita "
        "cumpleaños rules badminton"
    ),
    "asking": "what what's who who's when where which how why should is are can could do does tell suggest recommend",
    "advice": "i me my i'm should best good",
    "stakes": (
        "suicide pain numb fever bleeds cancer ibuprofen warfarin paracetamol overdose dose evict lawsuit legal "
        "allowed hits pregnant poison chest arrested"
    ),
    "craft": (
        "pun rhyme hexameter stanza poem haiku meaning literal kant gödel hamlet rfc finnegans jabberwocky latin "
        "tolstoy meter"
    ),
    "code_talk": (
        "fix error errors fails failing fail hangs crashes crash throw throws returns install rewrite convert write add"
    ),
}
"""Each cue's words."""

STEMS: Final[Mapping[str, str]] = {
    "thing_of_code": "refactor funktion función requêt consult скрипт запрос декоратор функци таблиц umlaute skript",
    "summary": "summar zusammenf fass kürz résum resum résume выжимк кратко изложи содержан",
    "translation": "translat übersetz traduc traduis traduz traduir перевед dit-on localiz",
    "drawing": "zeichn male dessin dibuj нарисуй illustr",
    "picture": "картинк illustrat",
    "reasoning": (
        "bewei begründ démontr demonstr докаж решите вероятн calcul probabil resuelv rechenweg dérivée divisib "
        "provab уравнен razon raciocín"
    ),
    "small_talk": "recommend сказк посовет фильм glückw",
    "human_language": "английск немецк испанск французск русск niederländ",
    "greeting": "приве",
}
"""The beginnings of words, of four letters and more."""

PIECES: Final[Mapping[str, tuple[str, ...]]] = {
    "thing_of_code": (
        "代码",
        "脚本",
        "爬虫",
        "函数",
        "関数",
        "エラー",
        "بلغة بايثون",
        "دالة",
        "イメージサイズ",
        "组件",
        "コード",
    ),
    "summary": ("总结", "提炼", "要点", "要約", "まとめ", "لخّص", "لخص", "摘要", "概括", "决定事项"),
    "translation": (
        "翻译",
        "译成",
        "翻訳",
        "訳して",
        "怎么说",
        "何と言い",
        "ترجم",
        "أقول",
        "用法语",
        "wie sagt man",
        "comment dit-on",
        "cómo se dice",
        "como se diz",
        "how do you say",
        "how would you say",
        "как будет по",
    ),
    "human_language": (
        "英文",
        "英語",
        "中文",
        "法语",
        "德语",
        "スペイン語",
        "日本語",
        "الإنجليزية",
        "بالفرنسية",
        "日文",
        "俄语",
        "フランス語",
    ),
    "drawing": ("画一", "绘制", "描いて", "ارسم"),
    "picture": ("图片", "图像", "画像", "の絵", "صورة", "ロゴ"),
    "reasoning": (
        "证明",
        "証明",
        "推理",
        "多久",
        "谁说真话",
        "嘘つき",
        "数列",
        "整数",
        "途中式",
        "أثبت",
        "概率",
        "確率",
        "求め",
        "計算",
        "计算",
    ),
    "small_talk": ("推荐", "おすすめ", "هدية", "どこを", "去哪", "感冒", "比较好", "方法はありますか"),
    "greeting": ("你好", "こんにちは", "مرحبا", "谢谢", "ありがとう", "как дела", "wie geht", "qué tal", "tudo bem"),
    "summary_phrase": (
        "key point",
        "main point",
        "main idea",
        "action item",
        "wichtigsten punkte",
        "puntos clave",
        "to remember",
        "what does this paper",
        "plain english",
        "plain language",
        "wants to know",
        "what happened in",
        "tl;dr",
        " to a tweet",
        "in two sentences",
        "in five sentences",
        "cut this down",
        "pros and cons only",
    ),
    "stakes": ("want to die", "kill myself", "blood pressure"),
    "step_by_step": (
        "step by step",
        "paso a paso",
        "with proof",
        "show that",
        "show the",
        "walk through",
        "work through",
        "think carefully",
        "reasons",
        "why does it work",
        "explain why",
        "lay out",
        "argue both",
        "mit rechenweg",
        "does it follow",
        "find all",
        "is every",
        "must some",
        "how do you know",
        "what follows",
    ),
    "picture_phrase": (
        "picture of",
        "image of",
        "photo of",
        "portrait of",
        "art of",
        "make it look like",
        "concept art",
        "design of",
    ),
    "picture_talk": ("conclusion", "picture a world", "draw me into", "picture this"),
}
"""Parts of a text, wherever they stand."""

SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "code": (
        "```",
        "Traceback",
        "\tat ",
        "error[E",
        "();",
        ");",
        "</",
        "=> ",
        "+++ ",
        "--- a",
        "FROM ",
        "++;",
        "!= null",
        "(define",
        "`",
        "Error: ",
        "Exception",
        "var ",
        "::",
        "\n    ",
        "{ ",
        " }",
    ),
    "formula": ("sqrt", "P(", " mod ", "[[", "phi(", " = 1", "+ n", "\u03c6", "n!", "^"),
    "asks": ("吗", "ですか", "多久"),
}
"""Parts of a text as it is written, capitals and all."""

SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "code": re.compile(r"[a-z]\w*\.\w+\(|[a-z]\w*[A-Z]\w*\(|[a-z]_\w+\(|[{;]$", re.MULTILINE),
    "formula": re.compile(r"\d(?: ?[\^*+=/] ?[\dx(]|!)|[a-z] ?[=+] ?-?\d|\d, ?\d, ?\d|\^"),
    "numbers": re.compile(r"\d[^\d]{1,60}\d[^\d]{1,60}\d"),
    "quoted": re.compile(r"[\"“„«「][^\"”“»」]{2,}[\"”“»」]"),
}
"""Patterns, looked for where a prompt begins."""

OPENINGS: Final[Mapping[str, re.Pattern[str]]] = {
    "picture_start": re.compile(r"(?:an?|the|three|text)\b[^.?]{10,160}$|(?:logo|icon|photo|poster)\b", re.IGNORECASE),
    "first_person_wish": re.compile(r"(?:can|could|would|will) you|please|i(?:'d| need| want| would)", re.IGNORECASE),
}
"""Patterns that a prompt begins with."""

TOWARDS: Final = frozenset("to into in from auf ins en al au на с dem del em o the as for und - -> the:".split())
"""Before a human language, they say that something is to be put into it, or comes from it."""
