"""Swagger UI in one page without external files: Powertools includes its script and style sheet."""

from pathlib import Path

from aws_lambda_powertools.event_handler.openapi import swagger_ui

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coinfarm API</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<div id="api"></div>
<script>{script}</script>
<script>
const spec = {spec};
spec.servers = [{{url: location.href.replace(/\\/docs.*/, "")}}];  // a stage or a proxy puts a prefix before the paths
SwaggerUIBundle({{spec, dom_id: "#api", deepLinking: false, validatorUrl: null}});
</script>
</body>
</html>
"""


def page(document: str) -> str:
    """The HTML page for an OpenAPI document, with script, style sheet and document inline."""
    assets = Path(swagger_ui.__file__).parent
    return _PAGE.format(
        style=(assets / "swagger-ui.min.css").read_text(),
        script=(assets / "swagger-ui-bundle.min.js").read_text(),
        spec=document.replace("</", "<\\/"),
    )
