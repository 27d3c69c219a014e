"""Texts in several languages, and the charsets that they were written in before Unicode."""

from __future__ import annotations

from itertools import cycle, islice

RUSSIAN = (
    "Вчера вечером мы долго сидели на кухне и говорили о том, как быстро растут дети. Старший сын уже "
    "готовится к экзаменам, а младшая дочь каждый день рисует море, хотя видела его только один раз. За "
    "окном шёл мелкий дождь, соседи сверху двигали мебель, и чайник никак не хотел закипать. Потом "
    "позвонил дедушка и рассказал, что в деревне снова отключили свет, но печка тёплая, картошка "
    "выкопана, и зимовать можно спокойно. Мы пообещали приехать в субботу первым автобусом и привезти "
    "ему новые очки, свежий хлеб и батарейки для радио. "
)
SIMPLIFIED = (
    "今天早上我去市场买菜，天气很好，街上的人也很多。卖水果的老板说，这几天的苹果又便宜又甜，让我多买一些"
    "。回家以后，我先把房间打扫干净，然后开始准备午饭。妹妹从学校打来电话，说下午有比赛，希望我们都去给她"
    "加油。吃完饭，我和父亲坐公共汽车到了体育馆，里面已经坐满了学生和家长。比赛进行得非常激烈，最后她的队"
    "伍赢了，大家高兴得跳了起来。晚上我们一起去饭店庆祝，一直聊到很晚才回家。"
)
TRADITIONAL = (
    "昨天下午我們全家到山上去看風景，路上的樹葉已經開始變紅了。爸爸開車開得很慢，因為轉彎的地方很多，媽媽"
    "擔心弟弟會暈車。到了山頂，我們在一間小店裡喝熱茶，老闆娘說這個季節的遊客最多，週末常常連停車位都找不"
    "到。吃完點心以後，我們沿著步道走了一個小時，看見許多不知道名字的鳥。回程的時候太陽已經下山，城市的燈"
    "光一盞一盞亮起來，大家都覺得這一天過得很開心。"
)
JAPANESE = (
    "昨日は久しぶりに友達と会って、駅前の小さな喫茶店でゆっくり話をしました。外は雨が降っていましたが、店"
    "の中は暖かく、コーヒーのいい香りがしました。彼女は来月から新しい会社で働くことになり、少し心配だと言"
    "っていました。わたしは、最初は誰でも緊張するけれど、きっとすぐに慣れるよと答えました。帰りに本屋へ寄"
    "って、旅行のガイドブックを二冊買いました。夏休みになったら、一緒に海の近くの町へ行くつもりです。"
)
KOREAN = (
    "지난 주말에 우리 가족은 바닷가로 여행을 다녀왔습니다. 아침 일찍 출발했지만 길이 많이 막혀서 "
    "점심때가 지나서야 도착했습니다. 아이들은 차에서 내리자마자 모래밭으로 뛰어갔고, 어머니는 그늘에 "
    "앉아 책을 읽으셨습니다. 저녁에는 시장에서 산 생선을 구워 먹고 밤하늘의 별을 보면서 오랫동안 "
    "이야기를 나누었습니다. 다음 날은 비가 조금 내렸지만 근처 박물관을 구경하고 따뜻한 차를 마신 뒤에 "
    "집으로 돌아왔습니다. "
)
GERMAN = (
    "Während der große Kühlschrank schon wieder brummt, überlegt Jürgen, ob er für die Gäste noch "
    "schnell Brötchen und Käse kaufen müsste. Später fällt ihm ein, daß die Bäckerei heute früher "
    "schließt – also los! Draußen weht ein kühler Wind, die Straße ist naß, und über den Dächern hängt "
    "dünner Nebel. „Hätte ich bloß die Handschuhe mitgenommen“, murmelt er und lächelt. Zu Hause wartet "
    "seine Schwester mit Tee für alle. "
)
FRENCH = (
    "L’été dernier, Hélène a passé trois semaines chez sa grand-mère, près d’une forêt où l’on ramasse "
    "des cèpes dès le mois d’août. Le matin, elle préparait le café, puis elles allaient jusqu’à la "
    "rivière pour y pêcher, sans grand succès. À midi, le boulanger s’arrêtait devant l’église ; ça "
    "sentait le pain chaud et la crème brûlée. Le soir, on jouait aux cartes en écoutant une vieille "
    "émission à la radio. "
)

WESTERN = {
    "German": GERMAN,
    "French": FRENCH,
    "Italian": (
        "Perché è così difficile trovare un caffè aperto la domenica? Mia sorella dice che la città è più "
        "tranquilla, però già alle otto c’è fila. Lunedì andrò all’università a piedi: ne varrà la pena. "
    ),
    "Spanish": (
        "Mañana mi tía irá al médico, porque aún le duele el corazón cuando sube al último piso. ¿Qué harás "
        "tú después? El otoño llegó pronto este año, y las montañas ya están blancas; también hace frío "
        "aquí. "
    ),
    "Swedish": (
        "På söndagen åkte vi över sjön för att hälsa på mormor, som bor i ett rött hus på ön. Hon bjöd på "
        "kaffe, smörgåsar och blåbärspaj. Det började snöa när vi skulle gå hem, så färjan gick först på "
        "kvällen. "
    ),
    "English": (
        "The café’s menu – written on a blackboard – says “soup of the day” for £4. She paid €5 and didn’t "
        "wait for change… It’s naïve to think that’s all they’ve got. "
    ),
}
"""Languages that Windows-1252 is for."""

CHARSETS = {
    "cp1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "gb18030": SIMPLIFIED,
    "shift_jis": JAPANESE,
    "euc_jp": JAPANESE,
    "big5": TRADITIONAL,
    "euc_kr": KOREAN,
    "cp1252": GERMAN,
}
"""Eight charsets that texts still come in, and what is written in them."""


def letters(text: str, count: int, start: int = 0) -> str:
    """Give so many letters of a text, which goes on and on."""
    return "".join(islice(cycle(text), start, start + count))
