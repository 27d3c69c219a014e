"""`twinlens serve --help-engine NAME`: what an engine is, and the options that it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..settings import ENGINE_FLAGS, flag

if TYPE_CHECKING:
    from ..engines.options import Option


def help_engine(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option, which prints and ends."""
    return click.option(
        "--help-engine",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=_print,
        help="Describe an engine and its options, and exit.",
    )(command)


def _print(context: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is None or context.resilient_parsing:
        return
    from ..engines.base import EngineSetupError
    from ..engines.options import options_of
    from ..engines.registry import declared_options, load

    try:
        engine = load(name)
        rows = options_of(declared_options(engine))
    except EngineSetupError as error:
        raise click.UsageError(str(error)) from error
    what = (engine.__doc__ or "").strip().partition("\n")[0]
    click.echo(f"{name}: {what}\n" if what else f"{name}\n")
    click.echo("\n".join(_lines(rows)))
    context.exit()


def _lines(rows: tuple[Option, ...]) -> Iterator[str]:
    if not rows:
        yield "It has no options."
        return
    yield "Options, as --engine-option KEY=VALUE or as keys of an engines file:"
    flags = {option: flag(setting) for setting, option in ENGINE_FLAGS.items()}
    for row in rows:
        default = "required" if row.required else f"default: {_written(row.default)}"
        facts = [row.expects, f"unit: {row.unit}" if row.unit else "", default]
        if row.name in flags:
            facts.append(f"or {flags[row.name]}")
        yield f"\n  {row.name}  [{'; '.join(filter(None, facts))}]"
        yield f"      {row.sentence}"


def _written(value: Any) -> str:
    """Write a default as it would be given."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return "none" if value is None else str(value)
