import os

from coinfarm.demo.environment import isolated_environment

USER_ENVIRONMENT = {
    "PATH": "/usr/bin",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "secret",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CONFIG_FILE": "/home/user/.aws/config",
    "https_proxy": "http://proxy.example.com",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/production",
    "AUTO_SCALING_GROUP": "production",
    "COINFARM_STACK": "production",
}


def test_isolated_environment_has_no_aws_settings_of_the_user():
    assert isolated_environment(USER_ENVIRONMENT) == {
        "PATH": "/usr/bin",
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
