"""The command line of the room node."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from forge_edge import support_commands, update_commands, vision_commands
from forge_edge.settings import PREFIX, NodeSettings
from forge_language.measured import PSEUDONYMISED
from forge_shared import logs
from forge_shared.environment import unknown_variables
from forge_shared.errors import ForgeError

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the node's command line.

    Returns:
        0 on success, 1 when the command failed, 2 when it was called wrongly.
    """
    options = _parser().parse_args(arguments)
    logs.configure(f"forge-edge {options.name}", level=options.log_level)
    try:
        settings = _read_settings()
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    try:
        result: int = options.run(settings, options)
    except ForgeError as error:
        print(f"forge-edge: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        return EXIT_FAILED
    return result


def _read_settings() -> NodeSettings:
    """Return the settings.

    Raises:
        ValueError: Some are misspelt or cannot work; the message has one line for each.
    """
    unknown = unknown_variables(PREFIX, NodeSettings.model_fields, os.environ)
    wrong = [
        f"forge-edge: {name} is no setting; {f'the nearest is {nearest}' if nearest else 'see `forge-edge settings`'}"
        for name, nearest in unknown
    ]
    try:
        settings = NodeSettings()
    except SettingsError as error:
        # Its only structure is its message, which names the field and does not repeat the value.
        field = next((name for name in NodeSettings.model_fields if f'"{name}"' in str(error)), "")
        wrong.append(f'forge-edge: {PREFIX}{field.upper()}: a list is written as JSON, such as ["one", "two"]')
    except ValidationError as error:
        for item in error.errors():
            variable = "".join(f" {PREFIX}{str(part).upper()}:" for part in item["loc"][:1])
            wrong.append(f"forge-edge:{variable} {item['msg'].removeprefix('Value error, ')}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return settings


# Each command imports what it needs: a node without audio packages can still run its doctor.


def _run(settings: NodeSettings, _: argparse.Namespace) -> int:
    from forge_edge.app import Node  # noqa: PLC0415 (see above)

    asyncio.run(Node(settings).run())
    return EXIT_OK


def _ears(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge import ears  # noqa: PLC0415 (see above)

    tuned = {"words_per_minute": options.words_per_minute, "wake_threshold": options.wake_threshold}
    settings = settings.model_copy(update={name: value for name, value in tuned.items() if value is not None})
    ears.run(settings, options.socket, deaf=options.deaf)
    return EXIT_OK


def _eyes(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge import eyes  # noqa: PLC0415 (see above)
    from forge_edge.vision import finder  # noqa: PLC0415 (see above)

    eyes.run(settings, options.socket, reader=finder.finder, is_due=finder.attention)
    return EXIT_OK


def _prove(_: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge import golden_run  # noqa: PLC0415 (see above)

    print(json.dumps(golden_run.run(options.folder, build=options.build)), flush=True)
    return EXIT_OK


def _watch(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.watch import watch  # noqa: PLC0415 (see above)

    return _print(watch(settings, options), options)


def _wake(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.recordings import wake_files  # noqa: PLC0415 (see above)
    from forge_edge.wake.micro import BUILT_IN_WORDS  # noqa: PLC0415 (see above)

    words = [word for named in options.words or () for word in named.split(",")] or BUILT_IN_WORDS
    threshold = settings.wake_threshold if options.threshold is None else options.threshold
    unreadable: set[str] = set()

    def lines() -> Iterator[Mapping[str, Any]]:
        for line in wake_files(options.files, words, threshold=threshold):
            if "error" in line:
                unreadable.add(line["file"])
            yield line

    _print(lines(), options)
    # Recordings are tried by the hundred: one that is damaged is said in its line and does not fail the others.
    return EXIT_FAILED if unreadable.issuperset(map(str, options.files)) else EXIT_OK


def _transcribe(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.engines import transcriber  # noqa: PLC0415 (see above)
    from forge_edge.recordings import transcribe_files  # noqa: PLC0415 (see above)

    if bool(options.form) != bool(options.item):
        print("forge-edge: --form and --item belong together: a question is one of a form", file=sys.stderr)
        return EXIT_USAGE
    engine = transcriber(settings)
    lines = transcribe_files(options.files, options.form, options.item, engine, forms_dir=settings.forms_dir)
    return _print(lines, options)


def _hear(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.engines import transcriber  # noqa: PLC0415 (see above)
    from forge_edge.recordings import hear_files  # noqa: PLC0415 (see above)

    engine = transcriber(settings)
    return _print(hear_files(options.files, options.form, options.item, engine, forms_dir=settings.forms_dir), options)


def _say(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.audio.files import save  # noqa: PLC0415 (see above)
    from forge_edge.engines import synthesiser  # noqa: PLC0415 (see above)

    save(options.output, synthesiser(settings).synthesise(options.text))
    return EXIT_OK


def _crisis(_: NodeSettings, options: argparse.Namespace) -> int:
    from forge_language.crisis import judge  # noqa: PLC0415 (see above)

    def judged() -> Iterator[Mapping[str, Any]]:
        for line in sys.stdin:
            text = line.rstrip("\r\n")
            found = judge(text)
            yield {
                "text": text,
                "crisis": found.crisis,
                "priority": found.priority,
                "category": found.category,
                "confidence": found.confidence,
            }

    return _print(judged(), options)


def _anonymise(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.anonymise import anonymise, as_json  # noqa: PLC0415 (see above)
    from forge_edge.room_files import known_names  # noqa: PLC0415 (see above)

    names = known_names(settings.known_names)
    wanted = options.surrogates or settings.redaction == "surrogate"
    for redacted in anonymise(sys.stdin.buffer, names, surrogates=wanted):
        line = as_json(redacted) if options.json else redacted.text
        sys.stdout.buffer.write(line.encode() + b"\n")
        sys.stdout.buffer.flush()
    return EXIT_OK


def _doctor(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.doctor import examine  # noqa: PLC0415 (see above)

    findings = examine(settings)
    for finding in findings:
        if options.json:
            print(json.dumps({"check": finding.check, "ok": finding.ok, "found": finding.found, "do": finding.do}))
        else:
            print(f"{'ok  ' if finding.ok else 'BAD '} {finding.check:12} {finding.found}")
            if finding.do:
                print(f"     {'':12} -> {finding.do}")
    return EXIT_OK if all(finding.ok for finding in findings) else EXIT_FAILED


def _enrol(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.enrolment import enrol  # noqa: PLC0415 (see above)

    words = options.words or input("The words of the claim: ").split()
    out = options.out or settings.credentials or settings.folder / "credentials.json"
    credentials = enrol(options.url, words, out)
    print(f"This is '{credentials.node}' of site '{credentials.site}' now. Set FORGE_EDGE_CREDENTIALS={out}")
    return EXIT_OK


def _form_check(_: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.forms.files import check_files  # noqa: PLC0415 (see above)

    failed = False
    for line in check_files(options.files):
        failed = failed or not line["ok"]
        if options.json:
            print(json.dumps(line), flush=True)
        else:
            print(f"{'ok  ' if line['ok'] else 'BAD '} {line['file']}{'  ' + line['error'] if line['error'] else ''}")
            for warned in line["warnings"]:
                print(f"     {warned['code']} {warned['link_id'] or ''}: {warned['text']}")
    return EXIT_FAILED if failed else EXIT_OK


def _form_run(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.forms.files import form_named, run_written  # noqa: PLC0415 (see above)

    # With --json the response alone goes to standard output, so that a program can read it.
    shown = sys.stderr if options.json else sys.stdout
    form = form_named(options.file, settings.forms_dir)

    def show(line: str) -> None:
        print(line, file=shown, flush=True)

    if options.audio:
        from forge_edge.engines import transcriber  # noqa: PLC0415 (see above)
        from forge_edge.forms.asked import AskedForm  # noqa: PLC0415 (see above)
        from forge_edge.heard_forms import run_heard  # noqa: PLC0415 (see above)

        zone = datetime.now().astimezone().tzinfo or UTC
        asked = AskedForm(form, zone=zone, dictation=settings.takes_dictation)
        response = run_heard(asked, options.audio, transcriber(settings), show, assume_yes=options.assume_yes)
    else:
        response = run_written(form, sys.stdin, show)
    print(json.dumps(response, ensure_ascii=False, indent=None if options.json else 1), flush=True)
    return EXIT_FAILED if response["status"] == "in-progress" else EXIT_OK


def _form_score(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.forms.files import score_files  # noqa: PLC0415 (see above)

    return _print(score_files(options.files, options.form, settings.forms_dir), options)


def _plan_secret(_: NodeSettings, __: argparse.Namespace) -> int:
    from forge_shared.plan import Secret  # noqa: PLC0415 (see above)

    words = getpass("PIN or word: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not words.strip():
        print("forge-edge: an empty one keeps nobody out", file=sys.stderr)
        return EXIT_USAGE
    print(Secret.of(words).model_dump_json())
    return EXIT_OK


def _settings(_: NodeSettings, __: argparse.Namespace) -> int:
    for name, field in NodeSettings.model_fields.items():
        print(f"FORGE_EDGE_{name.upper():24} {field.description} (default: {field.default})")
    return EXIT_OK


def _print(lines: Iterable[Mapping[str, Any]], options: argparse.Namespace) -> int:
    failed = False
    for line in lines:
        failed = failed or "error" in line
        if options.json:
            print(json.dumps(line), flush=True)
        else:
            print("  ".join(f"{key}={value}" for key, value in line.items()), flush=True)
    return EXIT_FAILED if failed else EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="forge-edge",
        description="The Persona-Forge room node.",
        epilog="Settings: `forge-edge settings` lists them. Exit status: 0 done, 1 failed, 2 called wrongly.",
    )
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")

    def command(name: str, run: Any, description: str) -> argparse.ArgumentParser:  # noqa: ANN401 (argparse keeps it untyped)
        sub = commands.add_parser(name, help=description, description=description)
        sub.set_defaults(run=run)
        return sub

    command("run", _run, "Run the node until it is told to end.")
    ears = command("ears", _ears, "Run the ears; `run` starts them by itself.")
    ears.add_argument("--socket", type=Path, required=True, help="the core's socket")
    ears.add_argument("--deaf", action="store_true", help="open no microphone, only speak")
    for name, kind in (("--words-per-minute", int), ("--wake-threshold", float)):
        ears.add_argument(name, type=kind, help="what is set for the room (default: as the settings have it)")
    eyes = command("eyes", _eyes, "Run the eyes; `run` starts them where there is a camera.")
    eyes.add_argument("--socket", type=Path, required=True, help="the core's socket")
    prove = command("prove", _prove, "Prove a model release by its golden input; `run` does it by itself.")
    prove.add_argument("folder", type=Path, metavar="FOLDER", help="where the release was unpacked")
    prove.add_argument("--build", action="store_true", help="only build the engines that this device needs for it")
    watch = command("watch", _watch, "Judge what a camera, a video or a log of keypoints shows: one line per finding.")
    vision_commands.add_watch(watch)
    wake = command("wake", _wake, "Find the wake word in recordings: one line per detection.")
    wake.add_argument(
        "--word",
        "--words",
        dest="words",
        action="append",
        metavar="WORD[,WORD...]",
        help="wake words to look for (default: all built-in ones)",
    )
    wake.add_argument("--threshold", type=float, metavar="SCORE", help="lowest score, 0 to 1 (default: the room's)")
    transcribe = command("transcribe", _transcribe, "Transcribe recordings: one line per file.")
    transcribe.add_argument("--form", metavar="ID", help="expect an answer to this form, such as phq-9")
    transcribe.add_argument("--item", metavar="LINKID", help="the question that is answered, such as 44250-9")
    hear = command("hear", _hear, "Hear recordings as answers to a question, as the room would: one line per file.")
    hear.add_argument("--form", metavar="ID", required=True, help="the form, such as phq-9")
    hear.add_argument("--item", metavar="LINKID", help="the question that is answered (default: the first)")
    for sub in (wake, transcribe, hear):
        sub.add_argument("files", nargs="+", type=Path, metavar="FILE", help="any sound file, any rate")
        sub.add_argument("--json", action="store_true", help="one JSON object a line")
    say = command("say", _say, "Speak a text into a WAV file with the room's voice.")
    say.add_argument("text", metavar="TEXT")
    say.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    crisis = command("crisis", _crisis, "Judge lines of text from standard input: must somebody come, and how soon?")
    crisis.add_argument("--json", action="store_true", help="one JSON object a line")
    anonymise = command(
        "anonymise",
        _anonymise,
        "Take what identifies people out of lines of text from standard input: one line out for each line in. What is "
        f"left is {PSEUDONYMISED}.",
    )
    anonymise.add_argument(
        "--json",
        action="store_true",
        help='one JSON object a line: {"text": ..., "spans": [{"start", "end", "kind"}]}; start and end count '
        "characters (code points) of the line that came in, end exclusive",
    )
    anonymise.add_argument(
        "--surrogates",
        action="store_true",
        help="invented words for names, places and organisations, the same for the same one in all lines (default: "
        "the room's setting)",
    )
    doctor = command("doctor", _doctor, "Check microphone, models, broker, clock and disk, and say what to do.")
    doctor.add_argument("--json", action="store_true", help="one JSON object a line")
    support_commands.add(command("support-bundle", None, "Write what helps those who help: codes and figures alone."))
    enrol = command("enrol", _enrol, "Become a node of a site: make a key and have the hub sign it, with a claim.")
    enrol.add_argument("url", metavar="URL", help="the hub's address, https://...")
    enrol.add_argument("words", nargs="*", metavar="WORD", help="the words of the claim; asked for when left out")
    enrol.add_argument("-o", "--out", type=Path, metavar="FILE", help="credentials file to write")
    form = command("form", _form_check, "Check, score and fill in questionnaires.")
    _add_form_commands(form)
    vision_commands.add(command("vision", None, "Measure, build and bring the networks that see."))
    update_commands.add(command("updates", None, "Show, look for and take back what models the room has."))
    command("plan-secret", _plan_secret, "Make what a room's plan holds of the staff's PIN or an agreed word.")
    command("settings", _settings, "List every setting with its environment variable.")
    return parser


def _add_form_commands(form: argparse.ArgumentParser) -> None:
    kinds = form.add_subparsers(required=True, metavar="WHAT", dest="what")
    check = kinds.add_parser("check", help="say whether FHIR Questionnaires can be used, and what of them is left out")
    check.set_defaults(run=_form_check)
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="FHIR R4 Questionnaire, JSON")
    check.add_argument("--json", action="store_true", help="one JSON object a line")
    score = kinds.add_parser("score", help="score FHIR QuestionnaireResponses: one line per file")
    score.set_defaults(run=_form_score)
    score.add_argument("files", nargs="+", type=Path, metavar="RESPONSE", help="FHIR R4 QuestionnaireResponse, JSON")
    score.add_argument("--form", type=Path, metavar="FILE", help="the questionnaire, where it is not installed here")
    score.add_argument("--json", action="store_true", help="one JSON object a line")
    fill = kinds.add_parser("run", help="fill in a form and print its QuestionnaireResponse")
    fill.set_defaults(run=_form_run)
    fill.add_argument(
        "file", type=Path, metavar="FILE", help="FHIR R4 Questionnaire, JSON, or the id of an installed one"
    )
    ways = fill.add_mutually_exclusive_group(required=True)
    ways.add_argument("--text", action="store_true", help="answers are lines of standard input")
    ways.add_argument(
        "--audio",
        nargs="+",
        type=Path,
        metavar="SOUND",
        help="recordings, one for each turn: an answer, then a yes or a no to its reading back, and so on",
    )
    fill.add_argument(
        "--assume-yes", action="store_true", help="with --audio: take every reading back as right, and answers alone"
    )
    fill.add_argument(
        "--json", action="store_true", help="questions to standard error, the response to standard output"
    )


if __name__ == "__main__":
    sys.exit(main())
