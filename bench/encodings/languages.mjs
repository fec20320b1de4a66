// What people write in live rooms, written for this bench: no text was taken from anywhere. Each language has
//   phrases   what everybody writes again and again, the most frequent first; {c*} repeats the character c a random number of times
//   words     frequent words of chats, the most frequent first
//   space     what separates words
//   more      rarer words are pairs of these characters and of those in `words`; without it they are made of the letters in `words`
//   length    characters of a text: the least, the mean, the greatest
//   names     the beginnings of user names in the language's own script
const split = text => text.trim().split(/\s+/);

export const languages = {
  en: {
    phrases: ["lol", "lo{l*}", "gg", "W", "LFG", "hahaha", "so good", "let's go", "no way", "F", "hi chat", "hello everyone", "GGWP", "what", "nice",
      "wow", "omg", "clip it", "first time here", "love this", "Pog", "LUL", "rip", "true", "same", "first", "hello from London", "sheesh", "who is this",
      "W stream", "L take", "goat", "yesss", "no{o*}", "chat is wild today", "1", "what did I miss"],
    words: split(`i the to you a is it and this that so in of my me for on was just he what not are we be like but have can with good do at
      no your they how all one if get this time up why did really she when go game chat him love or out now know got from too think see about
      stream who her lol need best there some want song play more here them as will would make because still even going new never man back back
      again people been had his ever by only look than way please could watch day right first after then first much thing every today always great
      were where over where guys live team last off bro better say over nice feel win gonna actually hope start next thanks big bad thought
      try night work mean same fan most long camera voice face real music laugh wait find stop call lost final round score build level voice house`),
    space: " ", length: [5, 40, 55], names: [],
  },
  zh: {
    phrases: ["{哈*}", "666", "6{6*}", "来了", "好听", "主播好", "牛", "加油", "太强了", "晚上好", "打卡", "泪目", "好家伙", "前排", "笑死", "可爱", "卧槽", "厉害了",
      "冲冲冲", "awsl", "yyds", "真的假的", "?{?*}", "晚安", "23333", "破防了", "第一次来", "名场面", "好看", "支持", "爷青回", "有内味了", "啊{啊*}", "下次一定", "求歌名"],
    words: split(`的 我 了 是 你 不 这 在 有 好 就 什么 都 也 他 一个 吗 啊 那 说 看 主播 人 吧 要 没有 还 太 真的 这个 去 来 会 很 能 想 到 给 怎么 她 呢 我们 多
      大家 现在 可以 今天 知道 吃 玩 觉得 喜欢 时候 游戏 再 歌 唱 被 个 上 对 把 让 自己 又 最 打 里 下 做 快 为什么 直播 就是 老师 还是 感觉 好听 开 谁 过 那个 两 走 等
      新 买 一下 一直 已经 可能 应该 比 有点 声音 朋友 终于 突然 以后 昨天 明天 晚上 早上 学 写 哥 姐 弟弟 别 完 几 次 钱 送 礼物 关注 视频 弹幕 画面 开始 结束 输 赢 队
      厉害 漂亮 这么 那么 一样 一起 因为 所以 但是 如果 其实 然后 只 才 先 从 跟 像 听 问 回 找 出 起 爱 心 手 头 眼睛 衣服 衣 手机 电脑 网 卡 北京 上海 广东 工作 上班 学校`),
    more: [..."天地年月日水火山风雨花鸟鱼狗猫车路门窗桌书笔红黄蓝绿白黑长短高低远近东西南北左右前后男女老少父母子孩儿同学生师医院药病睡醒梦想信念力气时间分秒春夏秋冬饭菜米面汤茶酒咖啡糖盐油店街市场票站机飞船海河江湖岛国城村家房屋楼层电影戏剧角色演员导音乐曲词调舞跳跑步球赛场技术操作装备等级经验任务地图敌友血量攻击防守胜负数量价格便宜贵快慢难易简单复杂问题答案方法原因结果情况消息新闻公司部门经理客户产品质量服务"],
    space: "", length: [2, 13, 40], names: split("小明 阿花 夜色 清风 一只猫 星辰 路人甲 南瓜 北极熊 糖糖 大白 青柠 豆包 月亮 浅笑 木子 老王 雪落 奶茶 十七"),
  },
  ja: {
    phrases: ["草", "w{w*}", "かわいい", "こんばんは", "8{8*}", "すごい", "初見です", "おつ", "きたー", "ナイス", "うまい", "てぇてぇ", "えぐい", "まじか", "それな", "ありがとう",
      "つよい", "神", "待ってた", "かっこいい", "おめでとう", "やばい", "あ{あ*}", "たすかる", "がんばれ", "好き", "おはよう", "なるほど", "わかる", "泣いた", "最高", "？？？"],
    words: split(`の は が て に た を で も と な です これ ない だ よ ね から か 今日 いい それ 私 する ます この 今 何 人 見 来 ん 好き あの そう けど し う 配信 ゲーム って
      声 歌 だけ みたい もう まだ 本当 ちょっと すごく なんか ても 時間 楽しい 行 言 思う する 一番 明日 昨日 前 後 みんな さん ちゃん 君 どこ いつ なぜ やっぱり たぶん 絶対 また 初めて
      面白い かわいい 強い 弱い 早い 遅い 難しい 簡単 勝 負 曲 動画 画面 音 仕事 学校 家 友達 犬 猫 食べ 飲み 寝 起き 買い 待 聞 話 読 書 使 作 出 入 始 終 続 変 上手 下手 普通 大変
      大丈夫 無理 最近 最後 次回 先週 来週 毎日 夜 朝 昼 東京 大阪 北海道 新しい 古い 高い 安い 長い 短い 多い 少ない 結構 全部 少し 一緒 意味 理由 名前 場所 気持ち`),
    more: [..."あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろアイウエオカキクケコサシスセソタチツテトナニネノハヒフホマミムメモラリルレロン年月日火水木金土山川海空雨雪風花鳥魚車電駅道町村国語学生先手足目耳口心体力男女子父母兄姉弟妹赤青白黒色光音楽会社店料理肉野菜米酒茶店員室屋外内左右東西南北"],
    space: "", length: [2, 13, 40], names: split("ゆき さくら たろう みかん ねこ助 そら 名無し はるか ぽんた れん 抹茶 くろ しろ まめ ひなた あおい"),
  },
  ko: {
    phrases: ["ㅋㅋ{ㅋ*}", "ㅎㅎ{ㅎ*}", "안녕하세요", "ㄷㄷ", "대박", "ㄱㄱ", "ㅠㅠ{ㅠ*}", "나이스", "귀여워", "ㅇㅈ", "감사합니다", "와{와*}", "가즈아", "실화냐", "미쳤다", "오늘도 화이팅",
      "첫 방문", "레전드", "ㄹㅇ", "헐", "노래 좋다", "예쁘다", "반가워요", "ㅇㅇ", "축하해요", "사랑해요", "뭐야", "잘한다"],
    words: split(`이 진짜 너무 오늘 아 그 왜 저 나 지금 좀 근데 뭐 이거 안 노래 방송 다 게임 더 잘 형 누나 언니 사람 내가 많이 그냥 여기 이제 우리 아니 다시 또 목소리 좋아요 같이 있어요 없어요
      하는 해서 했어요 합니다 하고 보고 있는 없는 것 거 수 때 좋은 아직 벌써 처음 마지막 항상 매일 내일 어제 아침 저녁 밤 시간 먹고 자고 가서 왔어요 갑니다 봤어요 들어요 알아요 몰라요
      재밌다 재미있어요 무서워 웃겨 어려운 쉬운 빠른 느린 큰 작은 예쁜 멋있다 대단해요 최고 화면 소리 음악 영상 채팅 친구 엄마 아빠 학교 회사 집 밥 커피 치킨 서울 부산 한국 일본 이번 다음
      정말 혹시 제발 드디어 갑자기 아마 절대 계속 빨리 천천히 조금 하나 둘 모두 누가 언제 어디 어떻게 얼마나 무슨 이름 생각 마음 느낌 이유 문제 질문 대답 시작 끝 이겼다 졌다 팀 선수 경기`),
    more: [..."가각간갈감갑강개거건걸검격견결경계고곡골공과관광교구국군굴권귀규균그극금급기긴길김꽃나난날남내넓노녹논농눈능단달담당대덕도독돌동두등라락란람랑래량력련령로론료루류률리림마막만말망매면명모목몰무문물미민바박반발방배백번범법벽변별병보복본봉부북분불비빈사산살상색생선설성세소속손송수술습승시식신실심쌍씨악안알압애야약양업역연열염영예오옥온완왕외요용운원월유육은음응의인일임입자작잔장재적전절점정제조족존종주준중증지직진질집차찬참창책천철청체초촌총추축충취층치친칠침타탈태택토통투특파판패편평폐포폭표품풍피필하학한할함합항해행향허험현협형호혼홍화확환활황회효후훈휴흥희"],
    space: " ", length: [2, 17, 45], names: split("민수 하늘 별님 지우 감자 토끼 달빛 서연 준호 초코 구름 고양이 도토리 은하"),
  },
  ar: {
    phrases: ["ه{ه*}", "السلام عليكم", "ما شاء الله", "مساء الخير", "منور", "حلو", "الله", "يا سلام", "هلا", "رائع", "كفو", "تحية من مصر", "ممتاز", "صباح الخير", "احبك", "بطل", "شكرا",
      "اول مرة هنا", "جميل جدا", "لا", "نعم", "والله", "مبروك", "وين", "استمر"],
    words: split(`في من على يا ما انا هذا كل الله لا شو انت و هو مع اليوم عن بس كيف حلو كان هي لي عندك والله شي الى لما ليش احلى وين البث واحد نحن ايش بعد قبل كثير الان هنا
      هذه الذي ممكن لو اخي صوت اغنية لعبة جميل صح اذا حتى كنت اكثر وقت يوم ليلة الناس حياة قلب عين صديق اخت ام اب بيت مدرسة عمل كلام سؤال جواب اسم بلد مصر العراق السعودية المغرب الجزائر
      تونس الاردن لبنان غدا امس دائما ابدا ربما يعني طيب خلاص يلا تعال روح شوف اسمع قول اكتب العب اكل نوم سيارة هاتف صورة فيديو لاعب فريق مباراة هدف فوز خسارة قوي ضعيف سريع بطيء كبير صغير
      جديد قديم سهل صعب سعيد حزين نفس غير فقط ايضا لكن لان ثم عند بين تحت فوق اول ثاني اخر بداية نهاية مرة`),
    space: " ", length: [3, 22, 45], names: split("احمد نور سارة خالد ليلى يوسف مريم فهد ريم عمر"),
  },
  hi: {
    phrases: ["हा{हा*}", "नमस्ते", "जय हिंद", "बहुत बढ़िया", "वाह", "भाई", "सुप्रभात", "मस्त", "क्या बात है", "शुभ रात्रि", "सही है", "पहली बार आया", "धन्यवाद", "जय हो", "कमाल", "अरे वाह", "नहीं",
      "हाँ", "दिल से", "love from Delhi", "भाई भाई", "राम राम"],
    words: split(`है के में की भाई को से का और हो आप ये क्या नहीं पर भी हैं ने कर तो मैं बहुत यह एक वो आज जी था ही गया हम मेरे सर अच्छा कब मुझे अब कैसे बात लिए सब रहे हूँ कोई दो लोग कुछ
      इस उस तुम रहा रही करो दिन वाला वाले साथ अपना अपने देख देखो गाना आवाज़ खेल वीडियो लाइव प्यार दिल दोस्त घर काम समय रात सुबह शाम कल परसों हमेशा कभी फिर पहले बाद यहाँ वहाँ कहाँ क्यों
      कौन कितना नाम गाँव शहर दिल्ली मुंबई भारत देश स्कूल पानी खाना चाय पैसा गाड़ी फ़ोन तस्वीर सवाल जवाब सही गलत बड़ा छोटा नया पुराना आसान मुश्किल तेज़ धीरे जल्दी अच्छी मज़ा शुरू ख़त्म जीत हार
      टीम खिलाड़ी मैच रन विकेट माँ पिता बहन बेटा लड़का लड़की ज़िंदगी दुनिया भगवान शायद ज़रूर बिल्कुल सिर्फ़ लेकिन अगर क्योंकि इसलिए जैसे तक बिना`),
    space: " ", length: [3, 16, 40], names: split("राहुल प्रिया अमित नेहा रोहित पूजा विकास अंजलि"),
  },
  pt: {
    phrases: ["kk{k*}", "boa noite", "oi gente", "salve", "que lindo", "top", "vamo", "boa", "rs{s*}", "amei", "mds", "primeira vez aqui", "tmj", "eita", "F", "gg", "parabéns", "brabo", "manda salve",
      "bom dia", "é isso", "aí sim", "lindo demais", "não acredito", "saudades", "caraca", "ameeei"],
    words: split(`que de o a é e eu não do um da pra em com na você no ele se uma muito mais esse mas como tá os por já essa isso me ela foi tem meu só ser vai hoje as vou aqui aí quem live jogo
      gente cara bem quando sou são também nem tudo bom agora faz música até quero essa minha seu sua ver ainda ter pelo sempre nunca cadê onde porque assim mesmo vamos tava era depois antes dia noite
      amanhã ontem casa trabalho escola amigo mãe pai irmão filho coração vida tempo vez coisa mundo voz canta joga fala olha escuta espera começa termina ganhou perdeu time gol partida lindo linda feio
      grande pequeno novo velho fácil difícil rápido devagar melhor pior primeiro último próximo tipo acho sei pode deve precisa gosta ama saudade rio são paulo brasil portugal nome foto vídeo celular
      dinheiro café comida pizza`),
    space: " ", length: [4, 40, 55], names: [],
  },
  ru: {
    phrases: ["аха{х*}", "привет", "всем привет", "лол", "+", "ого", "топ", "класс", "спасибо", "красиво", "ору", "жиза", "красавчик", "ничего себе", "первый раз тут", "доброй ночи", "да", "нет", "база",
      "респект", "го", ") ", ")))", "молодец", "давай", "кайф", "ура", "огонь"],
    words: split(`и не в на я что ты а это с он как у так все но то за меня мне же вот по да его только ну уже из еще бы когда сегодня там где нет просто мы она если кто для до игра тебя стрим есть надо
      очень будет был можно почему было чего они песня голос сейчас этот вообще всем или тут от его ее им нас вас вам нам тоже больше меньше лучше хуже всегда никогда потом завтра вчера ночь утро день вечер
      дома работа школа друг мама папа брат сестра люди жизнь время раз вещь мир играть говорить смотреть слушать ждать начать конец выиграл проиграл команда гол матч красивый смешно страшно большой маленький
      новый старый легко сложно быстро медленно первый последний следующий думаю знаю могу должен нужно люблю скучаю москва питер россия имя фото видео телефон деньги кофе еда почти опять снова конечно
      наверное точно правда кстати может сколько зачем откуда куда какой такой самый каждый чтобы потому`),
    space: " ", length: [3, 21, 50], names: split("Саша Маша Дима Катя Лёха Настя Вова Олег Женя Таня"),
  },
};

/** The most frequent first. */
export const emoji = [..."😂❤🔥😭👏😍🥰👍🎉😊🙏💀🤣💯👀😅🥺✨😱🤔😎💪🎶😘💙🌹😢🙌🎮👋🤩😡💜🌸⚽🏆🐱🍀☕🚀"];

/** The beginnings of user names in Latin letters. */
export const names = split(`alex mia dark lucky ghost neo kiki shadow leo luna max ninja happy panda tiger sam nova pixel blue frost sky
  rex zoe ace milo star cat wolf joy king fox mr crazy jin ray dan lily tom moon red ben rio ana pedro hana yuki min taro omar dev`);
