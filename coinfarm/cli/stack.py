"""`coinfarm --stack NAME …`: defaults for options from a deployed stack; `coinfarm stack` shows them."""

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from coinfarm.errors import NotFound, StorageError

if TYPE_CHECKING:
    from coinfarm.aws.cloudformation import Stack
    from coinfarm.backfill.estimate import ComputeLimits


def use_stack(context: click.Context, name: str | None) -> None:
    """Give the commands below `context` defaults from the stack, which is described when one of them first needs it."""
    if name is None:
        return

    @cache
    def stack() -> "Stack":
        from coinfarm.aws.cloudformation import Stack  # imports boto3, which most commands do not need

        return Stack(name)

    context.obj = stack
    context.default_map = _defaults(stack)


def named_stack() -> "Stack | None":
    """The stack that --stack names, if any."""
    stack = click.get_current_context().find_root().obj
    return None if stack is None else stack()


def run_uri(_: click.Context, __: click.Parameter, root: str) -> str:
    """The URI of a run: a name without a slash is a run in the stack's results, anything else a folder or URI."""
    stack = None if "/" in root else named_stack()
    return root if stack is None else stack.run_uri(root)


def _defaults(stack: "Callable[[], Stack]") -> dict[str, Any]:
    """Defaults by command and parameter. Click calls one only if its parameter is not given."""
    model = {"model_uri": lambda: stack().model_uri}
    store = {"root": lambda: stack().candles_uri}
    model_root = {"root": lambda: (stack().required_model_uri,)}
    return {
        **dict.fromkeys(("predict", "explain", "serve", "watch", "evaluate", "verdict", "worker"), model),
        "backtest": {**model, "predictions": lambda: stack().predictions_uri, "candles": lambda: stack().candles_uri},
        "scorecard": {**model, "store_uri": lambda: stack().results_uri},
        "history": dict.fromkeys(("download", "import", "export", "check", "generate"), store),
        "model": {
            "publish": {"root": lambda: stack().required_model_uri},
            **dict.fromkeys(("list", "history", "show", "card", "promote", "rollback"), model_root),
        },
        "backfill": {
            "plan": {
                **model,
                "store": lambda: stack().candles_uri,
                "results": lambda: stack().results_uri,
                "lambda_functions": lambda: _limits(stack()).lambda_functions,
                "lambda_memory_mb": lambda: _limits(stack()).lambda_memory_mb,
                "instances": lambda: _limits(stack()).instances,
            },
        },
    }


def _limits(stack: "Stack") -> "ComputeLimits":
    from coinfarm.backfill.estimate import ComputeLimits

    return ComputeLimits(**stack.limits)


@click.command("stack", epilog="Example: coinfarm --stack coinfarm-dev stack")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--get", "output", metavar="NAME", help="Print only one value: an output such as ApiUrl, or candles, results, model.")
def show_stack(as_json: bool, output: str | None) -> None:
    """Show a deployed stack: outputs, URIs, the model in service."""
    stack = named_stack()
    if stack is None:
        raise click.UsageError("no stack: use coinfarm --stack NAME stack, or set $COINFARM_STACK")
    uris = {"model": stack.model_uri, "candles": stack.candles_uri, "results": stack.results_uri}
    if output is not None:
        values = {**stack.outputs, **{name: uri for name, uri in uris.items() if uri}}
        if output not in values:
            raise click.ClickException(f"stack {stack.name} has no output {output}; it has {', '.join(sorted(values))}")
        click.echo(values[output])
        return
    if as_json:
        document = {"name": stack.name, "region": stack.region, "status": stack.status, "serves": _version_in_service(stack), **uris}
        click.echo(json.dumps({**document, "outputs": dict(stack.outputs)}, indent=2))
        return
    lines = {
        "stack": f"{stack.name} in {stack.region}: {stack.status}",
        "version": _version_in_service(stack),
        **{name: uri for name, uri in uris.items() if uri},
        **stack.outputs,
    }
    width = max(map(len, lines))
    for name, value in lines.items():
        click.echo(f"{name:<{width}}  {value}")


def _version_in_service(stack: "Stack") -> str:
    """The model version in service, or why there is none."""
    from coinfarm.models.pointer import read_pointer
    from coinfarm.storage import open_storage

    if stack.model_uri is None:
        return "the reference model inside its image"
    try:
        found = read_pointer(open_storage(stack.model_uri))
    except NotFound:
        return f"no model yet: coinfarm --stack {stack.name} model publish BUNDLE --promote"
    except StorageError as error:
        return str(error)
    assert found is not None  # None means unchanged, and no earlier pointer was given
    return found[0].version
