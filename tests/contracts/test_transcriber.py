import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
import tokenizers
from ctranslate2.specs import whisper_spec
from tokenizers import decoders, models, pre_tokenizers

from forge_edge.audio.ports import Samples
from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech import grammar, whisper_package
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_edge.speech.ports import Grammar, Transcriber
from forge_edge.speech.threefold import ThreefoldTranscriber
from forge_edge.speech.twofold import HEARINGS, TwofoldTranscriber
from forge_edge.speech.whisper import Utterance, Whisper, spelled
from forge_edge.speech.whisper_package import FILES
from forge_language.crisis import judge
from forge_shared.forms.questionnaire import installed

FORM = installed()["phq-9"]
ANSWERS = grammar.answers(FORM, FORM.questions[0])
WIDTH, HEADS, LAYERS, MELS, CONTEXT = 16, 2, 1, 80, 448


def tiny_whisper(folder: Path) -> Path:
    """Write a Whisper model with random weights: it hears nonsense, on every line of the real code."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokens = [*alphabet, *special, *(f"<|{index * 0.02:.2f}|>" for index in range(1501))]
    tokenizer = tokenizers.Tokenizer(models.BPE({token: index for index, token in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(tokens[len(alphabet) :])
    rng = np.random.default_rng(7)

    def weights(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.3).astype(np.float32)

    def linear(spec: Any, rows: int, columns: int) -> None:
        spec.weight, spec.bias = weights(rows, columns), weights(rows)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    spec = whisper_spec.WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    for convolution, inputs in ((spec.encoder.conv1, MELS), (spec.encoder.conv2, WIDTH)):
        convolution.weight, convolution.bias = weights(WIDTH, inputs, 3), weights(WIDTH)
    spec.encoder.position_encodings.encodings = weights(1500, WIDTH)
    spec.decoder.position_encodings.encodings = weights(CONTEXT, WIDTH)
    spec.decoder.embeddings.weight = weights(len(tokens), WIDTH)
    linear(spec.decoder.projection, len(tokens), WIDTH)
    # Nothing but letters, so that there is a text to judge.
    spec.decoder.projection.bias[[index for index, token in enumerate(tokens) if token not in set("abcdefgh")]] -= 50.0
    for part in (spec.encoder, spec.decoder):
        norm(part.layer_norm)
        for layer in part.layer:
            norm(layer.self_attention.layer_norm)
            linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH)
            linear(layer.self_attention.linear[1], WIDTH, WIDTH)
            norm(layer.ffn.layer_norm)
            linear(layer.ffn.linear_0, 4 * WIDTH, WIDTH)
            linear(layer.ffn.linear_1, WIDTH, 4 * WIDTH)
            if part is spec.decoder:
                norm(layer.attention.layer_norm)
                linear(layer.attention.linear[0], WIDTH, WIDTH)
                linear(layer.attention.linear[1], 2 * WIDTH, WIDTH)
                linear(layer.attention.linear[2], WIDTH, WIDTH)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [tokens.index("<|en|>")]
    spec.config.alignment_heads = list(itertools.product(range(LAYERS), range(HEADS)))
    spec.validate()
    folder.mkdir()
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def pocketsphinx() -> PocketsphinxTranscriber:
    return PocketsphinxTranscriber()


@pytest.fixture(scope="module")
def twofold(pocketsphinx: PocketsphinxTranscriber) -> TwofoldTranscriber:
    return TwofoldTranscriber(pocketsphinx)


@pytest.fixture(scope="module")
def threefold(twofold: TwofoldTranscriber) -> ThreefoldTranscriber:
    model, state = whisper_package.packaged()
    assert model is not None, state
    return ThreefoldTranscriber(Whisper(model), twofold)


@pytest.fixture(scope="module", params=["pocketsphinx", "twofold", "threefold"])
def transcriber(request: pytest.FixtureRequest) -> Transcriber:
    engine: Transcriber = request.getfixturevalue(request.param)
    return engine


def padded(samples: Samples) -> Samples:
    return np.concatenate((np.zeros(5_000, np.int16), samples, np.zeros(8_000, np.int16)))


def noise(level: float, seconds: float = 2.0) -> Samples:
    return (np.random.default_rng(5).standard_normal(int(seconds * 16_000)) * level).astype(np.int16)


@pytest.mark.parametrize("given", [ANSWERS.grammar, None], ids=["grammar", "dictation"])
@pytest.mark.parametrize(
    "sound",
    [np.zeros(1, np.int16), np.zeros(32_000, np.int16), np.full(16_000, 900, np.int16), noise(300), noise(6_000)],
    ids=["one-sample", "silence", "offset", "noise", "loud-noise"],
)
def test_silence_and_noise_are_never_accepted(transcriber: Transcriber, sound: Samples, given: Grammar | None) -> None:
    assert not transcriber.transcribe(sound, given).accepted


def test_with_a_grammar_the_text_is_one_of_its_phrases_or_empty(transcriber: Transcriber) -> None:
    for words in ("several days", "my chest hurts", "the weather is nice today"):
        heard = transcriber.transcribe(padded(FliteSynthesiser("slt").synthesise(words).samples), ANSWERS.grammar)
        assert heard.text in {"", *ANSWERS.grammar.phrases}
        assert 0 <= heard.confidence <= 1
        assert heard.engine == transcriber.name
        assert not heard.accepted or heard.text


def test_dictation_is_plain_lower_case_words(transcriber: Transcriber) -> None:
    heard = transcriber.transcribe(padded(FliteSynthesiser("slt").synthesise("good morning").samples), None)
    assert heard.text == heard.text.lower()
    assert all(character.isalnum() or character in " '" for character in heard.text)


def test_an_utterance_is_heard_the_same_whatever_was_heard_before(transcriber: Transcriber) -> None:
    sound = padded(FliteSynthesiser("rms").synthesise("nearly every day").samples)
    first = transcriber.transcribe(sound, ANSWERS.grammar)
    transcriber.transcribe(noise(4_000), ANSWERS.grammar)
    transcriber.transcribe(padded(EspeakSynthesiser("en-us").synthesise("stop").samples), ANSWERS.grammar)
    assert transcriber.transcribe(sound, ANSWERS.grammar) == first


@pytest.mark.parametrize(
    "make", [lambda: FliteSynthesiser("slt"), lambda: FliteSynthesiser("rms"), lambda: EspeakSynthesiser("en-us")]
)
@pytest.mark.parametrize("option", FORM.questions[0].answer_option, ids=lambda option: option.code)
def test_pocketsphinx_hears_every_answer(
    pocketsphinx: PocketsphinxTranscriber, make: Callable[[], Any], option: Any
) -> None:
    heard = pocketsphinx.transcribe(padded(make().synthesise(option.display).samples), ANSWERS.grammar)
    assert ANSWERS.meanings[heard.text].code == option.code
    assert heard.accepted


@pytest.mark.parametrize("words", ["my chest hurts", "hey jarvis", "two", "what time is it", "huh", "the bus is late"])
def test_pocketsphinx_refuses_what_is_no_answer(pocketsphinx: PocketsphinxTranscriber, words: str) -> None:
    for voice in ("slt", "rms"):
        sound = padded(FliteSynthesiser(voice).synthesise(words).samples)
        heard = pocketsphinx.transcribe(sound, ANSWERS.grammar)
        assert not heard.accepted or ANSWERS.meanings[heard.text].kind != "answer"


@pytest.mark.parametrize("words", ["huh", "hey jarvis", "my chest hurts"])
def test_pocketsphinx_takes_a_cough_or_a_complaint_for_nothing_at_all(
    pocketsphinx: PocketsphinxTranscriber, words: str
) -> None:
    sound = padded(FliteSynthesiser("slt").synthesise(words).samples)
    assert not pocketsphinx.transcribe(sound, ANSWERS.grammar).accepted


def test_pocketsphinx_keeps_a_bounded_number_of_grammars(pocketsphinx: PocketsphinxTranscriber) -> None:
    sound = padded(FliteSynthesiser("slt").synthesise("water").samples)
    for index in range(30):
        pocketsphinx.transcribe(sound, Grammar(f"g{index}", ("water", "nurse", "pain", f"{'very ' * index}thirsty")))
    assert pocketsphinx.transcribe(sound, Grammar("g0", ("water", "nurse", "pain", "thirsty"))).text == "water"


def test_pocketsphinx_leaves_out_what_its_dictionary_lacks(pocketsphinx: PocketsphinxTranscriber) -> None:
    sound = padded(FliteSynthesiser("slt").synthesise("water").samples)
    assert pocketsphinx.transcribe(sound, Grammar("mixed", ("water", "xqzzt"))).text == "water"
    with pytest.raises(EngineError, match="dictionary"):
        pocketsphinx.transcribe(sound, Grammar("none", ("xqzzt",)))


def said(words: str, voice: str = "slt") -> Samples:
    return padded(FliteSynthesiser(voice).synthesise(words).samples)


@pytest.mark.parametrize(
    ("words", "option"),
    [("not at all", 0), ("a few days", 1), ("most of the days", 2), ("pretty much every day", 3)],
)
def test_an_answer_in_peoples_own_words_is_heard_well_enough_to_be_read_back(
    twofold: TwofoldTranscriber, words: str, option: int
) -> None:
    heard = twofold.transcribe(said(words), ANSWERS.grammar)
    assert heard.accepted or heard.doubted
    assert ANSWERS.meanings[heard.text].code == FORM.questions[0].answer_option[option].code
    assert (heard.accepted, heard.hearings, heard.safety) == (heard.reason == "agreed", HEARINGS, None)


@pytest.mark.parametrize(
    ("words", "code"), [("yes i have", "yes"), ("no i have not", "no"), ("i'd rather not say", "refused")]
)
def test_two_hearings_agree_on_yes_no_and_no_answer(twofold: TwofoldTranscriber, words: str, code: str) -> None:
    asq = installed()["asq"]
    asked = grammar.answers(asq, asq.questions[0])
    heard = twofold.transcribe(said(words), asked.grammar)
    assert heard.accepted
    assert asked.meanings[heard.text].code == code


@pytest.mark.parametrize("words", ["two", "alexa", "my chest hurts", "what time is it", "the bus is late", "huh"])
def test_two_hearings_never_accept_what_is_no_answer(twofold: TwofoldTranscriber, words: str) -> None:
    for voice in ("slt", "rms"):
        assert not twofold.transcribe(said(words, voice), ANSWERS.grammar).accepted


@pytest.mark.parametrize(
    ("words", "given"),
    [("i want to die", ANSWERS.grammar), ("i can't breathe", ANSWERS.grammar), ("my chest hurts", None)],
    ids=["in-a-form", "also-in-a-form", "in-a-session"],
)
def test_danger_is_heard_whatever_the_room_has_asked(
    twofold: TwofoldTranscriber, words: str, given: Grammar | None
) -> None:
    safety = twofold.transcribe(said(words), given).safety
    assert safety is not None
    assert judge(safety).crisis


@pytest.mark.parametrize("words", ["several days", "the weather is nice today", "good morning"])
def test_no_danger_is_heard_in_harmless_words(twofold: TwofoldTranscriber, words: str) -> None:
    assert twofold.transcribe(said(words), ANSWERS.grammar).safety is None


def test_whisper_without_all_its_files_is_refused_and_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError, match=r"model\.bin"):
        Whisper(tmp_path / "nowhere")
    with pytest.raises(EngineMissingError, match=r"tokenizer\.json"):
        Whisper({"model.bin": b"", "config.json": b"{}"})
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(EngineMissingError):
        Whisper(tmp_path)


def test_the_same_model_from_memory_hears_the_same(whisper_folder: Path) -> None:
    assert ctranslate2.contains_model(str(whisper_folder))
    names = (*FILES, "vocabulary.json", "preprocessor_config.json")
    packed = Whisper({name: (whisper_folder / name).read_bytes() for name in names}, threads=1)
    ours, theirs = (model.hear(noise(3_000)).words() for model in (packed, Whisper(whisper_folder, threads=1)))
    assert ours is not None
    assert ours == theirs


class Failing(Whisper):
    """Whisper's weights, and an engine that fails while ``broken``."""

    broken = True

    def hear(self, samples: Samples) -> Utterance:
        if self.broken:
            raise EngineError("Whisper failed")
        return super().hear(samples)


@pytest.mark.parametrize("given", [ANSWERS.grammar, None], ids=["in-a-form", "in-a-session"])
def test_while_whisper_fails_the_other_two_hear_alone(
    twofold: TwofoldTranscriber, whisper_folder: Path, given: Grammar | None
) -> None:
    failing = Failing(whisper_folder, threads=1)
    three = ThreefoldTranscriber(failing, twofold)
    heard = three.transcribe(said("i want to die"), given)
    assert heard.engine == "twofold"
    assert judge(heard.safety or "").crisis
    failing.broken = False
    assert three.transcribe(said("several days"), given).engine == "threefold"


def test_a_long_utterance_is_no_phrase_and_is_taken_down(twofold: TwofoldTranscriber, whisper_folder: Path) -> None:
    three = ThreefoldTranscriber(Whisper(whisper_folder, threads=1), twofold)
    sound = np.concatenate([said("the bus is late"), noise(30, 6.0)])
    heard = three.transcribe(sound, ANSWERS.grammar)
    assert not heard.accepted
    assert heard.hearings == HEARINGS


def test_what_looks_made_up_is_no_text(threefold: ThreefoldTranscriber) -> None:
    heard = [threefold.transcribe(noise(level), None) for level in (0, 300, 6_000)]
    assert [one.text for one in heard if not one.accepted] == [""] * 3


@pytest.mark.parametrize("seconds", [0.0001, 2.0, 6.0, 40.0], ids=["a-sample", "short", "longer", "too-long"])
def test_whisper_compares_phrases_of_any_utterance(whisper_folder: Path, seconds: float) -> None:
    hearing = Whisper(whisper_folder, threads=1).hear(noise(3_000, seconds))
    found = hearing.log_probabilities([spelled(phrase) for phrase in ANSWERS.grammar.phrases[:20]])
    assert len(found) == 20
    assert all(-10_000 < one <= 0 for one in found)
    assert hearing.log_probabilities([]) == []


@pytest.mark.parametrize("words", ["not at all", "a few days", "more than half the days", "pretty much every day"])
@pytest.mark.parametrize("voice", ["slt", "rms"])
def test_three_hearings_agree_on_an_answer(threefold: ThreefoldTranscriber, words: str, voice: str) -> None:
    heard = threefold.transcribe(said(words, voice), ANSWERS.grammar)
    assert heard.accepted
    assert ANSWERS.meanings[heard.text].code == ANSWERS.meanings[words].code
    assert (heard.hearings, heard.words) == ((*HEARINGS, "whisper"), None)


@pytest.mark.parametrize("words", ["two", "alexa", "my chest hurts", "what time is it", "the bus is late", "huh"])
def test_three_hearings_never_accept_what_is_no_answer(threefold: ThreefoldTranscriber, words: str) -> None:
    for voice in ("slt", "rms"):
        assert not threefold.transcribe(said(words, voice), ANSWERS.grammar).accepted


@pytest.mark.parametrize("given", [ANSWERS.grammar, None], ids=["in-a-form", "in-a-session"])
@pytest.mark.parametrize(
    "words", ["everything would be easier if i did not wake up", "i have been saving up my tablets"]
)
def test_danger_that_no_phrase_foresees_is_taken_down(
    threefold: ThreefoldTranscriber, words: str, given: Grammar | None
) -> None:
    heard = threefold.transcribe(said(words), given)
    assert judge(heard.words or heard.text).crisis


def test_packages_whose_files_were_altered_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_package, "SHA256", {**whisper_package.SHA256, "config.json": "0" * 64})
    assert whisper_package.packaged() == (None, "altered")
