import base64
import hashlib
import re

import pytest

from coinfarm.errors import CoinfarmError
from handler.web.page_files import page_files
from handler.web.single_file import bundled, single_file


def policy_of(page):
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    return dict(part.strip().split(" ", 1) for part in content.split(";"))


def hashes(page, tag):
    contents = re.findall(rf'<{tag}(?: type="module")?>(.*?)</{tag}>', page, re.DOTALL)
    return {f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in contents}


def test_policy_allows_exactly_the_scripts_and_the_style_of_the_file():
    page = single_file()
    assert set(policy_of(page)["script-src"].split()) == hashes(page, "script")
    assert {policy_of(page)["style-src"]} == hashes(page, "style")
    assert policy_of(page)["default-src"] == "'none'"


def test_refers_to_no_other_file():
    assert re.findall(r'(?:src|href)="(?!https://www\.tradingview\.com/|data:)[^"]*"', single_file()) == []


def test_contains_every_module_once_after_those_it_imports():
    order = re.findall(r'^modules\["([\w.]+)"\] = ', bundled("main.js"), re.MULTILINE)
    assert sorted(order) == sorted(name for name in page_files() if name.endswith(".js") and "/" not in name)
    for at, name in enumerate(order):
        assert set(re.findall(r'from "\./([\w.]+)"', page_files()[name].text)) <= set(order[:at])
    assert not re.search(r"^(import|export) ", bundled("main.js"), re.MULTILINE)


def test_one_api_is_the_only_one_that_can_be_asked():
    page = single_file("https://api.example.com/v1")
    assert policy_of(page)["connect-src"] == "https://api.example.com"
    assert 'data-api-url="https://api.example.com/v1"' in page


@pytest.mark.parametrize("url", ["api.example.com", "ftp://api.example.com", "https://", "https://a b/", "https://x;script-src *"])
def test_rejects_what_is_no_url(url):
    with pytest.raises(CoinfarmError):
        single_file(url)
