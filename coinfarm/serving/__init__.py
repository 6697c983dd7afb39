"""From requests to responses: settings, the service, frames, charts and explanations."""
