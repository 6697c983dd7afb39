"""Swagger UI in one page, without the internet: Powertools carries its script and style."""

import json
from pathlib import Path

from aws_lambda_powertools.event_handler.openapi import swagger_ui

from handler.openapi_file import openapi_json

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
spec.servers = [{{url: location.href.replace(/\\/docs.*/, "")}}];  // behind a stage or a proxy the paths have something before them
SwaggerUIBundle({{spec, dom_id: "#api", deepLinking: false, validatorUrl: null}});
</script>
</body>
</html>
"""


def page() -> str:
    """The page, with all that it needs inside it."""
    assets = Path(swagger_ui.__file__).parent
    return _PAGE.format(
        style=(assets / "swagger-ui.min.css").read_text(),
        script=(assets / "swagger-ui-bundle.min.js").read_text(),
        spec=json.dumps(json.loads(openapi_json())).replace("</", "<\\/"),
    )
