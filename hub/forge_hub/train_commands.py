"""The command line's training: the heads, with ``--fine-tune`` an encoder for one, and the adapter below them all."""

import argparse
from pathlib import Path
from typing import Final, Protocol

from forge_hub.errors import TrainingError
from forge_hub.mind.fine_tuned import home as fine_tuned_home
from forge_hub.settings import HubSettings
from forge_hub.training import adapter, encoder_release, heads
from forge_hub.training.fine_tuning import fine_tune
from forge_language.encoder import built
from forge_shared.clock import SystemClock


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_training(commands: _Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("train", help="Train one of the small heads that read utterances, or what is below.")
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")
    kept = kinds.add_parser("encoder", help="Make the encoder of its package's weights, and keep it in the cache.")
    kept.set_defaults(run=_keep)
    below = kinds.add_parser(
        "adapter", help="Teach the change to the encoder that all heads read; then train them anew."
    )
    for name, data in _ADAPTER_DATA.items():
        below.add_argument(f"--{name}", type=Path, required=True, help=f"folder with {data}", metavar="FOLDER")
    below.add_argument("--out", type=Path, required=True, help="folder to write to, not that of a hub at work")
    below.set_defaults(run=_adapt)
    head = kinds.add_parser("head", help="Train a head by name: the same data give the same file.")
    head.add_argument("name", choices=heads.NAMES)
    head.add_argument("--data", type=Path, required=True, help="folder of the head's data set; models/mind names it")
    head.add_argument(
        "--out",
        type=Path,
        help="folder to write to (default: the installation; of a fine-tuned encoder, where the hub looks for it)",
    )
    head.add_argument(
        "--fine-tune",
        action="store_true",
        help="teach the encoder itself (needs the extra fine-tune of persona-forge-hub; an hour or more of one core)",
    )
    head.set_defaults(run=_train)


_ADAPTER_DATA: Final = {
    "emotions": "train.tsv of GoEmotions",
    "affect": "emobank_train_dev.csv",
    "distortions": "writer_*.jsonl (models/mind/distortions/data)",
}


def _adapt(_: HubSettings, options: argparse.Namespace) -> None:
    folders = adapter.Folders(options.emotions, options.affect, options.distortions)
    file = adapter.train(folders, options.out, tune=fine_tune)
    print(f"{file}: {file.stat().st_size} bytes")
    print(f"Put it and its description into {adapter.home()}, and train the heads anew on it.")


def _keep(_: HubSettings, __: argparse.Namespace) -> None:
    try:
        print(f"The sentence encoder is kept in {built.keep()}")
    except (OSError, ValueError) as error:
        raise TrainingError(f"the encoder was not kept: {error}") from error


def _train(_: HubSettings, options: argparse.Namespace) -> None:
    if options.fine_tune:
        _fine_tune(options)
        return
    file = heads.train(options.name, options.data, options.out or heads.home())
    print(f"{file}: {file.stat().st_size} bytes")


def _fine_tune(options: argparse.Namespace) -> None:
    out = options.out or fine_tuned_home() / options.name
    done = encoder_release.write(options.name, options.data, out, tune=fine_tune, made_at=SystemClock().now())
    print(f"{out}: version {done.version}")
    for figure in done.manifest.metrics:
        print(f"{figure.name} {figure.value} on {figure.data}")
