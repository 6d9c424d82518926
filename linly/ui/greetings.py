"""A short sentence in every language that has voices, for trying a voice out."""

GREETINGS = {
    "en": "Hello! This is how I sound.",
    "zh": "你好！我的声音是这样的。",
    "es": "¡Hola! Así suena mi voz.",
    "fr": "Bonjour ! Voici ma voix.",
    "hi": "नमस्ते! मेरी आवाज़ ऐसी है।",
    "it": "Ciao! Questa è la mia voce.",
    "ja": "こんにちは。これが私の声です。",
    "pt": "Olá! Esta é a minha voz.",
}
