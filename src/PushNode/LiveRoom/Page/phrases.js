// What the storm says.

const Phrases = [
  "hello from the storm", "what a goal!", "is this live?", "greetings from Lisbon", "good evening everybody",
  "first time here", "play it again!", "that drum solo", "we are so back", "turn it up", "goosebumps",
  "who is on drums?", "encore!", "same time tomorrow?", "let's go", "no way", "+1", "晚上好", "太好听了", "前排围观",
  "来了来了", "主播今天状态真好", "哈哈哈哈哈哈", "这个角度绝了", "再来一首", "请问这首歌叫什么名字", "冲冲冲", "泪目", "こんばんは", "最高！", "待ってました",
  "かっこいい", "鳥肌が立った", "初見です", "안녕하세요", "대박", "너무 좋아요", "앵콜!", "오늘 목소리 미쳤다", "¡qué golazo!",
  "buenas noches a todos", "otra, otra, otra", "saludos desde Bogotá", "boa noite, gente", "que show!",
  "arrepiei", "salut tout le monde", "c'est magnifique", "encore une fois", "on est bien là",
  "hallo zusammen", "was für ein Tor", "Gänsehaut pur", "ciao a tutti", "che spettacolo", "iyi akşamlar",
  "harika!", "добрый вечер", "вот это да", "ещё раз!", "мурашки по коже", "добрий вечір", "dobry wieczór",
  "god kväll", "hyvää iltaa", "مساء الخير", "ما شاء الله", "رائع جدا", "ערב טוב", "איזה ביצוע", "नमस्ते",
  "बहुत बढ़िया", "สวัสดีทุกคน", "xin chào cả nhà", "selamat malam", "καλησπέρα", "τι γκολ!", "🔥🔥🔥", "👏👏👏",
  "❤️", "🎉 🎉 🎉", "😂😂", "🥁🎸🎹", "👀", "🐐", "🙌 yes!", "💯", "⚡️⚡️", "🌊 the wave is coming",
];

const Endings = ["", "", "", "", "", " 🔥", " 👏", " 😂", " ❤️", " 🎉", "!", " …"];

const any = list => list[Math.floor(Math.random() * list.length)];

export const phrase = () => any(Phrases) + any(Endings);
