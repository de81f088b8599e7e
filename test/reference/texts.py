"""The texts that every text model is asked about, and the groups of them that one kind of model needs."""

LONG_WORDS = " ".join(f"word{i % 7} the sentence number {i} is about Berlin, music and 50% of it." for i in range(30))

PLAIN = [
    "Hello world",
    "The quick brown fox jumps over the lazy dog.",
    "This film is wonderful, the actors are great!",
    "I don't think it's a good idea; we'll see what they've got and whether you're right.",
    "Internationalisation is uninterestingly unbreakable",
    "WINNER!! You have won 1,000,000 dollars. Text WIN to 80085",
]

ODD = [
    "",
    " ",
    "   \t\n  \r\n ",
    "\tTabs\tand\nnew\n\nlines\r\n and  double  spaces ",
    "Café naïve résumé: crème brûlée, Ångström, Łódź, Größe, İstanbul, ﬁne ﬂour, ½ Ⅷ ﾊﾝｶｸ",
    "Cafe\u0301 nai\u0308ve A\u030angstro\u0308m",
    "Straße STRASSE ΣΊΣΥΦΟΣ ǅ ŉ",
    "I love it 😀👍🏽 and 👨‍👩‍👧‍👦 🇩🇪 ❤️ ok",
    "😀",
    "東京は日本の首都です。",
    "北京是中国的首都 and Berlin 是德国的首都，你好！",
    "서울은 대한민국의 수도이다.",
    "Привет, мир! Как дела?",
    "नमस्ते दुनिया। مرحبا بالعالم. שָׁלוֹם",
    "[SEP] in the [MASK] middle [CLS][PAD] <s> </s> <mask> <unk> [UNK]",
    "##ing ## # ▁under▁score Ġspace",
    "nul\x00byte bell\x07 zero\u200bwidth \ufeffbom soft\u00adhyphen nbsp\u00a0here \u2028line",
    "\ufffd replacement, private \ue000, unassigned \u0378, math 𝒜𝓑𝔠, gothic 𐌰𐌱",
    "“curly” ‘quotes’ «guillemets» – — … $12.50 £10 a+b=c x<y #1 @you 24/7 ~`^|",
    "https://www.example.org/path?query=1&b=2#frag info@example.com C:\\dir\\file.txt",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "1234567890 3.14159 2024-12-31 +49 (0)30 123456",
    "can't won't I'M YOU'LL they'd 'tis o'clock rock'n'roll",
    "don ' t do not n't . , !",
]

LONG = [LONG_WORDS, "東京は日本の首都です。" * 20, "é" * 150 + " " + "x" * 250]

TEXTS = PLAIN + ODD + LONG

PAIRS = [
    ["How many people live in Berlin?", "Berlin has a population of 3,520,031 registered inhabitants."],
    ["A man is eating food.", "A man is eating a piece of bread."],
    ["", "only the second"],
    ["only the first", ""],
    ["", ""],
    ["Café 東京 😀", "naïve [SEP] Größe"],
    [LONG_WORDS, "short"],
    ["short", LONG_WORDS],
    [LONG_WORDS, LONG_WORDS[7:]],
    [" ".join(["the"] * 40), " ".join(["music"] * 29)],
    [" ".join(["the"] * 29), " ".join(["music"] * 40)],
    [" ".join(["the"] * 31), " ".join(["music"] * 31)],
]

NAMED = [
    "John Smith lives in Berlin.",
    "Maria Schmidt works for Seamless in Zürich, and José García met Ben Carter in New York.",
    "Müller fährt nach Köln über Ångström-Straße; Łódź, São Paulo, İstanbul.",
    "Cafe\u0301 Zu\u0308rich, nai\u0308ve Mu\u0308ller",
    "I met 😀 John👍🏽 in 👨‍👩‍👧‍👦 Paris 🇩🇪!",
    "北京是中国的首都 and Berlin 是德国的首都，你好！",
    "東京 に 住む José さん。",
    "O'Neill-McDonald's (Pear Inc.), \"New-York\" & St. Mary's/Ltd. $12.50",
    "  leading   and\ttabs\nnewlines  John  ",
    "john",
    "",
    "   ",
    "[CLS] John [SEP] Berlin <s> Paris </s>",
    "internationalisation unbelievable Garmisch-Partenkirchen antidisestablishmentarianism",
    "ﬁne ﬂour ½ Ⅷ ﾊﾝｶｸ ǅ Straße",
    "Ada Brown, Ben Carter and Lena Fischer founded Pear in California in 1976.",
    "नमस्ते दिल्ली। مرحبا القاهرة.",
    "nul\x00byte zero\u200bwidth soft\u00adhyphen nbsp\u00a0here",
    "\U0001d49c\U0001d4d1 \U00010330\U00010331 \ufffd",
    LONG_WORDS,
]

SENTENCES = [
    "The weather is nice today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
    "Das Mädchen fährt über die Brücke.",
    "東京は日本の首都です。",
    "I love it 😀",
    "",
    " ",
    "word",
    LONG_WORDS,
]

QUERIES = [
    ["What is the capital of France?", ["Paris is the capital of France.", "The fish costs 12.50 euros.", "Lyon", ""]],
    ["How many people live in Berlin?", ["Berlin has 3,520,031 inhabitants.", "Köln 東京 😀", LONG_WORDS]],
]

ZERO_SHOT = [
    {"text": "Who are you voting for in 2024?", "labels": ["politics", "public health", "economics"]},
    {"text": "The film was boring.", "labels": ["positive", "negative"], "multi_label": True},
    {"text": "The film was boring.", "labels": ["positive", "negative"], "template": "The mood of it is {}!"},
    {"text": "Müller fährt nach Köln 😀", "labels": ["Reise", "Essen", "旅行"], "template": "Es geht um {}."},
    {"text": "One label only.", "labels": ["science"]},
    {"text": LONG_WORDS, "labels": ["music", "sports"], "multi_label": True},
    {"text": " ", "labels": ["nothing", "something"]},
]
