"""`coinfarm completion`: shell scripts that complete commands, options and files."""

import click
from click.shell_completion import get_completion_class

_INSTALL = {
    "bash": "Permanently: echo 'eval \"$(coinfarm completion bash)\"' >> ~/.bashrc",
    "zsh": "Permanently: echo 'eval \"$(coinfarm completion zsh)\"' >> ~/.zshrc (below compinit)",
    "fish": "Permanently: coinfarm completion fish > ~/.config/fish/completions/coinfarm.fish",
}


@click.command(epilog="Example: coinfarm completion bash")
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a shell script that completes commands and options.

    For this session: eval "$(coinfarm completion bash)", or zsh; coinfarm completion fish | source. The script's last line says how to
    make it permanent.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # `shell` is one of those that Click supports
    script = kind(context.find_root().command, {}, "coinfarm", "_COINFARM_COMPLETE").source()
    click.echo(f"{script.rstrip()}\n\n# {_INSTALL[shell]}")  # last, because zsh reads the first line of a file
