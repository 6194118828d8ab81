"""Texts in many scripts, code and data, written for the tests of token estimates."""

import base64
import random
from collections.abc import Mapping
from typing import Final

PROSE: Final[Mapping[str, tuple[str, ...]]] = {
    "Latin": (
        "The night train leaves at ten past nine, so we should be at the station before the shops close.",
        "Der Zug fährt heute eine halbe Stunde später ab, weil die Strecke zwischen den beiden Städten gesperrt ist.",
        "Le train de nuit part à neuf heures dix, nous devrions donc être à la gare avant la fermeture des magasins.",
        "El tren nocturno sale a las nueve y diez, hay que llegar a la estación antes de que cierren las tiendas.",
        "O comboio da noite parte às nove e dez, por isso devemos chegar à estação antes de as lojas fecharem.",
        "Il treno notturno parte alle nove e dieci, quindi dovremmo essere in stazione prima che chiudano i negozi.",
        "Nattåget går tio över nio, så vi borde vara på stationen innan affärerna stänger.",
    ),
    "Cyrillic": (
        "Ночной поезд отправляется в десять минут десятого, поэтому нам надо быть на вокзале до закрытия магазинов.",
        "Сегодня утром шёл снег, но к обеду дороги уже расчистили, и автобусы снова ходят по расписанию.",
        "Она долго искала книгу, которую читала в детстве, и нашла её в маленькой лавке у реки.",
        "Нічний потяг вирушає о дев'ятій десять, тож нам треба бути на вокзалі до закриття крамниць.",
        "Влакът тръгва в девет и десет, затова трябва да сме на гарата преди да затворят магазините.",
    ),
    "Arabic": (
        "يغادر قطار الليل في التاسعة وعشر دقائق، لذلك يجب أن نصل إلى المحطة قبل أن تغلق المتاجر أبوابها.",
        "هطل الثلج هذا الصباح، لكن الطرق فُتحت عند الظهر وعادت الحافلات إلى مواعيدها المعتادة.",
        "بحثت طويلا عن الكتاب الذي قرأته في طفولتها، ثم وجدته في متجر صغير قرب النهر.",
        "قطار شب ساعت نه و ده دقیقه حرکت می‌کند، پس باید پیش از بسته شدن مغازه‌ها به ایستگاه برسیم.",
    ),
    "Devanagari": (
        "रात की रेलगाड़ी नौ बजकर दस मिनट पर छूटती है, इसलिए हमें दुकानें बंद होने से पहले स्टेशन पहुँचना चाहिए।",
        "आज सुबह बर्फ़ गिरी थी, लेकिन दोपहर तक सड़कें साफ़ हो गईं और बसें फिर समय पर चलने लगीं।",
        "वह बचपन में पढ़ी हुई किताब बहुत देर तक ढूँढती रही और आख़िर नदी के पास एक छोटी दुकान में मिली।",
        "रात्रीची गाडी नऊ वाजून दहा मिनिटांनी सुटते, म्हणून दुकाने बंद होण्यापूर्वी आपण स्थानकावर पोहोचले पाहिजे.",
    ),
    "Chinese": (
        "夜班火车九点十分出发，所以我们应该在商店关门之前到达车站，别忘了带票。",
        "今天早上下了雪，不过到了中午道路已经清理干净，公共汽车又恢复了正常班次。",
        "她找了很久小时候读过的那本书，最后在河边的一家小店里找到了。",
        "夜班火車九點十分出發，所以我們應該在商店關門之前到達車站，別忘了帶票。",
    ),
    "Japanese": (
        "夜行列車は九時十分に出るので、店が閉まる前に駅に着いたほうがいいでしょう。切符を忘れないでください。",
        "今朝は雪が降りましたが、昼までに道路は片付き、バスは時刻表どおりに動いています。",
        "彼女は子どものころに読んだ本を長いあいだ探し、川のそばの小さな店で見つけました。",
        "このボタンを押すとファイルがダウンロードされます。しばらくお待ちください。",
    ),
    "Hangul": (
        "야간 열차는 아홉 시 십 분에 출발하므로 가게가 문을 닫기 전에 역에 도착해야 합니다.",
        "오늘 아침에 눈이 왔지만 점심때까지 도로가 치워져서 버스가 다시 시간표대로 다니고 있습니다.",
    ),
    "Thai": ("รถไฟกลางคืนออกเวลาเก้าโมงสิบนาที เราจึงควรไปถึงสถานีก่อนที่ร้านค้าจะปิด",),
    "Hebrew": ("רכבת הלילה יוצאת בתשע ועשר דקות, ולכן כדאי שנגיע לתחנה לפני שהחנויות נסגרות.",),
    "Greek": (
        "Το νυχτερινό τρένο φεύγει στις εννέα και δέκα, οπότε πρέπει να είμαστε στον σταθμό πριν κλείσουν τα μαγαζιά.",
    ),
}
"""Texts by script."""

_RANDOM: Final = random.Random(20261130)

DATA: Final[Mapping[str, str]] = {
    "Python": (
        "class Cart:\n    def __init__(self, items: list[Item]) -> None:\n        self._items = items\n\n"
        "    def total(self, *, discount: Decimal = Decimal(0)) -> Decimal:\n"
        "        gross = sum((item.price * item.count for item in self._items), Decimal(0))\n"
        "        return max(gross - discount, Decimal(0)).quantize(Decimal('0.01'))\n"
    ),
    "TypeScript": (
        "export async function loadPage<T>(url: string, cursor?: string): Promise<Page<T>> {\n"
        "  const answer = await fetch(cursor ? `${url}?cursor=${encodeURIComponent(cursor)}` : url);\n"
        "  if (!answer.ok) throw new HttpError(answer.status, await answer.text());\n  return answer.json();\n}\n"
    ),
    "C": (
        "#include <stdint.h>\nuint32_t crc32(const uint8_t *p, size_t n) {\n  uint32_t c = 0xFFFFFFFFu;\n"
        "  while (n--) { c ^= *p++; for (int k = 0; k < 8; k++) c = (c >> 1) ^ (0xEDB88320u & -(c & 1)); }\n"
        "  return ~c;\n}\n"
    ),
    "SQL": (
        "SELECT t.name, count(*) AS requests, sum(r.cost_nano_usd) / 1e9 AS usd FROM requests r JOIN tenants t "
        "ON t.id = r.tenant_id WHERE r.created_at >= '2026-11-01' GROUP BY t.name ORDER BY 3 DESC LIMIT 20;\n"
    ),
    "shell": 'for f in *.log; do gzip -9 "$f" && mv "$f.gz" "/var/archive/$(date +%Y/%m)/" || exit 1; done\n',
    "HTML": '<ul class="menu"><li><a href="/a?x=1&amp;y=2" data-id="17">One</a></li><li hidden>Two</li></ul>\n' * 2,
    "JSON": (
        '{"id":"ord_9f2c41","lines":[{"sku":"A-1007","count":3,"price":"12.50"},{"sku":"B-0042","count":1,'
        '"price":"199.00"}],"paid":true,"note":null,"at":"2026-11-30T08:15:42.118Z"}'
    ),
    "indented JSON": (
        '{\n  "name": "notebook",\n  "limits": {\n    "rpm": 60,\n    "tpm": 90000\n  },\n  "tags": ["a"]\n}\n'
    ),
    "numbers": "\n".join(",".join(f"{_RANDOM.uniform(-500, 500):.4f}" for _ in range(8)) for _ in range(12)),
    "long numbers": " ".join(str(_RANDOM.getrandbits(64)) for _ in range(20)),
    "UUIDs": " ".join(f"{_RANDOM.getrandbits(64):016x}-{_RANDOM.getrandbits(32):08x}" for _ in range(12)),
    "hex": _RANDOM.randbytes(300).hex(),
    "base64": base64.b64encode(_RANDOM.randbytes(900)).decode(),
    "base64url": base64.urlsafe_b64encode(_RANDOM.randbytes(500)).decode(),
    "wrapped base64": base64.encodebytes(_RANDOM.randbytes(600)).decode(),
    "Markdown": "## Steps\n\n1. Install `uv`.\n2. Run **once**: `uv run omg serve`\n\n| a | b |\n| --- | --- |\n",
}
"""Code and data by what they are."""
