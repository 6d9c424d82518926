"""Zero-shot voices: what ZipVoice and Pocket TTS are asked by way of sherpa-onnx, and what becomes of their sound.

The road is walked with a stand-in of the package, which notes what it was given; where the package itself is installed,
the stand-in is held to its signatures and sherpa-onnx runs ZipVoice's graph on toy models.
"""

import dataclasses
import re
import sys
import types

import numpy as np
import pytest

from linly import registry, weights
from linly.audio import loudness
from linly.errors import EngineFailed, EngineUnavailable, InputError
from linly.speak import sherpa
from linly.speak.pocket import Pocket, stretched
from linly.speak.zipvoice import ZipVoice
from linly.speak.zipvoice_tokens import english, tokens
from linly.values import Audio, Style, Voice

FILES = {
    "zipvoice": ("tokens.txt", "encoder.int8.onnx", "decoder.int8.onnx"),
    "vocos-24khz": ("vocos_24khz.onnx",),
    "pocket-tts": tuple(weights.manifest()["pocket-tts"].files),
    "pocket-tts-decoder": ("decoder.onnx",),
}


def humming(seconds: float, rate: int = 16000) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.2 * np.sin(2 * np.pi * 150 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    return Audio(wave.astype(np.float32), rate)


def person(**more) -> Voice:
    given = {"reference": humming(6.0), "transcript": "Hello there, how are you?", "tier": "zeroshot"} | more
    return Voice("ann", "Ann", "zipvoice", **given)


def standin() -> types.ModuleType:
    """sherpa_onnx with what the engines use of it; `asked` notes (text, GenerationConfig) of every call."""
    module = types.ModuleType("sherpa_onnx")
    module.asked, module.configs, module.__version__ = [], [], "2.0.1"

    def config(*fields, **defaults):
        class Config:
            def __init__(self, **given):
                assert set(given) <= {*fields, *defaults} and set(fields) <= set(given), given
                self.__dict__.update({**defaults, **given})

        return Config

    class Whole(config("model")):
        def validate(self):
            module.configs.append(self.model)
            return True

    class GenerationConfig:
        def __init__(self):
            self.tokens, self.extra, self.num_steps, self.speed, self.silence_scale = [], {}, 5, 1.0, 0.2
            self.reference_audio, self.reference_sample_rate, self.reference_text = [], 0, ""

    class OfflineTts:
        def __init__(self, config):
            self.sample_rate = 24000

        def generate(self, text, config):
            module.asked.append((text, config))
            units = len(config.tokens[1]) if config.tokens else len(text)
            said = humming(0.06 * units / config.speed, 24000).samples
            padded = np.concatenate([np.zeros(12000, np.float32), 0.1 * said, np.zeros(24000, np.float32)])
            return types.SimpleNamespace(samples=[] if "nosound" in text else padded.tolist(), sample_rate=24000)

    module.OfflineTtsZipvoiceModelConfig = config("tokens", "encoder", "decoder", "vocoder", data_dir="", lexicon="")
    module.OfflineTtsPocketModelConfig = config(
        "lm_flow", "lm_main", "encoder", "decoder", "text_conditioner", "vocab_json", "token_scores_json"
    )
    module.OfflineTtsModelConfig = config(zipvoice=None, pocket=None, num_threads=1, provider="cpu")
    module.OfflineTtsConfig, module.GenerationConfig, module.OfflineTts = Whole, GenerationConfig, OfflineTts
    return module


@pytest.fixture
def folders(tmp_path):
    for name, files in FILES.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_bytes(b"")
    # every single sign, and the parts of the syllables that these tests say
    signs = [chr(c) for c in (*range(32, 127), *range(0xE6, 0x250), *range(0x250, 0x2D1), 0x3B8, 0x1D7B)]
    parts = ["n0", "h0", "i2", "ao3", "sh0", "i4", "j0", "ie4"]
    lines = "".join(f"{token}\t{i}\n" for i, token in enumerate([*signs, *parts]))
    (tmp_path / "zipvoice" / "tokens.txt").write_text(lines, encoding="utf-8")
    return {name: tmp_path / name for name in FILES}


@pytest.fixture
def package(monkeypatch):
    module = standin()
    monkeypatch.setitem(sys.modules, "sherpa_onnx", module)
    return module


def test_zipvoice_says_text_in_the_voice_of_the_sample(folders, package):
    engine = ZipVoice(folders)
    assert list(engine.voices()) == []
    said = list(engine.speak("Good morning. You owe me $5!", person(), Style(language="en")))
    assert [u.text for u in said] == ["Good morning.", "You owe me $5!"] and [u.last for u in said] == [False, True]
    assert all(u.timing == "none" and u.language == "en" and u.audio.rate == 24000 for u in said)
    (_, first), (_, second) = package.asked
    assert "".join(first.tokens[0]) == "həlˈoʊ ðˈɛɹ, hˌaʊ ɑːɹ juː?" and "".join(first.tokens[1]) == "ɡˈʊd mˈɔːɹnɪŋ."
    assert "".join(second.tokens[1]).endswith("fˈaɪv dˈɑːlɚz!"), "money is read out"
    assert first.reference_sample_rate == 24000 and len(first.reference_audio) == 6 * 24000
    assert first.num_steps == 4 and first.silence_scale == 1.0 and int(first.extra["max_words_in_sentence"]) >= 200


def test_zipvoice_says_chinese_from_an_english_sample_and_the_reverse(folders, package):
    engine = ZipVoice(folders)
    [said] = engine.speak("你好世界", person(), Style())
    assert said.language == "zh" and " ".join(package.asked[-1][1].tokens[1]) == "n0 i2 h0 ao3 sh0 i4 j0 ie4 ."
    [said] = engine.speak("Hello.", person(transcript="你好，世界。"), Style())
    config = package.asked[-1][1]
    assert said.language == "en" and " ".join(config.tokens[0]) == "n0 i2 h0 ao3 , sh0 i4 j0 ie4 ."
    assert "".join(config.tokens[1]) == "həlˈoʊ."


def test_a_pronunciation_list_and_the_rate_reach_zipvoice(folders, package):
    style = Style(language="en", rate=1.5, lexicon=(("Linly", "/ˈlɪnli/"),))
    list(ZipVoice(folders).speak("Linly.", person(), style))
    config = package.asked[-1][1]
    assert "".join(config.tokens[1]) == "ˈlɪnli." and config.speed == 1.5


def test_tokens_mix_both_languages():
    said = tokens("我爱Python，西安的亲爱的女儿有3个。", "zh")
    text = " ".join(said)
    assert " " not in said and "p ˈ a ɪ θ" in text, "no spaces, which Chinese does not have"
    assert "x0 i1 an1" in text and "q0 in1 ai4" in text and "n0 v3 er2" in text and "s0 an1" in text
    assert "".join(tokens("Read 你好 aloud…", "en")) == "ɹˈiːdn0i2h0ao3əlˈaʊd..."
    assert tokens("!?", "en") == []
    spelled = {"bˈɜɹd": "bˈɜːd", "hˈæpi": "hˈæpi", "wi": "wiː", "ʧˈɔkᵊlət": "tʃˈɔːkələt", "bˈYz": "bˈɔɪz"}
    assert {word: english(word) for word in spelled} == spelled


def test_sentences_are_cut_levelled_and_followed_by_a_rest(folders, package):
    first, second = ZipVoice(folders).speak("Good morning, all of you. And now.\n", person(), Style())
    assert abs(loudness(first.audio).speech - -21) < 0.7, "0.1 of the loudness came from the model"
    heard = np.flatnonzero(np.abs(first.audio.samples) > 0.01) / 24000
    assert 0.05 < heard[0] < 0.13, "half a second of silence before was cut"
    assert (
        0.3 < first.audio.seconds - heard[-1] < 0.42 < second.audio.seconds - 0.06 * len(package.asked[1][1].tokens[1])
    )


def test_pocket_speaks_english_from_a_sample_in_any_language(folders, package):
    engine = Pocket(folders)
    voice = person(reference=humming(45.0), transcript="")
    said = list(engine.speak("It costs $20. Really?", voice, Style(seed=7)))
    texts, configs = zip(*package.asked, strict=True)
    assert texts == ("It costs twenty dollars.", "Really?") and [u.text for u in said] == ["It costs $20.", "Really?"]
    assert len(configs[0].reference_audio) == 20 * 24000 and configs[0].extra["seed"] == "7"
    assert 50 < int(configs[1].extra["max_frames"]) < int(configs[0].extra["max_frames"]) < 500
    pocket = package.configs[-1].pocket
    assert pocket.decoder.endswith("pocket-tts-decoder/decoder.onnx") and pocket.lm_main.endswith("lm_main.int8.onnx")
    with pytest.raises(InputError, match=r"speaks English, not 'zh'"):
        list(engine.speak("你好。", voice, Style()))


@pytest.mark.parametrize("rate", (0.5, 0.8, 1.25, 2.0))
def test_another_rate_of_pocket_keeps_the_pitch(rate):
    tone = Audio((0.2 * np.sin(2 * np.pi * 200 * np.arange(48000) / 24000)).astype(np.float32), 24000)
    other = stretched(tone, rate)
    assert abs(other.seconds - 2.0 / rate) < 0.05
    peak = np.argmax(np.abs(np.fft.rfft(other.samples))) / other.seconds
    assert abs(peak - 200) < 2


def test_a_long_text_is_spoken_lazily(folders, package):
    speaking = ZipVoice(folders).speak("This is a sentence of a long book. " * 2000, person(), Style(language="en"))
    for _ in range(3):
        assert not next(speaking).last
    assert len(package.asked) == 3


@pytest.mark.parametrize(
    ("changed", "text", "wanted"),
    [
        ({"reference": None}, "Hello.", "in the voice of a recording, and 'Ann' has none"),
        ({"reference": humming(0.4)}, "Hello.", "too short for ZipVoice"),
        ({"reference": Audio(np.zeros(48000, np.float32), 16000)}, "Hello.", "too short for ZipVoice"),
        ({"reference": humming(45.0)}, "Hello.", "lasts 45 s: ZipVoice takes up to 20 s"),
        ({"transcript": ""}, "Hello.", "must know what is said in the sample of 'Ann'"),
        ({"transcript": "Bonjour, je suis dans la maison avec vous."}, "Hello.", "in Chinese or English"),
        ({}, "😀 ***", "nothing to say"),
        ({}, "Bonjour, je suis dans la maison avec vous.", "speaks Chinese and English, not 'fr'"),
    ],
)
def test_what_zipvoice_cannot_do_is_said(folders, package, changed, text, wanted):
    with pytest.raises(InputError, match=re.escape(wanted)):
        list(ZipVoice(folders).speak(text, person(**changed), Style()))
    assert not package.asked


def test_silence_of_the_model_is_a_failure_and_not_a_sentence(folders, package):
    with pytest.raises(EngineFailed, match="made no sound of 'nosound'"):
        list(Pocket(folders).speak("nosound", person(), Style(language="en")))


def test_the_clip_to_speak_from():
    clips = [(humming(s), text, "en") for s, text in ((2.0, "Two."), (7.5, "Seven."), (8.1, "  "), (14.0, "Long."))]
    assert sherpa.best_clip(clips)[1] == "Seven."
    with pytest.raises(InputError, match="Nobody knows what is said"):
        sherpa.best_clip(clips[2:3])


def test_what_is_missing_is_named_with_size_and_licence(tmp_path, monkeypatch):
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: name)
    for name, wanted in (("zipvoice", ("130 MB", "Apache-2.0", "54 MB")), ("pocket", ("176 MB", "CC-BY-4.0", "41 MB"))):
        with pytest.raises(EngineUnavailable) as refused:
            registry.open_engine("speak", name)
        assert all(word in str(refused.value) for word in (*wanted, "weights pull")), refused.value
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None if name == "sherpa_onnx" else name)
    assert "Python package sherpa_onnx" in registry.why_not("speak", "pocket")


@pytest.mark.full
def test_the_stand_in_has_what_the_package_has():
    import sherpa_onnx

    module, config = standin(), sherpa_onnx.GenerationConfig()
    for field in vars(module.GenerationConfig()):
        assert hasattr(config, field), field
    assert config.silence_scale == pytest.approx(0.2) and config.num_steps == 5
    calls = sherpa_onnx.OfflineTts.generate.__doc__
    assert re.search(r"generate\(self: \S+OfflineTts, text: str, config: \S+GenerationConfig", calls), calls
    for name in ("OfflineTtsZipvoiceModelConfig", "OfflineTtsPocketModelConfig", "OfflineTtsModelConfig"):
        takes = getattr(sherpa_onnx, name).__init__.__doc__
        fields = {"OfflineTtsZipvoiceModelConfig": "tokens encoder decoder vocoder"}.get(name, "num_threads provider")
        if "Pocket" in name:
            fields = "lm_flow lm_main encoder decoder text_conditioner vocab_json token_scores_json"
        assert all(f"{field}: " in takes for field in fields.split()), name


@pytest.mark.full
def test_files_that_are_not_there_are_refused_by_the_package(folders, capfd):
    for folder in folders.values():
        for file in folder.iterdir():
            if file.name in ("encoder.int8.onnx", "lm_main.int8.onnx"):
                file.unlink()
    for engine, wanted in ((ZipVoice, "encoder.int8.onnx"), (Pocket, "lm_main.int8.onnx")):
        with pytest.raises(EngineFailed, match="does not take its model files"):
            engine(folders)
        assert f"{wanted}' does not exist" in capfd.readouterr().err


@pytest.mark.full
def test_sherpa_onnx_itself_speaks_what_it_is_given(folders):
    import zipvoice_toy

    zipvoice_toy.write(folders["zipvoice"])
    (folders["zipvoice"] / "vocos_24khz.onnx").replace(folders["vocos-24khz"] / "vocos_24khz.onnx")
    engine, voice = ZipVoice(folders), person()
    text = "We, all of us, said: some words; and more words, and again more words than twenty, and then no more."
    lengths = []
    for rate in (1.0, 2.0):
        [said] = engine.speak(text, voice, Style(language="en", rate=rate))
        lengths.append(said.audio.seconds - (0.55 / rate**0.5 - 0.12))
    count = len([t for t in tokens(text, "en") if t in zipvoice_toy.TOKENS])
    wanted = (count * zipvoice_toy.FRAMES - 1) * zipvoice_toy.HOP / 24000
    assert lengths[0] == pytest.approx(wanted, abs=0.05), "one piece, no token lost"
    assert lengths[1] == pytest.approx(wanted / 2, abs=0.05)
    again = engine.speak(text, dataclasses.replace(voice, transcript="你好世界"), Style(language="en"))
    assert next(again).audio.seconds == pytest.approx(lengths[0] + 0.43, abs=0.02)
    assert next(engine.speak("你好。世界。", voice, Style())).audio.seconds > 0.3
