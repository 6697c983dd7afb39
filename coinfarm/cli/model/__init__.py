"""`coinfarm model …`: publish versions of a model, and choose the one in service."""

import click

from coinfarm.cli.model.import_command import import_model
from coinfarm.cli.model.publish_command import publish
from coinfarm.cli.model.version_commands import card, history, list_versions, promote, rollback, show


@click.group()
def model() -> None:
    """Publish model versions, and choose the one in service.

    ROOT, the model root, is a folder or an s3:// URI; model publish creates it. With coinfarm --stack NAME it may be left out. The other
    commands fail (exit code 1) if ROOT does not exist or has no versions.
    """


for command in (publish, import_model, list_versions, history, show, card, promote, rollback):
    model.add_command(command)
