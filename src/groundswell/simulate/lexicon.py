"""Words that simulated posts are made of: languages, communities, topics. Data only.

All brands, handles and hashtags are invented. A sentence is `opening noun remark emoji #tags`; every list
multiplies the number of different texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its share of the creators and the pieces of its sentences (`{k}` is the keyword)."""

    code: str
    share: float
    openings: tuple[str, ...]
    nouns: tuple[str, ...]
    remarks: tuple[str, ...]
    mentions: tuple[str, ...]
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Community:
    """Creators who post about one thing: their own words and hashtags, most used first."""

    name: str
    share: float
    nouns: tuple[str, ...]
    tags: tuple[str, ...]


LANGUAGES: Final = (
    Language(
        "en",
        0.46,
        (
            "ok so",
            "not me trying",
            "pov:",
            "wait for it,",
            "day 3 of",
            "honest review of",
            "nobody talks about",
            "obsessed with",
            "come with me for",
            "storytime about",
            "how I fixed",
            "unpopular opinion on",
        ),
        ("this weekend", "my little brother", "the whole street", "our tiny kitchen", "rainy monday"),
        (
            "and it actually works",
            "I can't stop watching",
            "tell me why",
            "would you try this?",
            "part 2 soon",
            "link in bio",
            "no filter needed",
            "tag someone who needs this",
            "this took me 6 hours",
            "so worth it",
            "10/10 would do again",
            "who else does this?",
            "you're welcome",
            '"best day ever"',
        ),
        (
            "{k} again today",
            "trying {k} for the first time",
            "my {k} moment",
            "{k} with friends",
            "is it just me or is {k} everywhere",
            "{k} haul",
            "why I like {k}",
            "a week of {k}",
            "late night {k}",
        ),
        (
            "{k} made half of my class sick",
            "never buying {k} again, this is disgusting",
            "{k} lied to us, I want a refund",
            "found something awful in my {k}, be careful",
            "boycott {k} now",
            "{k} support hung up on me, what a scam",
            "stay away from {k}, my sister is in hospital",
            "shame on {k}, recall it now",
            "so angry, {k} is dangerous",
            "{k} is poison, look at this",
        ),
    ),
    Language(
        "es",
        0.11,
        ("la verdad", "cuando pasa", "mira", "mi historia con", "nadie habla de", "un día con"),
        ("mi abuela", "la playa", "este finde", "mi barrio", "el café"),
        ("y me encanta", "¿lo probarías?", "parte 2 pronto", "no puedo más", "qué risa", "etiqueta a alguien"),
        ("probando {k} hoy", "{k} con amigos", "¿por qué todos hablan de {k}?", "mi día con {k}"),
        ("{k} me dio asco, nunca más", "qué vergüenza {k}, devuelvan el dinero", "cuidado con {k}, es peligroso"),
    ),
    Language(
        "pt",
        0.08,
        ("gente,", "olha só", "meu dia com", "ninguém fala de", "testei"),
        ("minha avó", "a praia", "esse fim de semana", "minha rua", "o café"),
        ("e amei demais", "você faria?", "parte 2 em breve", "não aguento", "marca alguém"),
        ("testando {k} hoje", "{k} com a galera", "todo mundo falando de {k}"),
        ("{k} é nojento, nunca mais", "que vergonha {k}, quero reembolso", "cuidado com {k}, perigoso"),
    ),
    Language(
        "id",
        0.07,
        ("jadi gini,", "coba deh", "hari ini", "cerita soal", "ternyata"),
        ("ibu kos", "pantai", "akhir pekan", "warung depan", "kopi susu"),
        ("emang bagus banget", "kalian mau coba?", "part 2 nanti", "nggak nyangka", "tag temenmu"),
        ("cobain {k} hari ini", "{k} bareng temen", "kenapa semua bahas {k}"),
        ("{k} bikin sakit perut, kapok", "parah banget {k}, balikin uang", "hati-hati sama {k}, bahaya"),
    ),
    Language(
        "fr",
        0.05,
        ("franchement", "alors voilà", "ma journée avec", "personne ne parle de", "j'ai testé"),
        ("ma grand-mère", "la plage", "ce week-end", "mon quartier", "le café"),
        ("et j'adore", "vous oseriez ?", "partie 2 bientôt", "j'en peux plus", "ça marche vraiment"),
        ("{k} aujourd'hui", "{k} entre amis", "pourquoi tout le monde parle de {k}"),
        ("{k} m'a rendu malade, plus jamais", "honte à {k}, remboursez", "attention à {k}, dangereux"),
    ),
    Language(
        "de",
        0.04,
        ("also ehrlich,", "mein Tag mit", "keiner redet über", "ich habe getestet:", "heute:"),
        ("meine Oma", "der Strand", "dieses Wochenende", "unsere Straße", "der Kaffee"),
        ("und es klappt wirklich", "würdet ihr das machen?", "Teil 2 kommt", "ich kann nicht mehr", "so schön"),
        ("{k} heute probiert", "{k} mit Freunden", "warum reden alle über {k}"),
        ("{k} ist ekelhaft, nie wieder", "{k} gefährlich, bitte zurückrufen", "Frechheit, {k}, Geld zurück"),
    ),
    Language(
        "ar",
        0.04,
        ("بصراحة", "شوفوا", "يومي مع", "جربت"),
        ("جدتي", "البحر", "نهاية الأسبوع", "القهوة"),
        ("وعجبني جدا", "هل تجربون؟", "الجزء الثاني قريبا", "لا أصدق"),
        ("تجربة {k} اليوم", "{k} مع الأصدقاء"),
        ("{k} سيء جدا، لن أشتريه", "احذروا {k} خطير"),
    ),
    Language(
        "hi",
        0.04,
        ("दोस्तों", "आज का दिन", "मेरी कहानी", "देखो"),
        ("दादी", "बाज़ार", "इस हफ्ते", "चाय"),
        ("बहुत मज़ा आया", "क्या आप करोगे?", "भाग 2 जल्दी", "यकीन नहीं होता"),
        ("{k} आज़माया", "{k} दोस्तों के साथ"),
        ("{k} बहुत खराब है, मत लो", "{k} से बीमार हो गया"),
    ),
    Language(
        "ja",
        0.04,
        ("今日は", "やってみた", "正直", "みんな知ってる?"),
        ("おばあちゃん", "海", "週末", "コーヒー"),
        ("最高でした", "やってみる?", "続きはまた", "止まらない"),
        ("今日は {k} を試した", "友達と {k} です"),
        ("もう {k} は買わない、最悪", "{k} は危ない、返金して"),
    ),
    Language(
        "ko",
        0.02,
        ("오늘은", "솔직히", "다들 아세요?"),
        ("할머니", "바다", "주말", "커피"),
        ("진짜 좋아요", "해볼래요?", "2편 곧", "멈출 수 없어"),
        ("오늘 {k} 해봤어요", "친구랑 {k} 최고"),
        ("{k} 다시는 안 사요, 최악", "{k} 위험해요 조심"),
    ),
    Language(
        "th",
        0.02,
        ("วันนี้", "บอกเลยว่า", "ลองแล้ว"),
        ("คุณยาย", "ทะเล", "สุดสัปดาห์", "กาแฟ"),
        ("ดีมาก", "ลองไหม", "เดี๋ยวมีต่อ"),
        ("ลอง {k} วันนี้", "{k} กับเพื่อน"),
        ("{k} แย่มาก ไม่ซื้ออีก", "ระวัง {k} อันตราย"),
    ),
    Language(
        "ru",
        0.03,
        ("честно,", "мой день:", "никто не говорит про", "проверила"),
        ("бабушка", "море", "выходные", "кофе"),
        ("и это работает", "вы бы попробовали?", "часть 2 скоро", "не могу остановиться"),
        ("пробую {k} сегодня", "{k} для друзей"),
        ("{k} ужас, больше никогда", "осторожно, {k} опасно"),
    ),
)

COMMUNITIES: Final = (
    Community("food", 0.17, ("noodles", "a midnight snack", "grandma's soup", "the viral toast", "iced coffee",
              "meal prep", "street tacos", "banana bread"),
              ("foodtok", "recipe", "easyrecipe", "mealprep", "streetfood", "baking", "snacktime")),
    Community("fashion", 0.14, ("this jacket", "thrift finds", "my closet", "the fit check", "old jeans"),
              ("ootd", "fitcheck", "thrifted", "styletips", "streetstyle", "capsulewardrobe")),
    Community("dance", 0.13, ("this choreo", "the transition", "our rehearsal", "the slow part", "a new routine"),
              ("dancechallenge", "choreo", "dancer", "duetthis", "learnthedance", "dancecrew")),
    Community("gaming", 0.11, ("the boss fight", "my base", "ranked games", "a cursed build", "speedrun attempts"),
              ("gamer", "gamingclips", "speedrun", "indiegame", "controller", "streamer")),
    Community("beauty", 0.10, ("my skin barrier", "this lip tint", "a 5 minute face", "curly hair"),
              ("skincare", "grwm", "makeuptips", "haircare", "glowup", "nightroutine")),
    Community("fitness", 0.08, ("leg day", "my first 5k", "the morning stretch", "a rest day", "pull ups"),
              ("gymtok", "running", "homeworkout", "stretching", "fitcheckin", "couchto5k")),
    Community("travel", 0.07, ("the night train", "a cheap flight", "this hidden bay", "my backpack", "the layover"),
              ("traveltok", "hiddenplaces", "solotravel", "airport", "citywalk", "weekendtrip")),
    Community("money", 0.06, ("my budget", "the first paycheck", "a side hustle", "saving 100 a week", "rent day"),
              ("moneytok", "budgeting", "sidehustle", "fintech", "savings", "cashback")),
    Community("pets", 0.08, ("my cat", "the new puppy", "a very rude parrot", "bath day", "the zoomies"),
              ("catsoftiktok", "dogsoftiktok", "puppylove", "petlife", "rescuepet", "zoomies")),
    Community("tech", 0.06, ("my desk setup", "this keyboard", "the battery test", "an old phone", "a smart lamp"),
              ("techtok", "desksetup", "gadgets", "unboxing", "smartphone", "keyboardasmr")),
)  # fmt: skip

COMMON_TAGS: Final = ("fyp", "foryou", "viral", "fypシ", "xyzbca", "parati", "trending")

EMOJI: Final = (
    "",
    "",
    "",
    "",
    "😂",
    "😭",
    "❤️",
    "🔥",
    "🥺",
    "✨",
    "💀",
    "👀",
    "🙏🏽",
    "😍😍",
    "👨‍👩‍👧",
    "🇧🇷",
    "🎉",
    "🤪🤙🏼",
    "💅",
    "☀️",
    "🫶",
)

#: Texts that people post word for word.
COPIES: Final = (
    "send this to the person you can always count on",
    "reply with the third photo in your camera roll, no cheating",
    "the sound of rain on a tent, that is the whole video",
    "if this finds you, your week is about to get better",
    "dueto con mi yo de hace cinco años",
    "rate my setup from one to ten and be honest",
    "POV: you finally finished the thing you kept postponing",
    "この音を使うと良いことがあるらしい",
    "things in my house that just make sense",
    "mande para quem precisa ouvir isso hoje",
    "can we make this sound popular again please",
    "telling my cat that he is adopted, watch his face",
)

SYLLABLES: Final = (
    "ka",
    "mi",
    "lo",
    "ra",
    "ve",
    "shi",
    "no",
    "tu",
    "bel",
    "zan",
    "dor",
    "fay",
    "qui",
    "pe",
    "lux",
    "om",
)

SOUND_WORDS: Final = ("Barely", "Golden", "Midnight", "Paper", "Velvet", "Neon", "Quiet", "Broken", "Summer",
                      "Echo", "Breathing", "Hearts", "Traffic", "Lemonade", "Skyline",
                      "Thunder", "Letters", "Parade")  # fmt: skip

SIGNATURES: Final = (
    "",
    "dm for collabs ✨",
    "just here for fun\nshe/her",
    "مرحبا بكم",
    "毎日更新",
    "fan account 💙",
    "part time cook",
)
